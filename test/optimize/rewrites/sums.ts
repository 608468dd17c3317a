/** Of sums: products taken out of them and apart, scales, what does not depend on their indices. */
import { type Rewrites, same } from "./rewrite.ts";

export const sums: Rewrites = {
  "sums of products, simplify, common subexpressions, dead code": {
    "the sum of a centred value is 0": {
      before: `input %x: f32[8,4] argument x
        %s: f32[8] = sum[n<8 | k<4] %x[n, k]
        %m: f32[8] = map[n<8] %s[n] / 4
        %d: f32[8] = sum[n<8 | k<4] %x[n, k] - %m[n]
        output %d result d`,
      after: `input %x: f32[8,4] argument x
        %d: f32[8] = constant 0
        output %d result d`,
    },
    "also behind maps, factors and moments": {
      before: `input %x: f32[8,4] argument x
        input %g: f32[8] argument g
        %m, %q: f32[8], f32[8] = moments[n<8 | k<4] %x[n, k]
        %c: f32[8,4] = map[n<8, k<4] (%x[n, k] - %m[n]) / sqrt(%q[n]) * %g[n]
        %d: f32[8] = sum[n<8 | k<4] %c[n, k] * %g[n]
        output %c result c
        output %d result d`,
      after: `input %x: f32[8,4] argument x
        input %g: f32[8] argument g
        %m, %q: f32[8], f32[8] = moments[n<8 | k<4] %x[n, k]
        %c: f32[8,4] = map[n<8, k<4] (%x[n, k] - %m[n]) / sqrt(%q[n]) * %g[n]
        %d: f32[8] = constant 0
        output %c result c
        output %d result d`,
    },
    "but not if the mean is another's": same(`input %x: f32[8,4] argument x
        input %z: f32[8,4] argument z
        %s: f32[8] = sum[n<8 | k<4] %z[n, k]
        %m: f32[8] = map[n<8] %s[n] * 0.25
        %d: f32[8] = sum[n<8 | k<4] %x[n, k] - %m[n]
        output %d result d`),
    "the sum of a one-hot select is the value": {
      before: `input %x: f32[8,4] argument x
        input %id: i32[8] argument id
        %y: f32[8] = sum[n<8 | k<4] select(k == %id[n], %x[n, k], 0)
        %z: f32[4] = sum[n<4 | k<4] select(n == k, %x[n, k], 0)
        output %y result y
        output %z result z`,
      after: `input %x: f32[8,4] argument x
        input %id: i32[8] argument id
        %y: f32[8] = map[n<8] %x[n, %id[n] else 0]
        %z: f32[4] = map[n<4] %x[n, n]
        output %y result y
        output %z result z`,
    },
    "factors leave the sum, and equal sums are shared": {
      before: `input %x: f32[8,4] argument x
        input %g: f32[8] argument g
        input %h: f32[8] argument h
        %a: f32[8] = sum[n<8 | k<4] -(%x[n, k] * 2 / %g[n])
        %b: f32[8] = sum[n<8 | k<4] select(%h[n] > 0, %x[n, k] * %h[n], 0)
        output %a result a
        output %b result b`,
      after: `input %x: f32[8,4] argument x
        input %g: f32[8] argument g
        input %h: f32[8] argument h
        %a.sum: f32[8] = sum[n<8 | k<4] %x[n, k]
        %a: f32[8] = map[n<8] %a.sum[n] / %g[n] * -2
        %b: f32[8] = map[n<8] select(%h[n] > 0, %a.sum[n] * %h[n], 0)
        output %a result a
        output %b result b`,
    },
    "a common factor of several terms": {
      before: `input %x: f32[8,4] argument x
        input %z: f32[8,4] argument z
        input %g: f32[8] argument g
        %a: f32[8] = sum[n<8 | k<4] %x[n, k] * %g[n] + %g[n] * exp(%z[n, k])
        output %a result a`,
      after: `input %x: f32[8,4] argument x
        input %z: f32[8,4] argument z
        input %g: f32[8] argument g
        %a.sum: f32[8] = sum[n<8 | k<4] %x[n, k] + exp(%z[n, k])
        %a: f32[8] = map[n<8] %a.sum[n] * %g[n]
        output %a result a`,
    },
    "a contraction parts from what it is added to": {
      before: `input %x: f32[8,4] argument x
        input %w: f32[4,5] argument w
        %y: f32[8,5] = sum[n<8, o<5 | k<4] %x[n, k] * %w[k, o] + %x[n, k]
        output %y result y`,
      after: `input %x: f32[8,4] argument x
        input %w: f32[4,5] argument w
        %y.sum: f32[8,5] = sum[n<8, o<5 | k<4] %x[n, k] * %w[k, o]
        %y.sum_2: f32[8] = sum[n<8 | k<4] %x[n, k]
        %y: f32[8,5] = map[n<8, o<5] %y.sum[n, o] + %y.sum_2[n]
        output %y result y`,
    },
    "a squared difference stays one sum": same(`input %x: f32[8,4] argument x
        input %z: f32[8,4] argument z
        %y: f32[8] = sum[n<8 | k<4] (%x[n, k] - %z[n, k]) * (%x[n, k] - %z[n, k])
        output %y result y`),
    "an index that nothing uses counts": {
      before: `input %x: f32[4] argument x
        %y: f32[3] = sum[n<3 | k<4, q<5] %x[k]
        output %y result y`,
      after: `input %x: f32[4] argument x
        %y.sum: f32[] = sum[| k<4] %x[k]
        %y: f32[3] = map[n<3] %y.sum * 5
        output %y result y`,
    },
  },
  "pair factors": {
    "a chain of matrices is taken in the cheap order": {
      before: `input %a: f32[64,32] argument a
        input %b: f32[32,48] argument b
        input %v: f32[48] argument v
        %y: f32[64] = sum[i<64 | j<32, k<48] %a[i, j] * %b[j, k] * %v[k]
        output %y result y`,
      after: `input %a: f32[64,32] argument a
        input %b: f32[32,48] argument b
        input %v: f32[48] argument v
        %y.part: f32[32] = sum[j<32 | k<48] %b[j, k] * %v[k]
        %y: f32[64] = sum[i<64 | j<32] %a[i, j] * %y.part[j]
        output %y result y`,
    },
    "what no factor reads still counts": same(`input %a: f32[64,32] argument a
        input %b: f32[32,48] argument b
        input %v: f32[48] argument v
        %y: f32[64] = sum[i<64 | p<4, j<32, k<48] %a[i, j] * %b[j, k] * %v[k]
        output %y result y`),
  },
  "pair factors, dead code": {
    "a factor over one operand's own indices stays with it": same(`input %a: f32[64,32] argument a
        input %m: f32[64,32] argument m
        input %b: f32[32,48] argument b
        %y: f32[64,48] = sum[i<64, k<48 | j<32] %a[i, j] * %m[i, j] * %b[j, k]
        output %y result y`),
  },
  "fold scales, hoist invariants, simplify, dead code": {
    "a normalized convolution at prediction": {
      before: `input %x: f32[64,3,8] argument x
        input %w: f32[4,3,3] parameter w
        input %g: f32[4] parameter g
        input %b: f32[4] parameter b
        input %m: f32[4] state m
        input %v: f32[4] state v
        %c: f32[64,4,6] = sum[n<64, o<4, i<6 | k<3, p<3] %x[n, k, i + p] * %w[o, k, p]
        %y: f32[64,4,6] = map[n<64, o<4, i<6] max(%g[o] * (%c[n, o, i] - %m[o]) / sqrt(%v[o] + 0.5) + %b[o], 0)
        output %y result y`,
      after: `input %x: f32[64,3,8] argument x
        input %w: f32[4,3,3] parameter w
        input %g: f32[4] parameter g
        input %b: f32[4] parameter b
        input %m: f32[4] state m
        input %v: f32[4] state v
        %c.weight: f32[4,3,3] = map[o<4, k<3, p<3] %w[o, k, p] * (%g[o] / sqrt(%v[o] + 0.5))
        %c.scaled: f32[64,4,6] = sum[n<64, o<4, i<6 | k<3, p<3] %x[n, k, i + p] * %c.weight[o, k, p]
        %y.factor: f32[4] = map[o<4] %b[o] - %m[o] * %g[o] / sqrt(%v[o] + 0.5)
        %y: f32[64,4,6] = map[n<64, o<4, i<6] max(%c.scaled[n, o, i] + %y.factor[o], 0)
        output %y result y`,
    },
    "few results, where the scaled weights are computed once": {
      before: `input %x: f32[3] argument x
        input %w: f32[4,3] parameter w
        input %g: f32[4] parameter g
        %c: f32[4] = sum[o<4 | k<3] %x[k] * %w[o, k]
        %y: f32[4] = map[o<4] %c[o] * %g[o]
        output %y result y`,
      after: `input %x: f32[3] argument x
        input %w: f32[4,3] parameter w
        input %g: f32[4] parameter g
        %c.weight: f32[4,3] = map[o<4, k<3] %w[o, k] * %g[o]
        %c.scaled: f32[4] = sum[o<4 | k<3] %x[k] * %c.weight[o, k]
        %y: f32[4] = map[o<4] %c.scaled[o]
        output %y result y`,
    },
    "not few results where the weights change at every call": same(`input %x: f32[3] argument x
        input %w: f32[4,3] parameter w
        input %g: f32[4] parameter g
        %c: f32[4] = sum[o<4 | k<3] %x[k] * %w[o, k]
        %y: f32[4] = map[o<4] %c[o] * %g[o]
        %next: f32[4,3] = map[o<4, k<3] %w[o, k] - %x[k]
        output %y result y
        output %next parameter w`),
    "not where the statistics are the batch's": same(`input %x: f32[64,3,8] argument x
        input %w: f32[4,3,3] parameter w
        input %m: f32[4] argument m
        %c: f32[64,4,6] = sum[n<64, o<4, i<6 | k<3, p<3] %x[n, k, i + p] * %w[o, k, p]
        %y: f32[64,4,6] = map[n<64, o<4, i<6] %c[n, o, i] * %m[o]
        output %y result y`),
  },
  "hoist invariants": {
    "a channel's scale is computed once a channel": {
      before: `input %x: f32[64,4] argument x
        input %v: f32[4] argument v
        %y: f32[64,4] = map[n<64, c<4] %x[n, c] / sqrt(%v[c] + 0.5) + 1
        output %y result y`,
      after: `input %x: f32[64,4] argument x
        input %v: f32[4] argument v
        %y.factor: f32[4] = map[c<4] 1 / sqrt(%v[c] + 0.5)
        %y: f32[64,4] = map[n<64, c<4] %x[n, c] * %y.factor[c] + 1
        output %y result y`,
    },
    "integers divide as they are": same(`input %k: i32[64,4] argument k
        input %v: i32[4] argument v
        %y: i32[64,4] = map[n<64, c<4] %k[n, c] / (%v[c] * %v[c] * %v[c])
        output %y result y`),
    "not for a few points": same(`input %x: f32[8,4] argument x
        input %v: f32[4] argument v
        %y: f32[8,4] = map[n<8, c<4] %x[n, c] / sqrt(%v[c] + 0.5) + 1
        output %y result y`),
  },
};

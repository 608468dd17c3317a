/** Of values: scalar algebra, equal and unused nodes, sums by themselves. */
import { type Rewrites, same } from "./rewrite.ts";

export const algebra: Rewrites = {
  simplify: {
    "neutral elements, negations and constant choices": {
      before: `input %x: f32[4] argument x
        %y: f32[4] = map[i<4] select(true, -(-(%x[i] * 1 + 0)), 7) / 4
        output %y result output`,
      after: `input %x: f32[4] argument x
        %y: f32[4] = map[i<4] %x[i] * 0.25
        output %y result output`,
    },
    "0 * x stays, as x may be infinite": same(`input %x: f32[4] argument x
        %y: f32[4] = map[i<4] %x[i] * 0
        output %y result output`),
    "0 * index is 0; constants merge": {
      before: `input %x: f32[4] argument x
        %y: f32[4] = map[i<4] to_f32(i) * 0 + 2 * (%x[i] * 3) + (%x[i] + %x[i])
        output %y result output`,
      after: `input %x: f32[4] argument x
        %y: f32[4] = map[i<4] %x[i] * 8
        output %y result output`,
    },
    "stable forms": {
      before: `input %x: f32[4] argument x
        %y: f32[4] = map[i<4] log(1 + %x[i]) + (exp(%x[i]) - 1)
        output %y result output`,
      after: `input %x: f32[4] argument x
        %y: f32[4] = map[i<4] log1p(%x[i]) + expm1(%x[i])
        output %y result output`,
    },
    "index comparisons that always hold": {
      before: `input %x: f32[4] argument x
        %y: f32[4] = map[i<4] select(i + 1 > 0, %x[i], 0) + select(2*i == 9, %x[i], 0)
        output %y result output`,
      after: `input %x: f32[4] argument x
        %y: f32[4] = map[i<4] %x[i]
        output %y result output`,
    },
    "a map that comes to one number is that number to its readers": {
      before: `input %x: f32[4] argument x
        %c: f32[] = constant 64
        %d: f32[] = map[] -(1 / %c)
        %y: f32[4] = map[i<4] %x[i] * %d
        output %y result output`,
      after: `input %x: f32[4] argument x
        %c: f32[] = constant 64
        %d: f32[] = constant -0.015625
        %y: f32[4] = map[i<4] %x[i] * -0.015625
        output %y result output`,
    },
    "else values that never or always apply; constant tensors": {
      before: `input %x: f32[4] argument x
        %c: f32[4] = constant 3
        %d: i32[4] = constant [3, 1, 2, 0]
        %y: f32[4] = map[i<4] %x[i else 0] * %x[i + 4 else 0.5] + %c[i] * %x[%d[i]]
        output %y result output`,
      after: `input %x: f32[4] argument x
        %c: f32[4] = constant 3
        %d: i32[4] = constant [3, 1, 2, 0]
        %y: f32[4] = map[i<4] %x[i] * 0.5 + %x[{3,1,2,0}[i]] * 3
        output %y result output`,
    },
  },
  "common subexpressions, dead code": {
    "equal nodes are one, whatever their names": {
      before: `input %x: f32[4] argument x
        %a: f32[] = sum[| i<4] %x[i]
        %b: f32[] = sum[| k<4] %x[k]
        %c: f32[] = map[] %x[0] + %a
        %d: f32[] = map[] %b + %x[0]
        %y: f32[] = map[] %c * %d
        output %y result output`,
      after: `input %x: f32[4] argument x
        %a: f32[] = sum[| i<4] %x[i]
        %c: f32[] = map[] %x[0] + %a
        %y: f32[] = map[] %c * %c
        output %y result output`,
    },
    "a maximum is its positions' value": {
      before: `input %x: f32[4] argument x
        %m: f32[] = max[| i<4] %x[i]
        %n, %at: f32[], i32[] = max_first[| i<4] %x[i]
        output %m result m
        output %at result at`,
      after: `input %x: f32[4] argument x
        %m, %m.at: f32[], i32[] = max_first[| i<4] %x[i]
        output %m result m
        output %m.at result at`,
    },
    "positions that nobody asks for": {
      before: `input %x: f32[4] argument x
        %n, %at: f32[], i32[] = max_first[| i<4] %x[i]
        output %n result output`,
      after: `input %x: f32[4] argument x
        %n: f32[] = max[| i<4] %x[i]
        output %n result output`,
    },
    "a carry that only feeds itself, and what only it used": {
      before: `input %h: f32[] argument h
        input %g: f32[] argument g
        input %x: f32[3] argument x
        input %z: f32[3] argument z
        %s.h, %s.g: f32[], f32[] = scan 3 carries(%h, %g) slices(%x, %z) captured() {
          input %h: f32[] argument h
          input %g: f32[] argument g
          input %x: f32[] argument x
          input %z: f32[] argument z
          input %t: i32[] argument t
          %h2: f32[] = map[] %h + %x
          %g2: f32[] = map[] %g * %z + %h
          output %h2 result h
          output %g2 result g
        }
        output %s.h result output`,
      after: `input %h: f32[] argument h
        input %g: f32[] argument g
        input %x: f32[3] argument x
        input %z: f32[3] argument z
        %s.h: f32[] = scan 3 carries(%h) slices(%x) captured() {
          input %h: f32[] argument h
          input %x: f32[] argument x
          input %t: i32[] argument t
          %h2: f32[] = map[] %h + %x
          output %h2 result h
        }
        output %s.h result output`,
    },
  },
  moments: {
    "a mean and the squares around it": {
      before: `input %x: f32[4,3,5] argument x
        %s: f32[3] = sum[c<3 | n<4, i<5] %x[n, c, i]
        %m: f32[3] = map[c<3] %s[c] / 20
        %v: f32[3] = sum[c<3 | n<4, i<5] (%x[n, c, i] - %m[c]) * (%x[n, c, i] - %m[c])
        %y: f32[4,3,5] = map[n<4, c<3, i<5] (%x[n, c, i] - %m[c]) / sqrt(%v[c] * 0.05)
        output %y result y`,
      after: `input %x: f32[4,3,5] argument x
        %m, %v: f32[3], f32[3] = moments[c<3 | n<4, i<5] %x[n, c, i]
        %y: f32[4,3,5] = map[n<4, c<3, i<5] (%x[n, c, i] - %m[c]) / sqrt(%v[c] * 0.05)
        output %y result y`,
    },
    "not around half the mean, and not of another value": same(`input %x: f32[3,5] argument x
        input %z: f32[3,5] argument z
        %s: f32[3] = sum[c<3 | n<5] %x[c, n]
        %m: f32[3] = map[c<3] %s[c] * 0.1
        %v: f32[3] = sum[c<3 | n<5] (%x[c, n] - %m[c]) * (%x[c, n] - %m[c])
        %t: f32[3] = sum[c<3 | n<5] %z[c, n]
        %n: f32[3] = map[c<3] %t[c] * 0.2
        %w: f32[3] = sum[c<3 | n<5] (%x[c, n] - %n[c]) * (%x[c, n] - %n[c])
        output %v result v
        output %w result w`),
    "not where the sum itself is asked for": same(`input %x: f32[3,5] argument x
        %s: f32[3] = sum[c<3 | n<5] %x[c, n]
        %m: f32[3] = map[c<3] %s[c] * 0.2
        %v: f32[3] = sum[c<3 | n<5] (%x[c, n] - %m[c]) * (%x[c, n] - %m[c])
        output %s result s
        output %v result v`),
  },
};

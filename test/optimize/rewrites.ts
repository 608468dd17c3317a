/** Before and after, by the passes that are run. Graphs without inputs stay unchanged where `after` says the same. */
export interface Rewrite {
  readonly before: string;
  readonly after: string;
}
const same = (text: string): Rewrite => ({ before: text, after: text });

export const rewrites: Readonly<Record<string, Readonly<Record<string, Rewrite>>>> = {
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
  views: {
    "identity views, views of views, views that only drop axes of extent 1": {
      before: `input %x: f32[2,1,6] argument x
        %a: f32[2,6] = view %x
        %b: f32[12] = view %a
        %c: f32[12] = view %b
        %y: f32[6,2] = map[j<6, i<2] %a[i, j]
        output %c result c
        output %y result y`,
      after: `input %x: f32[2,1,6] argument x
        %a: f32[2,6] = view %x
        %b: f32[12] = view %x
        %c: f32[12] = view %x
        %y: f32[6,2] = map[j<6, i<2] %x[i, 0, j]
        output %c result c
        output %y result y`,
    },
    "a view that splits an index stays": same(`input %x: f32[12] argument x
        %v: f32[3,4] = view %x
        %y: f32[4,3] = map[j<4, i<3] %v[i, j]
        output %y result y`),
  },
  "split views": {
    "windows that do not overlap have no strides": {
      before: `input %x: f32[2,8,8] argument x
        %y: f32[2,4,4] = max[n<2, i<4, j<4 | p<2, q<2] %x[n, 2*i + p, 2*j + q]
        output %y result y`,
      after: `input %x: f32[2,8,8] argument x
        %x.v: f32[2,4,2,4,2] = view %x
        %y: f32[2,4,4] = max[n<2, i<4, j<4 | p<2, q<2] %x.v[n, i, p, j, q]
        output %y result y`,
    },
    "overlapping windows keep theirs": same(`input %x: f32[2,9] argument x
        %y: f32[2,4] = max[n<2, i<4 | p<3] %x[n, 2*i + p]
        output %y result y`),
  },
  "joins, dead code": {
    "padding becomes an else value": {
      before: `input %x: f32[4] argument x
        %p: f32[6] = join { %x at [1:5] } fill 0
        %y: f32[4] = sum[i<4 | p<3] %p[i + p]
        output %y result y`,
      after: `input %x: f32[4] argument x
        %y: f32[4] = sum[i<4 | p<3] %x[i + p - 1 else 0]
        output %y result y`,
    },
    "a slice of a concatenation": {
      before: `input %a: f32[4] argument a
        input %b: f32[3] argument b
        %p: f32[7] = join { %a at [0:4], %b at [4:7] } fill 0
        %y: f32[3] = map[i<3] %p[i + 4] * %p[1]
        output %y result y`,
      after: `input %a: f32[4] argument a
        input %b: f32[3] argument b
        %y: f32[3] = map[i<3] %b[i] * %a[1]
        output %y result y`,
    },
  },
  "inline maps": {
    "a chain of elementwise work is one node": {
      before: `input %x: f32[2,3] argument x
        %a: f32[2,3] = map[i<2, j<3] exp(%x[i, j])
        %b: f32[2,3] = map[i<2, j<3] %a[i, j] * %a[i, j]
        %y: f32[3,2] = map[j<3, i<2] sin(%b[i, j])
        output %y result y`,
      after: `input %x: f32[2,3] argument x
        %y: f32[3,2] = map[j<3, i<2] sin(exp(%x[i, j]) * exp(%x[i, j]))
        output %y result y`,
    },
    "not into a window that reads each element often": same(`input %x: f32[8] argument x
        %a: f32[8] = map[i<8] exp(%x[i])
        %y: f32[4] = max[i<4 | p<5] %a[i + p]
        output %y result y`),
    "nor into a contraction that reads it again for every column": same(`input %x: f32[8,4] argument x
        input %w: f32[4,5] argument w
        %a: f32[8,4] = map[i<8, k<4] max(%x[i, k], 0)
        %y: f32[8,5] = sum[i<8, j<5 | k<4] %a[i, k] * %w[k, j]
        output %y result y`),
    "nor where the value is needed anyway": same(`input %x: f32[8] argument x
        %a: f32[8] = map[i<8] exp(%x[i])
        %y: f32[] = sum[| i<8] %a[i]
        output %a result a
        output %y result y`),
    "data movement always, through padding too": {
      before: `input %x: f32[8,4] argument x
        input %w: f32[3] argument w
        %t: f32[4,8] = map[j<4, i<8] %x[i, j]
        %y: f32[4,8] = sum[j<4, i<8 | p<3] %t[j, i + p - 1 else 0] * %w[p]
        output %y result y`,
      after: `input %x: f32[8,4] argument x
        input %w: f32[3] argument w
        %y: f32[4,8] = sum[j<4, i<8 | p<3] %x[i + p - 1, j else 0] * %w[p]
        output %y result y`,
    },
    "cheap work on one tensor into every reader": {
      before: `input %x: f32[8,4] argument x
        input %m: f32[4] argument m
        %d: f32[8,4] = map[i<8, j<4] %x[i, j] - %m[j]
        %v: f32[4] = sum[j<4 | i<8] %d[i, j] * %d[i, j]
        %y: f32[8,4] = map[i<8, j<4] %d[i, j] * %v[j]
        output %y result y`,
      after: `input %x: f32[8,4] argument x
        input %m: f32[4] argument m
        %v: f32[4] = sum[j<4 | i<8] (%x[i, j] - %m[j]) * (%x[i, j] - %m[j])
        %y: f32[8,4] = map[i<8, j<4] (%x[i, j] - %m[j]) * %v[j]
        output %y result y`,
    },
    "behind a view: pooling reads what relu reads": {
      before: `input %x: f32[8] argument x
        %r: f32[8] = map[i<8] max(%x[i], 0)
        %v: f32[4,2] = view %r
        %y: f32[4] = max[i<4 | p<2] %v[i, p]
        output %y result y`,
      after: `input %x: f32[8] argument x
        %y: f32[4] = max[i<4 | p<2] max(%x[2*i + p], 0)
        output %y result y`,
    },
    "an arithmetic index is no gather": {
      before: `input %x: f32[8] argument x
        %id: i32[4] = map[i<4] 2 * i + 1
        %y: f32[4] = map[i<4] %x[%id[i]]
        output %y result y`,
      after: `input %x: f32[8] argument x
        %y: f32[4] = map[i<4] %x[2*i + 1]
        output %y result y`,
    },
  },
  "split indices, inline maps, split views": {
    "the adjoint of pooling and what follows it are one map": {
      before: `input %at: i32[4] argument at
        input %d: f32[4] argument d
        input %x: f32[8] argument x
        %e: f32[4,2] = map[i<4, p<2] select(%at[i] == p, %d[i], 0)
        %v: f32[8] = view %e
        %y: f32[8] = map[k<8] select(%x[k] > 0, %v[k], 0)
        output %y result y`,
      after: `input %at: i32[4] argument at
        input %d: f32[4] argument d
        input %x: f32[8] argument x
        %x.v: f32[4,2] = view %x
        %y.v: f32[4,2] = map[k0<4, k1<2] select(%x.v[k0, k1] > 0, select(%at[k0] == k1, %d[k0], 0), 0)
        %y: f32[8] = view %y.v
        output %y result y`,
    },
  },
  "loose loops": {
    "a recurrent layer: projections of inputs and outputs are one contraction each": {
      before: `input %h0: f32[2,4] argument h0
        input %xs: f32[5,2,3] argument xs
        input %w: f32[3,4] argument w
        input %u: f32[4,4] argument u
        input %v: f32[4,6] argument v
        %s.h, %s.y: f32[2,4], f32[5,2,6] = scan 5 carries(%h0) slices(%xs) captured(%w, %u, %v) {
          input %h: f32[2,4] argument h
          input %x: f32[2,3] argument x
          input %w: f32[3,4] argument w
          input %u: f32[4,4] argument u
          input %v: f32[4,6] argument v
          input %t: i32[] argument t
          %c: f32[4] = sum[j<4 | k<4] %u[k, j]
          %a: f32[2,4] = sum[n<2, j<4 | k<3] %x[n, k] * %w[k, j]
          %b: f32[2,4] = sum[n<2, j<4 | k<4] %h[n, k] * %u[k, j]
          %next: f32[2,4] = map[n<2, j<4] sin(%a[n, j] + %b[n, j] + %c[j])
          %y: f32[2,6] = sum[n<2, j<6 | k<4] %next[n, k] * %v[k, j]
          %z: f32[2,6] = map[n<2, j<6] %y[n, j] * to_f32(%t)
          output %next result h
          output %z result y
        }
        output %s.h result h
        output %s.y result y`,
      after: `input %h0: f32[2,4] argument h0
        input %xs: f32[5,2,3] argument xs
        input %w: f32[3,4] argument w
        input %u: f32[4,4] argument u
        input %v: f32[4,6] argument v
        %c: f32[4] = sum[j<4 | k<4] %u[k, j]
        %s.h.a: f32[5,2,4] = sum[t<5, n<2, j<4 | k<3] %xs[t, n, k] * %w[k, j]
        %s.h, %s.h.next.each: f32[2,4], f32[5,2,4] = scan 5 carries(%h0) slices(%xs, %s.h.a) captured(%w, %u, %v, %c) {
          input %h: f32[2,4] argument h
          input %x: f32[2,3] argument x
          input %a: f32[2,4] argument a
          input %w: f32[3,4] argument w
          input %u: f32[4,4] argument u
          input %v: f32[4,6] argument v
          input %c: f32[4] argument c
          input %t: i32[] argument t
          %b: f32[2,4] = sum[n<2, j<4 | k<4] %h[n, k] * %u[k, j]
          %next: f32[2,4] = map[n<2, j<4] sin(%a[n, j] + %b[n, j] + %c[j])
          output %next result h
          output %next result next.each
        }
        %s.h.y: f32[5,2,6] = sum[t<5, n<2, j<6 | k<4] %s.h.next.each[t, n, k] * %v[k, j]
        %s.h.z: f32[5,2,6] = map[t<5, n<2, j<6] %s.h.y[t, n, j] * to_f32(t)
        output %s.h result h
        output %s.h.z result y`,
    },
  },
  "unused indices, simplify": {
    "a value that does not depend on an index is computed once": {
      before: `input %x: f32[4] argument x
        %y: f32[3,4] = map[n<3, i<4] exp(%x[i])
        %m: f32[4] = max[i<4 | n<3] %x[i]
        output %y result y
        output %m result m`,
      after: `input %x: f32[4] argument x
        %y.once: f32[4] = map[i<4] exp(%x[i])
        %y: f32[3,4] = map[n<3, i<4] %y.once[i]
        %m: f32[4] = map[i<4] %x[i]
        output %y result y
        output %m result m`,
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
  "ask clamped values": {
    "relu's gradient asks the result that the next weights' gradient needs": {
      before: `input %a: f32[4,3] argument a
        input %w: f32[3,3] parameter w
        input %d: f32[4,3] argument d
        %x: f32[4,3] = map[i<4, j<3] %a[i, j] + 1
        %y: f32[4,3] = map[i<4, j<3] max(0, %x[i, j])
        %z: f32[4,3] = sum[i<4, j<3 | k<3] %y[i, k] * %w[k, j]
        %dw: f32[3,3] = sum[k<3, j<3 | i<4] %y[i, k] * %d[i, j]
        %dx: f32[4,3] = map[i<4, j<3] select(%x[i, j] > 0, %d[i, j], 0)
        output %z result z
        output %dw result dw
        output %dx result dx`,
      after: `input %a: f32[4,3] argument a
        input %w: f32[3,3] parameter w
        input %d: f32[4,3] argument d
        %x: f32[4,3] = map[i<4, j<3] %a[i, j] + 1
        %y: f32[4,3] = map[i<4, j<3] max(0, %x[i, j])
        %z: f32[4,3] = sum[i<4, j<3 | k<3] %y[i, k] * %w[k, j]
        %dw: f32[3,3] = sum[k<3, j<3 | i<4] %y[i, k] * %d[i, j]
        %dx: f32[4,3] = map[i<4, j<3] select(%y[i, j] > 0, %d[i, j], 0)
        output %z result z
        output %dw result dw
        output %dx result dx`,
    },
    "bounds within both clamps alone": {
      before: `input %x: f32[5] argument x
        %y: f32[5] = map[i<5] min(max(%x[i], 0), 6)
        %z: f32[5] = map[i<5] select(max(%x[i], 0) < 6 and %x[i] > 0, 1, 0)
        %u: f32[5] = map[i<5] select(%x[i] > 6 or %x[i] >= 0 or %x[i] < 0, 1, 0)
        output %y result y
        output %z result z
        output %u result u`,
      after: `input %x: f32[5] argument x
        %y: f32[5] = map[i<5] min(max(%x[i], 0), 6)
        %z: f32[5] = map[i<5] select(%y[i] < 6 and %y[i] > 0, 1, 0)
        %u: f32[5] = map[i<5] select(%x[i] > 6 or %x[i] >= 0 or %x[i] < 0, 1, 0)
        output %y result y
        output %z result z
        output %u result u`,
    },
    "not a value that nobody needs so late": same(`input %x: f32[5,2] argument x
        %y: f32[5,2] = map[i<5, j<2] max(%x[i, j], 0)
        %s: f32[5] = sum[i<5 | j<2] %y[i, j]
        %t: f32[5] = sum[i<5 | j<5] %s[j]
        %u: f32[5] = sum[i<5 | j<5] %t[j]
        %z: f32[5,2] = map[i<5, j<2] select(%x[i, j] > 0, %u[i], 0)
        output %z result z`),
    "not at another place, and not what was rounded": same(`input %x: f32[5,5] argument x
        %y: f32[5,5] = map[i<5, j<5] max(%x[j, i], 0)
        %h: f16[5,5] = map[i<5, j<5] max(%x[i, j], 0)
        %z: f32[5,5] = map[i<5, j<5] select(%x[i, j] > 0, 1, 0)
        output %y result y
        output %h result h
        output %z result z`),
  },
  "ask extrema": {
    "relu before a maximum": {
      before: `input %x: f32[4,6,2] argument x
        input %b: f32[4] argument b
        input %d: f32[4,6] argument d
        %m, %p: f32[4,6], i32[4,6] = max_first[c<4, i<6 | k<2] max(%x[c, i, k] + %b[c], 0)
        %dx: f32[4,6,2] = map[c<4, i<6, k<2] select(%x[c, i, k] + %b[c] > 0, select(%p[c, i] == k, %d[c, i], 0), 0)
        output %m result m
        output %dx result dx`,
      after: `input %x: f32[4,6,2] argument x
        input %b: f32[4] argument b
        input %d: f32[4,6] argument d
        %m, %p: f32[4,6], i32[4,6] = max_first[c<4, i<6 | k<2] max(%x[c, i, k] + %b[c], 0)
        %d_m.passed: f32[4,6] = map[c<4, i<6] select(%m[c, i] > 0, %d[c, i], 0)
        %dx: f32[4,6,2] = map[c<4, i<6, k<2] select(%p[c, i] == k, %d_m.passed[c, i], 0)
        output %m result m
        output %dx result dx`,
    },
    "not where another value is asked, or another position": same(`input %x: f32[4,6,3] argument x
        input %d: f32[4,6] argument d
        %m, %p: f32[4,6], i32[4,6] = max_first[c<4, i<6 | k<3] max(%x[c, i, k], 0)
        %u: f32[4,6,3] = map[c<4, i<6, k<3] select(%x[c, i, -k + 2] > 0, select(%p[c, i] == k, %d[c, i], 0), 0)
        %v: f32[4,6,3] = map[c<4, i<6, k<3] select(%x[c, i, k] > 0, select(%p[c, i] == k + 1, %d[c, i], 0), 0)
        output %m result m
        output %u result u
        output %v result v`),
  },
};

/** Of reads: views, joins, bodies that come to stand in their readers, and the indices left over. */
import { type Rewrites, same } from "./rewrite.ts";

export const reads: Rewrites = {
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
};

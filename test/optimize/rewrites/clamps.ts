/** Of loops and of values beside what bounds them. */
import { type Rewrites, same } from "./rewrite.ts";

export const clamps: Rewrites = {
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

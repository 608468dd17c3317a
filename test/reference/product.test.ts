import fc from "fast-check";
import { expect, test } from "vitest";
import type { Coordinate, GenericNode, ScalarRead, Tensor } from "../../compiler/graph/graph.ts";
import type { Slot } from "../../compiler/reference/body.ts";
import { evaluateBody } from "../../compiler/reference/evaluate.ts";
import { evaluateProduct, factorsOf } from "../../compiler/reference/product.ts";

/** Two indices outside, two summed; every coordinate any affine function of them, so that much lies out of range. */
const coordinate: fc.Arbitrary<Coordinate> = fc.record({
  offset: fc.integer({ min: -4, max: 4 }),
  terms: fc
    .tuple(
      ...[0, 1, 2, 3].map((position) =>
        fc.integer({ min: -3, max: 3 }).map((coefficient) => ({ position, coefficient })),
      ),
    )
    .map((terms) =>
      terms.filter(({ coefficient }) => coefficient !== 0).map((term) => ({ kind: "affine" as const, ...term })),
    ),
});
const read: fc.Arbitrary<ScalarRead> = fc.record({
  kind: fc.constant("read" as const),
  type: fc.constant("f32" as const),
  tensor: fc.record({
    name: fc.constant("x"),
    type: fc.record({
      dtype: fc.constant("f32" as const),
      shape: fc.tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 6 })),
    }),
  }),
  coordinates: fc.tuple(coordinate, coordinate),
  otherwise: fc.constantFrom(0, 1.5, Number.POSITIVE_INFINITY),
});
const node: fc.Arbitrary<GenericNode> = fc
  .record({
    extents: fc.tuple(...[0, 1, 2, 3].map(() => fc.integer({ min: 2, max: 5 }))),
    factors: fc.array(read, { minLength: 1, maxLength: 2 }),
  })
  .map(({ extents, factors: [a, b] }) => ({
    kind: "generic",
    combiner: "sum",
    origin: undefined,
    results: [{ name: "y", type: { dtype: "f32", shape: extents.slice(0, 2) } }],
    parallel: extents.slice(0, 2).map((extent, k) => ({ name: `i${k}`, extent })),
    reduction: extents.slice(2).map((extent, k) => ({ name: `r${k}`, extent })),
    body: b ? { kind: "apply", type: "f32", name: "mul", arguments: [a!, b] } : a!,
  }));

test("products of affine reads are summed as any body is", () => {
  fc.assert(
    fc.property(node, (generic) => {
      const factors = factorsOf(generic);
      expect(factors).toBeDefined();
      const slots = new Map<Tensor, Slot>();
      for (const { tensor } of factors ?? []) {
        const size = tensor.type.shape.reduce((a, b) => a * b, 1);
        slots.set(tensor, { values: Float64Array.from({ length: size }, (_, k) => Math.sin(k + slots.size)) });
      }
      const output: Slot = { values: new Float64Array(0) };
      const slotOf = (tensor: Tensor) => slots.get(tensor) ?? output;
      evaluateBody(generic, slotOf)();
      const got = evaluateProduct(generic, factors ?? [], slotOf)();
      expect(got.length).toBe(output.values.length);
      // The order of summation differs.
      got.forEach((value, k) => {
        const want = output.values[k] ?? 0;
        if (Number.isFinite(want)) expect(Math.abs(value - want)).toBeLessThan(1e-9 * (1 + Math.abs(want)));
        else expect(value).toBe(want);
      });
    }),
  );
});

/** Random coordinates: whatever is written in brackets reads what the same arithmetic says. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { call, sample } from "./run.ts";

type Tree =
  | { readonly kind: "number"; readonly value: number }
  | { readonly kind: "index"; readonly name: "i" | "j" | "k" }
  | { readonly kind: "data" }
  | { readonly kind: "+" | "-" | "*"; readonly left: Tree; readonly right: Tree }
  | { readonly kind: "/" | "%"; readonly left: Tree; readonly by: number }
  | { readonly kind: "clamp"; readonly left: Tree; readonly low: number; readonly high: number };

const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.record({ kind: fc.constant("index" as const), name: fc.constantFrom("i" as const, "j" as const, "k" as const) }),
    fc.record({ kind: fc.constant("number" as const), value: fc.integer({ min: 0, max: 7 }) }),
    fc.record({
      kind: fc.constantFrom("+" as const, "-" as const, "*" as const),
      left: tie("tree"),
      right: tie("tree"),
    }),
    fc.record({
      kind: fc.constantFrom("/" as const, "%" as const),
      left: tie("tree"),
      by: fc.integer({ min: 1, max: 6 }),
    }),
    fc.record({
      kind: fc.constant("clamp" as const),
      left: tie("tree"),
      low: fc.integer({ min: 0, max: 2 }),
      high: fc.integer({ min: 3, max: 9 }),
    }),
    fc.record({ kind: fc.constant("data" as const) }),
  ),
}));

function textOf(node: Tree): string {
  switch (node.kind) {
    case "number":
      return `${node.value}`;
    case "index":
      return node.name;
    case "data":
      return "id[i, k]";
    case "/":
    case "%":
      return `(${textOf(node.left)} ${node.kind} ${node.by})`;
    case "clamp":
      return `clamp(${textOf(node.left)}, ${node.low}, ${node.high})`;
    default:
      return `(${textOf(node.left)} ${node.kind} ${textOf(node.right)})`;
  }
}
interface Point {
  readonly i: number;
  readonly j: number;
  readonly k: number;
  readonly data: number;
}
function numberAt(node: Tree, at: Point): number {
  switch (node.kind) {
    case "number":
      return node.value;
    case "index":
      return at[node.name];
    case "data":
      return at.data;
    case "+":
      return numberAt(node.left, at) + numberAt(node.right, at);
    case "-":
      return numberAt(node.left, at) - numberAt(node.right, at);
    case "*":
      return numberAt(node.left, at) * numberAt(node.right, at);
    case "/":
      return Math.floor(numberAt(node.left, at) / node.by);
    case "%":
      return numberAt(node.left, at) - node.by * Math.floor(numberAt(node.left, at) / node.by);
    case "clamp":
      return Math.min(Math.max(numberAt(node.left, at), node.low), node.high);
    default:
      return node satisfies never;
  }
}

const extents = fc.record({
  i: fc.integer({ min: 1, max: 6 }),
  j: fc.integer({ min: 1, max: 6 }),
  k: fc.integer({ min: 1, max: 4 }),
});
const range = (n: number) => Array.from({ length: n }, (_, k) => k);

describe("coordinates", () => {
  test("of any form, with an else, in a sum", () => {
    fc.assert(
      fc.property(tree, tree, extents, (a, b, size) => {
        const [rows, columns] = [5, 6];
        const values = sample(rows * columns);
        const id = range(size.i * size.k).map((n) => (n * 7) % 5);
        const text = `export fn f(x: f32[${rows}, ${columns}], id: i32[${size.i}, ${size.k}]) -> f32[${size.i}, ${size.j}] {
          let y[i < ${size.i}, j < ${size.j}] = sum[k < ${size.k}] x[${textOf(a)}, ${textOf(b)} else 3] * (1 + f32(k)) + f32(id[i, 0]) * 0
          y
        }`;
        const expected = range(size.i).flatMap((i) =>
          range(size.j).map((j) =>
            range(size.k).reduce((sum, k) => {
              const at = { i, j, k, data: id[i * size.k + k] ?? 0 };
              const [r, c] = [numberAt(a, at), numberAt(b, at)];
              const inside = r >= 0 && r < rows && c >= 0 && c < columns;
              return sum + (inside ? (values[r * columns + c] ?? 0) : 3) * (1 + k);
            }, 0),
          ),
        );
        const got = call(text, { x: values, id });
        expect(got.length).toBe(expected.length);
        for (const [n, value] of got.entries()) expect(value).toBeCloseTo(expected[n] ?? Number.NaN, 9);
      }),
      { numRuns: process.env.DLX_DEEP ? 3000 : 60 },
    );
  });

  test("in range without an else are accepted exactly when they are", () => {
    fc.assert(
      fc.property(tree, extents, fc.integer({ min: 1, max: 12 }), (a, size, length) => {
        fc.pre(!textOf(a).includes("id"));
        const values = sample(length);
        const points = range(size.i).flatMap((i) =>
          range(size.j).flatMap((j) => range(size.k).map((k) => ({ i, j, k, data: 0 }))),
        );
        const inside = points.every((at) => numberAt(a, at) >= 0 && numberAt(a, at) < length);
        const text = `export fn f(x: f32[${length}]) -> f32[${size.i}, ${size.j}, ${size.k}] {
          let y[i < ${size.i}, j < ${size.j}, k < ${size.k}] = x[${textOf(a)}]
          y
        }`;
        let got: number[] | undefined;
        try {
          got = call(text, { x: values });
        } catch (error) {
          expect(error instanceof Error && error.message.startsWith("E0305")).toBe(true);
        }
        expect(got !== undefined).toBe(inside);
        if (got && inside) for (const [n, at] of points.entries()) expect(got[n]).toBe(values[numberAt(a, at)]);
      }),
      { numRuns: process.env.DLX_DEEP ? 3000 : 60 },
    );
  });
});

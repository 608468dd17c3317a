/** Dimensions: algebra against numbers. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Dim, Variable } from "../../compiler/types/dims.ts";
import * as dims from "../../compiler/types/dims.ts";
import { productOf, sameShape, shapeOf } from "../../compiler/types/shape.ts";
import { type AxisPattern, emptyBindings, matchShape } from "../../compiler/types/unify.ts";

const names = ["H", "K", "N"] as const;
const variables = names.map((name): Variable => ({ kind: "variable", name, key: name, minimum: 1, maximum: Infinity }));
/** An index: a variable with both bounds. */
const small: Variable = { kind: "variable", name: "i", key: "i", minimum: 0, maximum: 3 };
const all = [...variables, small];

type Tree =
  | { readonly kind: "number"; readonly value: number }
  | { readonly kind: "variable"; readonly variable: Variable }
  | { readonly kind: "+" | "-" | "*"; readonly left: Tree; readonly right: Tree }
  | { readonly kind: "/" | "%"; readonly left: Tree; readonly by: number };

const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.record({ kind: fc.constant("number" as const), value: fc.integer({ min: -9, max: 9 }) }),
    fc.record({ kind: fc.constant("variable" as const), variable: fc.constantFrom(...all) }),
    fc.record({
      kind: fc.constantFrom("+" as const, "-" as const, "*" as const),
      left: tie("tree"),
      right: tie("tree"),
    }),
    fc.record({
      kind: fc.constantFrom("/" as const, "%" as const),
      left: tie("tree"),
      by: fc.integer({ min: 1, max: 7 }),
    }),
  ),
}));

function toDim(node: Tree): Dim {
  switch (node.kind) {
    case "number":
      return dims.constant(node.value);
    case "variable":
      return dims.fromAtom(node.variable);
    case "+":
      return dims.add(toDim(node.left), toDim(node.right));
    case "-":
      return dims.subtract(toDim(node.left), toDim(node.right));
    case "*":
      return dims.multiply(toDim(node.left), toDim(node.right));
    case "/":
      return dims.quotient(toDim(node.left), dims.constant(node.by));
    case "%":
      return dims.remainder(toDim(node.left), dims.constant(node.by));
    default:
      return node satisfies never;
  }
}
function numberAt(node: Tree, at: ReadonlyMap<Variable, number>): number {
  switch (node.kind) {
    case "number":
      return node.value;
    case "variable":
      return at.get(node.variable) ?? 0;
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
    default:
      return node satisfies never;
  }
}
const point = fc
  .tuple(
    fc.integer({ min: 1, max: 30 }),
    fc.integer({ min: 1, max: 30 }),
    fc.integer({ min: 1, max: 30 }),
    fc.integer({ min: 0, max: 3 }),
  )
  .map((values) => new Map(all.map((variable, k) => [variable, values[k] ?? 0])));
const at = (dim: Dim, values: ReadonlyMap<Variable, number>) =>
  dims.evaluateDim(dim, (variable) => values.get(variable) ?? 0);
/** Small enough for exact doubles. */
const exact = (value: number) => Math.abs(value) < 2 ** 50;

describe("dimensions", () => {
  test("mean what the expression means", () => {
    fc.assert(
      fc.property(tree, point, (node, values) => {
        fc.pre(exact(numberAt(node, values)));
        expect(at(toDim(node), values) + 0).toBe(numberAt(node, values) + 0);
      }),
      { numRuns: 1000 },
    );
  });

  test("lie within their bounds", () => {
    fc.assert(
      fc.property(tree, point, (node, values) => {
        const { minimum, maximum } = dims.bounds(toDim(node));
        const value = numberAt(node, values);
        expect(value).toBeGreaterThanOrEqual(minimum);
        expect(value).toBeLessThanOrEqual(maximum);
      }),
    );
  });

  test("compare as their values do, where the answer is known", () => {
    const operations = {
      "==": (a: number, b: number) => a === b,
      "<": (a: number, b: number) => a < b,
      ">=": (a: number, b: number) => a >= b,
    };
    fc.assert(
      fc.property(tree, tree, point, (a, b, values) => {
        for (const [name, holds] of Object.entries(operations)) {
          const answer = dims.compare(toDim(a), name as dims.Comparison, toDim(b));
          if (answer !== "unknown") expect(answer === "yes").toBe(holds(numberAt(a, values), numberAt(b, values)));
        }
      }),
    );
  });

  test("have one normal form: reordering changes nothing", () => {
    fc.assert(
      fc.property(tree, tree, tree, (a, b, c) => {
        const [x, y, z] = [toDim(a), toDim(b), toDim(c)];
        expect(dims.add(x, y).key).toBe(dims.add(y, x).key);
        expect(dims.multiply(x, dims.add(y, z)).key).toBe(dims.add(dims.multiply(x, y), dims.multiply(x, z)).key);
        expect(dims.subtract(x, x).key).toBe("0");
      }),
    );
  });

  test("substitution is evaluation in two steps", () => {
    fc.assert(
      fc.property(tree, tree, point, (a, b, values) => {
        const replaced = dims.substitute(toDim(a), (variable) => (variable === variables[0] ? toDim(b) : undefined));
        const moved = new Map(values).set(variables[0] ?? small, numberAt(b, values));
        // Bounds of H are assumed by the normal form of a: keep to values that have them.
        fc.pre(numberAt(b, values) >= 1 && exact(numberAt(a, moved)));
        expect(at(replaced, values) + 0).toBe(numberAt(a, moved) + 0);
      }),
    );
  });

  const [H, K, N] = variables.map(dims.fromAtom);
  const printed: readonly (readonly [string, Dim | undefined])[] = [
    ["2*H + 1", H && dims.add(dims.scale(H, 2), dims.constant(1))],
    ["N - 1", N && dims.subtract(N, dims.constant(1))],
    ["(H + 1) / 2 - 1", H && dims.quotient(dims.subtract(H, dims.constant(1)), dims.constant(2))],
    ["H*K", H && K && dims.multiply(K, H)],
    ["H^2", H && dims.multiply(H, H)],
    ["H % 3", H && dims.remainder(H, dims.constant(3))],
    ["0", dims.constant(0)],
    ["-H", H && dims.negate(H)],
    ["i + 2", dims.add(dims.fromAtom(small), dims.quotient(dims.constant(5), dims.constant(2)))],
    ["H", H && dims.quotient(dims.add(dims.scale(H, 4), dims.fromAtom(small)), dims.constant(4))],
  ];
  test.each(printed)("prints %s", (text, dim) => {
    expect(dim && dims.printDim(dim)).toBe(text);
  });

  test("numbers beyond 2^53 are refused", () => {
    expect(() => dims.power(dims.constant(10), 40)).toThrow(dims.DimOverflow);
  });
});

describe("shapes", () => {
  const [H, , N] = variables.map(dims.fromAtom);
  const name = (text: string): AxisPattern => ({ kind: "name", name: text });
  const twice: AxisPattern = {
    kind: "expression",
    text: "2*W",
    names: ["W"],
    value: (known) => dims.scale(known.get("W") ?? dims.constant(0), 2),
  };
  test("names bind once and are compared afterwards", () => {
    const bindings = emptyBindings();
    expect(matchShape([name("A"), name("B")], shapeOf(3, 4), bindings)).toBeUndefined();
    expect(matchShape([name("B")], shapeOf(5), bindings)).toMatchObject({ kind: "axis", text: "B" });
    expect(matchShape([name("B")], shapeOf(4), bindings)).toBeUndefined();
  });
  test("a run takes what is left", () => {
    const bindings = emptyBindings();
    expect(
      matchShape([name("A"), { kind: "run", name: "S" }, name("Z")], shapeOf(1, 2, 3, 4), bindings),
    ).toBeUndefined();
    expect(bindings.runs.get("S")?.map(dims.printDim)).toEqual(["2", "3"]);
    expect(matchShape([{ kind: "run", name: "S" }], shapeOf(2, 4), bindings)).toMatchObject({ kind: "run" });
    expect(matchShape([{ kind: "run", name: "S" }], shapeOf(2), bindings)).toMatchObject({ kind: "rank" });
  });
  test("two open runs cannot be told apart", () => {
    const pattern: AxisPattern[] = [
      { kind: "run", name: "S" },
      { kind: "run", name: "T" },
    ];
    expect(matchShape(pattern, shapeOf(1, 2), emptyBindings())).toMatchObject({ kind: "runs" });
  });
  test("a linear expression is solved", () => {
    const bindings = emptyBindings();
    expect(matchShape([twice], shapeOf(10), bindings)).toBeUndefined();
    expect(bindings.dims.get("W")?.key).toBe("5");
    expect(matchShape([twice], shapeOf(9), emptyBindings())).toMatchObject({ kind: "unsolvable" });
  });
  test("symbols agree until they certainly differ", () => {
    if (!H || !N) throw new Error("two variables");
    expect(sameShape([H], [N])).toBe("unknown");
    expect(sameShape([H], [dims.add(H, dims.constant(1))])).toBe("no");
    expect(sameShape([productOf([H, N])], [dims.multiply(N, H)])).toBe("yes");
  });
});

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { fileLoader } from "../../compiler/cli/library.ts";
import { elaborateSource } from "../../compiler/compile.ts";
import type { Program } from "../../compiler/elaborate/program.ts";
import { describeFailure, gradcheck } from "../../compiler/gradcheck/gradcheck.ts";
import { rowOf } from "../../compiler/scalar/table.ts";

function programOf(file: string, text: string, set = {}): Program {
  const { program, diagnostics } = elaborateSource({ file, text }, fileLoader(file), { set });
  expect(diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
  if (!program) throw new Error("no program");
  return program;
}
const example = (name: string): Program => {
  const file = `examples/${name}/model.dlx`;
  return programOf(file, readFileSync(file, "utf8"), { batch: 2 });
};

describe("every gradient of the examples agrees with central differences", () => {
  // A point of ResNet-20 takes seconds; every day test/examples checks one.
  for (const [name, runs] of [
    ["spirals", 4],
    ["lenet", 1],
    ...(process.env.DLX_DEEP ? ([["resnet20", 1]] as const) : []),
  ] as const)
    test(name, () => {
      const { agreed, failures, rough, worst } = gradcheck(example(name), { runs, seed: 20 });
      expect(failures.map(describeFailure)).toEqual([]);
      expect(rough).toEqual([]);
      expect(agreed).toBeGreaterThan(0);
      expect(worst).toBeLessThan(1e-5);
    });
});

const small = `import nn
import loss
import optim

model Net(x: f32[N, 3]) -> f32[N, 2] = x |> dense(4) |> sigmoid |> dense(2)

train fit(batch: int = 2)(x: f32[batch, 3], label: i32[batch]) {
  minimize loss = cross_entropy(Net(x), label) over Net.params using sgd(lr: 0.1)
}
`;

describe("a wrong derivative", () => {
  test.each(["exp", "log"])("of %s is found, and shrunk to the row", (name) => {
    const row = rowOf(name);
    const original = row.derivative;
    if (typeof original !== "function") throw new Error(`${name} has no derivative`);
    const wrong: typeof original = (ops, args, result) =>
      original(ops, args, result).map((partial) => partial && ops.apply("mul", partial, ops.constant("f32", 1.5)));
    Object.defineProperty(row, "derivative", { value: wrong, configurable: true, writable: true });
    try {
      const { failures } = gradcheck(programOf("small.dlx", small), { runs: 1, seed: 1 });
      expect(failures).toHaveLength(1);
      const [failure] = failures;
      expect(failure?.entry).toBe("fit.step");
      expect(failure?.origin).toMatchObject({ file: "small.dlx", line: 8 });
      const found = failure?.smallest?.row;
      expect(found?.name).toBe(name);
      expect(found?.promised).toBeCloseTo(1.5 * (found?.measured ?? Number.NaN), 3);
      const text = failure ? describeFailure(failure) : "";
      expect(text).toContain("small.dlx:8");
      expect(text).toContain(`scalar function \`${name}\``);
      expect(text).toContain("--seed 1");
    } finally {
      Object.defineProperty(row, "derivative", { value: original, configurable: true, writable: true });
    }
    expect(gradcheck(programOf("small.dlx", small), { runs: 1, seed: 1 }).failures).toEqual([]);
  });
});

test("a kink that a direction crosses is no failure", () => {
  // At every drawn point some |x| is smaller than the longer of the two distances.
  const program = programOf("kink.dlx", "export fn slope(x: f32[4]) -> f32[4] = grad(x => sum(abs(x) * x))(x)\n");
  const { failures } = gradcheck(program, { runs: 20, seed: 3 });
  expect(failures).toEqual([]);
});

test("the same seed draws the same points", () => {
  const run = () => gradcheck(programOf("small.dlx", small), { runs: 2, seed: 9 }).worst;
  expect(run()).toBe(run());
});

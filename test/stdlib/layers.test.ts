/** What layers do at random, at which sizes, and what they warn of. */
import { describe, expect, test } from "vitest";
import { checkSource } from "../../compiler/compile.ts";
import { elementCount } from "../../compiler/graph/builder.ts";
import { evaluateOutputs } from "../../compiler/reference/evaluate.ts";
import { library, sourceOf } from "../elaborate/support.ts";
import { stepOf } from "../fixtures/torch.ts";
import { program, refused } from "./rows.ts";

/** What a layer makes of a tensor of ones while training. */
function trained(layer: string, shape: readonly number[]): readonly number[] {
  const type = `f32[${shape.join(", ")}]`;
  const { graph } = stepOf(
    program(`model M(x: ${type}) = x |> ${layer}`, `train t()(x: ${type}) {\n  metric y = M(x)\n}`),
  );
  const outputs = evaluateOutputs(
    graph,
    graph.inputs.map(({ role, tensor }) =>
      new Array<number>(elementCount(tensor.type.shape)).fill(role === "argument" ? 1 : 0),
    ),
  );
  return Array.from(outputs[graph.outputs.findIndex(({ path }) => path === "y")] ?? []);
}
const share = (values: readonly number[]) => values.filter((value) => value !== 0).length / values.length;
const runs = (values: readonly number[], length: number) =>
  Array.from({ length: values.length / length }, (_, k) => new Set(values.slice(k * length, (k + 1) * length)));

describe("dropout while training", () => {
  // Six standard deviations of the share of 4000 independent draws.
  const tolerance = 6 * Math.sqrt((0.3 * 0.7) / 4000);
  test.each([
    ["dropout(0.3)", [4000], 1, 1 / 0.7],
    ["unscaled_dropout(0.3)", [4000], 1, 1],
    ["dropout2d(0.3)", [40, 100, 2, 3], 6, 1 / 0.7],
    ["drop_path(0.3)", [4000, 5], 5, 1 / 0.7],
  ] as const)("%s", (layer, shape, together, kept) => {
    const values = trained(layer, shape);
    expect(Math.abs(share(values) - 0.7)).toBeLessThan(tolerance);
    for (const value of new Set(values)) expect([0, expect.closeTo(kept, 12)]).toContainEqual(value);
    expect(runs(values, together).every((run) => run.size === 1)).toBe(true);
  });
});

/** Findings of a model with this body, whatever they are. */
const findings = (text: string) =>
  checkSource(sourceOf(text), library).map(({ severity, code, message }) => `${severity} ${code}: ${message}`);
const typed = (result: string, expression: string, x: string) =>
  findings(program(`model M(x: ${x}) -> ${result} = ${expression}`));

test.each([
  // A 5 x 5 kernel, padding 1, stride 3 on 10 x 10 x 1.
  ["f32[1, 4, 3, 3]", "x |> conv2d(4, kernel: 5, padding: 1, stride: 3)", "f32[1, 1, 10, 10]"],
  ["f32[1, 3, 6, 6]", "x |> max_pool(2, ceil_mode: true)", "f32[1, 3, 11, 11]"],
  ["f32[1, 3, 28, 28]", "x |> max_pool(3, stride: 2, ceil_mode: true)", "f32[1, 3, 56, 56]"],
  ["f32[2, 5, 14]", "x |> conv_transpose1d(5, kernel: 4, stride: 2, padding: 1)", "f32[2, 3, 7]"],
])("makes %s of %s", (result, expression, x) => {
  expect(typed(result, expression, x)).toEqual([]);
});

describe("warns of", () => {
  const unread = (what: string, kernel: number, stride: number) =>
    `warning W0110: the last ${what} are never read: windows of ${kernel} go in steps of ${stride}`;
  const both =
    "warning W0110: the last 2 of 8 rows and the last 1 of 7 columns are never read: windows of 3 x 3 go in steps of 3 x 3";
  test.each([
    ["x |> conv2d(4, kernel: 3, stride: 3)", [both]],
    ["x |> max_pool(3)", [both]],
    ["x |> max_pool([2, 3])", [unread("1 of 7 columns", 3, 3)]],
    ["x |> conv2d(4, kernel: [3, 7], stride: 3)", [unread("2 of 8 rows", 3, 3)]],
    ["x |> avg_pool(4)", [unread("3 of 7 columns", 4, 4)]],
    ["x |> conv2d(4, kernel: 3, stride: 2)", [unread("1 of 8 rows", 3, 2)]],
    // Padding is not read, or gaps between windows are meant.
    ["x |> conv2d(4, kernel: 3, stride: 2, padding: 1)", []],
    ["x |> conv2d(4, kernel: 1, stride: 2)", []],
    ["x |> max_pool(3, ceil_mode: true)", []],
    [
      "x |> separable_conv2d(4, padding: 1) |> batch_norm",
      ["warning W0110: separable_conv2d adds a bias that batch_norm takes away again: use bias: false"],
    ],
    ["x |> separable_conv2d(4, padding: 1, bias: false) |> batch_norm", []],
  ])("%s", (expression, warnings) => {
    expect(findings(refused(expression, { x: "f32[2, 3, 8, 7]" }))).toEqual(warnings);
  });
});

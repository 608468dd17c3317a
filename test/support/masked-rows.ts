/** Rows of scores of which everything is masked: their values and gradients are 0, on every device. */
import type { ProgramEntry } from "../../compiler/elaborate/program.ts";
import { elementCount } from "../../compiler/graph/builder.ts";
import type { Graph } from "../../compiler/graph/graph.ts";
import { evaluateOutputs } from "../../compiler/reference/evaluate.ts";
import { programOf } from "../elaborate/run.ts";

export interface Masked {
  readonly name: string;
  /** `y` has to be `value` in its first elements, and `d_*` 0 in theirs; all else is finite and not 0. */
  readonly text: string;
  readonly first: Readonly<Record<string, readonly [count: number, value: number]>>;
}
const hidden = `fn hidden(x: f32[3, 5]) -> f32[3, 5] {
  let y[i, j] = select(i == 0 or i == 1 and j > 2, -inf, x[i, j])
  y
}`;
const weighed = "fn weighed(y: f32[...S]) -> f32 = sum(y * reshape(cos(f32(arange(product(S)))), S))";
const of = (outputs: string) => `import nn\nimport loss\n${hidden}\n${weighed}\n${outputs}`;
const padded = `layer attend()(x: f32[2, 3, 4]) -> f32[2, 3, 4] {
  let attend = multi_head_attention(2, causal: true)
  let padding[n < 2, s < 3] = n == 0 or s == 2
  attend(x, key_padding_mask: padding)
}
model M(x: f32[2, 3, 4]) -> f32[2, 3, 4] = x |> attend`;

export const maskedRows: readonly Masked[] = [
  {
    name: "softmax",
    text: of(`export fn f(x: f32[3, 5]) = (
  y: softmax(hidden(x)), d_1: grad(x => weighed(softmax(hidden(x))))(x),
  d_2: grad(x => weighed(grad(x => weighed(softmax(hidden(x))^2))(x)))(x), d_h: grad(h => weighed(softmax(h)))(hidden(x))
)`),
    first: { y: [5, 0], d_1: [5, 0], d_2: [5, 0], d_h: [5, 0] },
  },
  {
    name: "log_softmax",
    text: of(`export fn f(x: f32[3, 5]) = (
  y: log_softmax(hidden(x)), d_1: grad(x => weighed(log_softmax(hidden(x))[:, 0]))(x),
  d_h: grad(h => weighed(log_softmax(h)[:, 0]))(hidden(x))
)`),
    first: { y: [5, Number.NEGATIVE_INFINITY], d_1: [5, 0], d_h: [5, 0] },
  },
  {
    name: "scaled_dot_product_attention, causal and masked",
    text: of(`fn seen() -> bool[3, 3] {
  let y[i < 3, j < 3] = j > 0 or i == 2
  y
}
fn attend(x: f32[3, 5]) = scaled_dot_product_attention(x, 2 * x, cos(x), mask: seen(), causal: true)
export fn f(x: f32[3, 5], q: f32[3, 5]) = (
  y: attend(x), d_q: grad(q => weighed(scaled_dot_product_attention(q, x, x, mask: seen(), causal: true)))(q),
  d_1: grad(x => weighed(attend(x)))(x)
)`),
    first: { y: [5, 0], d_q: [5, 0], d_1: [0, 0] },
  },
  {
    name: "multi_head_attention of nothing but padding",
    text: of(`${padded}
train t()(x: f32[2, 3, 4]) {
  metric y = M(x)
  metric d_1 = grad(x => weighed(M(x)))(x)
}`),
    first: { y: [12, 0], d_1: [12, 0] },
  },
];

export function maskedEntry({ text }: Masked): ProgramEntry {
  const entry = programOf(text).entries.find(({ kind }) => kind === "call" || kind === "step");
  if (!entry) throw new Error("nothing to run");
  return entry;
}
/** Waves, but for biases, which start at 0. */
export function maskedInputs(graph: Graph): number[][] {
  return graph.inputs.map(({ tensor, path }, k) =>
    Array.from({ length: elementCount(tensor.type.shape) }, (_, i) =>
      path.includes("bias") ? 0 : Math.fround(Math.sin(1 + 3 * i + 7 * k)),
    ),
  );
}

/** Throws unless what is masked is as it has to be, and everything else near the reference. */
export function expectMasked(
  { first }: Masked,
  entry: ProgramEntry,
  got: readonly ArrayLike<number>[],
  tolerance: number,
): void {
  const wanted = evaluateOutputs(entry.graph, maskedInputs(entry.graph));
  for (const [k, { path }] of entry.graph.outputs.entries()) {
    const expected = first[path];
    if (!expected) continue;
    const [count, value] = expected;
    const values = Array.from(got[k] ?? []);
    for (const [i, one] of values.entries()) {
      const other = wanted[k]?.[i] ?? Number.NaN;
      const same = i < count ? one === value : Math.abs(one - other) <= tolerance || one === other;
      if (!same) throw new Error(`${path}[${i}] is ${one}, not ${i < count ? value : other}`);
    }
    if (!values.slice(count).some((one) => Number.isFinite(one) && one !== 0))
      throw new Error(`${path} has nothing beside what is masked`);
  }
}

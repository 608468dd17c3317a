/** The standard library in the float64 reference against PyTorch: values, gradients, running statistics, optimizers. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { programOf, runEntry } from "./run.ts";

interface Packed {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data: readonly number[];
}
interface LayerCase {
  readonly name: string;
  readonly source: string;
  readonly training: boolean;
  readonly inputs: Readonly<Record<string, Packed>>;
  readonly persistent: Readonly<Record<string, Packed>>;
  readonly cotangent: Packed;
  readonly output: Packed;
  readonly gradients: Readonly<Record<string, Packed>>;
  readonly after?: Readonly<Record<string, Packed>>;
}
interface OptimizerCase {
  readonly name: string;
  readonly source: string;
  readonly start: Packed;
  readonly gradients: readonly Packed[];
  readonly after: readonly Packed[];
}
const folder = join(import.meta.dirname, "../fixtures");
const read = (file: string): unknown => JSON.parse(readFileSync(join(folder, file), "utf8"));
const layerFiles = readdirSync(folder).filter((file) => file.endsWith(".json") && !/optimizer|hessian/.test(file));

/** Within 1e-9 of the largest value. */
function close(what: string, got: readonly number[] | undefined, { data }: Packed): void {
  expect(got?.length, what).toBe(data.length);
  const size = Math.max(1e-3, ...data.map(Math.abs));
  const worst = Math.max(0, ...data.map((value, k) => Math.abs((got?.[k] ?? Number.NaN) - value)));
  expect(worst / size, what).toBeLessThan(1e-9);
}
const typeOf = ({ dtype, shape }: Packed) => (shape.length === 0 ? dtype : `${dtype}[${shape.join(", ")}]`);

/** A block whose "optimizer" writes down gradients, and whose metrics are the output and the gradients of the inputs. */
function probe({ source, inputs, cotangent, gradients, training }: LayerCase): string {
  const names = Object.keys(inputs);
  const mode = training ? "" : ", training: false";
  const parameters = Object.keys(gradients).some((name) => name.startsWith("M."));
  const floats = names.filter((name) => inputs[name]?.dtype === "f32");
  const list = names.map((name) => `${name}: ${typeOf(inputs[name] ?? cotangent)}`).join(", ");
  const applied = `M(${names.join(", ")}${mode})`;
  return `${source}
optimizer write_down()(w: f32[...S], g: f32[...S], step: i32) -> f32[...S] = g
train t()(${list}, cotangent: ${typeOf(cotangent)}) {
  let y = ${applied}
  metric output = y
  ${floats.map((name) => `metric d_${name} = grad(${name} => sum(${applied} * cotangent))(${name})`).join("\n  ")}
  ${parameters ? `minimize loss = sum(${applied} * cotangent) over M.params using write_down` : ""}
}`;
}

describe.each(layerFiles)("%s", (file) => {
  const cases = read(file) as readonly LayerCase[];
  test.each(cases.map((one) => [one.name, one] as const))("%s", (_, one) => {
    const program = programOf(probe(one));
    const entry = program.entries.find(({ kind }) => kind === "step");
    if (!entry) throw new Error("no step");
    const values = Object.entries({ ...one.inputs, ...one.persistent, cotangent: one.cotangent });
    const got = runEntry(entry, {
      ...Object.fromEntries(values.map(([name, { data }]) => [name, data])),
      "t.step": [0],
    });
    close("output", got.output, one.output);
    for (const [name, gradient] of Object.entries(one.gradients))
      close(name, got[name.startsWith("input ") ? `d_${name.slice("input ".length)}` : name], gradient);
    // The block applies the model several times; only a single application moves the statistics as PyTorch does.
    if (one.after && one.training) {
      const single = programOf(
        `${one.source}\ntrain t()(x: ${typeOf(one.inputs.x ?? one.output)}) { metric output = sum(M(x)) }`,
      );
      const step = single.entries.find(({ kind }) => kind === "step");
      const moved =
        step &&
        runEntry(step, { ...Object.fromEntries(values.map(([name, { data }]) => [name, data])), "t.step": [0] });
      for (const [path, state] of Object.entries(one.after)) close(path, moved?.[path], state);
    }
  });
});

describe("optimizers replay prescribed gradients", () => {
  const cases = read("optimizer.json") as readonly OptimizerCase[];
  test.each(cases.map((one) => [one.name, one] as const))("%s", (_, { source, start, gradients, after }) => {
    const program = programOf(source);
    const entry = program.entries.find(({ kind }) => kind === "step");
    const weight = program.persistent.find(({ role }) => role === "parameter");
    if (!entry || !weight) throw new Error("no step");
    let state: Record<string, readonly number[]> = { [weight.path]: start.data, "t.step": [0] };
    gradients.forEach(({ data }, k) => {
      const zeros = (_path: string, count: number) => Array.from({ length: count }, () => 0);
      state = { ...state, ...runEntry(entry, { ...state, g: data }, zeros) };
      const wanted = after[k];
      if (wanted) close(`step ${k}`, [...(state[weight.path] ?? [])], wanted);
    });
  });
});

describe("second derivatives", () => {
  test("batch_norm's Hessian in input, gamma and beta", () => {
    const { x, gamma, beta, u, hessian } = read("batch-norm-hessian.json") as Record<string, Packed>;
    if (!x || !gamma || !beta || !u || !hessian) throw new Error("an incomplete fixture");
    const text = `import nn
      fn loss(v: f32[16], u: f32[3, 2, 2]) -> f32 {
        let x = reshape(v[0:12], [3, 2, 2])
        let m[c] = mean[n, s] x[n, c, s]
        let d[c] = mean[n, s] (x[n, c, s] - m[c])^2
        sum[n, c, s] u[n, c, s] * sin(v[12 + c] * (x[n, c, s] - m[c]) / sqrt(d[c] + 1e-5) + v[14 + c])
      }
      export fn f(v: f32[16], u: f32[3, 2, 2]) -> f32[16, 16] = hessian(v => loss(v, u))(v)`;
    const entry = programOf(text).entries[0];
    const got = entry && runEntry(entry, { v: [...x.data, ...gamma.data, ...beta.data], u: u.data });
    close("hessian", got?.output, hessian);
  });
});

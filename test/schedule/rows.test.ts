/** Rows of many extents: random domains, orders of axes, guards and strides, through every lane, tail and chunk. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { at, constantScalar, elementCount, GraphBuilder, read } from "../../compiler/graph/builder.ts";
import type { Axis, Combiner, Coordinate, Graph, GraphOutput, Scalar, Tensor } from "../../compiler/graph/graph.ts";
import { printGraph } from "../../compiler/graph/print.ts";
import { readGraph } from "../../compiler/graph/read.ts";
import { verify } from "../../compiler/graph/verify.ts";
import { evaluateOutputs } from "../../compiler/reference/evaluate.ts";
import { expectClose, sensitivity } from "../support/compare.ts";
import { Choices } from "../support/random-body.ts";
import { interpretOnCpu, runOnCpu } from "../support/run-cpu.ts";
import { runOnThreads } from "../support/run-threads.ts";

const extents = [2, 3, 4, 5, 7, 8, 9, 12, 16, 17, 33, 64, 130, 300] as const;
const combiners: readonly Combiner[] = ["sum", "sum", "max", "min", "prod", "max_first", "min_first", "moments"];

interface Row {
  readonly graph: Graph;
  readonly inputs: readonly number[][];
  readonly [fc.toStringMethod]?: () => string;
}

const f32 = (name: string, ...operands: Scalar[]): Scalar => ({
  kind: "apply",
  type: "f32",
  name,
  arguments: operands,
});

/** A domain, two inputs over it, and a chain of reductions over some of its axes and maps over all of them. */
function rowGraph(seed: number): Row {
  const choices = new Choices(seed);
  const axes: Axis[] = [];
  for (let points = 1; axes.length < choices.between(1, 4) || axes.length === 0; ) {
    const extent = choices.of(extents);
    if (points * extent > 6000) break;
    points *= extent;
    axes.push({ name: `i${axes.length}`, extent });
  }
  const builder = new GraphBuilder();
  const order = shuffled(choices, axes.length);
  /** Axis k of a full tensor is the domain's index order[k]. */
  const full = order.map((position) => axes[position]!.extent);
  const guard = choices.chance(40);
  const wider = order.map(() => (guard && choices.chance(50) ? choices.between(1, 2) : 0));
  const x = builder.input("x", { dtype: "f32", shape: full.map((extent, k) => Math.max(1, extent - wider[k]!)) });
  const y = builder.input("y", { dtype: "f32", shape: full });
  const reduced = axes.map(() => choices.chance(50));
  if (!reduced.includes(true)) reduced[choices.below(axes.length)] = true;
  const parallel = axes.filter((_, k) => !reduced[k]);
  const reduction = axes.filter((_, k) => reduced[k]);
  // Positions of the domain's indices in a reduction's own domain.
  const position = axes.map((axis) => [...parallel, ...reduction].indexOf(axis));
  const place = (positions: readonly number[]): Coordinate[] => order.map((index) => at(positions[index]!));
  const inRow = (tensor: Tensor): Scalar => read(tensor, place(position));
  const readX = (positions: readonly number[]): Scalar => {
    const coordinates = order.map(
      (index, k): Coordinate =>
        wider[k]! > 0 ? at(positions[index]!, 1, x.type.shape[k]! === 1 ? 0 : -1) : at(positions[index]!),
    );
    const guarded = wider.some((more) => more > 0);
    return read(x, coordinates, guarded ? 0.25 : undefined);
  };
  const outputs: GraphOutput[] = [];
  const show = (tensor: Tensor): void => {
    outputs.push({ tensor, role: "result", path: tensor.name });
  };
  let current: Scalar = f32("add", readX(position), inRow(y));
  let fullTensor: Tensor | undefined;
  const rows: Tensor[] = [];
  for (let pass = choices.between(1, 3); pass > 0; pass--) {
    const chosen = choices.of(combiners);
    const count = elementCount(reduction.map(({ extent }) => extent));
    // Sums are means and long products are left out, so that nothing leaves float32's range.
    const combiner = chosen === "prod" && count > 64 ? "sum" : chosen;
    const scaled = (by: number): Scalar => f32("mul", current, constantScalar("f32", by));
    const body =
      combiner === "sum"
        ? scaled(1 / count)
        : combiner === "prod"
          ? f32("add", scaled(0.001), constantScalar("f32", 1))
          : current;
    const results = builder.generic({ hint: combiner, combiner, parallel, reduction, body });
    for (const result of results) if (choices.chance(60)) show(result);
    const [row] = results;
    rows.push(row!);
    const own = full.map((extent) => extent);
    // A map over the whole domain, in the order of the tensors' axes.
    const here = order.map((_, k) => k);
    const inOrder = axes.map((_, index) => order.indexOf(index));
    const rowHere = read(
      row!,
      parallel.map((axis) => at(inOrder[axes.indexOf(axis)]!)),
    );
    const before = fullTensor
      ? read(
          fullTensor,
          here.map((k) => at(k)),
        )
      : readX(inOrder);
    const value = choices.chance(30)
      ? f32("exp", f32("mul", f32("sub", before, rowHere), constantScalar("f32", 0.1)))
      : f32("sub", before, f32("mul", rowHere, constantScalar("f32", 0.5)));
    fullTensor = builder.generic({
      hint: "map",
      combiner: "map",
      parallel: order.map((index) => axes[index]!),
      body: value,
      shape: own,
    })[0]!;
    if (choices.chance(50)) show(fullTensor);
    current = f32("add", inRow(fullTensor), choices.chance(50) ? constantScalar("f32", 0) : inRow(y));
  }
  const [first, second] = rows;
  if (first && second && choices.chance(50))
    show(
      builder.map(
        "both",
        first.type.shape,
        f32(
          "add",
          read(
            first,
            first.type.shape.map((_, k) => at(k)),
          ),
          read(
            second,
            second.type.shape.map((_, k) => at(k)),
          ),
        ),
      ),
    );
  if (outputs.length === 0) show(fullTensor!);
  const graph = builder.finish(outputs.filter(({ tensor }, k) => outputs.findIndex((o) => o.tensor === tensor) === k));
  const inputs = graph.inputs.map(({ tensor }) =>
    Array.from({ length: elementCount(tensor.type.shape) }, () => Math.fround(choices.between(-1e6, 1e6) / 4.97e5)),
  );
  return { graph, inputs, [fc.toStringMethod]: () => `\n${printGraph(graph)}` };
}

function shuffled(choices: Choices, count: number): number[] {
  const order = Array.from({ length: count }, (_, k) => k);
  for (let k = count - 1; k > 0; k--) {
    const other = choices.below(k + 1);
    [order[k], order[other]] = [order[other]!, order[k]!];
  }
  return order;
}

const graphs = fc.integer({ min: 0, max: 2 ** 31 - 1 }).map(rowGraph);
const runs = process.env.DLX_DEEP ? 2000 : 60;

function agrees({ graph, inputs }: Row, run: typeof runOnCpu): void {
  verify(graph, "the generator");
  const got = run(graph, inputs);
  const want = evaluateOutputs(graph, inputs);
  const closeness = { relative: 2e-5, absolute: 2e-5 };
  try {
    expectClose(graph, got, want, closeness);
  } catch {
    // Ties that rounding breaks.
    const slack = sensitivity(graph, inputs, (values) => evaluateOutputs(graph, values));
    expectClose(graph, got, want, { ...closeness, slack });
  }
}

test("a value is not kept in the place of a result that a later pass reads", () => {
  const graph = readGraph(`input %x: f32[2,130] argument x
input %y: f32[2,130] argument y
%e: f32[2,130] = map[i<2, j<130] exp(%x[i, j] * 0.1)
%sum: f32[130] = sum[j<130 | i<2] (%e[i, j] + %y[i, j]) * 0.5
%m: f32[2,130] = map[i<2, j<130] %e[i, j] - %sum[j] * 0.5
%prod: f32[130] = prod[j<130 | i<2] %m[i, j] * 0.001 + 1
%z: f32[2,130] = map[i<2, j<130] %m[i, j] - %prod[j] * 0.5
output %m result m
output %prod result prod
output %z result z`);
  const inputs = graph.inputs.map(() => Array.from({ length: 260 }, (_, k) => Math.fround(Math.sin(k * 1.7))));
  agrees({ graph, inputs }, runOnCpu);
});

/** Columns of long reductions, with more to do for each of them than is written out for several at once. */
const columns = fc
  .record({
    rows: fc.integer({ min: 24, max: 300 }),
    width: fc.integer({ min: 4, max: 70 }),
    combiner: fc.constantFrom("max", "prod", "sum"),
    seed: fc.nat(1000),
  })
  .map(({ rows, width, combiner, seed }): Row => {
    const graph = readGraph(`input %w: f32[${width}] parameter w
input %x: f32[${rows},${width}] argument x
%g: f32[${width}] = sum[j<${width} | i<${rows}] %x[i, j] * 0.1
%r: f32[${width}] = ${combiner}[j<${width} | i<${rows}] 1 + %x[i, j] * 0.01
%h: f32[${width}] = map[j<${width}] %g[j] * %g[j] + sqrt(1 + %r[j] * %r[j])
%w2: f32[${width}] = map[j<${width}] %w[j] * 0.9 - %g[j] / (%h[j] + 0.5) + %w[j] * %h[j]
output %g result g
output %h result h
output %w2 parameter w`);
    const inputs = graph.inputs.map(({ tensor }, k) =>
      Array.from({ length: elementCount(tensor.type.shape) }, (_, at) => Math.fround(Math.sin(at * 1.7 + seed + k))),
    );
    return { graph, inputs, [fc.toStringMethod]: () => `${rows} x ${width}, ${combiner}, ${seed}` };
  });

test("columns with a long epilogue, in their buffers and on WebAssembly", () => {
  fc.assert(
    fc.property(columns, (row) => {
      agrees(row, interpretOnCpu);
      agrees(row, runOnCpu);
    }),
    { numRuns: runs / 3 },
  );
});

test("columns with a long epilogue have the same bits on every number of threads", async () => {
  await fc.assert(
    fc.asyncProperty(columns, async ({ graph, inputs }) => {
      const [one, two, three] = await runOnThreads(graph, inputs, [1, 2, 3]);
      expect(two).toEqual(one);
      expect(three).toEqual(one);
    }),
    { numRuns: 8 },
  );
});

test("random rows on WebAssembly", () => {
  fc.assert(
    fc.property(graphs, (row) => agrees(row, runOnCpu)),
    { numRuns: runs },
  );
});

test("random rows stay in their buffers", () => {
  fc.assert(
    fc.property(graphs, (row) => agrees(row, interpretOnCpu)),
    { numRuns: runs / 6 },
  );
});

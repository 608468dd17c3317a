/**
 * Random graphs in normal form, with values for their inputs: every node kind and combiner, strides, dilation, padding,
 * kernels larger than their output, tables, gathers, nested scans. Shrinks by dropping nodes.
 */
import fc from "fast-check";
import { elementCount, GraphBuilder, readHere } from "../../compiler/graph/builder.ts";
import type { Axis, Combiner, Graph, GraphOutput, Stride, Tensor } from "../../compiler/graph/graph.ts";
import { printGraph } from "../../compiler/graph/print.ts";
import { apply } from "../../compiler/graph/scalars.ts";
import { usesOf } from "../../compiler/graph/traverse.ts";
import { Choices, type Known, largest, largestExact, limited, randomBody, readOf } from "./random-body.ts";

export interface RandomGraph {
  readonly graph: Graph;
  /** One an input, in order. */
  readonly inputs: readonly number[][];
  /** How a failing case is shown. */
  readonly [fc.toStringMethod]?: () => string;
}
export interface RandomGraphOptions {
  readonly maximumNodes?: number;
  /** Only what has a derivative almost everywhere, away from kinks and ties; `f32` throughout. Default false. */
  readonly smooth?: boolean;
  readonly combiners?: readonly Combiner[];
  readonly kinds?: readonly RandomKind[];
  /** Some inputs are parameters. Default false. */
  readonly parameters?: boolean;
}
export type RandomKind = "generic" | "view" | "join" | "scatter_add" | "sort" | "scan" | "random";

const everyCombiner: readonly Combiner[] = [
  "map",
  "map",
  "map",
  "sum",
  "sum",
  "sum",
  "sum",
  "prod",
  "max",
  "min",
  "any",
  "all",
  "max_first",
  "min_first",
  "moments",
];
const smoothCombiners: readonly Combiner[] = ["map", "map", "map", "sum", "sum", "sum", "moments"];
const everyKind: readonly RandomKind[] = [
  "generic",
  "generic",
  "generic",
  "generic",
  "generic",
  "view",
  "view",
  "join",
  "scatter_add",
  "sort",
  "scan",
  "random",
];

export function randomGraph(options: RandomGraphOptions = {}): fc.Arbitrary<RandomGraph> {
  const seed = fc.integer({ min: 0, max: 2 ** 31 - 1 });
  return fc
    .record({ inputs: seed, nodes: fc.array(seed, { minLength: 1, maxLength: options.maximumNodes ?? 7 }) })
    .map(({ inputs, nodes }) => makeGraph(inputs, nodes, options));
}

/** The graph of these seeds: one for the inputs, one for each node. */
export function makeGraph(inputSeed: number, nodeSeeds: readonly number[], options: RandomGraphOptions): RandomGraph {
  const choices = new Choices(inputSeed);
  const builder = new GraphBuilder();
  const floats: Known[] = [];
  const integers: Tensor[] = [];
  const values: number[][] = [];
  for (let k = choices.between(1, 3); k > 0; k--) {
    const shape = randomShape(choices);
    const role = options.parameters && choices.chance(60) ? "parameter" : "argument";
    floats.push({ tensor: builder.input("x", { dtype: "f32", shape }, role), bound: 2, exact: true });
    values.push(Array.from({ length: elementCount(shape) }, () => choices.between(-8, 8) / 4));
  }
  if (choices.chance(60)) {
    const shape = [choices.between(2, 5)];
    integers.push(builder.input("id", { dtype: "i32", shape }));
    values.push(Array.from({ length: elementCount(shape) }, () => choices.between(-2, 6)));
  }
  const seedTensor = builder.input("seed", { dtype: "u32", shape: [2] }, "seed");
  values.push([choices.below(2 ** 32), choices.below(2 ** 32)]);
  const maker = new Maker(builder, floats, integers, seedTensor, options, 0);
  for (const seed of nodeSeeds) maker.add(new Choices(seed));
  const unfinished = { inputs: builder.inputs, nodes: builder.nodes, outputs: [] };
  const uses = usesOf(unfinished);
  const results = builder.nodes.flatMap((node) => node.results);
  const last = results.at(-1);
  const shown = results.filter((tensor) => tensor === last || uses.of(tensor).length === 0 || choices.chance(15));
  const outputs = shown.map((tensor): GraphOutput => ({ tensor, role: "result", path: tensor.name }));
  const graph = builder.finish(outputs);
  return {
    graph,
    inputs: values,
    [fc.toStringMethod]: () => `\n${printGraph(graph)}inputs ${JSON.stringify(values)}`,
  };
}

function randomShape(choices: Choices): number[] {
  return Array.from({ length: choices.of([0, 1, 1, 2, 2, 2, 3, 3, 4]) }, () => choices.of([1, 2, 2, 3, 3, 4, 5, 6]));
}

/** Adds one random node at a time. */
class Maker {
  readonly #builder: GraphBuilder;
  readonly #floats: Known[];
  readonly #integers: Tensor[];
  readonly #seed: Tensor | undefined;
  readonly #options: RandomGraphOptions;
  readonly #depth: number;

  constructor(
    builder: GraphBuilder,
    floats: Known[],
    integers: Tensor[],
    seed: Tensor | undefined,
    options: RandomGraphOptions,
    depth: number,
  ) {
    this.#builder = builder;
    this.#floats = floats;
    this.#integers = integers;
    this.#seed = seed;
    this.#options = options;
    this.#depth = depth;
  }

  add(choices: Choices): void {
    const kinds = this.#options.kinds ?? everyKind;
    const kind = choices.of(kinds);
    if (kind === "view") this.#view(choices);
    else if (kind === "join") this.#join(choices);
    else if (kind === "scatter_add") this.#scatter(choices);
    else if (kind === "sort") this.#sort(choices);
    else if (kind === "scan" && this.#depth === 0) this.#scan(choices);
    else if (kind === "random" && this.#seed) this.#random(choices, this.#seed);
    else this.#generic(choices);
  }

  #axes(choices: Choices, count: number, names: string): Axis[] {
    return Array.from({ length: count }, (_, k) => ({ name: names[k]!, extent: choices.of([2, 2, 3, 4, 5]) }));
  }

  #generic(choices: Choices): void {
    const { smooth = false } = this.#options;
    const combiner = choices.of(this.#options.combiners ?? (smooth ? smoothCombiners : everyCombiner));
    const parallel = this.#axes(choices, choices.of([0, 1, 1, 2, 2, 3]), "ijk");
    const reduction = combiner === "map" ? [] : this.#axes(choices, choices.of([1, 1, 2]), "pq");
    const exact = ["max", "min", "max_first", "min_first", "any", "all"].includes(combiner);
    const context = {
      choices,
      axes: [...parallel, ...reduction],
      floats: this.#floats,
      integers: this.#integers,
      exact,
      smooth,
    };
    const body = randomBody(context, choices.of([1, 2, 2, 3]));
    const shape = parallel.flatMap((axis) => (choices.chance(15) ? [1, axis.extent] : [axis.extent]));
    const points = reduction.reduce((product, axis) => product * axis.extent, 1);
    const spec = { hint: combiner, combiner, parallel, reduction, shape };
    if (combiner === "any" || combiner === "all") {
      const mask = apply("gt", body.scalar, { kind: "constant", type: "f32", value: 0 });
      const [result] = this.#builder.generic({ ...spec, body: mask });
      const asFloat = this.#builder.map("mask", result!.type.shape, apply("to_f32", readHere(result!)));
      this.#floats.push({ tensor: asFloat, bound: 1, exact: true });
      return;
    }
    if (combiner === "prod") {
      const small = body.bound ** points <= largest ? body.scalar : apply("sin", body.scalar);
      const [result] = this.#builder.generic({ ...spec, body: small });
      this.#floats.push({
        tensor: result!,
        bound: Math.max(1, body.bound ** points <= largest ? body.bound ** points : 1),
        exact: false,
      });
      return;
    }
    const growth = combiner === "sum" ? points : combiner === "moments" ? points * body.bound : 1;
    const room = exact || body.exact ? largestExact : largest;
    const kept = body.bound * growth <= room ? body : limited({ ...body, bound: Number.POSITIVE_INFINITY }, exact);
    const [result, second] = this.#builder.generic({ ...spec, body: kept.scalar });
    const stillExact = kept.exact && combiner !== "moments";
    this.#floats.push({ tensor: result!, bound: Math.max(1, kept.bound * growth), exact: stillExact });
    if (second && combiner === "moments")
      this.#floats.push({ tensor: second, bound: kept.bound * growth * 4, exact: false });
    else if (second) this.#integers.push(second);
  }

  #view(choices: Choices): void {
    const { tensor, ...known } = choices.of(this.#floats);
    const factors: number[] = [];
    for (const extent of tensor.type.shape) {
      let rest = extent;
      for (let prime = 2; rest > 1; prime++) for (; rest % prime === 0; rest /= prime) factors.push(prime);
    }
    const shape: number[] = [];
    for (const factor of factors) {
      if (shape.length > 0 && choices.chance(50)) shape.push(shape.pop()! * factor);
      else shape.push(factor);
      if (choices.chance(10)) shape.push(1);
    }
    this.#floats.push({ tensor: this.#builder.view(tensor, shape), ...known });
  }

  #join(choices: Choices): void {
    const ranked = this.#floats.filter(({ tensor }) => tensor.type.shape.length > 0);
    if (ranked.length === 0) {
      this.#generic(choices);
      return;
    }
    const first = choices.of(ranked);
    const { shape } = first.tensor.type;
    const axis = choices.below(shape.length);
    const fits = ranked.filter(
      ({ tensor }) =>
        tensor.type.shape.length === shape.length &&
        tensor.type.shape.every((extent, k) => k === axis || extent === shape[k]),
    );
    const members = [first, ...(choices.chance(70) ? [choices.of(fits)] : [])];
    const full = (extent: number): Stride => ({ start: 0, step: 1, count: extent });
    const boxes: { tensor: Tensor; at: Stride[] }[] = [];
    let end = choices.between(0, 1);
    for (const { tensor } of members) {
      const count = tensor.type.shape[axis]!;
      const step = choices.of([1, 1, 2]);
      boxes.push({
        tensor,
        at: tensor.type.shape.map((extent, k) => (k === axis ? { start: end, step, count } : full(extent))),
      });
      end += step * (count - 1) + 1 + choices.of([0, 0, 1]);
    }
    const type = { dtype: "f32" as const, shape: shape.map((extent, k) => (k === axis ? end : extent)) };
    if (elementCount(type.shape) > 2000) {
      this.#generic(choices);
      return;
    }
    const result = this.#builder.join("join", type, boxes, choices.of([0, 0, 1]));
    this.#floats.push({
      tensor: result,
      bound: Math.max(1, ...members.map(({ bound }) => bound)),
      exact: members.every(({ exact }) => exact),
    });
  }

  #scatter(choices: Choices): void {
    const domain = this.#axes(choices, choices.of([1, 2]), "ij");
    const context = {
      choices,
      axes: domain,
      floats: this.#floats,
      integers: this.#integers,
      exact: false,
      smooth: this.#options.smooth ?? false,
    };
    const shape = randomShape(choices);
    const type = { dtype: "f32" as const, shape };
    const target: Tensor = { name: "target", type };
    const { coordinates } = readOf(context, target);
    const body = randomBody(context, 2);
    const points = domain.reduce((product, axis) => product * axis.extent, 1);
    const kept =
      body.bound * points <= (body.exact ? largestExact : largest)
        ? body
        : limited({ ...body, bound: Number.POSITIVE_INFINITY }, false);
    const tensor = this.#builder.scatterAdd("scatter", type, {
      domain,
      coordinates,
      outside: choices.of(["drop", "clamp"]),
      body: kept.scalar,
    });
    this.#floats.push({ tensor, bound: Math.max(1, kept.bound * points), exact: kept.exact });
  }

  /** Of values that are the same in every precision: others have no order to compare. */
  #sort(choices: Choices): void {
    const exact = this.#floats.filter((known) => known.exact && known.tensor.type.shape.length > 0);
    if (exact.length === 0 || this.#options.smooth) {
      this.#generic(choices);
      return;
    }
    const { tensor } = choices.of(exact);
    this.#integers.push(this.#builder.sort("order", tensor, choices.below(tensor.type.shape.length)));
  }

  #random(choices: Choices, seed: Tensor): void {
    const shape = randomShape(choices);
    const words = this.#builder.random("words", shape, { seed, stream: choices.below(1000) });
    const high = apply("to_i32", apply("shift_right", readHere(words), { kind: "constant", type: "u32", value: 29 }));
    const tensor = this.#builder.map("uniform", shape, apply("to_f32", high));
    this.#floats.push({ tensor, bound: 8, exact: true });
  }

  #scan(choices: Choices): void {
    const length = choices.between(1, 4);
    const carry = choices.of(this.#floats).tensor;
    const slices = this.#floats.map(({ tensor }) => tensor).filter(({ type }) => type.shape[0] === length);
    const captured = [choices.of(this.#floats), choices.of(this.#floats)];
    const inner = new GraphBuilder();
    const floats: Known[] = [];
    const known = (tensor: Tensor): void => void floats.push({ tensor, bound: largest, exact: false });
    known(inner.input("h", carry.type));
    for (const { type } of slices) known(inner.input("s", { ...type, shape: type.shape.slice(1) }));
    for (const { tensor } of captured) known(inner.input("c", tensor.type));
    const iteration = inner.input("t", { dtype: "i32", shape: [] });
    known(inner.map("time", [], apply("to_f32", readHere(iteration))));
    const maker = new Maker(inner, floats, [], undefined, this.#options, this.#depth + 1);
    for (let k = choices.between(0, 2); k > 0; k--) maker.add(new Choices(choices.below(2 ** 31)));
    const addend = choices.of(floats).tensor;
    const next = inner.map(
      "next",
      carry.type.shape,
      apply(
        "sin",
        apply(
          "add",
          readHere(inner.inputs[0]!.tensor),
          readOf(
            { choices, axes: [...axesOfShape(carry.type.shape)], floats, integers: [], exact: false, smooth: false },
            addend,
          ),
        ),
      ),
    );
    const stacked = choices.of(floats).tensor;
    const body = inner.finish([
      { tensor: next, role: "result", path: "carry" },
      { tensor: stacked, role: "result", path: "stacked" },
    ]);
    const results = this.#builder.scan("scan", {
      length,
      reverse: choices.chance(40),
      carries: [carry],
      slices,
      captured: captured.map(({ tensor }) => tensor),
      body,
    });
    for (const tensor of results) this.#floats.push({ tensor, bound: largest, exact: false });
  }
}

function axesOfShape(shape: readonly number[]): Axis[] {
  return shape.filter((extent) => extent !== 1).map((extent, k) => ({ name: `i${k}`, extent }));
}

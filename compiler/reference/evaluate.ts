/**
 * The float64 interpreter of graphs: one evaluation a node kind, naive loops, obviously right. The oracle of every other
 * way to run a graph. Floats are never rounded to float32; integers are exact.
 */

import { randomWords } from "../../runtime/rng.ts";
import type {
  CustomNode,
  GenericNode,
  Graph,
  JoinNode,
  Node,
  RandomNode,
  ScanNode,
  ScatterAddNode,
  SortNode,
  Tensor,
  ViewNode,
} from "../graph/graph.ts";
import { invariant } from "../invariant.ts";
import { scalarType } from "../types/dtype.ts";
import { BodyCompiler, forEachPoint, type Slot, type SlotOf, stridesOf, type Values } from "./body.ts";
import { accumulator, adder } from "./combine.ts";
import { evaluateProduct, factorsOf } from "./product.ts";

export type { Values } from "./body.ts";

type Step = () => void;

function elements(shape: readonly number[]): number {
  return shape.reduce((product, extent) => product * extent, 1);
}

function evaluateGeneric(node: GenericNode, slotOf: SlotOf): Step {
  const factors = factorsOf(node);
  if (factors) {
    const compute = evaluateProduct(node, factors, slotOf);
    const output = slotOf(node.results[0]!);
    return () => {
      output.values = compute();
    };
  }
  return evaluateBody(node, slotOf);
}

/** Any combiner over any body, point by point. */
export function evaluateBody(node: GenericNode, slotOf: SlotOf): Step {
  const point = new Int32Array(node.parallel.length + node.reduction.length);
  const compiler = new BodyCompiler(point, slotOf);
  const body = compiler.register(node.body);
  const accumulate = accumulator(node.combiner, node.body.type);
  const outputs = node.results.map(slotOf);
  const parallel = node.parallel.map((axis) => axis.extent);
  const reduction = node.reduction.map((axis) => axis.extent);
  return () => {
    const arrays = node.results.map((tensor) => new Float64Array(elements(tensor.type.shape)));
    let element = 0;
    forEachPoint(point, 0, parallel, () => {
      accumulate.start();
      forEachPoint(point, parallel.length, reduction, () => {
        compiler.run();
        accumulate.take(body.value);
      });
      for (const [k, array] of arrays.entries()) array[element] = accumulate.results[k]!();
      element++;
    });
    for (const [k, output] of outputs.entries()) output.values = arrays[k]!;
  };
}

function evaluateView(node: ViewNode, slotOf: SlotOf): Step {
  const source = slotOf(node.source);
  const result = slotOf(node.results[0]!);
  return () => {
    result.values = source.values;
  };
}

function evaluateJoin(node: JoinNode, slotOf: SlotOf): Step {
  const tensor = node.results[0]!;
  const result = slotOf(tensor);
  const strides = stridesOf(tensor.type.shape);
  const pieces = node.pieces.map(({ tensor: piece, at }) => ({ slot: slotOf(piece), at }));
  return () => {
    const values = new Float64Array(elements(tensor.type.shape)).fill(node.fill);
    for (const { slot, at } of pieces) {
      const point = new Int32Array(at.length);
      let element = 0;
      forEachPoint(
        point,
        0,
        at.map(({ count }) => count),
        () => {
          let address = 0;
          for (const [axis, { start, step }] of at.entries()) address += (start + step * point[axis]!) * strides[axis]!;
          values[address] = slot.values[element++]!;
        },
      );
    }
    result.values = values;
  };
}

function evaluateScatterAdd(node: ScatterAddNode, slotOf: SlotOf): Step {
  const tensor = node.results[0]!;
  const { shape } = tensor.type;
  const result = slotOf(tensor);
  const point = new Int32Array(node.domain.length);
  const compiler = new BodyCompiler(point, slotOf);
  const body = compiler.register(node.body);
  const coordinates = node.coordinates.map((coordinate) => compiler.coordinate(coordinate));
  const strides = stridesOf(shape);
  const add = adder(scalarType(tensor.type.dtype));
  return () => {
    const values = new Float64Array(elements(shape));
    forEachPoint(
      point,
      0,
      node.domain.map((axis) => axis.extent),
      () => {
        compiler.run();
        let address = 0;
        for (let axis = 0; axis < shape.length; axis++) {
          const extent = shape[axis]!;
          let position = coordinates[axis]!();
          if (position < 0 || position >= extent) {
            if (node.outside === "drop") return;
            position = position < 0 ? 0 : extent - 1;
          }
          address += position * strides[axis]!;
        }
        values[address] = add(values[address]!, body.value);
      },
    );
    result.values = values;
  };
}

function evaluateScan(node: ScanNode, slotOf: SlotOf): Step {
  const body = prepare(node.body);
  const inputs = node.body.inputs.map(({ tensor }) => body.slotOf(tensor));
  const outputs = node.body.outputs.map(({ tensor }) => body.slotOf(tensor));
  const carries = node.carries.map(slotOf);
  const slices = node.slices.map(slotOf);
  const captured = node.captured.map(slotOf);
  const results = node.results.map(slotOf);
  const firstSlice = carries.length;
  const firstCaptured = firstSlice + slices.length;
  return () => {
    let carried = carries.map((slot) => slot.values);
    const stacked = node.results.slice(carries.length).map((tensor) => new Float64Array(elements(tensor.type.shape)));
    for (const [k, slot] of captured.entries()) inputs[firstCaptured + k]!.values = slot.values;
    for (let turn = 0; turn < node.length; turn++) {
      const iteration = node.reverse ? node.length - 1 - turn : turn;
      for (const [k, values] of carried.entries()) inputs[k]!.values = values;
      for (const [k, slot] of slices.entries()) {
        const size = slot.values.length / node.length;
        inputs[firstSlice + k]!.values = slot.values.subarray(iteration * size, (iteration + 1) * size);
      }
      const number = inputs[firstCaptured + captured.length];
      if (number) number.values = Float64Array.of(iteration);
      body.run();
      carried = carries.map((_, k) => outputs[k]!.values);
      for (const [k, values] of stacked.entries()) {
        const piece = outputs[carries.length + k]!.values;
        values.set(piece, iteration * piece.length);
      }
    }
    for (const [k, values] of [...carried, ...stacked].entries()) results[k]!.values = values;
  };
}

function evaluateRandom(node: RandomNode, slotOf: SlotOf): Step {
  const tensor = node.results[0]!;
  const result = slotOf(tensor);
  const seed = slotOf(node.seed);
  const step = node.step && slotOf(node.step);
  const iteration = node.iteration && slotOf(node.iteration);
  const count = elements(tensor.type.shape);
  return () => {
    const [low = 0, high = 0] = seed.values;
    result.values = Float64Array.from(
      randomWords([low, high], node.stream, step?.values[0] ?? 0, iteration?.values[0] ?? 0, count),
    );
  };
}

function evaluateSort({ source, axis, results }: SortNode, slotOf: SlotOf): Step {
  const from = slotOf(source);
  const to = slotOf(results[0]!);
  const { shape } = source.type;
  const length = shape[axis]!;
  const stride = stridesOf(shape)[axis]!;
  return () => {
    const { values } = from;
    const positions = new Float64Array(values.length);
    for (let element = 0; element < values.length; element++) {
      if (Math.floor(element / stride) % length !== 0) continue;
      const at = (position: number) => values[element + position * stride]!;
      const order = Array.from({ length }, (_, position) => position);
      const last = (position: number) => Number(Number.isNaN(at(position)));
      order.sort((a, b) => last(a) - last(b) || (at(a) < at(b) ? -1 : at(a) > at(b) ? 1 : a - b));
      for (const [slot, position] of order.entries()) positions[element + slot * stride] = position;
    }
    to.values = positions;
  };
}

function evaluateCustom(node: CustomNode, slotOf: SlotOf): Step {
  const forward = prepare(node.forward);
  const operands = node.operands.map(slotOf);
  const results = node.results.map(slotOf);
  return () => {
    for (const [k, { tensor }] of node.forward.inputs.entries()) forward.slotOf(tensor).values = operands[k]!.values;
    forward.run();
    for (const [k, { tensor }] of node.forward.outputs.entries()) results[k]!.values = forward.slotOf(tensor).values;
  };
}

function stepOf(node: Node, slotOf: SlotOf): Step {
  switch (node.kind) {
    case "generic":
      return evaluateGeneric(node, slotOf);
    case "view":
      return evaluateView(node, slotOf);
    case "join":
      return evaluateJoin(node, slotOf);
    case "scatter_add":
      return evaluateScatterAdd(node, slotOf);
    case "scan":
      return evaluateScan(node, slotOf);
    case "random":
      return evaluateRandom(node, slotOf);
    case "sort":
      return evaluateSort(node, slotOf);
    case "custom":
      return evaluateCustom(node, slotOf);
    case "constant": {
      const tensor = node.results[0]!;
      const size = elements(tensor.type.shape);
      const result = slotOf(tensor);
      return () => {
        result.values =
          node.values.length === 1 ? new Float64Array(size).fill(node.values[0]!) : Float64Array.from(node.values);
      };
    }
  }
  return node satisfies never;
}

interface Prepared {
  readonly slotOf: SlotOf;
  /** Computes every node from the values in the inputs' slots. */
  run(): void;
}

/** Compiles every node once; a scan runs its body many times. */
function prepare(graph: Graph): Prepared {
  const slots = new Map<Tensor, Slot>();
  const slotOf = (tensor: Tensor) => {
    const slot = slots.get(tensor);
    invariant(slot, `%${tensor.name} is used before it is defined`);
    return slot;
  };
  const define = (tensor: Tensor) => slots.set(tensor, { values: new Float64Array(0) });
  for (const { tensor } of graph.inputs) define(tensor);
  const steps = graph.nodes.map((node) => {
    for (const result of node.results) define(result);
    return stepOf(node, slotOf);
  });
  return {
    slotOf,
    run() {
      for (const step of steps) step();
    },
  };
}

/** The value of every tensor of the graph, its inputs included. */
export function evaluate(graph: Graph, inputs: ReadonlyMap<Tensor, Values>): Map<Tensor, Values> {
  const prepared = prepare(graph);
  for (const { tensor } of graph.inputs) {
    const values = inputs.get(tensor);
    invariant(values, `no values for the input %${tensor.name}`);
    const expected = elements(tensor.type.shape);
    invariant(values.length === expected, `%${tensor.name} wants ${expected} values, got ${values.length}`);
    prepared.slotOf(tensor).values = values;
  }
  prepared.run();
  const all = new Map<Tensor, Values>();
  for (const { tensor } of graph.inputs) all.set(tensor, prepared.slotOf(tensor).values);
  for (const node of graph.nodes) for (const tensor of node.results) all.set(tensor, prepared.slotOf(tensor).values);
  return all;
}

/** The outputs' values in order, the inputs given in order. */
export function evaluateOutputs(graph: Graph, inputs: readonly ArrayLike<number>[]): Values[] {
  const values = new Map(
    graph.inputs.map(({ tensor }, k) => {
      const given = inputs[k];
      invariant(given, `no values for the input %${tensor.name}`);
      return [tensor, Float64Array.from(given)] as const;
    }),
  );
  const all = evaluate(graph, values);
  return graph.outputs.map(({ tensor }) => {
    const result = all.get(tensor);
    invariant(result, `the output %${tensor.name} is not computed`);
    return result;
  });
}

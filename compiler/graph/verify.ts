/**
 * The normal form, checked (docs/architecture.md, "The graph"). A pass that breaks it is a defect: the error names the pass,
 * the node and the rule.
 */
import { InvariantError } from "../invariant.ts";
import { isFloat, scalarType } from "../types/dtype.ts";
import { elementCount } from "./builder.ts";
import type {
  Axis,
  CustomNode,
  GenericNode,
  Graph,
  JoinNode,
  Node,
  ScanNode,
  Stride,
  Tensor,
  TensorType,
} from "./graph.ts";
import { printNode, typeText } from "./print.ts";
import { dependenciesOf } from "./traverse.ts";
import { BodyVerifier, type Report } from "./verify-body.ts";

/** Throws an InvariantError if the graph is not in normal form; returns it otherwise. */
export function verify(graph: Graph, passName: string): Graph {
  const report: Report = (condition, rule, detail) => {
    if (!condition) throw new InvariantError(`after ${passName}: ${detail()} (rule: ${rule})`);
  };
  verifyGraph(graph, report);
  verifyInterface(graph, report);
  return graph;
}

function sameType(a: TensorType, b: TensorType): boolean {
  return a.dtype === b.dtype && sameShape(a.shape, b.shape);
}
function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((extent, axis) => extent === b[axis]);
}

function verifyGraph(graph: Graph, report: Report): void {
  const defined = new Set<Tensor>();
  const names = new Set<string>();
  const define = (tensor: Tensor): void => {
    report(!names.has(tensor.name), "unique names", () => `two tensors are called %${tensor.name}`);
    names.add(tensor.name);
    defined.add(tensor);
    const { shape } = tensor.type;
    report(
      shape.every((extent) => Number.isSafeInteger(extent) && extent >= 1),
      "shapes",
      () => `%${tensor.name} has shape [${shape.join(", ")}]`,
    );
  };
  for (const { tensor } of graph.inputs) define(tensor);
  for (const node of graph.nodes) {
    const inNode: Report = (condition, rule, detail) =>
      report(condition, rule, () => `${detail()}, in\n${nodeText(node)}\n`);
    for (const operand of dependenciesOf(node))
      inNode(defined.has(operand), "dependency order", () => `%${operand.name} is not defined before`);
    verifyNode(node, (tensor) => defined.has(tensor), inNode);
    for (const result of node.results) define(result);
  }
  for (const { tensor } of graph.outputs)
    report(defined.has(tensor), "dependency order", () => `the output %${tensor.name} is not defined`);
}

function nodeText(node: Node): string {
  try {
    return printNode(node);
  } catch {
    return `${node.kind} ${node.results.map(({ name }) => `%${name}`).join(", ")}`;
  }
}

/** Paths are unique with their role; what goes in and comes out under one persistent name has one type. */
function verifyInterface(graph: Graph, report: Report): void {
  const inputs = new Map<string, Tensor>();
  for (const { tensor, role, path } of graph.inputs) {
    report(!inputs.has(`${role} ${path}`), "pairing", () => `two inputs are ${role} ${path}`);
    inputs.set(`${role} ${path}`, tensor);
  }
  const outputs = new Set<string>();
  for (const { tensor, role, path } of graph.outputs) {
    const key = `${role} ${path}`;
    report(!outputs.has(key), "pairing", () => `two outputs are ${key}`);
    outputs.add(key);
    const before = inputs.get(key);
    report(
      before === undefined || sameType(before.type, tensor.type),
      "pairing",
      () => `${key} goes in as ${before && typeText(before.type)} and comes out as ${typeText(tensor.type)}`,
    );
  }
}

function verifyNode(node: Node, isDefined: (tensor: Tensor) => boolean, report: Report): void {
  const count = node.results.length;
  const one = (): Tensor => {
    report(count === 1, "results", () => `${node.kind} has ${count} results`);
    return node.results[0]!;
  };
  switch (node.kind) {
    case "generic":
      verifyGeneric(node, isDefined, report);
      return;
    case "view": {
      const { type } = one();
      report(
        type.dtype === node.source.type.dtype && elementCount(type.shape) === elementCount(node.source.type.shape),
        "views",
        () => `${typeText(node.source.type)} cannot be viewed as ${typeText(type)}`,
      );
      return;
    }
    case "join":
      verifyJoin(node, one(), report);
      return;
    case "scatter_add": {
      const { type } = one();
      verifyAxes(node.domain, report);
      const body = new BodyVerifier(
        node.domain.map((axis) => axis.extent),
        isDefined,
        report,
      );
      body.scalar(node.body);
      body.coordinates(node.coordinates, type, false, "the place");
      verifyResultType(scalarType(type.dtype), node.body.type, report);
      return;
    }
    case "scan":
      verifyScan(node, report);
      return;
    case "random": {
      const { type } = one();
      report(type.dtype === "u32", "types", () => "random words are u32");
      report(sameType(node.seed.type, { dtype: "u32", shape: [2] }), "types", () => "a seed is u32[2]");
      for (const counter of [node.step, node.iteration])
        report(
          counter === undefined || sameType(counter.type, { dtype: "i32", shape: [] }),
          "types",
          () => "a counter is i32[]",
        );
      report(node.stream === node.stream >>> 0, "types", () => `stream ${node.stream} is no u32`);
      return;
    }
    case "sort": {
      const { type } = one();
      const { shape } = node.source.type;
      report(
        sameType(type, { dtype: "i32", shape }),
        "types",
        () => `the positions of ${typeText(node.source.type)} are ${typeText(type)}`,
      );
      report(node.axis in shape, "shapes", () => `%${node.source.name} has no axis ${node.axis}`);
      return;
    }
    case "custom":
      verifyCustom(node, report);
      return;
    case "constant": {
      const { type } = one();
      const elements = elementCount(type.shape);
      report(
        node.values.length === 1 || node.values.length === elements,
        "shapes",
        () => `${node.values.length} values for ${elements} elements`,
      );
      return;
    }
  }
  node satisfies never;
}

function verifyAxes(axes: readonly Axis[], report: Report): void {
  for (const { name, extent } of axes)
    report(Number.isSafeInteger(extent) && extent >= 2, "extents", () => `index ${name} has extent ${extent}`);
}

function verifyResultType(result: string, expected: string, report: Report): void {
  report(result === expected, "types", () => `the result is ${result}, the value ${expected}`);
}

function verifyGeneric(node: GenericNode, isDefined: (tensor: Tensor) => boolean, report: Report): void {
  const { combiner, parallel, reduction, results, body } = node;
  verifyAxes([...parallel, ...reduction], report);
  report(
    (combiner === "map") === (reduction.length === 0),
    "combiners",
    () => `${combiner} over ${reduction.length} reduction indices`,
  );
  const extents = parallel.map((axis) => axis.extent);
  for (const { type } of results)
    report(
      sameShape(
        type.shape.filter((extent) => extent !== 1),
        extents,
      ),
      "shapes",
      () => `${typeText(type)} is not the domain's [${extents.join(",")}]`,
    );
  const verifier = new BodyVerifier([...extents, ...reduction.map((axis) => axis.extent)], isDefined, report);
  verifier.scalar(body);
  const types = results.map(({ type }) => scalarType(type.dtype));
  const expected = resultTypes(node);
  report(types.length === expected.length, "results", () => `${combiner} has ${expected.length} results`);
  for (const [k, type] of types.entries()) verifyResultType(type, expected[k]!, report);
  const allowed: readonly string[] =
    combiner === "map"
      ? ["f32", "i32", "u32", "bool"]
      : combiner === "any" || combiner === "all"
        ? ["bool"]
        : combiner === "moments"
          ? ["f32"]
          : ["f32", "i32", "u32"];
  report(allowed.includes(body.type), "combiners", () => `${combiner} of ${body.type}`);
}

/** What a combiner makes of its body's type. */
function resultTypes({ combiner, body }: GenericNode): string[] {
  switch (combiner) {
    case "map":
    case "sum":
    case "prod":
    case "max":
    case "min":
    case "any":
    case "all":
      return [body.type];
    case "max_first":
    case "min_first":
      return [body.type, "i32"];
    case "moments":
      return ["f32", "f32"];
  }
  return combiner satisfies never;
}

function verifyJoin(node: JoinNode, result: Tensor, report: Report): void {
  const { shape, dtype } = result.type;
  for (const { tensor, at } of node.pieces) {
    const what = `the piece %${tensor.name}`;
    report(tensor.type.dtype === dtype, "types", () => `${what} is ${tensor.type.dtype}`);
    report(
      sameShape(
        at.map(({ count }) => count),
        tensor.type.shape,
      ) && at.length === shape.length,
      "joins",
      () => `${what} does not fill its box`,
    );
    for (const [axis, { start, step, count }] of at.entries())
      report(
        Number.isSafeInteger(start) &&
          Number.isSafeInteger(step) &&
          start >= 0 &&
          step >= 1 &&
          start + step * (count - 1) < (shape[axis] ?? 0),
        "joins",
        () => `${what} leaves axis ${axis}`,
      );
  }
  for (const [k, piece] of node.pieces.entries())
    for (const other of node.pieces.slice(0, k))
      report(
        piece.at.some((stride, axis) => disjoint(stride, other.at[axis]!)),
        "joins",
        () => `the pieces %${other.tensor.name} and %${piece.tensor.name} overlap`,
      );
}

/** Whether two arithmetic progressions have no member in common. */
export function disjoint(a: Stride, b: Stride): boolean {
  const [few, many] = a.count <= b.count ? [a, b] : [b, a];
  const last = many.start + many.step * (many.count - 1);
  for (let k = 0; k < few.count; k++) {
    const position = few.start + few.step * k;
    if (position >= many.start && position <= last && (position - many.start) % many.step === 0) return false;
  }
  return true;
}

function verifyTypes(tensors: readonly Tensor[], expected: readonly TensorType[], what: string, report: Report): void {
  report(
    tensors.length === expected.length,
    "inner graphs",
    () => `${what}: ${tensors.length} instead of ${expected.length}`,
  );
  for (const [k, { name, type }] of tensors.entries())
    report(
      sameType(type, expected[k]!),
      "inner graphs",
      () => `${what}: %${name} is ${typeText(type)}, not ${typeText(expected[k]!)}`,
    );
}

function verifyScan(node: ScanNode, report: Report): void {
  const { body, carries, slices, captured, length } = node;
  report(Number.isSafeInteger(length) && length >= 1, "extents", () => `a scan of length ${length}`);
  for (const { name, type } of slices)
    report(type.shape[0] === length, "shapes", () => `the slices of %${name} are not ${length}`);
  const carried = carries.map(({ type }) => type);
  verifyTypes(
    body.inputs.map(({ tensor }) => tensor),
    [
      ...carried,
      ...slices.map(({ type }) => ({ ...type, shape: type.shape.slice(1) })),
      ...captured.map(({ type }) => type),
      { dtype: "i32", shape: [] },
    ],
    "the body's inputs",
    report,
  );
  const outputs = body.outputs.map(({ tensor }) => tensor);
  verifyTypes(outputs.slice(0, carries.length), carried, "the body's carries", report);
  const stacked = outputs
    .slice(carries.length)
    .map(({ type }): TensorType => ({ ...type, shape: [length, ...type.shape] }));
  verifyTypes(node.results, [...carried, ...stacked], "the results", report);
  verifyGraph(body, report);
}

function verifyCustom(node: CustomNode, report: Report): void {
  const operands = node.operands.map(({ type }) => type);
  const results = node.results.map(({ type }) => type);
  const tensors = (list: readonly { readonly tensor: Tensor }[]): Tensor[] => list.map(({ tensor }) => tensor);
  verifyTypes(tensors(node.forward.inputs), operands, "forward's inputs", report);
  verifyTypes(tensors(node.forward.outputs), results, "forward's outputs", report);
  verifyTypes(tensors(node.backward.inputs), [...operands, ...results, ...results], "backward's inputs", report);
  const adjoints = tensors(node.backward.outputs);
  report(
    adjoints.length === operands.length,
    "inner graphs",
    () => `${adjoints.length} adjoints for ${operands.length} operands`,
  );
  for (const [k, { name, type }] of adjoints.entries())
    report(
      !isFloat(operands[k]!.dtype) || sameType(type, operands[k]!),
      "inner graphs",
      () => `the adjoint %${name} is ${typeText(type)}, its operand ${typeText(operands[k]!)}`,
    );
  verifyGraph(node.forward, report);
  verifyGraph(node.backward, report);
}

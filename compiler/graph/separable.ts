/**
 * Whether a graph treats the rows of a batch independently: row n of every result depends on row n of the arguments alone,
 * and in the same way for every n. Then a host may pad a batch, or split it over calls. This is an analysis of the graph,
 * not of names: batch_norm while training fails it, because its mean is a reduction over the batch axis.
 */
import type { Coordinate, Graph, Node, Scalar, ScalarRead, Tensor } from "./graph.ts";

/**
 * What is known of a tensor. "uniform": one value everywhere. "fixed": does not depend on the batch arguments. A number:
 * that axis is the batch's. "mixed": anything else.
 */
type Rows = "uniform" | "fixed" | "mixed" | number;
type Facts = Map<Tensor, Rows>;

/**
 * `batched` names the arguments whose first axis is the batch, which has to be at least 2 long (an axis of extent 1 carries
 * no index). Results have to carry the batch as their first axis.
 */
export function isSeparable(graph: Graph, batched: ReadonlySet<string>): boolean {
  const facts: Facts = new Map();
  for (const { tensor, role, path } of graph.inputs) {
    facts.set(tensor, role === "argument" && batched.has(path) ? 0 : "fixed");
  }
  propagate(graph, facts);
  const results = graph.outputs.filter((output) => output.role === "result");
  return results.length > 0 && results.every(({ tensor }) => facts.get(tensor) === 0);
}

function propagate(graph: Graph, facts: Facts): void {
  for (const node of graph.nodes) {
    const found = rowsOf(node, facts);
    node.results.forEach((result, k) => {
      facts.set(result, found[k] ?? found[0] ?? "mixed");
    });
  }
}

function rowsOf(node: Node, facts: Facts): readonly Rows[] {
  const of = (tensor: Tensor): Rows => facts.get(tensor) ?? "mixed";
  switch (node.kind) {
    case "constant":
      return [node.values.length === 1 ? "uniform" : "fixed"];
    case "random":
      return ["fixed"];
    case "view":
      return [viewed(of(node.source), node.source.type.shape, node.results[0]?.type.shape ?? [])];
    case "generic": {
      const rows = bodyRows(node.body, [], facts);
      if (typeof rows !== "number") return [rows];
      return [rows < node.parallel.length ? axisOf(node.results[0]?.type.shape ?? [], rows) : "mixed"];
    }
    case "scatter_add": {
      const rows = bodyRows(node.body, node.coordinates, facts);
      if (typeof rows !== "number") return [rows === "uniform" ? "fixed" : rows];
      const axis = node.coordinates.findIndex((coordinate) => isIndex(coordinate, rows));
      const elsewhere = node.coordinates.some((coordinate, k) => k !== axis && uses(coordinate, rows));
      return [axis < 0 || elsewhere ? "mixed" : axis];
    }
    case "join": {
      const pieces = node.pieces.map(({ tensor }) => of(tensor));
      if (pieces.every((rows) => rows === "uniform" || rows === "fixed")) return ["fixed"];
      const axis = pieces.find((rows) => typeof rows === "number");
      const shape = node.results[0]?.type.shape ?? [];
      const whole = node.pieces.every(
        ({ at }) =>
          typeof axis === "number" && at[axis]?.start === 0 && at[axis].step === 1 && at[axis].count === shape[axis],
      );
      return [
        axis !== undefined && whole && pieces.every((rows) => rows === axis || rows === "uniform") ? axis : "mixed",
      ];
    }
    case "custom": {
      const inner: Facts = new Map(
        node.forward.inputs.map(({ tensor }, k) => [tensor, ofOperand(node.operands[k], of)]),
      );
      propagate(node.forward, inner);
      return node.forward.outputs.map(({ tensor }) => inner.get(tensor) ?? "mixed");
    }
    case "sort": {
      const rows = of(node.source);
      return [rows === node.axis ? "mixed" : rows === "uniform" ? "fixed" : rows];
    }
    case "scan":
      return scanned(node, of);
    default:
      return node satisfies never;
  }
}

const ofOperand = (tensor: Tensor | undefined, of: (tensor: Tensor) => Rows): Rows => (tensor ? of(tensor) : "mixed");

/**
 * What is assumed of the carries has to hold of their initial values and be kept by the body. Initial values are mostly
 * uniform (zeros), which allows any assumption: each axis is tried as the batch's before what they are is widened.
 */
function scanned(node: Extract<Node, { kind: "scan" }>, of: (tensor: Tensor) => Rows): readonly Rows[] {
  const initial = node.carries.map(of);
  // A slice loses its leading axis: a batch there would be iterated over.
  const slices = node.slices.map((tensor) => {
    const rows = of(tensor);
    return typeof rows === "number" ? (rows === 0 ? "mixed" : rows - 1) : rows;
  });
  const captured = node.captured.map(of);
  const bodyOf = (carries: readonly Rows[]): readonly Rows[] => {
    const given: readonly Rows[] = [...carries, ...slices, ...captured, "fixed"];
    const inner: Facts = new Map(node.body.inputs.map(({ tensor }, k) => [tensor, given[k] ?? "mixed"]));
    propagate(node.body, inner);
    return node.body.outputs.map(({ tensor }) => inner.get(tensor) ?? "mixed");
  };
  const settle = (start: readonly Rows[]): { carries: readonly Rows[]; outputs: readonly Rows[] } => {
    let carries = start;
    for (;;) {
      const outputs = bodyOf(carries);
      const next = carries.map((rows, k) => widen(rows, outputs[k] ?? "mixed"));
      if (next.every((rows, k) => rows === carries[k])) return { carries, outputs };
      carries = next;
    }
  };
  const ranks = node.carries.map(({ type }) => type.shape.length);
  const starts = Array.from({ length: Math.max(0, ...ranks) }, (_, axis) =>
    initial.map((rows, k): Rows => (rows === "uniform" && axis < (ranks[k] ?? 0) ? axis : rows)),
  );
  const tried = starts.map(settle);
  const { carries, outputs } = tried.find((settled) => !settled.carries.includes("mixed")) ?? settle(initial);
  return outputs.map((rows, k) =>
    k < carries.length ? (carries[k] ?? "mixed") : typeof rows === "number" ? rows + 1 : rows,
  );
}

function widen(a: Rows, b: Rows): Rows {
  if (a === b) return a;
  if (a === "uniform") return b;
  if (b === "uniform") return a;
  return "mixed";
}

/** Which index of the domain is the batch's, for a body and further coordinates; else what the value is. */
function bodyRows(body: Scalar, coordinates: readonly Coordinate[], facts: Facts): Rows {
  const reads: ScalarRead[] = [];
  const positions = new Set<number>();
  const seen = new Set<Scalar>();
  const visitCoordinates = (list: readonly Coordinate[]) => {
    for (const { terms } of list) for (const term of terms) if (term.kind === "data") visit(term.read);
  };
  const visit = (scalar: Scalar): void => {
    if (seen.has(scalar)) return;
    seen.add(scalar);
    if (scalar.kind === "index") positions.add(scalar.position);
    else if (scalar.kind === "apply") scalar.arguments.forEach(visit);
    else if (scalar.kind === "read") {
      reads.push(scalar);
      visitCoordinates(scalar.coordinates);
    }
  };
  visit(body);
  visitCoordinates(coordinates);

  let batch: number | undefined;
  for (const { tensor, coordinates: at } of reads) {
    const rows = facts.get(tensor) ?? "mixed";
    if (rows === "mixed") return "mixed";
    if (typeof rows !== "number") continue;
    const term = at[rows]?.terms[0];
    if (term?.kind !== "affine" || !isIndex(at[rows], term.position)) return "mixed";
    if (batch !== undefined && batch !== term.position) return "mixed";
    batch = term.position;
  }
  if (batch === undefined) {
    const uniform = positions.size === 0 && coordinates.length === 0;
    return uniform && reads.every(({ tensor }) => facts.get(tensor) === "uniform") ? "uniform" : "fixed";
  }
  // The number of the row itself must not matter: neither as a value nor as a place in another tensor.
  const index = batch;
  if (positions.has(index)) return "mixed";
  for (const { tensor, coordinates: at } of reads) {
    const rows = facts.get(tensor);
    if (rows !== "uniform" && at.some((coordinate, k) => k !== rows && uses(coordinate, index))) return "mixed";
  }
  return index;
}

function isIndex(coordinate: Coordinate | undefined, position: number): boolean {
  const term = coordinate?.terms[0];
  return (
    coordinate !== undefined &&
    coordinate.offset === 0 &&
    coordinate.terms.length === 1 &&
    term?.kind === "affine" &&
    term.coefficient === 1 &&
    term.position === position
  );
}

/** Whether an index stands in a coordinate itself (what stands in the coordinates of its data terms is seen there). */
function uses(coordinate: Coordinate, position: number): boolean {
  return coordinate.terms.some((term) => term.kind !== "data" && term.position === position);
}

/** The axis of a shape that carries its k-th index (axes of extent 1 carry none). */
function axisOf(shape: readonly number[], index: number): number {
  let seen = -1;
  return shape.findIndex((extent) => extent !== 1 && ++seen === index);
}

/** A reshape keeps the batch axis if as many elements stand before it, and it keeps its extent. */
function viewed(rows: Rows, from: readonly number[], to: readonly number[]): Rows {
  if (typeof rows !== "number") return rows;
  const before = from.slice(0, rows).reduce((a, b) => a * b, 1);
  let product = 1;
  for (let axis = 0; axis < to.length; axis++) {
    if (product === before && to[axis] === from[rows]) return axis;
    product *= to[axis] ?? 1;
  }
  return "mixed";
}

/** Reads a graph's text back: for tests and dumps. Bad text is an InvariantError that names the line. */
import type { DType } from "../types/dtype.ts";
import type {
  Combiner,
  Graph,
  GraphInput,
  GraphOutput,
  InputRole,
  JoinNode,
  Node,
  OutputRole,
  Stride,
  Tensor,
  TensorType,
} from "./graph.ts";
import { BodyReader } from "./read-body.ts";
import { type OriginComment, TokenStream, tokenize } from "./tokens.ts";

const dtypes: readonly DType[] = ["f32", "f16", "i32", "u32", "bool", "u8"];
const persistentRoles = ["parameter", "state", "optimizer", "step", "seed"] as const;
const inputRoles: readonly InputRole[] = ["argument", "knob", ...persistentRoles];
const outputRoles: readonly OutputRole[] = ["result", "loss", "metric", "total", ...persistentRoles];
const combiners: readonly Combiner[] = [
  "map",
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

export function readGraph(text: string): Graph {
  const { tokens, origins } = tokenize(text);
  const stream = new TokenStream(tokens);
  const graph = new GraphReader(stream, origins).graph();
  if (stream.token.kind !== "end") stream.fail("expected the end");
  return graph;
}

class GraphReader {
  readonly #stream: TokenStream;
  readonly #origins: readonly OriginComment[];
  readonly #tensors = new Map<string, Tensor>();

  constructor(stream: TokenStream, origins: readonly OriginComment[]) {
    this.#stream = stream;
    this.#origins = origins;
  }

  /** Up to the end, or to a closing brace. */
  graph(): Graph {
    const stream = this.#stream;
    const inputs: GraphInput[] = [];
    const nodes: Node[] = [];
    const outputs: GraphOutput[] = [];
    while (stream.token.kind !== "end" && !stream.is("}")) {
      if (stream.accept("input")) {
        const name = stream.kind("tensor");
        stream.expect(":");
        const tensor = this.#define(name, this.#type());
        inputs.push({ tensor, role: stream.oneOf(inputRoles), path: this.#path() });
      } else if (stream.accept("output")) {
        const tensor = this.#tensor(stream.kind("tensor"));
        outputs.push({ tensor, role: stream.oneOf(outputRoles), path: this.#path() });
      } else nodes.push(this.#node());
    }
    return { inputs, nodes, outputs };
  }

  #define(text: string, type: TensorType): Tensor {
    if (this.#tensors.has(text)) this.#stream.fail(`${text} is defined twice`);
    const tensor: Tensor = { name: unquoted(text.slice(1)), type };
    this.#tensors.set(text, tensor);
    return tensor;
  }
  #tensor(text: string): Tensor {
    return this.#tensors.get(text) ?? this.#stream.fail(`${text} is not defined`);
  }
  #operand(): Tensor {
    return this.#tensor(this.#stream.kind("tensor"));
  }
  #path(): string {
    return this.#stream.token.kind === "string" ? unquoted(this.#stream.take().text) : this.#stream.kind("word");
  }
  #type(): TensorType {
    const stream = this.#stream;
    const dtype = stream.oneOf(dtypes);
    const shape: number[] = [];
    stream.expect("[");
    while (!stream.accept("]")) {
      if (shape.length > 0) stream.expect(",");
      shape.push(Number(stream.kind("number")));
    }
    return { dtype, shape };
  }

  #node(): Node {
    const stream = this.#stream;
    const { line } = stream.token;
    const names = this.#list(() => stream.kind("tensor"));
    stream.expect(":");
    const types = this.#list(() => this.#type());
    if (names.length !== types.length) stream.fail("as many types as names");
    stream.expect("=");
    const results = (): Tensor[] => names.map((name, k) => this.#define(name, types[k]!));
    const node = this.#value(results);
    // A node's own comment stands on its first line; those further down are of nested nodes.
    const comment = this.#origins.find((candidate) => candidate.line === line);
    return comment ? { ...node, origin: comment.origin } : node;
  }

  #list<T>(item: () => T): T[] {
    const items = [item()];
    while (this.#stream.accept(",")) items.push(item());
    return items;
  }
  /** `(%a, %b)` */
  #operands(): Tensor[] {
    const stream = this.#stream;
    const operands: Tensor[] = [];
    stream.expect("(");
    while (!stream.accept(")")) {
      if (operands.length > 0) stream.expect(",");
      operands.push(this.#operand());
    }
    return operands;
  }
  #inner(): Graph {
    this.#stream.expect("{");
    const graph = new GraphReader(this.#stream, this.#origins).graph();
    this.#stream.expect("}");
    return graph;
  }

  #value(results: () => Tensor[]): Node {
    const stream = this.#stream;
    const origin = undefined;
    const body = new BodyReader(stream, (name) => this.#tensor(name));
    const combiner = combiners.find((name) => stream.is(name));
    if (combiner) {
      stream.take();
      const { parallel, reduction } = body.domain();
      const scalar = body.body();
      return { kind: "generic", results: results(), origin, combiner, parallel, reduction, body: scalar };
    }
    if (stream.accept("view")) return { kind: "view", origin, source: this.#operand(), results: results() };
    if (stream.accept("join")) {
      const made = results();
      return { kind: "join", results: made, origin, ...this.#join(made[0]!.type.shape, body) };
    }
    if (stream.accept("scatter_add")) {
      const domain = body.domain().parallel;
      stream.expect("[");
      const coordinates = body.coordinates();
      stream.expect("]");
      const outside = stream.oneOf(["drop", "clamp"]);
      const scalar = body.body();
      return { kind: "scatter_add", results: results(), origin, domain, coordinates, outside, body: scalar };
    }
    if (stream.accept("scan")) {
      const length = Number(stream.kind("number"));
      const reverse = stream.accept("reverse");
      stream.expect("carries");
      const carries = this.#operands();
      stream.expect("slices");
      const slices = this.#operands();
      stream.expect("captured");
      const captured = this.#operands();
      const inner = this.#inner();
      return { kind: "scan", results: results(), origin, length, reverse, carries, slices, captured, body: inner };
    }
    if (stream.accept("random")) {
      stream.expect("seed");
      const seed = this.#operand();
      stream.expect("stream");
      const number = Number(stream.kind("number"));
      const step = stream.accept("step") ? this.#operand() : undefined;
      const iteration = stream.accept("iteration") ? this.#operand() : undefined;
      return { kind: "random", results: results(), origin, seed, stream: number, step, iteration };
    }
    if (stream.accept("sort")) {
      const source = this.#operand();
      stream.expect("axis");
      return { kind: "sort", origin, source, axis: Number(stream.kind("number")), results: results() };
    }
    if (stream.accept("custom")) {
      const operands = this.#operands();
      const forward = this.#inner();
      stream.expect("backward");
      const backward = this.#inner();
      return { kind: "custom", results: results(), origin, operands, forward, backward };
    }
    stream.expect("constant");
    if (!stream.accept("[")) return { kind: "constant", results: results(), origin, values: [body.number()] };
    const values: number[] = [];
    while (!stream.accept("]")) {
      if (values.length > 0) stream.expect(",");
      values.push(body.number());
    }
    return { kind: "constant", results: results(), origin, values };
  }

  #join(shape: readonly number[], body: BodyReader): { pieces: JoinNode["pieces"]; fill: number } {
    const stream = this.#stream;
    const pieces: { tensor: Tensor; at: Stride[] }[] = [];
    stream.expect("{");
    while (!stream.accept("}")) {
      const tensor = this.#operand();
      stream.expect("at");
      stream.expect("[");
      const at: Stride[] = [];
      while (!stream.accept("]")) {
        if (at.length > 0) stream.expect(",");
        at.push(this.#stride(shape[at.length] ?? stream.fail("too many axes")));
      }
      pieces.push({ tensor, at });
      if (!stream.is("}")) stream.expect(",");
    }
    stream.expect("fill");
    return { pieces, fill: body.number() };
  }

  /** `:`, `a:b`, `a:b:step`, with the ends of the axis where nothing is written. */
  #stride(extent: number): Stride {
    const stream = this.#stream;
    const bound = (otherwise: number): number =>
      stream.token.kind === "number" ? Number(stream.take().text) : otherwise;
    const start = bound(0);
    stream.expect(":");
    const end = bound(extent);
    const step = stream.accept(":") ? bound(1) : 1;
    return { start, step, count: Math.ceil((end - start) / step) };
  }
}

function unquoted(text: string): string {
  if (!text.startsWith('"')) return text;
  const value: unknown = JSON.parse(text);
  return String(value);
}

/** The graph as text (docs/architecture.md, "The graph"). `read.ts` reads it back. */
import type { ScalarType } from "../types/dtype.ts";
import type { Axis, Coordinate, Graph, Node, Origin, Scalar, Stride, Tensor, TensorType } from "./graph.ts";
import { bareType, infixOfRow, prefixOfRow, reserved, tightest } from "./notation.ts";
import { visitScalars } from "./traverse.ts";

export interface PrintOptions {
  /** Whether each node ends in `// file:line path`. Default true. */
  readonly origins?: boolean;
}

const lineWidth = 120;

export function printGraph(graph: Graph, options: PrintOptions = {}): string {
  return `${graphLines(graph, options).join("\n")}\n`;
}

export function printNode(node: Node, options: PrintOptions = {}): string {
  return nodeLines(node, options).join("\n");
}

function graphLines(graph: Graph, options: PrintOptions): string[] {
  return [
    ...graph.inputs.map(
      ({ tensor, role, path }) => `input ${tensorName(tensor)}: ${typeText(tensor.type)} ${role} ${pathText(path)}`,
    ),
    ...graph.nodes.flatMap((node) => nodeLines(node, options)),
    ...graph.outputs.map(({ tensor, role, path }) => `output ${tensorName(tensor)} ${role} ${pathText(path)}`),
  ];
}

export function tensorName(tensor: Tensor): string {
  return /^\w[\w.]*$/.test(tensor.name) ? `%${tensor.name}` : `%${JSON.stringify(tensor.name)}`;
}
function pathText(path: string): string {
  return /^[A-Za-z_][\w.]*$/.test(path) ? path : JSON.stringify(path);
}
export function typeText({ dtype, shape }: TensorType): string {
  return `${dtype}[${shape.join(",")}]`;
}
function originText(origin: Origin): string {
  return `${origin.file}:${origin.line}${origin.path === undefined ? "" : ` ${origin.path}`}`;
}

function nodeLines(node: Node, options: PrintOptions): string[] {
  const names = node.results.map(tensorName).join(", ");
  const types = node.results.map((tensor) => typeText(tensor.type)).join(", ");
  const comment = options.origins !== false && node.origin ? `    // ${originText(node.origin)}` : "";
  const [first = "", ...rest] = valueLines(node, options);
  const head = `${names}: ${types} = `;
  const space = first.indexOf("] ");
  const breaks = rest.length === 0 && head.length + first.length > lineWidth && space >= 0 && node.kind === "generic";
  if (breaks) return [`${head}${first.slice(0, space + 1)}${comment}`, `    ${first.slice(space + 2)}`];
  return [`${head}${first}${comment}`, ...rest];
}

function valueLines(node: Node, options: PrintOptions): string[] {
  switch (node.kind) {
    case "generic": {
      const body = new BodyPrinter([...node.parallel, ...node.reduction]);
      const domain = body.domain(node.parallel.length);
      return [`${node.combiner}${domain} ${body.text(node.body)}`];
    }
    case "view":
      return [`view ${tensorName(node.source)}`];
    case "join": {
      const shape = node.results[0]!.type.shape;
      const pieces = node.pieces.map(
        ({ tensor, at }) =>
          `${tensorName(tensor)} at [${at.map((stride, axis) => strideText(stride, shape[axis]!)).join(", ")}]`,
      );
      const line = `join { ${pieces.join(", ")} } fill ${numberText(node.fill)}`;
      if (line.length <= lineWidth) return [line];
      return ["join {", ...pieces.map((piece) => `    ${piece},`), `} fill ${numberText(node.fill)}`];
    }
    case "scatter_add": {
      const body = new BodyPrinter(node.domain);
      const value = body.text(node.body, node.coordinates);
      return [
        `scatter_add${body.domain(node.domain.length)} [${body.coordinates(node.coordinates)}] ${node.outside} ${value}`,
      ];
    }
    case "scan": {
      const lists = (["carries", "slices", "captured"] as const).map(
        (list) => ` ${list}(${node[list].map(tensorName).join(", ")})`,
      );
      return [
        `scan ${node.length}${node.reverse ? " reverse" : ""}${lists.join("")} {`,
        ...indented(graphLines(node.body, options)),
        "}",
      ];
    }
    case "random": {
      const counters = [
        ` seed ${tensorName(node.seed)} stream ${node.stream}`,
        node.step ? ` step ${tensorName(node.step)}` : "",
        node.iteration ? ` iteration ${tensorName(node.iteration)}` : "",
      ];
      return [`random${counters.join("")}`];
    }
    case "sort":
      return [`sort ${tensorName(node.source)} axis ${node.axis}`];
    case "custom":
      return [
        `custom(${node.operands.map(tensorName).join(", ")}) {`,
        ...indented(graphLines(node.forward, options)),
        "} backward {",
        ...indented(graphLines(node.backward, options)),
        "}",
      ];
    case "constant":
      return [
        node.values.length === 1
          ? `constant ${numberText(node.values[0]!)}`
          : `constant [${node.values.map(numberText).join(", ")}]`,
      ];
  }
  return node satisfies never;
}

function indented(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${line}`);
}

/** Numbers read back to the same double, -0, infinities and NaN included. */
export function numberText(value: number): string {
  if (Number.isNaN(value)) return "nan";
  if (Object.is(value, -0)) return "-0";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  return String(value);
}

/** As a slice: `:` for everything, `a:b`, `a::step` up to the end, `a:b:step`. */
function strideText({ start, step, count }: Stride, extent: number): string {
  if (count === 1 || step === 1) return start === 0 && count === extent ? ":" : `${start}:${start + count}`;
  if (start + step * count >= extent) return `${start}::${step}`;
  return `${start}:${start + step * (count - 1) + 1}:${step}`;
}

/** Subtrees that are used more than once and cost something are named in front: `let $1 = .. in ..`. */
const sharedSize = 6;

class BodyPrinter {
  readonly #axes: readonly Axis[];
  readonly #names: string[] = [];
  readonly #shared = new Map<Scalar, string>();

  constructor(axes: readonly Axis[]) {
    this.#axes = axes;
    const taken = new Set(reserved);
    for (const { name } of axes) {
      const base = /^[A-Za-z_]\w*$/.test(name) ? name : "i";
      let unique = base;
      for (let k = 2; taken.has(unique); k++) unique = `${base}_${k}`;
      taken.add(unique);
      this.#names.push(unique);
    }
  }

  domain(parallel: number): string {
    const texts = this.#axes.map(({ extent }, position) => `${this.#names[position]}<${extent}`);
    const reduction = texts.slice(parallel);
    const bar = reduction.length === 0 ? "" : `${parallel === 0 ? "" : " "}| ${reduction.join(", ")}`;
    return `[${texts.slice(0, parallel).join(", ")}${bar}]`;
  }

  text(root: Scalar, coordinates: readonly Coordinate[] = []): string {
    const lets: string[] = [];
    const roots = [
      root,
      ...coordinates.flatMap(({ terms }) => terms.flatMap((t) => (t.kind === "data" ? [t.read] : []))),
    ];
    for (const scalar of repeated(roots)) {
      const name = `$${this.#shared.size + 1}`;
      lets.push(`${name} = ${this.#scalar(scalar, 0)}`);
      this.#shared.set(scalar, name);
    }
    const text = root.kind === "constant" ? constantText(root.type, root.value, "f32") : this.#scalar(root, 0);
    return lets.length === 0 ? text : `let ${lets.join("; ")} in ${text}`;
  }

  coordinates(coordinates: readonly Coordinate[]): string {
    return coordinates.map((coordinate) => this.#coordinate(coordinate)).join(", ");
  }

  #coordinate({ offset, terms }: Coordinate): string {
    let text = "";
    const append = (negative: boolean, body: string): void => {
      if (text === "") text = negative ? `-${body}` : body;
      else text += negative ? ` - ${body}` : ` + ${body}`;
    };
    for (const term of terms) {
      if (term.kind === "table") {
        append(false, `{${term.table.join(",")}}[${this.#names[term.position]}]`);
        continue;
      }
      const size = Math.abs(term.coefficient);
      const factor = size === 1 ? "" : `${size}*`;
      const body = term.kind === "affine" ? this.#names[term.position]! : this.#scalar(term.read, tightest);
      append(term.coefficient < 0, `${factor}${body}`);
    }
    if (text === "") return String(offset);
    if (offset !== 0) append(offset < 0, String(Math.abs(offset)));
    return text;
  }

  #scalar(scalar: Scalar, outer: number): string {
    const shared = this.#shared.get(scalar);
    if (shared !== undefined) return shared;
    switch (scalar.kind) {
      case "constant":
        return constantText(scalar.type, scalar.value, undefined);
      case "index":
        return this.#names[scalar.position] ?? `?${scalar.position}`;
      case "read": {
        const name = tensorName(scalar.tensor);
        if (scalar.coordinates.length === 0) return name;
        const otherwise = scalar.otherwise === undefined ? "" : ` else ${numberText(scalar.otherwise)}`;
        return `${name}[${this.coordinates(scalar.coordinates)}${otherwise}]`;
      }
      case "apply":
        return this.#apply(scalar.name, scalar.arguments, outer);
    }
    return scalar satisfies never;
  }

  #apply(row: string, operands: readonly Scalar[], outer: number): string {
    const bare = bareType(
      row,
      operands.map((operand) => (operand.kind === "constant" ? undefined : operand.type)),
    );
    const operand = (scalar: Scalar, inside: number): string =>
      scalar.kind === "constant"
        ? constantText(scalar.type, scalar.value, bare ?? "f32")
        : this.#scalar(scalar, inside);
    const infix = infixOfRow.get(row);
    const [left, right] = operands;
    if (infix && left && right && operands.length === 2) {
      const { symbol, precedence } = infix;
      const onLeft = operand(left, infix.right ? precedence + 1 : precedence);
      const onRight = operand(right, infix.right ? precedence : precedence + 1);
      const text = `${onLeft} ${symbol} ${onRight}`;
      return precedence < outer ? `(${text})` : text;
    }
    const prefix = prefixOfRow.get(row);
    if (prefix && left && left.kind !== "constant") {
      const gap = /\w$/.test(prefix.symbol) ? " " : "";
      const inner = operand(left, prefix.precedence + 1);
      // `-2` is a number, not a negation.
      if (!/^(\d|inf|nan)/.test(inner)) {
        const text = `${prefix.symbol}${gap}${inner}`;
        return prefix.precedence < outer ? `(${text})` : text;
      }
    }
    return `${row}(${operands.map((scalar) => operand(scalar, 0)).join(", ")})`;
  }
}

/** `bare` is the type that a number without one would be read as. */
function constantText(type: ScalarType, value: number, bare: ScalarType | undefined): string {
  if (type === "bool") return value === 0 ? "false" : "true";
  return type === bare ? numberText(value) : `${numberText(value)}:${type}`;
}

/** Applications used more than once and worth a name, inner ones first. */
function repeated(roots: readonly Scalar[]): Scalar[] {
  const uses = new Map<Scalar, number>();
  const use = (scalar: Scalar): void => void uses.set(scalar, (uses.get(scalar) ?? 0) + 1);
  const sizes = new Map<Scalar, number>();
  const found: Scalar[] = [];
  visitScalars(roots, (scalar) => {
    let size = 1;
    if (scalar.kind === "apply")
      for (const argument of scalar.arguments) {
        use(argument);
        size += sizes.get(argument) ?? 0;
      }
    sizes.set(scalar, size);
    found.push(scalar);
  });
  return found.filter(
    (scalar) => scalar.kind === "apply" && (uses.get(scalar) ?? 0) > 1 && (sizes.get(scalar) ?? 0) >= sharedSize,
  );
}

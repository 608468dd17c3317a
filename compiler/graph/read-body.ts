/** Reads domains, coordinates and scalar bodies. Structurally equal subtrees become one object. */
import { resultType } from "../scalar/table.ts";
import { type ScalarType, scalarType } from "../types/dtype.ts";
import type { Axis, Coordinate, Scalar, ScalarRead, Tensor, Term } from "./graph.ts";
import { bareType, infixOfSymbol, prefixOfSymbol } from "./notation.ts";
import type { TokenStream } from "./tokens.ts";

/** A number without a type takes its type from its neighbours. */
type Operand = Scalar | { readonly kind: "bare"; readonly value: number };

export class BodyReader {
  readonly #stream: TokenStream;
  readonly #tensorOf: (name: string) => Tensor;
  #axes: readonly Axis[] = [];
  readonly #lets = new Map<string, Scalar>();
  readonly #interned = new Map<string, Scalar>();
  readonly #ids = new Map<Scalar | Tensor, number>();

  constructor(stream: TokenStream, tensorOf: (name: string) => Tensor) {
    this.#stream = stream;
    this.#tensorOf = tensorOf;
  }

  /** `[n<64, o<6 | p<5]` */
  domain(): { parallel: Axis[]; reduction: Axis[] } {
    const stream = this.#stream;
    const parallel: Axis[] = [];
    const reduction: Axis[] = [];
    let list = parallel;
    stream.expect("[");
    while (!stream.accept("]")) {
      if (stream.accept("|")) list = reduction;
      else if (list.length > 0) stream.expect(",");
      if (stream.is("]") || stream.is("|")) continue;
      const name = stream.kind("word");
      stream.expect("<");
      list.push({ name, extent: this.#integer() });
    }
    this.#axes = [...parallel, ...reduction];
    return { parallel, reduction };
  }

  /** A whole body; a bare number alone is f32. */
  body(): Scalar {
    const stream = this.#stream;
    if (stream.accept("let")) {
      do {
        const name = stream.kind("name");
        stream.expect("=");
        this.#lets.set(name, this.#typed(this.#expression(0), "f32"));
      } while (stream.accept(";"));
      stream.expect("in");
    }
    return this.#typed(this.#expression(0), "f32");
  }

  /** The coordinates between brackets, up to `else` or `]`. */
  coordinates(): Coordinate[] {
    const list: Coordinate[] = [];
    while (!this.#stream.is("]") && !this.#stream.is("else")) {
      if (list.length > 0) this.#stream.expect(",");
      list.push(this.#coordinate());
    }
    return list;
  }

  number(): number {
    const stream = this.#stream;
    const negative = stream.accept("-");
    if (stream.accept("inf")) return negative ? -Infinity : Infinity;
    if (stream.accept("nan")) return Number.NaN;
    const value = Number(stream.kind("number"));
    return negative ? -value : value;
  }

  #integer(): number {
    const value = this.number();
    if (!Number.isInteger(value)) this.#stream.fail("expected an integer");
    return value;
  }

  #coordinate(): Coordinate {
    const stream = this.#stream;
    let offset = 0;
    const terms: Term[] = [];
    let negative = stream.accept("-");
    for (;;) {
      const sign = negative ? -1 : 1;
      let coefficient = sign;
      let factor = true;
      if (stream.token.kind === "number") {
        const value = this.#integer();
        coefficient = sign * value;
        factor = stream.accept("*");
        if (!factor) offset += sign * value;
      }
      if (factor) terms.push(this.#term(coefficient));
      if (stream.accept("+")) negative = false;
      else if (stream.accept("-")) negative = true;
      else return { offset, terms };
    }
  }

  #term(coefficient: number): Term {
    const stream = this.#stream;
    if (stream.accept("{")) {
      const table: number[] = [];
      while (!stream.accept("}")) {
        if (table.length > 0) stream.expect(",");
        table.push(this.#integer() * coefficient);
      }
      stream.expect("[");
      const position = this.#index(stream.kind("word"));
      stream.expect("]");
      return { kind: "table", table, position };
    }
    if (stream.token.kind === "tensor") return { kind: "data", coefficient, read: this.#read() };
    return { kind: "affine", coefficient, position: this.#index(stream.kind("word")) };
  }

  #index(name: string): number {
    const position = this.#axes.findIndex((axis) => axis.name === name);
    return position < 0 ? this.#stream.fail(`no index "${name}"`) : position;
  }

  #read(): ScalarRead {
    const stream = this.#stream;
    const tensor = this.#tensorOf(stream.kind("tensor"));
    let coordinates: Coordinate[] = [];
    let otherwise: number | undefined;
    if (tensor.type.shape.length > 0) {
      stream.expect("[");
      coordinates = this.coordinates();
      if (stream.accept("else")) otherwise = this.number();
      stream.expect("]");
    }
    const read: ScalarRead = {
      kind: "read",
      type: scalarType(tensor.type.dtype),
      tensor,
      coordinates,
      otherwise,
    };
    const terms = coordinates.map(({ offset, terms }) => [
      offset,
      ...terms.map((term) => (term.kind === "data" ? [term.coefficient, this.#id(term.read)] : Object.values(term))),
    ]);
    const interned = this.#intern(`read ${this.#id(tensor)} ${otherwise} ${JSON.stringify(terms)}`, read);
    return interned.kind === "read" ? interned : read;
  }

  /** Precedence climbing: operators that bind at least as tightly as `least`. */
  #expression(least: number): Operand {
    const stream = this.#stream;
    let left = this.#primary();
    for (;;) {
      const { kind, text } = stream.token;
      const infix = kind === "symbol" || kind === "word" ? infixOfSymbol.get(text) : undefined;
      if (!infix || infix.precedence < least) return left;
      stream.take();
      const right = this.#expression(infix.right ? infix.precedence : infix.precedence + 1);
      left = this.#apply(infix.row, [left, right]);
    }
  }

  #primary(): Operand {
    const stream = this.#stream;
    const { kind, text } = stream.token;
    if (kind === "number" || text === "inf" || text === "nan") return this.#literal();
    if (kind === "tensor") return this.#read();
    if (kind === "name") {
      const known = this.#lets.get(stream.take().text);
      return known ?? stream.fail("not defined");
    }
    if (stream.accept("(")) {
      const inner = this.#expression(0);
      stream.expect(")");
      return inner;
    }
    if (stream.accept("true")) return this.#constant("bool", 1);
    if (stream.accept("false")) return this.#constant("bool", 0);
    const prefix = kind === "symbol" || kind === "word" ? prefixOfSymbol.get(text) : undefined;
    if (prefix) {
      stream.take();
      const next = stream.token;
      if (text === "-" && (next.kind === "number" || next.text === "inf")) return this.#literal(-1);
      return this.#apply(prefix.row, [this.#expression(prefix.precedence + 1)]);
    }
    const word = stream.kind("word");
    if (!stream.accept("("))
      return this.#intern(`index ${this.#index(word)}`, { kind: "index", type: "i32", position: this.#index(word) });
    const operands: Operand[] = [];
    while (!stream.accept(")")) {
      if (operands.length > 0) stream.expect(",");
      operands.push(this.#expression(0));
    }
    return this.#apply(word, operands);
  }

  #literal(sign = 1): Operand {
    const value = sign * this.number();
    if (!this.#stream.accept(":")) return { kind: "bare", value };
    return this.#constant(this.#stream.oneOf(["f32", "i32", "u32", "bool"]), value);
  }

  #apply(name: string, operands: readonly Operand[]): Scalar {
    const bare = bareType(
      name,
      operands.map((operand) => (operand.kind === "bare" || operand.kind === "constant" ? undefined : operand.type)),
    );
    const args = operands.map((operand) => this.#typed(operand, bare ?? "f32"));
    const type = resultType(
      name,
      args.map((argument) => argument.type),
    );
    if (!type)
      return this.#stream.fail(`${name} has no overload for (${args.map((argument) => argument.type).join(", ")})`);
    const key = `${name} ${args.map((argument) => this.#id(argument)).join(" ")}`;
    return this.#intern(key, { kind: "apply", type, name, arguments: args });
  }

  #typed(operand: Operand, type: ScalarType): Scalar {
    return operand.kind === "bare" ? this.#constant(type, operand.value) : operand;
  }
  #constant(type: ScalarType, value: number): Scalar {
    return this.#intern(`constant ${type} ${Object.is(value, -0) ? "-0" : value}`, { kind: "constant", type, value });
  }

  #id(of: Scalar | Tensor): number {
    const known = this.#ids.get(of);
    if (known !== undefined) return known;
    this.#ids.set(of, this.#ids.size);
    return this.#ids.size - 1;
  }
  #intern(key: string, scalar: Scalar): Scalar {
    const known = this.#interned.get(key);
    if (known) return known;
    this.#interned.set(key, scalar);
    return scalar;
  }
}

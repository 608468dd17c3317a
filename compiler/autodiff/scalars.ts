/**
 * The algebra in which adjoint bodies are written: equal subtrees are one object, and what multiplication by 0 and 1 leaves
 * over is simplified away, so that an adjoint graph reads like one written by hand.
 */
import type { Coordinate, Scalar, ScalarApply, ScalarRead, Term } from "../graph/graph.ts";
import { invariant } from "../invariant.ts";
import { evaluate } from "../scalar/numbers.ts";
import type { ScalarOps } from "../scalar/ops.ts";
import { resultType, rowOf } from "../scalar/table.ts";
import type { ScalarType } from "../types/dtype.ts";

export class Scalars implements ScalarOps<Scalar> {
  readonly #known = new Map<string, Scalar>();
  readonly #numbers = new Map<object, number>();

  /** A number that tells objects apart. */
  #number(object: object): number {
    const known = this.#numbers.get(object);
    if (known !== undefined) return known;
    this.#numbers.set(object, this.#numbers.size);
    return this.#numbers.size - 1;
  }

  #unique(key: string, make: () => Scalar): Scalar {
    const known = this.#known.get(key);
    if (known) return known;
    const made = make();
    this.#known.set(key, made);
    return made;
  }

  constant(type: ScalarType, value: number): Scalar {
    const text = Object.is(value, -0) ? "-0" : String(value);
    return this.#unique(`${type} ${text}`, () => ({ kind: "constant", type, value }));
  }
  get zero(): Scalar {
    return this.constant("f32", 0);
  }

  index(position: number): Scalar {
    return this.#unique(`index ${position}`, () => ({ kind: "index", type: "i32", position }));
  }

  read(read: ScalarRead): ScalarRead {
    const coordinates = read.coordinates.map((coordinate) => this.#coordinate(coordinate));
    const places = coordinates.map(({ key }) => key).join(", ");
    const key = `read ${this.#number(read.tensor)}[${places} else ${read.otherwise}]`;
    const unique = this.#unique(key, () => ({ ...read, coordinates: coordinates.map(({ coordinate }) => coordinate) }));
    invariant(unique.kind === "read", "a read stays a read");
    return unique;
  }
  #coordinate(coordinate: Coordinate): { key: string; coordinate: Coordinate } {
    const keys: string[] = [];
    const terms = coordinate.terms.map((term): Term => {
      if (term.kind !== "data") {
        keys.push(`${term.kind === "affine" ? term.coefficient : `{${term.table.join(",")}}`}@${term.position}`);
        return term;
      }
      const read = this.read(term.read);
      keys.push(`${term.coefficient}*${this.#number(read)}`);
      return { ...term, read };
    });
    return { key: [coordinate.offset, ...keys].join("+"), coordinate: { ...coordinate, terms } };
  }

  /** The same body with equal subtrees shared; nothing is simplified. */
  intern(root: Scalar): Scalar {
    const done = new Map<Scalar, Scalar>();
    const walk = (scalar: Scalar): Scalar => {
      const known = done.get(scalar);
      if (known) return known;
      const result = step(scalar);
      done.set(scalar, result);
      return result;
    };
    const step = (scalar: Scalar): Scalar => {
      switch (scalar.kind) {
        case "constant":
          return this.constant(scalar.type, scalar.value);
        case "index":
          return this.index(scalar.position);
        case "read":
          return this.read(scalar);
        case "apply":
          return this.#plain(scalar.name, scalar.arguments.map(walk), scalar.type);
      }
      return scalar satisfies never;
    };
    return walk(root);
  }

  #plain(name: string, args: readonly Scalar[], type: ScalarType): Scalar {
    const key = `${name}(${args.map((arg) => this.#number(arg)).join(",")})`;
    return this.#unique(key, () => ({ kind: "apply", type, name, arguments: args }));
  }

  apply(name: string, ...args: Scalar[]): Scalar {
    const types = args.map((arg) => arg.type);
    const type = resultType(name, types);
    invariant(type, `${name} has no overload (${types.join(", ")})`);
    const constants = args.flatMap((arg) => (arg.kind === "constant" ? [arg.value] : []));
    if (constants.length === args.length) return this.constant(type, evaluate(name, types, constants));
    return this.#simplified(name, args) ?? this.#plain(name, args, type);
  }

  #simplified(name: string, args: readonly Scalar[]): Scalar | undefined {
    const { leftIdentity, rightIdentity } = rowOf(name);
    const [a, b, c] = args;
    if (a && b && !c) {
      if (isConstant(b, rightIdentity)) return a;
      if (isConstant(a, leftIdentity)) return b;
    }
    if (!a) return undefined;
    switch (name) {
      case "neg": {
        if (a.kind !== "apply") return undefined;
        const [mask, first, second] = a.arguments;
        if (a.name === "select" && mask && first && second && (isConstant(first, 0) || isConstant(second, 0)))
          return this.apply("select", mask, this.#negative(first), this.#negative(second));
        return a.name === "neg" ? mask : undefined;
      }
      case "not":
        return a.kind === "apply" && a.name === "not" ? a.arguments[0] : undefined;
      case "add":
        if (b?.kind === "apply" && b.name === "neg") return this.apply("sub", a, b.arguments[0]!);
        return undefined;
      case "sub":
        return isConstant(a, 0) && b && b.type !== "u32" ? this.apply("neg", b) : undefined;
      case "mul":
        if (!b) return undefined;
        // 0 here is the derivative that is not there, not a value that might meet an infinity.
        if (isConstant(a, 0) || isConstant(b, 0)) return this.constant(a.type, 0);
        if (a.type === "u32") return undefined;
        if (isConstant(b, -1)) return this.apply("neg", a);
        if (isConstant(a, -1)) return this.apply("neg", b);
        return undefined;
      case "div":
        return isConstant(a, 0) && a.type === "f32" ? a : undefined;
      case "pow":
        if (isConstant(b, 2)) return this.apply("mul", a, a);
        return isConstant(b, 0) ? this.constant("f32", 1) : undefined;
      case "and":
        if (isConstant(a, 0)) return a;
        return isConstant(b, 0) ? b : undefined;
      case "select":
        if (a.kind === "constant") return a.value !== 0 ? b : c;
        if (b === c) return b;
        if (b && c && (isSelect(b, a) || isSelect(c, a)))
          return this.apply("select", a, isSelect(b, a) ? b.arguments[1]! : b, isSelect(c, a) ? c.arguments[2]! : c);
        return undefined;
      default:
        return undefined;
    }
  }

  /** Without a -0. */
  #negative(scalar: Scalar): Scalar {
    return isConstant(scalar, 0) ? scalar : this.apply("neg", scalar);
  }

  /**
   * `adjoint * partial`. A `select` on either side stays outermost, so that an arm that is not taken cannot spoil the
   * product: `select(m, adjoint * partial, 0)`, never `select(m, adjoint, 0) * partial`, which is NaN for 0 * infinity.
   */
  chain(adjoint: Scalar, partial: Scalar): Scalar {
    if (isConstant(adjoint, 0) || isConstant(partial, 0)) return this.zero;
    if (partial.kind === "apply") {
      const [a, b, c] = partial.arguments;
      if (partial.name === "select" && a && b && c)
        return this.apply("select", a, this.chain(adjoint, b), this.chain(adjoint, c));
      if (partial.name === "neg" && a) return this.apply("neg", this.chain(adjoint, a));
    }
    if (adjoint.kind === "apply") {
      const [a, b, c] = adjoint.arguments;
      if (adjoint.name === "select" && a && b && c && (isConstant(b, 0) || isConstant(c, 0)))
        return this.apply("select", a, this.chain(b, partial), this.chain(c, partial));
      if (adjoint.name === "neg" && a) return this.apply("neg", this.chain(a, partial));
      if ((adjoint.name === "add" || adjoint.name === "sub") && a && b && (isGuarded(a) || isGuarded(b))) {
        const left = this.chain(a, partial);
        const right = this.chain(b, partial);
        return adjoint.name === "add" ? this.plus(left, right) : this.plus(left, this.apply("neg", right));
      }
    }
    if (partial.kind === "apply" && partial.name === "div") {
      const [numerator, denominator] = partial.arguments;
      if (numerator && denominator) return this.apply("div", this.apply("mul", adjoint, numerator), denominator);
    }
    return this.apply("mul", adjoint, partial);
  }

  /** `a + b`; selects of one mask merge. */
  plus(a: Scalar, b: Scalar): Scalar {
    if (a.kind === "apply" && b.kind === "apply" && a.name === "select" && b.name === "select") {
      const [mask, a1, a2] = a.arguments;
      const [other, b1, b2] = b.arguments;
      if (mask && mask === other && a1 && a2 && b1 && b2)
        return this.apply("select", mask, this.plus(a1, b1), this.plus(a2, b2));
    }
    return this.apply("add", a, b);
  }
}

function isSelect(scalar: Scalar, mask: Scalar): scalar is ScalarApply {
  return scalar.kind === "apply" && scalar.name === "select" && scalar.arguments[0] === mask;
}

export function isConstant(scalar: Scalar | undefined, value: number | undefined): boolean {
  return value !== undefined && scalar?.kind === "constant" && scalar.value === value;
}

function isGuarded(scalar: Scalar): boolean {
  if (scalar.kind !== "apply") return false;
  if (scalar.name === "select") return scalar.arguments.some((arm) => isConstant(arm, 0));
  return (scalar.name === "add" || scalar.name === "sub" || scalar.name === "neg") && scalar.arguments.some(isGuarded);
}

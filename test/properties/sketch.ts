/** The body of a random model as it grows: lines of dlx, and the values that later lines can use. */
import { Choices } from "../support/random-body.ts";

/** A tensor f32[N, ...shape]. */
export interface Value {
  readonly name: string;
  readonly shape: readonly number[];
}
/** What may be done to a value of a shape: an expression of its name, and the new shape. */
export interface Applied {
  readonly of: (x: string) => string;
  readonly shape: readonly number[];
}
/** Undefined where it does not suit the shape. */
export type Rule = (choices: Choices, shape: readonly number[]) => Applied | undefined;
/** Adds lines to the sketch and answers the new value. */
export type Step = (sketch: Sketch, x: Value) => Value | undefined;

/** Larger tensors are not made: the reference interpreter is slow. */
const mostElements = 300;

export class Sketch {
  choices = new Choices(0);
  readonly lines: string[] = [];
  readonly values: Value[] = [];
  #count = 0;

  fresh(prefix: string): string {
    return `${prefix}${++this.#count}`;
  }
  /** `let NAME = expression`. */
  bind(expression: string, shape: readonly number[]): Value {
    const name = this.fresh("v");
    this.lines.push(`let ${name} = ${expression}`);
    return this.keep({ name, shape });
  }
  /** `let NAME[n, ...] = expression`; `binders` are the indices after n. */
  define(binders: readonly string[], expression: string, shape: readonly number[]): Value {
    const name = this.fresh("v");
    this.lines.push(`let ${name}[${["n", ...binders].join(", ")}] = ${expression}`);
    return this.keep({ name, shape });
  }
  keep(value: Value): Value {
    this.values.push(value);
    return value;
  }
  parameter(shape: readonly number[], initial: string): string {
    const name = this.fresh("w");
    this.lines.push(`param ${name}: f32[${shape.join(", ")}] = ${initial}`);
    return name;
  }
  /** Another value of the same shape. */
  companion(x: Value): Value | undefined {
    const same = this.values.filter(({ name, shape }) => name !== x.name && shape.join() === x.shape.join());
    return same.length > 0 ? this.choices.of(same) : undefined;
  }
}

export const product = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);
export const fits = (shape: readonly number[]) => shape.every((extent) => extent > 0) && product(shape) <= mostElements;

export const asStep =
  (rule: Rule): Step =>
  (sketch, x) => {
    const applied = rule(sketch.choices, x.shape);
    return applied && sketch.bind(applied.of(x.name), applied.shape);
  };

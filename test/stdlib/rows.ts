/** A row of the library's tests says how a name is used, with what random configuration, and what it refuses. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { Choices } from "../support/random-body.ts";
import { modules } from "./names.ts";

export interface Row {
  /** A program that uses the name: `applied`, `optimizing` and `drawn` write the usual ones. */
  readonly program: (choices: Choices) => string;
  /** What is refused, in words; the program, and a part of the message. */
  readonly refuses?: Readonly<Record<string, readonly [program: string, message: string]>>;
  /** Whether its gradient is not the derivative, on purpose: then differences are not asked. */
  readonly surrogate?: true;
  /** Why it is differentiated once and not twice. */
  readonly once?: string;
}
export type Rows = Readonly<Record<string, Row>>;

const imports = modules.map((name) => `import ${name}`).join("\n");
const list = (inputs: Readonly<Record<string, string>>) =>
  Object.entries(inputs)
    .map(([name, type]) => `${name}: ${type}`)
    .join(", ");

/** Some declarations after imports of the whole library. */
export const program = (...lines: readonly string[]) => `${imports}\n\n${lines.join("\n")}\n`;

export interface Applied {
  /** Its value is one f32 tensor, or anything at all where there are no derivatives. */
  readonly expression: string;
  /** dlx types by name; floating-point ones are drawn from a standard normal, so `exp(x)` makes them positive. */
  readonly inputs: Readonly<Record<string, string>>;
  /** Whether it has parameters. */
  readonly learned?: boolean;
  /** The highest order to which its derivatives are checked: 1 unless said otherwise, 0 where there are none. */
  readonly derivatives?: 0 | 1 | 2;
  /** Inputs with respect to which it is differentiated: all of floating point unless said otherwise. */
  readonly by?: readonly string[];
  /** Declarations in front of the model. */
  readonly before?: readonly string[];
}

/**
 * A layer or function of tensors: predicted, trained (where `training` is true), and differentiated by inputs and
 * parameters. The loss weighs every element differently, so that no gradient is a sum in which mistakes cancel.
 */
export function applied(use: Applied): string {
  const { expression, inputs, learned = false, derivatives = 1, before = [] } = use;
  const floats = Object.keys(inputs).filter((name) => inputs[name]?.startsWith("f32"));
  const names = use.by ?? floats;
  const call = `M(${Object.keys(inputs).join(", ")})`;
  const slope = (name: string) => `grad(${name} => weighed(${call}))(${name})`;
  const lines = [...before, `model M(${list(inputs)}) = ${expression}`];
  if (derivatives > 0) {
    lines.push(
      "fn weighed(y: f32[...S]) -> f32 = sum(y * reshape(cos(f32(arange(product(S)))), S))",
      `train t()(${list(inputs)}) {`,
      ...(learned ? [`  minimize loss = weighed(${call}) over M.params using sgd(lr: 0.1)`] : []),
      ...names.map((name) => `  metric d_${name} = ${slope(name)}`),
      "}",
    );
  }
  if (derivatives > 1) {
    // Where y is linear in x, a loss linear in y would have no second derivative.
    lines.push("fn curved(y: f32[...S]) -> f32 = weighed(y + 0.25 * y * y)");
    for (const name of names)
      lines.push(
        `export fn second_by_${name}(${list(inputs)}) = grad(${name} => weighed(grad(${name} => curved(${call}))(${name})))(${name})`,
      );
    if (learned) {
      const curved = `p => curved(with_params(M, p)(${Object.keys(inputs).join(", ")}))`;
      lines.push(`export fn second_by_weights(${list(inputs)}) = hvp(${curved}, M.params)(M.params)`);
    }
  }
  return program(...lines);
}

/** The same with nothing but an expression of tensors: for what is refused. */
export const refused = (expression: string, inputs: Readonly<Record<string, string>> = { x: "f32[2, 3, 8, 8]" }) =>
  program(`model M(${list(inputs)}) = ${expression}`);

/** What calls are refused, each with a part of the message. */
export const refusing = (
  messages: Readonly<Record<string, string>>,
  inputs?: Readonly<Record<string, string>>,
): Row["refuses"] =>
  Object.fromEntries(
    Object.entries(messages).map(([expression, message]) => [expression, [refused(expression, inputs), message]]),
  );

/** A train block that minimises by `optimizer`; `rate` is a knob, `more` further lines of the block. */
export function optimizing(optimizer: string, ...more: readonly string[]): string {
  return program(
    "model M(x: f32[N, 4]) -> f32[N, 3] = x |> dense(5) |> tanh |> dense(3)",
    "train t(batch: int = 2)(x: f32[batch, 4], y: f32[batch, 3], rate: f32 = 0.05) {",
    `  minimize loss = mse(M(x), y) over M.params using ${optimizer}`,
    ...more.map((line) => `  ${line}`),
    "}",
  );
}

/** A model whose one weight starts with an initialiser's values. */
export function initialised(initialiser: string, shape: readonly number[]): string {
  return program(
    "model M(x: f32[2]) -> f32 {",
    `  param weight: f32[${shape.join(", ")}] = ${initialiser}`,
    "  sum(x) * sum(weight * weight)",
    "}",
  );
}

/** Axes that make edges: 1, primes, a whole vector, one more than that. */
export const extent = (choices: Choices) => choices.of([1, 2, 3, 4, 5, 7, 8, 9]);
/** `f32[2, 7, 3]`, of rank 1 to `most`. */
export const anyShape = (choices: Choices, most = 3) =>
  `f32[${Array.from({ length: choices.between(1, most) }, () => extent(choices)).join(", ")}]`;
/** `x |> name(..)` for tensors of any shape; smooth ones are differentiated twice. */
export const elementwise =
  (expression: string | ((choices: Choices) => string), derivatives: 1 | 2 = 2): Row["program"] =>
  (choices) =>
    applied({
      expression: `x |> ${typeof expression === "string" ? expression : expression(choices)}`,
      inputs: { x: anyShape(choices) },
      derivatives,
    });

const folder = join(import.meta.dirname, "rows");
const files = readdirSync(folder).filter((file) => file.endsWith(".ts"));
/** Every row, by name; a file of rows is found by being in the folder. */
export const rows: Rows = Object.assign(
  {},
  ...(await Promise.all(files.map(async (file) => (await import(join(folder, file))).rows as Rows))),
);

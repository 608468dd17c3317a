/** Random programs as their users write them: a model, a train block, exported functions. Shrinks by dropping layers. */
import fc from "fast-check";
import { Choices } from "../support/random-body.ts";
import { layerSteps, scores } from "./random-layers.ts";
import { notationSteps } from "./random-notation.ts";
import { Sketch, type Value } from "./sketch.ts";

export interface RandomProgram {
  readonly text: string;
  readonly batch: number;
  /** Steps of the model. */
  readonly depth: number;
  readonly [fc.toStringMethod]: () => string;
}
interface Seeds {
  readonly input: number;
  readonly layers: readonly number[];
  readonly training: number;
}

export function randomProgram(maximumDepth = 7): fc.Arbitrary<RandomProgram> {
  const seed = fc.integer({ min: 0, max: 2 ** 31 - 1 });
  return fc
    .record({ input: seed, layers: fc.array(seed, { minLength: 1, maxLength: maximumDepth }), training: seed })
    .map(makeProgram);
}

const shapes: readonly (readonly number[])[] = [
  [1, 6, 6],
  [3, 7, 5],
  [2, 8, 9],
  [4, 3, 3],
  [2, 11, 4],
  [5, 4],
  [3, 6],
  [4, 1],
  [7, 8],
  [5],
  [12],
  [1],
];

export function makeProgram({ input, layers, training }: Seeds): RandomProgram {
  const start = new Choices(input);
  const batch = start.of([2, 3, 3, 4, 5]);
  const sketch = new Sketch();
  const ids = start.chance(15);
  const length = start.between(2, 5);
  const shape = ids ? [length] : start.of(shapes);
  const type = ids ? "i32" : "f32";
  if (ids) {
    const features = start.of([1, 2, 3, 6]);
    sketch.bind(`x |> embedding(6, ${features}, init: normal(_, std: 0.7))`, [length, features]);
  } else sketch.keep({ name: "x", shape });
  let value: Value = sketch.values[0]!;
  for (const seed of layers) {
    sketch.choices = new Choices(seed);
    // Most steps ask for a certain shape: the first of a few that suits.
    for (let attempt = 0; attempt < 8; attempt++) {
      const step = sketch.choices.of(sketch.choices.chance(62) ? layerSteps : notationSteps);
      const next = step(sketch, value);
      if (next) value = next;
      if (next) break;
    }
  }
  const choices = new Choices(training);
  const classes = choices.of([2, 3, 5]);
  const classify = choices.chance(40);
  if (classify) value = scores(sketch, value, classes);
  const result = ["N", ...value.shape].join(", ");
  const arguments_ = (n: string | number) => `x: ${type}[${[n, ...shape].join(", ")}]`;
  const target = classify ? ", label: i32[batch]" : `, target: f32[${["batch", ...value.shape].join(", ")}]`;
  const text = [
    "import nn",
    "import loss",
    "import optim",
    "",
    `model M(${arguments_("N")}) -> f32[${result}] {`,
    ...sketch.lines.map((line) => `  ${line}`),
    `  ${value.name}`,
    "}",
    "",
    `train t(batch: int = ${batch})(${arguments_("batch")}${target}, rate: f32 = 0.05) {`,
    "  let y = M(x)",
    ...trainingLines(choices, sketch, classify, ids).map((line) => `  ${line}`),
    "}",
    ...(ids ? [] : ["", exported(choices, sketch, shape, batch)]),
    "",
  ].join("\n");
  return { text, batch, depth: layers.length, [fc.toStringMethod]: () => `\n${text}` };
}

const penalties = ["", "", " + 0.01 * l2(M.params)", " + 0.01 * l1(M.params)"];
const optimizers = [
  "sgd(lr: rate)",
  "sgd(lr: 0.1, weight_decay: 0.01)",
  "momentum(lr: cosine(step, rate, steps: 10, warmup: 2), beta: 0.9)",
  "momentum(lr: rate, nesterov: true, weight_decay: 0.1)",
  // A gradient that is 0 but for rounding, divided by its own size, is anything.
  "adam(lr: rate, eps: 0.01)",
  "adamw(lr: rate, eps: 0.01)",
  "p => momentum(lr: rate, weight_decay: if p.rank > 1 then 0.1 else 0)",
];
const gradientRules = [
  "",
  "",
  " gradients g => clip_global_norm(g, 0.5)",
  " gradients g => map(d => clamp(d, -0.1, 0.1), g)",
];

function trainingLines(choices: Choices, sketch: Sketch, classify: boolean, ids: boolean): string[] {
  const loss = classify
    ? "cross_entropy(y, label)"
    : choices.of([
        "mse(y, target)",
        "mean(abs(y - target))",
        "mean(log1p((y - target)^2))",
        "sum(softplus(y * target)) / 10",
      ]);
  const parameters = hasParameters(sketch);
  const penalty = parameters ? choices.of(penalties) : "";
  const steep =
    !ids && sketch.lines.length <= 3 && choices.chance(35) ? " + 0.1 * mean(grad(z => sum(M(z)))(x)^2)" : "";
  const metric = classify ? "metric accuracy = accuracy(y, label)" : "metric largest = max(y)";
  if (!parameters) return [`metric loss = ${loss}`, metric];
  return [
    `minimize loss = ${loss}${penalty}${steep} over M.params using ${choices.of(optimizers)}${choices.of(gradientRules)}`,
    metric,
  ];
}

const owning = /param |conv2d|conv_transpose2d|dense|lstm|attention|batch_norm|layer_norm|embedding/;
const hasParameters = ({ lines }: Sketch) => lines.some((line) => owning.test(line));

function exported(choices: Choices, { lines }: Sketch, shape: readonly number[], batch: number): string {
  const type = `f32[${[batch, ...shape].join(", ")}]`;
  const forms = [
    `export fn probe(x: ${type}) -> ${type} = grad(z => mean(M(z)^2))(x)`,
    `export fn probe(x: ${type}, direction: ${type}) = jvp(z => M(z), x)(direction)`,
    `export fn probe(x: ${type}) = vjp(z => M(z), x)(0.5 * M(x))`,
    `export fn probe(x: ${type}, direction: ${type}) -> ${type} = hvp(z => mean(M(z)^2), x)(direction)`,
  ];
  // Neither loops nor concatenation can stand below an index.
  if (!lines.some((line) => /lstm|scan|concat/.test(line)))
    forms.push(`export fn probe(x: ${type}) = vmap(row => M(row[_${", :".repeat(shape.length)}]))(x)`);
  return choices.of(forms);
}

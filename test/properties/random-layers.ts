/** Steps that call the standard library, with random configurations. */
import type { Choices } from "../support/random-body.ts";
import { type Applied, asStep, fits, product, type Rule, type Sketch, type Step, type Value } from "./sketch.ts";

const activations = [
  "relu",
  "leaky_relu(0.2)",
  "sigmoid",
  "tanh",
  "softplus",
  "gelu",
  "softmax",
  "log_softmax",
  "(x => x * sigmoid(x))",
  "(x => sin(x) + cos(2 * x))",
  "(x => x / (1 + abs(x)))",
  "(x => sqrt(x * x + 0.1))",
  "(x => exp(-(x^2)))",
  "(x => log1p(x^2))",
  "clamp(-1.5, 0.7)",
  "(x => max(x, -0.5 * x))",
  "(x => min(x, 1.25))",
  "(x => erf(x) - atan2(x, 1 + x^2))",
  "(x => select(x > 0.3, log(select(x > 0.3, x, 1)), x - 0.3))",
  "(x => (1 + x^2)^0.75)",
  "(x => expm1(min(x, 1)))",
  "dropout(0.25)",
  "(x => x + 0.1 * stop_gradient(x)^2)",
];
const activation: Rule = (choices, shape) => {
  const text = choices.of(activations);
  return { of: (x) => `${x} |> ${text}`, shape };
};

/** The output's extent along one axis of windows. */
const windows = (extent: number, kernel: number, stride: number, padding: number, dilation = 1) =>
  Math.floor((extent + 2 * padding - dilation * (kernel - 1) - 1) / stride) + 1;
const divisors = (count: number) => Array.from({ length: count }, (_, k) => k + 1).filter((k) => count % k === 0);

const ofImage =
  (rule: (choices: Choices, channels: number, height: number, width: number) => Applied | undefined): Rule =>
  (choices, shape) => {
    const [channels, height, width] = shape;
    return shape.length === 3 ? rule(choices, channels!, height!, width!) : undefined;
  };
const ofSequence =
  (rule: (choices: Choices, length: number, features: number) => Applied | undefined): Rule =>
  (choices, shape) =>
    shape.length === 2 ? rule(choices, shape[0]!, shape[1]!) : undefined;
const ifFits = (text: string, shape: readonly number[]): Applied | undefined =>
  fits(shape) ? { of: (x) => `${x} |> ${text}`, shape } : undefined;

const convolution = ofImage((choices, channels, height, width) => {
  const kernel = choices.of([1, 2, 3, 3, 3, 5]);
  const stride = choices.of([1, 1, 1, 2, 2, 3, 4]);
  const dilation = choices.of([1, 1, 1, 2, 3]);
  const padding = choices.of([0, 1, 1, 2, dilation * Math.floor(kernel / 2)]);
  const groups = choices.chance(30) ? choices.of(divisors(channels)) : 1;
  const features = groups * choices.of(groups > 1 ? [1, 2] : [1, 2, 3, 4, 6, 9]);
  const out = [height, width].map((extent) => windows(extent, kernel, stride, padding, dilation));
  const bias = choices.chance(25) ? ", bias: false" : "";
  return ifFits(
    `conv2d(${features}, kernel: ${kernel}, stride: ${stride}, padding: ${padding}, dilation: ${dilation}, groups: ${groups}${bias})`,
    [features, ...out],
  );
});

const transposedConvolution = ofImage((choices, channels, height, width) => {
  const kernel = choices.of([1, 2, 3, 4]);
  const stride = choices.of([1, 2, 2, 3]);
  const dilation = choices.of([1, 1, 2]);
  const padding = choices.of([0, 0, 1, 2]);
  const more = choices.below(Math.max(stride, dilation));
  const groups = choices.chance(30) ? choices.of(divisors(channels)) : 1;
  const features = groups * choices.of([1, 2, 3]);
  const out = [height, width].map((extent) => (extent - 1) * stride - 2 * padding + dilation * (kernel - 1) + more + 1);
  return ifFits(
    `conv_transpose2d(${features}, kernel: ${kernel}, stride: ${stride}, padding: ${padding}, output_padding: ${more}, dilation: ${dilation}, groups: ${groups})`,
    [features, ...out],
  );
});

const pooling = ofImage((choices, channels, height, width) => {
  const name = choices.of(["max_pool", "max_pool", "avg_pool"]);
  const kernel = choices.of([1, 2, 2, 3, 3, 5]);
  const stride = choices.of([1, 2, 2, 3]);
  const padding = choices.below(Math.floor(kernel / 2) + 1);
  const out = [height, width].map((extent) => windows(extent, kernel, stride, padding));
  return ifFits(`${name}(${kernel}, stride: ${stride}, padding: ${padding})`, [channels, ...out]);
});

const globalPooling = ofImage((_, channels) => ifFits("global_avg_pool", [channels]));
const flattening: Rule = (_, shape) => (shape.length > 1 ? ifFits("flatten", [product(shape)]) : undefined);

const dense: Rule = (choices, shape) => {
  if (shape.length === 0 || shape.length > 2) return undefined;
  const features = choices.of([1, 2, 3, 5, 8, 17]);
  const bias = choices.chance(25) ? ", bias: false" : "";
  return ifFits(`dense(${features}${bias})`, [...shape.slice(0, -1), features]);
};

const normalization: Rule = (choices, shape) => {
  if (shape.length === 0) return undefined;
  // One value has no spread: its normalised value is a quotient of rounding errors.
  const eps = "eps: 0.01";
  return choices.chance(50) || shape.at(-1) === 1
    ? ifFits(`batch_norm(${eps})`, shape)
    : ifFits(`layer_norm(${eps})`, shape);
};

const attention = ofSequence((choices, length, features) =>
  ifFits(`attention(${choices.of(divisors(features))}, causal: ${choices.chance(50)})`, [length, features]),
);
const recurrence = ofSequence((choices, length) => {
  const features = choices.of([1, 2, 3, 4]);
  const all = choices.chance(70);
  const shape = all ? [length, features] : [features];
  return fits(shape) ? { of: (x) => `(${x} |> lstm(${features})).${all ? "output" : "hidden"}`, shape } : undefined;
});

/** The same elements in other axes. */
const reshaping: Rule = (choices, shape) => {
  const factors: number[] = [];
  for (let rest = product(shape), prime = 2; rest > 1; prime++)
    for (; rest % prime === 0; rest /= prime) factors.push(prime);
  const rank = choices.between(1, 3);
  const axes = Array.from({ length: rank }, () => 1);
  for (const factor of factors) axes[choices.below(rank)]! *= factor;
  return { of: (x) => `reshape(${x}, [N, ${axes.join(", ")}])`, shape: axes };
};

const slicing: Rule = (choices, shape) => {
  if (shape.length === 0) return undefined;
  const axes: number[] = [];
  const parts = shape.map((extent) => {
    if (choices.chance(15)) return `${choices.below(extent)}`;
    const start = choices.chance(40) ? choices.below(extent) : 0;
    const end = choices.chance(30) ? choices.between(start + 1, extent) : extent;
    const step = choices.of([1, 1, 2, 3]);
    axes.push(Math.ceil((end - start) / step));
    return `${start}:${end === extent && choices.chance(50) ? "" : end}${step === 1 ? "" : `:${step}`}`;
  });
  return { of: (x) => `${x}[${[":", ...parts].join(", ")}]`, shape: axes };
};

const rules: readonly Rule[] = [
  convolution,
  convolution,
  convolution,
  transposedConvolution,
  pooling,
  pooling,
  globalPooling,
  flattening,
  dense,
  dense,
  normalization,
  normalization,
  attention,
  recurrence,
  reshaping,
  slicing,
  activation,
  activation,
  activation,
];

/** x + f(x), where f keeps the shape. */
const residual: Step = (sketch, x) => {
  const [channels] = x.shape;
  const applied =
    x.shape.length === 3
      ? ifFits(`conv2d(${channels}, kernel: 3, padding: 1, bias: false) |> batch_norm(eps: 0.01) |> relu`, x.shape)
      : x.shape.length > 0 && x.shape.length < 3
        ? ifFits(`dense(${2 * x.shape.at(-1)!}) |> tanh |> dense(${x.shape.at(-1)})`, x.shape)
        : undefined;
  return applied && sketch.bind(`${x.name} + (${applied.of(x.name)})`, x.shape);
};

/** Two values of one shape. */
const combination: Step = (sketch, x) => {
  const other = sketch.companion(x);
  if (!other) return undefined;
  const [a, b] = [x.name, other.name];
  const axis = sketch.choices.below(x.shape.length + 1);
  const joined = x.shape.map((extent, k) => (k + 1 === axis ? 2 * extent : extent));
  if (axis > 0 && fits(joined) && sketch.choices.chance(40))
    return sketch.bind(`concat([${a}, ${b}], axis: ${axis})`, joined);
  const forms = [
    `${a} + ${b}`,
    `${a} - 0.5 * ${b}`,
    `${a} * sigmoid(${b})`,
    `${a} / (1 + ${b}^2)`,
    `max(${a}, ${b})`,
    `select(${a} > ${b}, ${a}, 0.3 * ${b})`,
  ];
  return sketch.bind(sketch.choices.of(forms), x.shape);
};

/** One instance, applied twice. */
const shared: Step = (sketch, x) => {
  const features = sketch.choices.of([1, 2, 3, 4]);
  if (x.shape.length === 0 || x.shape.length > 2 || !fits([...x.shape.slice(0, -1), features])) return undefined;
  const instance = sketch.fresh("layer");
  sketch.lines.push(`let ${instance} = dense(${features})`);
  return sketch.bind(`${instance}(${x.name}) - tanh(${instance}(0.5 * ${x.name}))`, [
    ...x.shape.slice(0, -1),
    features,
  ]);
};

const repeated: Step = (sketch, x) => {
  const inner = activation(sketch.choices, x.shape);
  if (x.shape.length === 0 || x.shape.length > 2 || !inner) return undefined;
  const times = sketch.choices.between(1, 3);
  const body = inner.of(`(h |> dense(${x.shape.at(-1)}))`);
  return sketch.bind(`repeat i < ${times}, h = ${x.name} { ${body} }`, x.shape);
};

/** A recurrence of one's own over the first axis after N. */
const scanned: Step = (sketch, x) => {
  if (x.shape.length < 2) return undefined;
  const rest = x.shape.slice(1);
  const [carry, row, result] = [sketch.fresh("carry"), sketch.fresh("row"), sketch.fresh("v")];
  const next = sketch.choices.of([
    `0.5 * ${carry} + ${row}`,
    `tanh(${carry} - ${row})`,
    `max(${carry}, ${row}) * 0.9`,
    `${carry} * sigmoid(${row}) + sin(${row})`,
  ]);
  sketch.lines.push(
    `let (_, ${result}) = scan(zeros([N, ${rest.join(", ")}]), ${x.name}, (${carry}, ${row}) => { let next = ${next}; (next, next * ${row}) }, axis: 1)`,
  );
  return sketch.keep({ name: result, shape: x.shape });
};

export const layerSteps: readonly Step[] = [
  ...rules.map(asStep),
  residual,
  residual,
  combination,
  combination,
  shared,
  repeated,
  scanned,
];

/** Down to f32[N, features]. */
export function scores(sketch: Sketch, x: Value, features: number): Value {
  const flat =
    x.shape.length === 1 ? x : sketch.bind(`reshape(${x.name}, [N, ${product(x.shape)}])`, [product(x.shape)]);
  return sketch.bind(`${flat.name} |> dense(${features})`, [features]);
}

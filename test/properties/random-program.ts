/** Random programs as dlx source: stacks of layers whose sizes are drawn so that they fit, a loss, an optimizer. */
import fc from "fast-check";

export interface RandomProgram {
  readonly source: string;
  /** For the title of a failure. */
  readonly layers: readonly string[];
}

/** What the next layer can count on. */
type Shape =
  | { readonly kind: "image"; readonly channels: number; readonly height: number; readonly width: number }
  | { readonly kind: "row"; readonly features: number };

interface Step {
  readonly text: string;
  readonly after: Shape;
}

/** Draws below a bound from a stream of integers, so that fast-check shrinks towards small choices. */
class Choices {
  readonly #numbers: readonly number[];
  #next = 0;
  constructor(numbers: readonly number[]) {
    this.#numbers = numbers;
  }
  below(bound: number): number {
    return (this.#numbers[this.#next++] ?? 0) % bound;
  }
  of<T>(options: readonly T[]): T {
    const option = options[this.below(options.length)];
    if (option === undefined) throw new RangeError("nothing to choose from");
    return option;
  }
}

const pointwise = ["relu", "tanh", "sigmoid", "softplus", "gelu", "leaky_relu(0.2)"] as const;
const extent = (size: number, span: number, stride: number, padding: number) =>
  Math.floor((size + 2 * padding - span) / stride) + 1;

/** Undefined where what was drawn does not fit. */
function imageLayer(choices: Choices, shape: Extract<Shape, { kind: "image" }>): Step | undefined {
  const { channels, height, width } = shape;
  const kind = choices.of([
    "conv2d",
    "conv2d",
    "pointwise",
    "pool",
    "batch_norm",
    "conv_transpose2d",
    "residual",
    "flatten",
  ]);
  const kernel = 1 + choices.below(4);
  const stride = 1 + choices.below(3);
  const padding = choices.below(3);
  const dilation = 1 + choices.below(2);
  switch (kind) {
    case "pointwise":
      return { text: choices.of(pointwise), after: shape };
    case "batch_norm":
      return { text: "batch_norm", after: shape };
    case "flatten":
      return { text: "flatten", after: { kind: "row", features: channels * height * width } };
    case "residual":
      return {
        text: `(h => h + (h |> conv2d(${channels}, kernel: 3, padding: 1, bias: false) |> tanh))`,
        after: shape,
      };
    case "conv2d": {
      const groups = choices.of([1, 1, channels]);
      const features = groups * (1 + choices.below(4));
      const span = dilation * (kernel - 1) + 1;
      const [oh, ow] = [extent(height, span, stride, padding), extent(width, span, stride, padding)];
      if (oh < 1 || ow < 1) return undefined;
      const text = `conv2d(${features}, kernel: ${kernel}, stride: ${stride}, padding: ${padding}, dilation: ${dilation}, groups: ${groups}, bias: ${choices.below(2) === 0})`;
      return { text, after: { kind: "image", channels: features, height: oh, width: ow } };
    }
    case "conv_transpose2d": {
      const features = 1 + choices.below(3);
      const grown = (size: number) => (size - 1) * stride - 2 * padding + kernel;
      if (grown(height) < 1 || grown(width) < 1 || grown(height) > 12 || grown(width) > 12) return undefined;
      const text = `conv_transpose2d(${features}, kernel: ${kernel}, stride: ${stride}, padding: ${padding})`;
      return { text, after: { kind: "image", channels: features, height: grown(height), width: grown(width) } };
    }
    default: {
      const pad = Math.min(padding, Math.floor(kernel / 2));
      const [oh, ow] = [extent(height, kernel, stride, pad), extent(width, kernel, stride, pad)];
      if (oh < 1 || ow < 1) return undefined;
      const name = choices.of(["max_pool", "avg_pool"]);
      return {
        text: `${name}(${kernel}, stride: ${stride}, padding: ${pad})`,
        after: { kind: "image", channels, height: oh, width: ow },
      };
    }
  }
}

function rowLayer(choices: Choices, shape: Extract<Shape, { kind: "row" }>): Step {
  const kind = choices.of(["dense", "pointwise", "layer_norm", "softmax", "batch_norm"]);
  if (kind === "pointwise") return { text: choices.of(pointwise), after: shape };
  // Normalising one or two features leaves nothing, or a sign.
  if (kind !== "dense" && shape.features > 2) return { text: kind, after: shape };
  const features = 1 + choices.below(7);
  return { text: `dense(${features})`, after: { kind: "row", features } };
}

function programOf(numbers: readonly number[]): RandomProgram {
  const choices = new Choices(numbers);
  const batch = 2 + choices.below(3);
  const start = {
    kind: "image",
    channels: 1 + choices.below(3),
    height: 3 + choices.below(7),
    width: 3 + choices.below(7),
  } as const;
  let shape: Shape = start;
  const layers: string[] = [];
  const depth = 1 + choices.below(6);
  for (let k = 0; k < depth; k++) {
    const step: Step | undefined = shape.kind === "image" ? imageLayer(choices, shape) : rowLayer(choices, shape);
    if (!step) continue;
    layers.push(step.text);
    shape = step.after;
  }
  if (shape.kind === "image") layers.push("flatten");
  const classes = 2 + choices.below(4);
  layers.push(`dense(${classes})`);
  const optimizer = choices.of([
    "sgd(lr: 0.1)",
    "momentum(lr: 0.1, beta: 0.9)",
    "momentum(lr: 0.05, nesterov: true, weight_decay: 0.01)",
  ]);
  const loss = choices.of([
    "cross_entropy(logits, label)",
    "cross_entropy(logits, label) + 0.01 * l2(M.params)",
    "mean(softplus(logits)) + mean[n] logits[n, label[n]]",
  ]);
  const type = (rows: string) => `f32[${rows}, ${start.channels}, ${start.height}, ${start.width}]`;
  const source = `import nn
import loss
import optim

model M(x: ${type("N")}) -> f32[N, ${classes}] =
  x
${layers.map((layer) => `  |> ${layer}`).join("\n")}

train t(batch: int = ${batch})(x: ${type("batch")}, label: i32[batch]) {
  let logits = M(x)
  minimize loss = ${loss} over M.params using ${optimizer}
  metric accuracy = accuracy(logits, label)
}
`;
  return { source, layers };
}

export const randomProgram: fc.Arbitrary<RandomProgram> = fc
  .array(fc.integer({ min: 0, max: 999 }), { minLength: 60, maxLength: 60 })
  .map(programOf);

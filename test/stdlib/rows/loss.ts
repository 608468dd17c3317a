import type { Choices } from "../../support/random-body.ts";
import { anyShape, applied, extent, optimizing, type Row, type Rows, refused, refusing } from "../rows.ts";

const penalty = (name: string, derivatives: 1 | 2): Row => ({
  program: (choices) =>
    choices.chance(50)
      ? optimizing("sgd(lr: rate)", `metric size = ${name}(M.params)`)
      : applied({ expression: `${name}(x)`, inputs: { x: anyShape(choices) }, derivatives }),
});
/** Scores of classes, and labels, which have the axes before the last. */
const labelled = (choices: Choices, classes = choices.between(2, 7)) => {
  const axes = Array.from({ length: choices.between(1, 2) }, () => extent(choices)).join(", ");
  return { x: `f32[${axes}, ${classes}]`, label: `i32[${axes}]` };
};
const classifying = (call: string | ((choices: Choices) => string), derivatives: 0 | 1 | 2): Row["program"] => {
  return (choices) =>
    applied({
      expression: typeof call === "string" ? call : call(choices),
      inputs: labelled(choices),
      derivatives,
    });
};
const between = (call: string | ((choices: Choices) => string), derivatives: 1 | 2): Row["program"] => {
  return (choices) => {
    const shape = anyShape(choices);
    const expression = typeof call === "string" ? call : call(choices);
    return applied({ expression, inputs: { x: shape, y: shape }, derivatives });
  };
};
const counts = (name: string): Row => ({
  program: (choices) => {
    const classes = choices.between(1, 5);
    return applied({ expression: `${name}(abs(x))`, inputs: { x: `f32[${classes}, ${classes}]` }, derivatives: 2 });
  },
});

const pair = { x: "f32[4, 3]", y: "f32[4, 3]" };
const scores = { x: "f32[4, 3]", label: "i32[4]" };

export const rows: Rows = {
  cross_entropy: {
    program: (choices) => {
      const classes = choices.between(2, 6);
      const numbers = Array.from({ length: classes }, (_, k) => 1 + k / 2).join(", ");
      const weight = choices.of(["", "exp(w)", `[${numbers}]`]);
      const options = [
        ...(weight ? [`weight: ${weight}`] : []),
        ...(choices.chance(50) ? ["smoothing: 0.2"] : []),
        ...(choices.chance(40) ? ["ignore: [0]"] : []),
      ];
      const { x, label } = labelled(choices, classes);
      const arguments_ = ["x", "some", ...options].join(", ");
      return applied({
        // Where every label is ignored there is no mean.
        expression: `{\n  let some = max(label, ${options.includes("ignore: [0]") ? "f(label)" : "label"})\n  cross_entropy(${arguments_})\n}`,
        before: ["fn f(label: i32[...S]) -> i32[...S] = reshape(select(arange(product(S)) == 0, 1, 0), S)"],
        inputs: { x, label, ...(weight === "exp(w)" && { w: `f32[${classes}]` }) },
        derivatives: 2,
      });
    },
    refuses: {
      ...refusing(
        {
          "cross_entropy(x, label, smoothing: 1.5)": "smoothing must be in [0, 1]; got 1.5",
          "cross_entropy(x, label, smoothing: -0.1)": "smoothing must be in [0, 1]; got -0.1",
        },
        scores,
      ),
      "weights of another number of classes": [
        refused("cross_entropy(x, label, weight: ones([4]))", scores),
        "cross_entropy",
      ],
    },
  },
  soft_cross_entropy: {
    program: between(
      (choices) =>
        `soft_cross_entropy(x, ${choices.of(["softmax(y)", "y", "softmax(y), smoothing: 0.2", "y, weight: 0.5 + f32(arange(shape(y)[length(shape(y)) - 1]))"])})`,
      2,
    ),
    refuses: refusing({ "soft_cross_entropy(x, y, smoothing: 2.0)": "smoothing must be in [0, 1]; got 2" }, pair),
  },
  binary_cross_entropy: { program: between("binary_cross_entropy(0.01 + 0.98 * sigmoid(x), sigmoid(y))", 2) },
  binary_cross_entropy_with_logits: {
    program: between(
      (choices) => `binary_cross_entropy_with_logits(x, sigmoid(y)${choices.chance(50) ? ", positive: 3" : ""})`,
      2,
    ),
    refuses: refusing(
      { "binary_cross_entropy_with_logits(x, y, positive: -1)": "positive must not be negative; got -1" },
      pair,
    ),
  },
  focal_loss: {
    program: classifying((choices) => `focal_loss(x, label, gamma: ${choices.of(["2.0", "1.0", "0.0", "0.5"])})`, 2),
    refuses: {
      "a negative gamma": [refused("focal_loss(x, label, gamma: -1.0)", scores), "gamma must not be negative"],
    },
  },
  multiclass_hinge: {
    once: "straight on both sides of a bend: its slope jumps",
    program: classifying((choices) => `multiclass_hinge(x, label, margin: ${choices.of(["1", "0.3"])})`, 1),
  },
  kl_div: { program: between("kl_div(log_softmax(x), softmax(y))", 2) },
  kl_normal: { program: between("kl_normal(x, y)", 2) },
  mse: { program: between("mse(x, y)", 2), refuses: { "two shapes": [refused("mse(x, x[:, 0])", pair), "mse"] } },
  l1_loss: { once: "straight on both sides of a bend: its slope jumps", program: between("l1_loss(x, y)", 1) },
  huber: {
    program: between((choices) => `huber(x, y, delta: ${choices.of(["1.0", "0.2"])})`, 2),
    refuses: { "a delta of 0": [refused("huber(x, y, delta: 0.0)", pair), "delta must be positive"] },
  },
  // Of vectors with one element it is a sign, and its gradient what rounding leaves.
  cosine_similarity: {
    program: (choices) => {
      const shape = `f32[${extent(choices)}, ${choices.between(2, 9)}]`;
      return applied({ expression: "cosine_similarity(x, y)", inputs: { x: shape, y: shape }, derivatives: 2 });
    },
    refuses: refusing({ "cosine_similarity(x, y, eps: 0)": "eps must be positive; got 0" }, pair),
  },
  l1: { ...penalty("l1", 1), once: "straight on both sides of a bend: its slope jumps" },
  l2: penalty("l2", 2),
  elastic_net: {
    ...penalty("elastic_net", 2),
    refuses: { "a share of 2": [refused("elastic_net(x, share: 2.0)"), "share must be in [0, 1]"] },
  },
  accuracy: { program: classifying("accuracy(x, label)", 0) },
  top_k_accuracy: {
    program: classifying((choices) => `top_k_accuracy(round(x), label, ${choices.of([1, 2])})`, 0),
    refuses: {
      "more than there are": [refused("top_k_accuracy(x, label, 4)", scores), "k must be in 1..3"],
    },
  },
  perplexity: {
    program: (choices) => {
      const { x, label } = labelled(choices);
      // Where every label is ignored there is no mean.
      const first = "select(reshape(arange(product(shape(label))), shape(label)) == 0, 1, label)";
      const call = choices.of(["perplexity(x, label)", `perplexity(x, ${first}, ignore: [0])`]);
      return applied({ expression: call, inputs: { x, label }, derivatives: 0 });
    },
  },
  confusion_matrix: { program: classifying("confusion_matrix(x, label)", 0) },
  precision: counts("precision"),
  recall: counts("recall"),
  f1: counts("f1"),
};

import { applied, extent, program, type Row, type Rows, refused } from "../rows.ts";

const amounts = ["0.0", "0.3", "0.5", "1.0"];
const weight = { w: "f32[4, 3, 2]" };
const outside = (call: string): Row["refuses"] => ({
  "an amount above 1": [refused(call, { w: "f32[4, 3]" }), "amount must be in [0, 1]; got 1.5"],
});
/** Something of a tree with a bias in it. */
const ofTree = (call: string) => program(`export fn f(w: f32[4, 3], b: f32[4], v: f32[2, 4]) = ${call}`);

export const rows: Rows = {
  magnitude_threshold: {
    program: (choices) => ofTree(`magnitude_threshold((w, b, v), ${choices.of(amounts)})`),
    refuses: outside("magnitude_threshold(w, 1.5)"),
  },
  prune_mask: {
    program: (choices) => {
      const scope = choices.of(["", ', scope: "tensor"']);
      return choices.chance(50)
        ? ofTree(`prune_mask((w, b, v), ${choices.of(amounts)}${scope})`)
        : program(
            `export fn f(w: f32[${extent(choices)}, 3], amount: f32) = prune_mask(w, clamp(amount, 0, 1)${scope})`,
          );
    },
    refuses: {
      ...outside("prune_mask(w, 1.5)"),
      "another scope": [refused('prune_mask(w, 0.5, scope: "layer")', weight), 'got "layer"'],
    },
  },
  channel_mask: {
    once: "a mask is a step, and what it leaves is linear",
    program: (choices) =>
      applied({
        expression: `w * channel_mask(w, ${choices.of(amounts)})`,
        inputs: { w: `f32[${extent(choices)}, 3, ${extent(choices)}]` },
      }),
    refuses: {
      ...outside("channel_mask(w, 1.5)"),
      "a bias": [refused("channel_mask(w, 0.5)", { w: "f32[4]" }), "weights of two axes and more; got f32[4]"],
    },
  },
  nonzero_mask: { program: () => ofTree("nonzero_mask((select(w > 0, w, 0), b, v))") },
  apply_mask: {
    once: "a mask is a step, and what it leaves is linear",
    program: (choices) =>
      applied({ expression: `apply_mask(w, prune_mask(w, ${choices.of(amounts)}))`, inputs: weight }),
  },
  sparsity: { program: () => ofTree("sparsity((select(w > 0, w, 0), b, v))") },
  quantise_per_channel: {
    // Its gradient is not its slope, which is 0.
    program: (choices) =>
      applied({
        expression: `quantise_per_channel(w, bits: ${choices.of([2, 4, 8])})`,
        inputs: { w: `f32[${extent(choices)}, ${extent(choices)}]` },
        derivatives: 0,
      }),
    refuses: { "a single bit": [refused("quantise_per_channel(w, bits: 1)", weight), "bits must be in 2..16; got 1"] },
  },
  quantise: { program: () => ofTree("quantise((w, b, v))") },
};

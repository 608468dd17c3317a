import { applied, program, type Row, type Rows, refused } from "../rows.ts";

type Configure = Parameters<Row["program"]>[0];
const x = "f32[1, 3, 6]";
const dividing = (expression: string) =>
  ({
    "heads that do not divide the features": [refused(expression, { x }), "heads (4) must divide the 6 features"],
  }) as const;
/** Whether a causal mask is asked for. */
const causally = (choices: Configure) => `causal: ${choices.chance(50)}`;
/** A mask made of numbers, so that any positions are hidden, whole rows among them. */
const hidden = (name: string) => `${name} > 0`;

/** A layer of a transformer, on masked sequences of several lengths. */
const transformer =
  (
    name: string,
    others: (choices: Configure) => Readonly<Record<string, string>>,
    masks: readonly string[],
  ): Row["program"] =>
  (choices) => {
    const heads = choices.of([1, 2, 3]);
    const features = heads * choices.of([1, 2]);
    const T = choices.between(1, 4);
    const more = others(choices);
    const S = more.memory ? choices.between(1, 4) : T;
    const sizes: Readonly<Record<string, string>> = {
      mask: `f32[${T}, ${T}]`,
      key_padding_mask: `f32[2, ${T}]`,
      memory_mask: `f32[${T}, ${S}]`,
      memory_key_padding_mask: `f32[2, ${S}]`,
    };
    const chosen = masks.filter(() => choices.chance(40));
    const given = Object.keys(more);
    const options = [
      `feedforward: ${choices.of([1, 3, 4])}`,
      `rate: ${choices.of(["0.0", "0.25"])}`,
      "activation: gelu",
      `norm_first: ${choices.chance(50)}`,
      causally(choices),
      "eps: 0.01",
    ];
    return applied({
      expression: `${name}(${heads}, ${options.join(", ")})(${["x", ...given, ...chosen.map((mask) => `${mask}: ${hidden(mask)}`)].join(", ")})`,
      inputs: {
        x: `f32[2, ${T}, ${features}]`,
        ...(more.memory && { memory: `f32[2, ${S}, ${more.memory}]` }),
        ...Object.fromEntries(chosen.map((mask) => [mask, sizes[mask] ?? ""])),
      },
      learned: true,
      by: ["x", ...given],
      derivatives: choices.chance(50) ? 2 : 1,
    });
  };

export const rows: Rows = {
  scaled_dot_product_attention: {
    program: (choices) => {
      const [T, S, E, V] = [choices.between(1, 4), choices.between(1, 5), choices.between(1, 3), choices.between(1, 3)];
      const axes = choices.of(["", "2, ", "2, 3, "]);
      const masks = { none: "", square: `f32[${T}, ${S}]`, whole: `f32[${axes}${T}, ${S}]` };
      const mask = masks[choices.of(["none", "square", "whole"] as const)];
      return applied({
        expression: `scaled_dot_product_attention(q, k, v, ${mask && `mask: ${hidden("m")}, `}${causally(choices)}${choices.of(["", ", rate: 0.5"])})`,
        inputs: {
          q: `f32[${axes}${T}, ${E}]`,
          k: `f32[${axes}${S}, ${E}]`,
          v: `f32[${axes}${S}, ${V}]`,
          ...(mask && { m: mask }),
        },
        by: ["q", "k", "v"],
        derivatives: 2,
      });
    },
    refuses: {
      "a mask of other axes": [
        program("model M(q: f32[2, 3, 4], m: bool[3]) = scaled_dot_product_attention(q, q, q, mask: m)"),
        "a mask is bool[3, 3] or bool of the scores' 3 axes; got 1 axes",
      ],
      "a rate of 1": [
        program("model M(q: f32[2, 3, 4]) = scaled_dot_product_attention(q, q, q, rate: 1.0)"),
        "rate must be in [0, 1); got 1",
      ],
    },
  },
  attention: {
    program: (choices) => {
      const heads = choices.of([1, 2, 3]);
      return applied({
        expression: `x |> attention(${heads}, ${causally(choices)})`,
        inputs: { x: `f32[2, ${choices.between(1, 6)}, ${heads * choices.of([1, 2])}]` },
        learned: true,
        derivatives: choices.chance(50) ? 2 : 1,
      });
    },
    refuses: {
      ...dividing("x |> attention(4)"),
      "no heads": [refused("x |> attention(0)", { x }), "heads must be at least 1; got 0"],
    },
  },
  multi_head_attention: {
    program: (choices) => {
      const heads = choices.of([1, 2]);
      const [T, S, D] = [choices.between(1, 4), choices.between(1, 4), heads * choices.of([1, 2])];
      const crossed = choices.chance(60);
      const [K, V] = choices.chance(50) ? [D, D] : [choices.between(1, 4), choices.between(1, 4)];
      const seen = crossed ? S : T;
      const masks: Readonly<Record<string, string>> = {
        mask: `f32[${T}, ${seen}]`,
        key_padding_mask: `f32[2, ${seen}]`,
      };
      const chosen = Object.keys(masks).filter(() => choices.chance(50));
      const sources = crossed ? ["k", "v"] : [];
      const given = ["x", ...sources, ...chosen.map((mask) => `${mask}: ${hidden(mask)}`)];
      const options = [heads, causally(choices), `bias: ${choices.chance(70)}`, `rate: ${choices.of(["0.0", "0.25"])}`];
      return applied({
        expression: `multi_head_attention(${options.join(", ")})(${given.join(", ")})`,
        inputs: {
          x: `f32[2, ${T}, ${D}]`,
          ...(crossed && { k: `f32[2, ${S}, ${K}]`, v: `f32[2, ${S}, ${V}]` }),
          ...Object.fromEntries(chosen.map((mask) => [mask, masks[mask] ?? ""])),
        },
        learned: true,
        by: ["x", ...sources],
        derivatives: choices.chance(50) ? 2 : 1,
      });
    },
    refuses: {
      ...dividing("x |> multi_head_attention(4)"),
      "no heads": [refused("x |> multi_head_attention(0)", { x }), "heads must be at least 1; got 0"],
      "a rate of 1": [refused("x |> multi_head_attention(2, rate: 1.0)", { x }), "rate must be in [0, 1)"],
    },
  },
  sinusoidal_positions: {
    once: "linear in its input",
    program: (choices) => {
      const [T, D] = [choices.between(1, 6), choices.between(1, 7)];
      return applied({ expression: `x + sinusoidal_positions(${T}, ${D})`, inputs: { x: `f32[${T}, ${D}]` } });
    },
    refuses: { "a base of 0": [refused("sinusoidal_positions(3, 4, base: 0.0)"), "base must be positive; got 0"] },
  },
  positional_encoding: {
    once: "linear in its input",
    program: (choices) =>
      applied({
        expression: `x |> positional_encoding(rate: ${choices.of(["0.0", "0.25"])})`,
        inputs: { x: `f32[2, ${choices.between(1, 5)}, ${choices.between(1, 6)}]` },
      }),
    refuses: { "a rate of 1": [refused("x |> positional_encoding(1.0)", { x }), "rate must be in [0, 1)"] },
  },
  learned_positions: {
    program: (choices) => {
      const T = choices.between(1, 5);
      return applied({
        expression: `x |> learned_positions(${T + choices.below(3)})`,
        inputs: { x: `f32[2, ${T}, ${choices.between(1, 4)}]` },
        learned: true,
        derivatives: 2,
      });
    },
    refuses: {
      "a longer sequence": [refused("x |> learned_positions(2)", { x }), "2 positions are learned; the sequence has 3"],
    },
  },
  rotary: {
    program: (choices) =>
      applied({
        expression: "rotary(x)",
        inputs: { x: `f32[${choices.of(["", "2, ", "2, 3, "])}${choices.between(1, 5)}, ${choices.of([2, 4, 6])}]` },
        derivatives: 2,
      }),
    refuses: {
      "odd features": [refused("rotary(x)", { x: "f32[2, 3, 5]" }), "rotary turns pairs of features; got 5"],
      "a base of 0": [refused("rotary(x, base: 0.0)", { x: "f32[2, 3, 4]" }), "base must be positive; got 0"],
    },
  },
  transformer_encoder_layer: {
    program: transformer("transformer_encoder_layer", () => ({}), ["mask", "key_padding_mask"]),
    refuses: {
      ...dividing("x |> transformer_encoder_layer(4)"),
      "nothing inside": [
        refused("x |> transformer_encoder_layer(2, feedforward: 0)", { x }),
        "feedforward must be at least 1; got 0",
      ],
    },
  },
  transformer_block: {
    program: (choices) => {
      const heads = choices.of([1, 2]);
      return applied({
        expression: `x |> transformer_block(${heads}, widening: ${choices.of([1, 2])}, rate: ${choices.of(["0.0", "0.25"])}, ${causally(choices)}, eps: 0.01)`,
        inputs: { x: `f32[2, ${choices.between(1, 4)}, ${heads * choices.of([1, 2])}]` },
        learned: true,
        derivatives: choices.chance(50) ? 2 : 1,
      });
    },
    refuses: {
      ...dividing("x |> transformer_block(4)"),
      "no widening": [refused("x |> transformer_block(2, widening: 0)", { x }), "widening must be at least 1; got 0"],
    },
  },
  transformer_decoder_layer: {
    program: transformer("transformer_decoder_layer", (choices) => ({ memory: String(choices.between(1, 4)) }), [
      "mask",
      "key_padding_mask",
      "memory_mask",
      "memory_key_padding_mask",
    ]),
    refuses: {
      ...dividing("transformer_decoder_layer(4)(x, x)"),
      "nothing inside": [
        refused("transformer_decoder_layer(2, feedforward: 0)(x, x)", { x }),
        "feedforward must be at least 1; got 0",
      ],
    },
  },
};

import { applied, program, type Row, type Rows, refused } from "../rows.ts";

type Configure = Parameters<Row["program"]>[0];
const small = (choices: Configure) => choices.of([1, 2, 3]);
const sequence = (choices: Configure) => `f32[2, ${choices.between(1, 5)}, ${small(choices)}]`;

/** A recurrence from zeros or from given states, of which one result is looked at. */
const recurrent =
  (kind: string, results: readonly string[], states: number, option: (choices: Configure) => string): Row["program"] =>
  (choices) => {
    const features = small(choices);
    const given = Array.from({ length: choices.chance(50) ? states : 0 }, (_, k) => `s${k}`);
    return applied({
      expression: `${kind}(${features}${option(choices)})(${["x", ...given].join(", ")}).${choices.of(results)}`,
      inputs: { x: sequence(choices), ...Object.fromEntries(given.map((name) => [name, `f32[2, ${features}]`])) },
      learned: true,
      derivatives: choices.chance(50) ? 2 : 1,
    });
  };
const plain = (choices: Configure) => (choices.chance(25) ? ", bias: false" : "");
const nothing = (kind: string) => ({
  "no features": [refused(`(x |> ${kind}(0)).hidden`, { x: "f32[1, 3, 2]" }), "axis 2 would have extent 0"] as const,
  "a state of other features": [
    program(`model M(x: f32[1, 3, 2], h: f32[1, 5]) = ${kind}(4)(x, h).hidden`),
    "f32[1, 5]",
  ] as const,
});
const kinds = ["lstm", "gru", "rnn"];

export const rows: Rows = {
  rnn: {
    // A relu has a kink, near which differences mislead.
    program: recurrent("rnn", ["output", "hidden"], 1, plain),
    refuses: {
      ...nothing("rnn"),
      "an unknown non-linearity": [
        refused('(x |> rnn(2, nonlinearity: "gelu")).hidden', { x: "f32[1, 3, 2]" }),
        'nonlinearity is "tanh" or "relu"; got "gelu"',
      ],
    },
  },
  lstm: { program: recurrent("lstm", ["output", "hidden", "cell"], 2, plain), refuses: nothing("lstm") },
  gru: { program: recurrent("gru", ["output", "hidden"], 1, plain), refuses: nothing("gru") },
  reverse_time: {
    program: (choices) =>
      applied({ expression: "x |> reverse_time", inputs: { x: sequence(choices) }, derivatives: 2 }),
  },
  bidirectional: {
    program: (choices) => {
      const kind = choices.of(kinds);
      return applied({
        expression: `(x |> bidirectional(${kind}, ${choices.of([1, 2])})).${choices.of(["output", "hidden"])}`,
        inputs: { x: sequence(choices) },
        learned: true,
        derivatives: choices.chance(50) ? 2 : 1,
      });
    },
  },
  stacked: {
    program: (choices) => {
      const kind = choices.of(kinds);
      const of = choices.chance(30) ? `bidirectional(${kind}, _)` : kind;
      const rate = choices.of(["", ", rate: 0.25"]);
      return applied({
        expression: `(x |> stacked(${of}, ${choices.of([1, 2])}, num_layers: ${choices.between(1, 3)}${rate})).output`,
        inputs: { x: sequence(choices) },
        learned: true,
        derivatives: choices.chance(50) ? 2 : 1,
      });
    },
    refuses: {
      "no layers": [
        refused("(x |> stacked(gru, 2, num_layers: 0)).output", { x: "f32[1, 3, 2]" }),
        "num_layers must be at least 1; got 0",
      ],
      "a rate of 1": [
        refused("(x |> stacked(gru, 2, num_layers: 1, rate: 1.0)).output", { x: "f32[1, 3, 2]" }),
        "rate must be in [0, 1); got 1",
      ],
    },
  },
};

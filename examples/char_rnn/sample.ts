/**
 * `npx tsx examples/char_rnn/sample.ts LSTM .cache/lstm/weights.safetensors [PROMPT] [TEMPERATURE]`: 400 characters of a trained
 * network.
 */
import { sample } from "../support/sample.ts";

const [model = "LSTM", weights = "", prompt = "And God said, ", temperature = "0.7"] = process.argv.slice(2);
console.log(
  await sample(import.meta.url, {
    model,
    weights,
    prompt,
    context: 64,
    length: 400,
    temperature: Number(temperature),
  }),
);

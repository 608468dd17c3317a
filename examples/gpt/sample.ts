/** `npx tsx examples/gpt/sample.ts .cache/gpt/weights.safetensors [PROMPT] [TEMPERATURE]`: 400 characters of a trained network. */
import { sample } from "../support/sample.ts";

const [weights = "", prompt = "And God said, ", temperature = "0.7"] = process.argv.slice(2);
console.log(
  await sample(import.meta.url, {
    model: "GPT",
    weights,
    prompt,
    context: 64,
    length: 400,
    temperature: Number(temperature),
  }),
);

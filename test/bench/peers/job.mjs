/** What every contender is given: a folder with `job.json` and the numbers it speaks of in `data.bin`. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

/**
 * `{mode: "train" | "predict" | "kernel", operations, optimizer, kernel, inputs, weights, file(name)}`. An input or weight is
 * `{name, shape, data}`, data a Float32Array or Int32Array.
 */
export function readJob(folder) {
  const job = JSON.parse(readFileSync(join(folder, "job.json"), "utf8"));
  const { buffer } = new Uint8Array(readFileSync(join(folder, "data.bin")));
  const tensor = ({ name, shape, dtype, offset }) => {
    const count = shape.reduce((a, b) => a * b, 1);
    return { name, shape, data: new (dtype === "i32" ? Int32Array : Float32Array)(buffer, offset, count) };
  };
  return {
    ...job,
    inputs: job.inputs.map(tensor),
    weights: job.weights.map(tensor),
    file: (name) => join(folder, name),
  };
}

/** How often each value is read: what owns its memory needs to know. */
export function readers(operations) {
  const counts = new Array(operations.length + 1).fill(0);
  for (const { x, y } of operations) {
    counts[x]++;
    if (y !== undefined) counts[y]++;
  }
  return counts;
}

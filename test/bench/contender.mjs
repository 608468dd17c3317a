/**
 * One contender in a process of its own: `node contender.mjs PEER FOLDER VARIANT`. Answers lines of JSON on file descriptor 3
 * to lines of JSON on standard input: `{"check": steps}` runs that many first steps and tells their results, `{"samples": n,
 * "steps": k}` gives n times, each the mean of k steps, in milliseconds.
 */
import { writeFileSync, writeSync } from "node:fs";
import { createInterface } from "node:readline";
import { readJob } from "./peers/job.mjs";

const [, , peer, folder, variant = "{}"] = process.argv;
const answer = (value) => writeSync(3, `${JSON.stringify(value)}\n`);

const job = readJob(folder);
try {
  const { prepare } = await import(`./peers/${peer}.mjs`);
  const contender = await prepare(job, JSON.parse(variant));
  answer({ version: contender.version });
  for await (const line of createInterface({ input: process.stdin })) {
    const { check, samples, steps } = JSON.parse(line);
    if (check !== undefined) {
      const values = [];
      let last;
      let milliseconds = 0;
      for (let k = 0; k < check; k++) {
        const start = performance.now();
        last = await contender.step();
        milliseconds = performance.now() - start;
        if (job.mode === "train") values.push(Number(last));
      }
      const file = job.file(`output-${process.pid}.bin`);
      if (job.mode !== "train") {
        const { buffer, byteOffset, byteLength } = contender.output ? await contender.output() : last;
        writeFileSync(file, new Uint8Array(buffer, byteOffset, byteLength));
      }
      answer({ milliseconds, ...(job.mode === "train" ? { losses: values } : { file }) });
    } else {
      const times = [];
      for (let sample = 0; sample < samples; sample++) {
        const start = performance.now();
        for (let k = 0; k < steps; k++) await contender.step();
        times.push((performance.now() - start) / steps);
      }
      answer({ times });
    }
  }
} catch (error) {
  answer({
    error: String(error?.stack ?? error)
      .split("\n")
      .slice(0, 4)
      .join("\n"),
  });
}
process.exit(0);

/** What READMEs of the examples show of `dlx summary` is what it prints. */
import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { dlx } from "../support/terminal.ts";

const words = (line: string) => line.trim().split(/\s+/).join(" ");

/** Commands of the kind that READMEs show, with the lines under each; ".." stands for lines left out. */
const shown = readdirSync("examples", { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && entry.name !== "support")
  .flatMap(({ name }) => {
    const lines = readFileSync(`examples/${name}/README.md`, "utf8").split("\n");
    return lines.flatMap((line, k) => {
      const [, command] = /^\$ npx dlx (summary .*)$/.exec(line) ?? [];
      if (command === undefined) return [];
      const rest = lines.slice(k + 1);
      const under = rest.slice(
        0,
        rest.findIndex((each) => /^(```|\$ )/.test(each)),
      );
      return [{ command, lines: under.map(words).filter((each) => each !== "" && each !== "..") }];
    });
  });

// Files of several models have large ones, whose memory takes seconds to plan.
const some = process.env.DLX_DEEP ? shown : shown.filter(({ command }) => !command.includes("--model"));
test.each(some)("$command", async ({ command, lines }) => {
  expect(lines).not.toEqual([]);
  const { code, out } = await dlx(command.split(" "));
  expect(code).toBe(0);
  expect(out.split("\n").map(words)).toEqual(expect.arrayContaining(lines));
});

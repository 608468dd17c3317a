/**
 * Golden texts: few, readable, reviewed like code. `npm run golden -- --update` rewrites them; without `--update` it
 * only runs the tests that compare.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";

const folder = join(dirname(fileURLToPath(import.meta.url)), "../golden");

/** `name` is a file of test/golden, with its ending. */
export function expectGolden(name: string, text: string): void {
  const file = join(folder, name);
  if (process.env.DLX_UPDATE_GOLDEN) {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  expect(existsSync(file), `${name} is missing: npm run golden -- --update`).toBe(true);
  expect(text).toBe(readFileSync(file, "utf8"));
}

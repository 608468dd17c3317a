/** `docs/performance.md` gives the reason where an example's step was measured to be slow. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readExamples, wanted } from "../bench/example-results.ts";
import { root } from "../support/bundle.ts";

test("what is below half of ResNet-20's speed is named where the reasons stand", () => {
  const page = readFileSync(join(root, "docs/performance.md"), "utf8");
  const [, reasons = ""] = /<!-- by hand -->(.*)<!-- end of/s.exec(page) ?? [];
  const slow = readExamples().filter(({ ratio }) => ratio < wanted);
  expect(slow.length).toBeGreaterThan(0);
  const named = (example: string) => new RegExp(`- \\*\\*[^*]*\\b${example}\\b`).test(reasons);
  expect(slow.filter(({ example }) => !named(example)).map(({ example, block }) => `${example} ${block}`)).toEqual([]);
});

/** The page of the standard library is what its doc comments say. */
import { readFileSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { page } from "../stdlib/page.ts";

const file = new URL("../../docs/stdlib.md", import.meta.url);

test("the page of the standard library is current", () => {
  if (process.env.DLX_UPDATE_GOLDEN) writeFileSync(file, page());
  expect(readFileSync(file, "utf8"), "npm run golden -- --update").toBe(page());
});

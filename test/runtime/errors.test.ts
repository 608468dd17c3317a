import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { entryOf } from "../../compiler/diagnostics/explain.ts";

/** Every code that the runtime and the command line throw. */
const thrown = new Set(
  ["runtime", "compiler/cli"].flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".ts"))
      .flatMap((file) => readFileSync(join(folder, file), "utf8").match(/"E0[678]\d\d"/g) ?? [])
      .map((code) => code.slice(1, -1)),
  ),
);
test.each([...thrown].sort())("%s is in the catalogue", (code) => {
  expect(entryOf(code)?.explanation).toBeTruthy();
});

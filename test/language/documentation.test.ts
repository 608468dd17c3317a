import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { checkSource } from "../../compiler/compile.ts";
import { print } from "../../grammar/parse.ts";
import { library, sourceOf } from "../elaborate/support.ts";
import { meaning, moduleOf } from "../grammar/support.ts";

const text = readFileSync(new URL("../../docs/language.md", import.meta.url), "utf8");
const programs = [...text.matchAll(/^```dlx\n([\s\S]*?)^```/gm)].map((match) => ({
  program: match[1] ?? "",
  line: text.slice(0, match.index).split("\n").length,
}));

test("the document has examples", () => expect(programs.length).toBeGreaterThanOrEqual(20));

describe.each(programs)("docs/language.md:$line", ({ program }) => {
  test("is read, and formatted without loss", () => {
    const module = moduleOf(program);
    expect(meaning(moduleOf(print(module)))).toEqual(meaning(module));
  });

  // Files that stand beside a program are not there.
  if (program.includes('import "')) return;
  test("is right", () => {
    expect(
      checkSource(sourceOf(program), library).map(({ code, message, severity }) => `${severity} ${code}: ${message}`),
    ).toEqual([]);
  });
});

import { readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { printCstTypes } from "../../grammar/cst-types.ts";
import { parse, print } from "../../grammar/parse.ts";
import { meaning, moduleOf } from "./support.ts";

const read = (path: string) => readFileSync(new URL(path, import.meta.url), "utf8");
const examples = read("../language/examples.dlx");

/** Refresh the golden files with `npx vitest run test/grammar -u`. */
test("the normative examples, formatted", async () => {
  await expect(print(moduleOf(examples))).toMatchFileSnapshot("golden/examples.dlx");
});

test("a text with everything that is hard to lay out, formatted", async () => {
  const text = read("./layout.dlx");
  const formatted = print(moduleOf(text));
  await expect(formatted).toMatchFileSnapshot("golden/layout.dlx");
  for (const line of formatted.split("\n")) {
    if (!line.includes("//") && !line.includes('"')) expect(line.length, line).toBeLessThanOrEqual(110);
  }
});

test.each(["../language/examples.dlx", "./layout.dlx"])(
  "formatting %s keeps its meaning and its comments, and settles",
  (path) => {
    const module = moduleOf(read(path));
    const formatted = moduleOf(print(module));
    expect(meaning(formatted)).toEqual(meaning(module));
    expect(formatted.comments.map((comment) => comment.text).sort()).toEqual(
      module.comments.map((comment) => comment.text).sort(),
    );
    expect(print(formatted)).toBe(formatted.source.text);
  },
);

test("no comment is lost, wherever it stands", () => {
  // A comment may stand at the end of any line, and on a line of its own above any.
  const lines = examples
    .split("\n")
    .map((line) => line.replace(/\s*\/\/.*$/, ""))
    .filter((line) => line !== "");
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(lines.length - 1), fc.boolean()), { maxLength: 12 }), (places) => {
      const text = lines
        .flatMap((line, i) => {
          const here = places.filter(([at]) => at === i);
          const above = here.filter(([, own]) => own).map((_, n) => `// ${i}.${n}`);
          const after = here.some(([, own]) => !own) ? ` // behind ${i}` : "";
          return [...above, `${line}${after}`];
        })
        .join("\n");
      const module = moduleOf(text);
      const formatted = moduleOf(print(module));
      expect(meaning(formatted)).toEqual(meaning(module));
      expect(formatted.comments.map((comment) => comment.text).sort()).toEqual(
        module.comments.map((comment) => comment.text).sort(),
      );
    }),
    { numRuns: process.env.DLX_DEEP ? 500 : 25 },
  );
});

test("cst.d.ts is that of the grammar (npx tsx grammar/generate.ts)", () => {
  expect(read("../../grammar/cst.d.ts")).toBe(printCstTypes());
});

test("a file of many statements is printed", () => {
  const text = `fn f() {\n${"x\n".repeat(20_000)}}`;
  expect(print(parse({ file: "long.dlx", text }).module).length).toBeGreaterThan(80_000);
});

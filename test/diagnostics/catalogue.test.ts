import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { printCatalogue, readEntry } from "../../compiler/diagnostics/catalogue.ts";
import { codes, entryOf, explain } from "../../compiler/diagnostics/index.ts";
import { parse } from "../../grammar/parse.ts";

const folder = new URL("../../compiler/diagnostics/catalogue/", import.meta.url);
const files = readdirSync(folder).filter((file) => file.endsWith(".md"));
const read = (file: string) => readFileSync(new URL(file, folder), "utf8");

test("generated.ts is made from the catalogue (npx tsx compiler/diagnostics/generate.ts)", () => {
  const generated = readFileSync(new URL("../generated.ts", folder), "utf8");
  expect(
    generated === printCatalogue(files.map((file) => readEntry(file, read(file)))),
    "generated.ts is out of date",
  ).toBe(true);
});

describe("every entry is well formed", () => {
  test.each(files)("%s", (file) => {
    const markdown = read(file);
    const { code, title, message, help } = readEntry(file, markdown);
    for (const text of [title, message ?? "", ...help]) {
      expect(text.trim(), "no blanks around").toBe(text);
      expect(/[^.]\.$/.test(text) && !/\. /.test(text), `one sentence ends without a full stop: ${text}`).toBe(false);
    }
    for (const line of markdown.split("\n")) {
      if (!line.startsWith("- ") && !markdown.includes("```")) expect(line.length).toBeLessThanOrEqual(120);
    }
    const [bad, good] = [...markdown.matchAll(/```(\w+)\n([\s\S]*?)```/g)].map(([, language, text]) => ({
      language,
      text,
    }));
    for (const [which, example] of [["bad", bad] as const, ["good", good] as const]) {
      if (example?.language !== "dlx") continue;
      const { problems } = parse({ file, text: example.text ?? "" });
      const found = [...new Set(problems.map((problem) => problem.code))];
      // What the grammar itself finds, it finds in the bad example and nothing else; the rest is for later stages.
      const isGrammar = code.startsWith("E01") || code === "E0501" || code === "E0503";
      expect(found, `${which} example`).toEqual(which === "bad" && isGrammar ? [code] : []);
    }
  });
});

test("explain tells of every code, and of no other", () => {
  expect(codes.length).toBe(files.length);
  for (const code of codes) {
    const text = explain(code) ?? "";
    expect(text).toContain(code);
    expect(text).toContain(entryOf(code)?.title);
    expect(text).toContain("Wrong:");
  }
  expect(explain("E9999")).toBeUndefined();
  expect(explain("toString")).toBeUndefined();
});

describe("what is wrong with an entry is said", () => {
  const whole = "# E0999: Title\n\n- message: a {b}\n\nWhy.\n\n## Bad\n\n```dlx\nx\n```\n\n## Good\n\n```dlx\ny\n```\n";
  test("a whole one", () => {
    expect(readEntry("E0999.md", whole)).toEqual({
      code: "E0999",
      severity: "error",
      title: "Title",
      message: "a {b}",
      help: [],
      explanation: "Why.",
      bad: "x",
      good: "y",
    });
  });
  test.each([
    ["another file name", "E0998.md", whole],
    ["no heading", "E0999.md", whole.slice(2)],
    ["no explanation", "E0999.md", whole.replace("Why.", "")],
    ["no bad example", "E0999.md", whole.replace("## Bad", "## Worse")],
    ["no good example", "E0999.md", whole.slice(0, whole.indexOf("## Good"))],
  ])("%s", (_, file, markdown) => expect(() => readEntry(file, markdown)).toThrow(file));
});

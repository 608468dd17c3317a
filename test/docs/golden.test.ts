/** The dumps in docs/architecture.md are what the compiler prints for the layer shown there. */
import { readFileSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { fileLoader } from "../../compiler/cli/library.ts";
import { programStage, type Stage } from "../../compiler/cli/stages.ts";
import { elaborateSource } from "../../compiler/compile.ts";

const file = new URL("../../docs/architecture.md", import.meta.url);

/** Blank-line separated parts that mention a name, or all of it. */
function part(text: string, name: string | undefined): string {
  if (name === undefined) return text;
  return text
    .split("\n\n")
    .filter((piece) => piece.includes(`kernel ${name}(`))
    .join("\n\n");
}

test("the dumps of the architecture page are current", () => {
  const page = readFileSync(file, "utf8");
  const text = /```dlx\n([\s\S]*?)```/.exec(page)?.[1] ?? "";
  const { program, diagnostics } = elaborateSource({ file: "layer.dlx", text }, fileLoader("layer.dlx"));
  expect(diagnostics).toEqual([]);
  if (!program) throw new Error("the layer does not elaborate");
  const fresh = page.replace(
    /<!-- dump: (\w+) (\S+)(?: (\S+))? -->\n```\n[\s\S]*?```/g,
    (_, stage: Stage, entry: string, name: string | undefined) => {
      const [piece] = programStage(program, stage, "cpu", entry);
      return `<!-- dump: ${[stage, entry, ...(name === undefined ? [] : [name])].join(" ")} -->\n\`\`\`\n${part(piece?.text.trimEnd() ?? "", name).trim()}\n\`\`\``;
    },
  );
  if (process.env.DLX_UPDATE_GOLDEN) writeFileSync(file, fresh);
  else expect(fresh).toBe(page);
});

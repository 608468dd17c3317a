/** The names of the standard library, as they stand in its files. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Declaration } from "../../grammar/ast.ts";
import { parse } from "../../grammar/parse.ts";

const folder = join(import.meta.dirname, "../../stdlib");

export interface LibraryFile {
  /** What `import` names: the folder. */
  readonly module: string;
  /** Below stdlib: `nn/dense.dlx`. */
  readonly file: string;
  readonly text: string;
  /** The doc comment that opens the file, if a blank line parts it from the first declaration. */
  readonly heading: string;
  readonly declarations: readonly Declaration[];
}

const folders = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());

export const libraryFiles: readonly LibraryFile[] = folders
  .map(({ name }) => name)
  .sort()
  .flatMap((module) =>
    readdirSync(join(folder, module))
      .filter((name) => name.endsWith(".dlx"))
      .sort()
      .map((name) => {
        const file = `${module}/${name}`;
        const text = readFileSync(join(folder, file), "utf8");
        const { declarations } = parse({ file: `stdlib/${file}`, text }).module;
        const heading = /^(?:\/\/\/.*\n)+(?=\n|import)/.exec(text)?.[0] ?? "";
        return { module, file, text, heading: heading.replace(/^\/\/\/ ?/gm, "").trim(), declarations };
      }),
  );

export const modules = [...new Set(libraryFiles.map(({ module }) => module))].filter((name) => name !== "prelude");

export interface LibraryName {
  readonly of: LibraryFile;
  readonly declaration: Declaration;
}
export const libraryNames: readonly LibraryName[] = libraryFiles.flatMap((of) =>
  of.declarations.map((declaration) => ({ of, declaration })),
);

const fence = /^```dlx\n([\s\S]*?)^```$/gm;

/** What stands around an example that is only what a train block says. */
const block = (lines: string) => `import nn
import loss
import optim

model Net(x: f32[N, 8]) -> f32[N, 3] = x |> dense(16) |> relu |> dense(3)

train net(batch: int = 32)(x: f32[batch, 8], label: i32[batch]) {
${lines.replace(/^(?=.)/gm, "  ")}}
`;

/** The programs in a doc comment, with the imports that they need unless they write imports themselves. */
export function examplesOf({ of, declaration }: LibraryName): readonly string[] {
  const text = declaration.doc.map((line) => line.replace(/^ /, "")).join("\n");
  return [...text.matchAll(fence)].map(([, example = ""]) => {
    if (/^(minimize|metric|let|state) /.test(example)) return block(example);
    return /^import /m.test(example) || of.module === "prelude" ? example : `import ${of.module}\n\n${example}`;
  });
}

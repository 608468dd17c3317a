/** The house in one linear order: a file imports only from its own floor and the floors above. */
import { dirname, join, relative, resolve } from "node:path";
import { Project, SyntaxKind } from "ts-morph";
import { describe, expect, test } from "vitest";

const root = resolve(import.meta.dirname, "..");

/** From the top down. A floor is a folder or one file. */
const floors = [
  "grammar",
  "runtime",
  "compiler/invariant.ts",
  "compiler/diagnostics",
  "compiler/types",
  "compiler/scalar",
  "compiler/graph",
  "compiler/reference",
  "compiler/optimize",
  "compiler/autodiff",
  "compiler/check",
  "compiler/elaborate",
  "compiler/kernel",
  "compiler/schedule",
  "compiler/codegen",
  "compiler/tune",
  "compiler/bundle",
  "compiler/pipeline.ts",
  "compiler/compile.ts",
  "compiler/gradcheck",
  "compiler/index.ts",
  "compiler/cli",
];

/** Longer than 400 lines, with the reason. */
const long: Readonly<Record<string, string>> = {
  "compiler/diagnostics/generated.ts": "written by the catalogue's generator",
};

const project = new Project({ skipAddingFilesFromTsConfig: true, compilerOptions: { allowJs: false } });
project.addSourceFilesAtPaths(["grammar", "runtime", "compiler"].map((folder) => join(root, folder, "**/*.ts")));
const files = project.getSourceFiles().filter((file) => !file.getBaseName().endsWith(".d.ts"));
const nameOf = (path: string) => relative(root, path).replaceAll("\\", "/");
const floorOf = (name: string) => floors.findIndex((floor) => name === floor || name.startsWith(`${floor}/`));

/** Every import and re-export, `import()` and `import("..")` types included. */
function imports(file: (typeof files)[number]): string[] {
  const texts = [...file.getImportDeclarations(), ...file.getExportDeclarations()].map((d) =>
    d.getModuleSpecifierValue(),
  );
  for (const call of file.getDescendantsOfKind(SyntaxKind.CallExpression)) {
    const argument = call.getArguments()[0]?.asKind(SyntaxKind.StringLiteral);
    if (call.getExpression().getKind() === SyntaxKind.ImportKeyword && argument) texts.push(argument.getLiteralValue());
  }
  return texts.filter((text): text is string => text !== undefined);
}
const graph = new Map(files.map((file) => [nameOf(file.getFilePath()), imports(file)]));
const localImports = (name: string) =>
  (graph.get(name) ?? [])
    .filter((text) => text.startsWith("."))
    .map((text) => nameOf(resolve(root, dirname(name), text)));

describe("architecture", () => {
  test("every file stands on a floor", () => {
    expect([...graph.keys()].filter((name) => floorOf(name) < 0)).toEqual([]);
  });

  test("imports go up only", () => {
    const wrong = [...graph.keys()].flatMap((name) =>
      localImports(name)
        .filter((target) => floorOf(target) > floorOf(name))
        .map((target) => `${name} -> ${target}`),
    );
    expect(wrong).toEqual([]);
  });

  test("the runtime imports nothing of the compiler or of the grammar", () => {
    const wrong = [...graph.keys()]
      .filter((name) => name.startsWith("runtime/"))
      .flatMap((name) =>
        localImports(name)
          .filter((target) => !target.startsWith("runtime/"))
          .map((target) => `${name} -> ${target}`),
      );
    expect(wrong).toEqual([]);
  });

  test("what goes into bundles has no dependency", () => {
    const wrong = [...graph.keys()]
      .filter((name) => name.startsWith("runtime/") && !name.startsWith("runtime/node/"))
      .flatMap((name) => [
        ...(graph.get(name) ?? []).filter((text) => !text.startsWith(".")).map((text) => `${name} -> ${text}`),
        ...localImports(name)
          .filter((target) => target.startsWith("runtime/node/"))
          .map((target) => `${name} -> ${target}`),
      ]);
    expect(wrong).toEqual([]);
  });

  test("there is no import cycle", () => {
    const done = new Set<string>();
    const path: string[] = [];
    const cycles: string[] = [];
    const visit = (name: string): void => {
      if (path.includes(name)) {
        cycles.push([...path.slice(path.indexOf(name)), name].join(" -> "));
        return;
      }
      if (done.has(name)) return;
      path.push(name);
      for (const target of localImports(name)) if (graph.has(target)) visit(target);
      path.pop();
      done.add(name);
    };
    for (const name of graph.keys()) visit(name);
    expect(cycles).toEqual([]);
  });

  test("only the command line, the language server and runtime/node touch files, network or console", () => {
    const allowed = (name: string) =>
      /^(grammar\/generate\.ts|compiler\/(cli|lsp|diagnostics\/generate\.ts)|runtime\/node)/.test(name);
    const wrong = files
      .map((file) => ({ name: nameOf(file.getFilePath()), text: file.getFullText() }))
      .filter(({ name }) => !allowed(name))
      .filter(
        ({ name, text }) =>
          (graph.get(name) ?? []).some((target) => /^node:(fs|http|https|net|child_process)/.test(target)) ||
          /\bconsole\./.test(text),
      )
      .map(({ name }) => name);
    expect(wrong).toEqual([]);
  });

  test("no file passes 400 lines without a reason", () => {
    const wrong = files
      .map((file) => ({ name: nameOf(file.getFilePath()), lines: file.getFullText().split("\n").length - 1 }))
      .filter(({ name, lines }) => lines > 400 && !(name in long))
      .map(({ name, lines }) => `${name}: ${lines}`);
    expect(wrong).toEqual([]);
  });
});

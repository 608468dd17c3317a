/** Every folder of `examples/`, by being there: formatted, checked without a warning, its gradients true, code for both targets. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { fileLoader } from "../../compiler/cli/library.ts";
import { checkSource, compile, elaborateSource } from "../../compiler/compile.ts";
import { describeFailure, gradcheck } from "../../compiler/gradcheck/gradcheck.ts";
import { elementCount } from "../../compiler/graph/builder.ts";
import { parse, print } from "../../grammar/parse.ts";
import { published } from "./parameters.ts";
import { sizes } from "./sizes.ts";

const root = join(import.meta.dirname, "../../examples");
const folders = readdirSync(root).filter((folder) => existsSync(join(root, folder, "model.dlx")));
const sourceOf = (folder: string) => {
  const file = join(root, folder, "model.dlx");
  return { file, text: readFileSync(file, "utf8") };
};

describe.each(folders)("examples/%s", (folder) => {
  const source = sourceOf(folder);
  const loader = fileLoader(source.file);
  const { set = {}, model, block } = sizes[folder] ?? {};
  const options = {
    set,
    ...(model !== undefined && { models: [model] }),
    ...(block !== undefined && { blocks: [block] }),
  };

  test("is formatted and has a README", () => {
    expect(print(parse(source).module)).toBe(source.text);
    expect(readFileSync(join(root, folder, "README.md"), "utf8")).toContain(`examples/${folder}/`);
    expect(Object.keys(sizes)).toContain(folder);
  });

  test("checks", () => {
    const found = checkSource(source, loader);
    expect(found.map(({ code, message }) => `${code} ${message}`)).toEqual([]);
  });

  test("has the gradients that differences measure", () => {
    const { program } = elaborateSource(source, loader, options);
    if (!program) throw new Error("it does not elaborate");
    const { failures, agreed } = gradcheck(program, { runs: 1, seed: 1, seconds: 5 });
    expect(failures.map(describeFailure)).toEqual([]);
    expect(agreed).toBeGreaterThan(0);
  });

  test("compiles for both targets", () => {
    const { compiled, diagnostics } = compile(source, loader, { ...options, relaxed: false });
    expect(diagnostics).toEqual([]);
    expect(compiled?.wasm?.length).toBeGreaterThan(0);
    expect(compiled?.wgsl?.length).toBeGreaterThan(0);
  });
});

test.each(published)("examples/%s: %s has %i parameters", (folder, model, parameters) => {
  const source = sourceOf(folder);
  const options = { models: [model], blocks: [], calls: [] };
  const { program } = elaborateSource(source, fileLoader(source.file), options);
  const own = (program?.persistent ?? []).filter(
    ({ role, path }) => role === "parameter" && path.startsWith(`${model}.`),
  );
  expect(own.reduce((total, { shape }) => total + elementCount(shape), 0)).toBe(parameters);
});

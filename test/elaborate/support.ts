/** Programs from texts, with the library from the checkout. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { Diagnostic } from "../../compiler/diagnostics/index.ts";
import { check } from "../../compiler/elaborate/check.ts";
import { type Elaborated, type ElaborateOptions, elaborate } from "../../compiler/elaborate/elaborate.ts";
import { loadModules, type ModuleLoader } from "../../compiler/elaborate/modules.ts";
import type { Source } from "../../grammar/span.ts";

const root = resolve(import.meta.dirname, "../..");

export const library: ModuleLoader = {
  load(path, quoted, from) {
    if (quoted) {
      const file = join(dirname(from.file), path);
      return existsSync(file) ? [{ file, text: readFileSync(file, "utf8") }] : undefined;
    }
    const folder = join(root, "stdlib", path);
    if (!existsSync(folder)) return undefined;
    return readdirSync(folder)
      .filter((file) => file.endsWith(".dlx"))
      .map((file) => ({ file: `stdlib/${path}/${file}`, text: readFileSync(join(folder, file), "utf8") }));
  },
};

export function sourceOf(text: string, file = "model.dlx"): Source {
  return { file, text };
}
export function elaborateText(
  text: string,
  options: ElaborateOptions = {},
  loader: ModuleLoader = library,
): Elaborated {
  const loaded = loadModules(sourceOf(text), loader);
  if (loaded.diagnostics.length > 0) return { program: undefined, diagnostics: loaded.diagnostics };
  return elaborate(loaded, options);
}

export function checkText(text: string, loader: ModuleLoader = library): readonly Diagnostic[] {
  const loaded = loadModules(sourceOf(text), loader);
  return [...loaded.diagnostics, ...check(loaded)];
}

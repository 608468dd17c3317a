/** Programs from texts, with the library from the checkout. */
import { resolve } from "node:path";
import { fileLoader } from "../../compiler/cli/library.ts";
import type { Diagnostic } from "../../compiler/diagnostics/index.ts";
import { check } from "../../compiler/elaborate/check.ts";
import { type Elaborated, type ElaborateOptions, elaborate } from "../../compiler/elaborate/elaborate.ts";
import { loadModules, type ModuleLoader } from "../../compiler/elaborate/modules.ts";
import type { Source } from "../../grammar/span.ts";

/** The checkout's library; files beside the program stand in the checkout. */
export const library = fileLoader(resolve(import.meta.dirname, "../../model.dlx"));

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

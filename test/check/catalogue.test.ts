/** Every entry of the catalogue about names, shapes, derivatives and limits: its bad example says so, its good one is good. */
import { describe, expect, test } from "vitest";
import { catalogue } from "../../compiler/diagnostics/index.ts";
import { check } from "../../compiler/elaborate/check.ts";
import { elaborate } from "../../compiler/elaborate/elaborate.ts";
import { loadModules, type ModuleLoader } from "../../compiler/elaborate/modules.ts";
import { library, sourceOf } from "../elaborate/support.ts";

/** Modules that examples import: one that imports itself, two that clash. */
const loader: ModuleLoader = {
  load(path, quoted, from) {
    if (path === "./cycle.dlx") return [{ file: "cycle.dlx", text: 'import "./cycle.dlx"' }];
    if (path === "loss" && from.file === "clash.dlx")
      return [{ file: "stdlib/loss/loss.dlx", text: "fn softmax(x: f32[N, C]) -> f32[N, C] = x" }];
    return library.load(path, quoted, from);
  },
};

function codesOf(text: string, file: string): { checked: string[]; built: string[] } {
  const loaded = loadModules(sourceOf(text, file), loader);
  const found = loaded.diagnostics.map(({ code }) => code);
  if (found.length > 0) return { checked: found, built: found };
  return {
    checked: check(loaded).map(({ code }) => code),
    built: elaborate(loaded).diagnostics.map(({ code }) => code),
  };
}
/** A size that nobody chose is no mistake as long as it stays a symbol. */
const whenBuilt = new Set(["E0318"]);

const mine = Object.values(catalogue).filter(({ code }) => /^(E02|E03|E04|E051|W01)/.test(code));

describe("catalogue", () => {
  test.each(mine.map((entry) => [entry.code, entry] as const))("%s", (code, { bad, good }) => {
    const file = code === "E0211" ? "clash.dlx" : "model.dlx";
    const found = codesOf(bad, file);
    expect(whenBuilt.has(code) ? found.built : found.checked).toContain(code);
    expect(codesOf(good, file)).toEqual({ checked: [], built: [] });
  });
});

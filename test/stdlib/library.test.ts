/**
 * Every name of the standard library: documented by an example that compiles; and, with random configurations and shapes,
 * the same in the reference, optimised and on WebAssembly, its gradients the slopes that differences measure. What it
 * refuses, it refuses while compiling, with its own message.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkSource } from "../../compiler/compile.ts";
import { createWasmDevice } from "../../runtime/wasm/device.ts";
import { library, sourceOf } from "../elaborate/support.ts";
import {
  compiled,
  expectGradients,
  expectSameOn,
  expectSameOptimized,
  parameters,
  pointsOf,
} from "../properties/checks.ts";
import { Choices } from "../support/random-body.ts";
import { examplesOf, libraryNames } from "./names.ts";
import { rows } from "./rows.ts";

const deep = process.env.DLX_DEEP !== undefined;
// A smaller seed is no smaller case.
const seeds = fc.noShrink(fc.nat(2 ** 31 - 1));
const names = libraryNames.map((name) => [name.declaration.name.text, name] as const);

test("names are one library's", () => {
  expect(names.map(([name]) => name)).toEqual([...new Set(names.map(([name]) => name))]);
  expect(Object.keys(rows).filter((name) => !names.some(([known]) => known === name))).toEqual([]);
});

describe.each(names)("%s", (name, declared) => {
  const row = rows[name];

  test("is documented, with an example that compiles", () => {
    const examples = examplesOf(declared);
    expect(examples.length).toBeGreaterThan(0);
    for (const example of examples) {
      expect(example).toMatch(new RegExp(`\\b${name}\\b`));
      const found = checkSource(sourceOf(example), library);
      expect(found.map(({ severity, code, message }) => `${severity} ${code}: ${message}`)).toEqual([]);
    }
  });

  test("computes and is differentiated alike everywhere", { timeout: 3_600_000 }, async () => {
    if (!row) throw new Error(`${name} has no row in test/stdlib/rows`);
    await fc.assert(
      fc.asyncProperty(seeds, seeds, async (chosen, seed) => {
        const text = row.program(new Choices(chosen));
        expect(text).toMatch(new RegExp(`\\b${name}\\b`));
        try {
          const all = compiled({ text, batch: 2 }, "wasm");
          const points = pointsOf(all, seed);
          for (const point of points) expectSameOptimized(point);
          await expectSameOn(await createWasmDevice(all.manifest, all.wasm as Uint8Array<ArrayBuffer>), all, points, 3);
          if (!row.surrogate) expectGradients(all.program, seed);
        } catch (error) {
          if (error instanceof Error && !(error instanceof fc.PreconditionFailure)) error.message += `\nin\n${text}`;
          throw error;
        }
      }),
      parameters(deep ? 40 : 1),
    );
  });

  test("is differentiated twice, or says why not", () => {
    const texts = Array.from({ length: 16 }, (_, seed) => row?.program(new Choices(seed)) ?? "");
    if (!texts.some((text) => text.includes("fn weighed("))) return;
    expect(texts.some((text) => text.includes("fn second_by_"))).toBe(row?.once === undefined);
  });

  const refused = Object.entries(row?.refuses ?? {});
  if (refused.length === 0) return;
  test.each(refused)("refuses %s", (_, [text, message]) => {
    const errors = checkSource(sourceOf(text), library).filter(({ severity }) => severity === "error");
    expect(errors.map((error) => error.message).join("\n")).toContain(message);
    // At the user's line, not inside of the library.
    expect(errors.map(({ source }) => source.file)).toEqual(errors.map(() => "model.dlx"));
  });
});

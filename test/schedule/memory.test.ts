/** The memory plan: what a launch reads is still what was written there, and the arena is near its lower bound. */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fileLoader } from "../../compiler/cli/library.ts";
import { elaborateSource } from "../../compiler/compile.ts";
import { optimizeProgram, planned } from "../../compiler/pipeline.ts";
import { allocate, lowerBound } from "../../compiler/schedule/allocate.ts";
import type { Interval } from "../../compiler/schedule/liveness.ts";
import { expectNothingLost } from "../support/nothing-lost.ts";
import { randomGraph } from "../support/random-graph.ts";

for (const target of ["cpu", "gpu"] as const)
  test(`no live memory of a random graph is overwritten (${target})`, () => {
    fc.assert(
      fc.property(randomGraph({ maximumNodes: 10 }), ({ graph }) => expectNothingLost(graph, target)),
      { numRuns: 60 },
    );
  });

const intervals = fc.array(
  fc.record({ first: fc.nat(30), length: fc.nat(10), bytes: fc.integer({ min: 1, max: 1000 }) }),
  { maxLength: 40 },
);

test("intervals that overlap in time are disjoint in memory", () => {
  fc.assert(
    fc.property(
      intervals,
      fc.constantFrom(16, 256),
      fc.constantFrom(1024, Number.POSITIVE_INFINITY),
      (list, alignment, limit) => {
        const all: Interval[] = list.map(({ first, length, bytes }, k) => ({
          key: `scratch ${k}`,
          bytes,
          first,
          last: first + length,
        }));
        const { places, chunks } = allocate(all, alignment, limit);
        for (const [k, a] of all.entries()) {
          const at = places[k]!;
          expect(at.offset % alignment).toBe(0);
          expect(at.offset + a.bytes).toBeLessThanOrEqual(chunks[at.chunk]!);
          for (const [l, b] of all.entries()) {
            const other = places[l]!;
            if (l >= k || a.first > b.last || b.first > a.last || at.chunk !== other.chunk) continue;
            expect(at.offset + a.bytes <= other.offset || other.offset + b.bytes <= at.offset).toBe(true);
          }
        }
        const total = chunks.reduce((sum, bytes) => sum + bytes, 0);
        expect(total).toBeGreaterThanOrEqual(lowerBound(all, alignment));
      },
    ),
    { numRuns: 200 },
  );
});

describe.each([
  ["lenet", undefined],
  ["spirals", undefined],
  // Small, because the shapes of its deep chain of layers matter and not their sizes.
  ["resnet20", "2"],
])("examples/%s", (name, batch) => {
  const file = `examples/${name}/model.dlx`;
  const settings = batch === undefined ? {} : { set: { batch } };
  const { program } = elaborateSource({ file, text: readFileSync(file, "utf8") }, fileLoader(file), settings);
  const optimized = optimizeProgram(program!, false);
  test.each(["cpu", "gpu"] as const)("memory is near what is in use at one time (%s)", (target) => {
    for (const entry of planned(optimized, target).entries) {
      if (entry === null) continue;
      expect(entry.arenaBytes, entry.name).toBeLessThanOrEqual(1.1 * entry.lowerBound);
      expect(entry.arenaBytes, entry.name).toBeGreaterThanOrEqual(entry.lowerBound);
    }
  });
});

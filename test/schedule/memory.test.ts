/** The memory plan: what a launch reads is still what was written there, and the arena is near its lower bound. */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fileLoader } from "../../compiler/cli/library.ts";
import { elaborateSource } from "../../compiler/compile.ts";
import type { Graph } from "../../compiler/graph/graph.ts";
import { optimizeProgram, planned } from "../../compiler/pipeline.ts";
import { allocate, lowerBound } from "../../compiler/schedule/allocate.ts";
import type { Interval } from "../../compiler/schedule/liveness.ts";
import { keyOf } from "../../compiler/schedule/liveness.ts";
import type { PlacedStep } from "../../compiler/schedule/plan.ts";
import { planTarget } from "../../compiler/schedule/plan.ts";
import type { Step } from "../../compiler/schedule/program.ts";
import { schedule } from "../../compiler/schedule/schedule.ts";
import { randomGraph } from "../support/random-graph.ts";
import { programOf } from "../support/run-cpu.ts";

/** Plays all launches over a map from words to the memory that was last written there. */
function expectNothingLost(graph: Graph, target: "cpu" | "gpu"): void {
  const scheduled = schedule(graph, target);
  const { plan, entries } = planTarget(programOf(graph), [scheduled], target);
  const owners: unknown[] = [];
  const [entryPlan] = plan.entries;
  const memoryOf = (tensor: unknown): unknown => {
    for (const [alias, place] of scheduled.aliases) if (alias === tensor) return keyOf(place);
    return tensor;
  };
  let count = 0;
  for (const { tensor, role } of graph.inputs) {
    if (role !== "argument" && role !== "knob") continue;
    const at = entryPlan!.inputs[count++]!;
    for (let word = at.offset / 4; word < (at.offset + at.bytes) / 4; word++) owners[word] = memoryOf(tensor);
  }
  const play = (steps: readonly Step[], placed: readonly PlacedStep[]): void => {
    for (const [k, step] of steps.entries()) {
      const here = placed[k]!;
      if (step.kind === "repeat" || here.kind === "repeat") {
        if (step.kind !== "repeat" || here.kind !== "repeat") throw new Error("plan and schedule differ");
        for (let i = 0; i < step.length; i++) play(step.steps, here.steps);
        continue;
      }
      const uses = step.dispatch.buffers.map((place, b) => {
        const skipped = place.kind === "tensor" ? place.offset * 4 : 0;
        const at = here.dispatch.buffers[b]!;
        return { key: keyOf(place), from: (at.offset - skipped) / 4, to: (at.offset + at.bytes) / 4, at };
      });
      for (const [b, { key, from, to, at }] of uses.entries()) {
        const { access } = step.dispatch.kernel.buffers[b]!;
        // Scratch that one launch both writes and reads begins empty.
        const ownScratch = access === "read_write" && step.dispatch.buffers[b]!.kind === "scratch";
        if (at.space !== "arena" || access === "write" || ownScratch) continue;
        for (let word = from; word < to; word++)
          if (owners[word] !== key) throw new Error(`${step.dispatch.label}: word ${word} was overwritten`);
      }
      for (const [b, { key, from, to, at }] of uses.entries())
        if (at.space === "arena" && step.dispatch.kernel.buffers[b]!.access !== "read")
          for (let word = from; word < to; word++) owners[word] = key;
      for (const at of here.locals.filter(({ perThread }) => !perThread))
        for (let word = at.offset / 4; word < (at.offset + at.bytes) / 4; word++) owners[word] = at;
    }
  };
  play(scheduled.steps, entries[0]!.steps);
  let results = 0;
  for (const { tensor, role } of scheduled.graph.outputs) {
    if (role !== "result" && role !== "loss" && role !== "metric") continue;
    const at = entryPlan!.outputs[results++]!;
    if (at.space !== "arena") continue;
    for (let word = at.offset / 4; word < (at.offset + at.bytes) / 4; word++)
      expect(owners[word]).toBe(memoryOf(tensor));
  }
}

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

/** The memory plan of a graph, played: what a launch reads is still what was written there. */
import { expect } from "vitest";
import type { Graph } from "../../compiler/graph/graph.ts";
import { keyOf } from "../../compiler/schedule/liveness.ts";
import type { PlacedStep } from "../../compiler/schedule/plan.ts";
import { planTarget } from "../../compiler/schedule/plan.ts";
import type { Step } from "../../compiler/schedule/program.ts";
import { schedule } from "../../compiler/schedule/schedule.ts";
import { programOf } from "./run-cpu.ts";

/** Plays all launches over a map from words to the memory that was last written there. */
export function expectNothingLost(graph: Graph, target: "cpu" | "gpu"): void {
  const scheduled = schedule(graph, target);
  const { plan, entries } = planTarget(programOf(graph), [scheduled], target);
  const owners: unknown[] = [];
  const [entryPlan] = plan.entries;
  const memoryOf = (tensor: unknown): unknown => {
    for (const [alias, place] of scheduled.aliases) if (alias === tensor) return keyOf(place);
    return tensor;
  };
  const seen = new Set<unknown>(graph.inputs.map(({ tensor }) => memoryOf(tensor)));
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
        // What no launch has touched begins empty, also where this one reads again what it writes.
        const begins = access === "read_write" && (!seen.has(key) || step.dispatch.buffers[b]!.kind === "scratch");
        if (at.space !== "arena" || access === "write" || begins) continue;
        for (let word = from; word < to; word++)
          if (owners[word] !== key) throw new Error(`${step.dispatch.label}: word ${word} was overwritten`);
      }
      for (const { key } of uses) seen.add(key);
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

/** Kernels as threads share them: which loops are worth it, and the machine code of their phases. */
import type { Expression, For, Kernel, Statement } from "../../kernel/ir.ts";
import { expressionsOf, operandsOf } from "../../kernel/map.ts";
import type { Phase } from "../../kernel/phases.ts";
import { phasesWithin } from "../../kernel/phases.ts";
import { Lowering } from "./lower.ts";
import type { Local, MachineFunction, Value } from "./machine.ts";
import { addValues, get, multiplyValues, newRegion, number, operation } from "./region.ts";

export interface Lowered {
  readonly machine: MachineFunction;
  /** Whether anything was fused, or would have been. */
  readonly fusible: boolean;
}

export function lowerKernel(kernel: Kernel, relaxed: boolean, leastWork: number): Lowered {
  const lowering = new Lowering(kernel, relaxed);
  const phases = phasesWithin(kernel, (loop) => workOf([loop]) >= leastWork);
  const split = phases.some(({ kind }) => kind === "split");
  if (split) new PhaseWriter(lowering).write(phases);
  else lowering.block(kernel.body);
  const { parameters, fusible } = lowering;
  return { machine: { name: kernel.name, split, parameters, body: lowering.values.root.code }, fusible };
}

/** Operations of a loop from which on two threads are faster than one: some 3 us, where a barrier takes half of one. */
export const splitFrom = 8000;
/** Of a loop whose bounds come with the call. */
const unknownTrips = 1024;

function workOf(statements: readonly Statement[]): number {
  let work = 0;
  for (const s of statements) {
    for (const e of expressionsOf(s)) work += operationsIn(e);
    if (s.kind === "store") work++;
    if (s.kind === "for") work += tripsOf(s) * (1 + workOf(s.body));
    if (s.kind === "if") work += Math.max(workOf(s.then), workOf(s.otherwise));
  }
  return work;
}
function tripsOf({ from, to, step }: For): number {
  if (from.kind !== "constant" || to.kind !== "constant") return unknownTrips;
  return Math.max(0, Math.ceil((to.value - from.value) / step));
}
function operationsIn(e: Expression): number {
  const own = e.kind === "constant" || e.kind === "variable" ? 0 : 1;
  return operandsOf(e).reduce((sum, operand) => sum + operationsIn(operand), own);
}

const thread: Value = { kind: "global", slot: "i32", name: "thread" };

class PhaseWriter {
  readonly #lowering: Lowering;
  /** What threads have done since they last waited for each other. */
  #since: "nothing" | "serial" | "split" = "nothing";

  constructor(lowering: Lowering) {
    this.#lowering = lowering;
  }

  write(phases: readonly Phase[]): void {
    for (const phase of phases) {
      switch (phase.kind) {
        case "everywhere":
          if (phase.reads) this.#begin("split");
          this.#lowering.block([phase.statement]);
          break;
        case "serial":
          this.#begin("serial");
          this.#byFirst(phase.statements);
          break;
        case "split":
          this.#begin("split");
          this.#share(phase.loop);
          break;
        default:
          phase satisfies never;
      }
    }
  }

  #begin(kind: "serial" | "split"): void {
    const { root } = this.#lowering.values;
    const goesOn = this.#since === "nothing" || (this.#since === "serial" && kind === "serial");
    if (!goesOn) root.code.push({ kind: "barrier" });
    this.#since = kind;
  }

  #byFirst(statements: readonly Statement[]): void {
    const { root } = this.#lowering.values;
    const region = newRegion(root, true);
    this.#lowering.within(region, () => this.#lowering.block(statements));
    root.code.push({ kind: "branch", condition: operation("i32.eqz", "i32", [thread]), yes: region.code, no: [] });
  }

  /** Iterations as the thread takes them, some at a time. */
  #share(loop: For): void {
    const { values } = this.#lowering;
    const { root, placement } = values;
    const [from, to] = [this.#lowering.integer(loop.from), this.#lowering.integer(loop.to)];
    const { step } = loop;
    const distance = addValues(to, multiplyValues(from, number(-1)));
    const count: Value =
      from.kind === "number" && to.kind === "number"
        ? number(Math.max(0, Math.ceil((to.value - from.value) / step)))
        : operation("i32.div_s", "i32", [addValues(distance, number(step - 1)), number(step)]);
    const total = count.kind === "number" ? count : placement.set(root, count, "count");
    const first: Local = { slot: "i32", hint: "first" };
    const trips: Local = { slot: "i32", hint: "trips" };
    const region = newRegion(root);
    this.#lowering.within(region, () => {
      const start = placement.set(region, addValues(from, multiplyValues(get(first), number(step))), "from");
      const end = addValues(start, multiplyValues(get(trips), number(step)));
      this.#lowering.loop(loop, { from: start, to: end, trips: get(trips) });
    });
    root.code.push({ kind: "claims", count: total, first, trips, body: region.code });
  }
}

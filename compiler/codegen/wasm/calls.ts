/** The function of an entry: its calls of kernels in order, which of them all threads make, and where they wait. */
import { invariant } from "../../invariant.ts";
import type { Kernel } from "../../kernel/ir.ts";
import type { FunctionCode } from "./encode.ts";
import { Bytes } from "./encode.ts";
import { barrierIndex, globalIndex } from "./threads.ts";

/**
 * A number, or one that moves by `advance[k]` with every iteration of the k-th enclosing repeat, outermost first, and by
 * `perThread` with the number of the thread.
 */
export type CallArgument =
  | number
  | { readonly base: number; readonly advance?: readonly number[]; readonly perThread?: number };
export interface KernelCall {
  readonly kind: "call";
  readonly kernel: Kernel;
  /** Byte addresses of the buffers, then scalars, then byte addresses of the kernel's own scratch memory. */
  readonly args: readonly CallArgument[];
}
export interface RepeatedCalls {
  readonly kind: "repeat";
  readonly length: number;
  readonly steps: readonly CallStep[];
}
export type CallStep = KernelCall | RepeatedCalls;

/** Where a module has the function of a kernel, and whether all threads call it. */
export type FunctionOf = (kernel: Kernel) => { readonly at: number; readonly split: boolean };

/** What threads do one after another. */
type Move =
  | { readonly kind: "barrier" }
  /** By the first thread alone. */
  | { readonly kind: "serial"; readonly steps: CallStep[] }
  | { readonly kind: "split"; readonly call: KernelCall }
  | { readonly kind: "repeat"; readonly length: number; readonly moves: readonly Move[] };

export function writeCalls(
  steps: readonly CallStep[],
  functionOf: FunctionOf,
): { readonly split: boolean; readonly code: FunctionCode } {
  const writer = new CallWriter(functionOf);
  const split = steps.some(isSplit(functionOf));
  if (split) writer.moves(movesOf(steps, functionOf), 0);
  else writer.steps(steps, 0);
  const { locals, out } = writer;
  return { split, code: { type: { parameters: [] }, locals, instructions: out.finish() } };
}

const isSplit =
  (functionOf: FunctionOf) =>
  (step: CallStep): boolean =>
    step.kind === "call" ? functionOf(step.kernel).split : step.steps.some(isSplit(functionOf));

/** Threads wait before calls that all make, and after them; calls of the first alone need no waiting between them. */
function movesOf(steps: readonly CallStep[], functionOf: FunctionOf): Move[] {
  const moves: Move[] = [];
  const wait = (): void => {
    const last = moves.at(-1);
    if (last !== undefined && last.kind !== "barrier" && last.kind !== "repeat") moves.push({ kind: "barrier" });
  };
  for (const step of steps) {
    const last = moves.at(-1);
    if (!isSplit(functionOf)(step)) {
      if (last?.kind === "serial") last.steps.push(step);
      else {
        wait();
        moves.push({ kind: "serial", steps: [step] });
      }
      continue;
    }
    wait();
    if (step.kind === "call") moves.push({ kind: "split", call: step });
    else moves.push({ kind: "repeat", length: step.length, moves: movesOf(step.steps, functionOf) });
  }
  // An iteration, and the whole, ends when all are done. A repeat has waited at the end of its last iteration.
  wait();
  return moves;
}

const code = { loop: 0x03, if: 0x04, end: 0x0b, branchIf: 0x0d, call: 0x10, get: 0x20, set: 0x21 } as const;
const none = 0x40;

class CallWriter {
  readonly out = new Bytes();
  /** One counter for each nesting depth. */
  readonly locals: "i32"[] = [];
  readonly #functionOf: FunctionOf;

  constructor(functionOf: FunctionOf) {
    this.#functionOf = functionOf;
  }

  moves(moves: readonly Move[], depth: number): void {
    const { out } = this;
    for (const move of moves) {
      switch (move.kind) {
        case "barrier":
          out.byte(code.call);
          out.u32(barrierIndex);
          break;
        case "serial":
          this.#global("thread");
          out.instruction("i32.eqz");
          out.byte(code.if, none);
          this.steps(move.steps, depth);
          out.byte(code.end);
          break;
        case "split":
          this.#call(move.call, depth);
          break;
        case "repeat":
          this.#repeat(move.length, depth, () => this.moves(move.moves, depth + 1));
          break;
        default:
          move satisfies never;
      }
    }
  }

  steps(steps: readonly CallStep[], depth: number): void {
    for (const step of steps) {
      if (step.kind === "call") this.#call(step, depth);
      else this.#repeat(step.length, depth, () => this.steps(step.steps, depth + 1));
    }
  }

  #repeat(length: number, depth: number, write: () => void): void {
    if (length <= 0) return;
    const { out, locals } = this;
    if (locals.length <= depth) locals.push("i32");
    this.#constant(0);
    this.#local(code.set, depth);
    out.byte(code.loop, none);
    write();
    this.#local(code.get, depth);
    this.#constant(1);
    out.instruction("i32.add");
    this.#local(code.set, depth);
    this.#local(code.get, depth);
    this.#constant(length);
    out.instruction("i32.ne");
    out.byte(code.branchIf, 0, code.end);
  }

  #call({ kernel, args }: KernelCall, depth: number): void {
    const { out } = this;
    const wanted = kernel.buffers.length + kernel.scalars.length + kernel.locals.length;
    invariant(args.length === wanted, `${kernel.name} takes ${wanted} arguments, not ${args.length}`);
    for (const argument of args) {
      const { base, advance = [], perThread = 0 } = typeof argument === "number" ? { base: argument } : argument;
      this.#constant(base);
      for (const [k, amount] of advance.entries()) {
        if (amount === 0) continue;
        invariant(k < depth, `${kernel.name} moves with a repeat that does not enclose it`);
        this.#moved(amount, () => this.#local(code.get, k));
      }
      if (perThread !== 0) this.#moved(perThread, () => this.#global("thread"));
    }
    out.byte(code.call);
    out.u32(this.#functionOf(kernel).at);
  }

  /** Adds a multiple of what is written to the number on the stack. */
  #moved(amount: number, write: () => void): void {
    write();
    this.#constant(amount);
    this.out.instruction("i32.mul");
    this.out.instruction("i32.add");
  }
  #constant(value: number): void {
    this.out.byte(0x41);
    this.out.i32(value);
  }
  #local(opcode: number, which: number): void {
    this.out.byte(opcode);
    this.out.u32(which);
  }
  #global(name: "thread" | "threads"): void {
    this.out.byte(0x23, globalIndex[name]);
  }
}

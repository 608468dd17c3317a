/** One WebAssembly module for a whole program: a function for every distinct kernel, an export for every entry. */
import { invariant } from "../../invariant.ts";
import type { Kernel } from "../../kernel/ir.ts";
import type { EncodedModule, FunctionCode } from "./encode.ts";
import { Bytes, encodeParts } from "./encode.ts";
import { KernelLibrary } from "./library.ts";
import type { MachineFunction } from "./machine.ts";

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

export interface ModuleSpec {
  /**
   * The k-th is exported as `entry${k}`; it takes nothing and returns nothing. An `exact` one has the same bits in every
   * module of the program: nothing in it is fused.
   */
  readonly entries: readonly { readonly name: string; readonly steps: readonly CallStep[]; readonly exact?: boolean }[];
  /** All memory that the calls touch, in bytes. */
  readonly memoryBytes: number;
  readonly data?: readonly { readonly address: number; readonly bytes: Uint8Array }[];
  /** Fused multiply-add of relaxed SIMD. */
  readonly relaxed: boolean;
  /** Names of functions in the module, for profiles. */
  readonly names?: boolean;
  /** What other modules of the program have compiled already. */
  readonly library?: KernelLibrary;
}

const pageBytes = 65536;
const mostPages = 65536;

export function memoryPages(memoryBytes: number): number {
  return Math.max(1, Math.ceil(memoryBytes / pageBytes));
}

export function encodeModule(spec: ModuleSpec): EncodedModule {
  const functions = new FunctionTable(spec.library ?? new KernelLibrary());
  const exports = spec.entries.map((entry, k) => {
    const instructions = new Bytes();
    const locals: "i32"[] = [];
    const relaxed = spec.relaxed && entry.exact !== true;
    writeSteps(entry.steps, (kernel) => functions.kernel(kernel, relaxed), instructions, 0, locals);
    const at = functions.add(entry.name, { type: { parameters: [] }, locals, instructions: instructions.finish() });
    return { name: `entry${k}`, function: at };
  });
  const minimum = memoryPages(spec.memoryBytes);
  return encodeParts({
    memory: { minimum, maximum: mostPages, shared: false },
    functions: functions.list,
    exports,
    data: spec.data ?? [],
    names: spec.names ? functions.names : [],
  });
}

class FunctionTable {
  readonly list: FunctionCode[] = [];
  readonly names: string[] = [];
  readonly #library: KernelLibrary;
  readonly #byText = new Map<string, number>();
  readonly #machines = new Map<MachineFunction, number>();

  constructor(library: KernelLibrary) {
    this.#library = library;
  }

  /** The index of a function; equal code is one function. */
  add(name: string, f: FunctionCode): number {
    const text = `${f.type.parameters.join()};${f.locals.join()};${binary.decode(f.instructions)}`;
    const known = this.#byText.get(text);
    if (known !== undefined) return known;
    const at = this.list.push(f) - 1;
    this.names.push(name);
    this.#byText.set(text, at);
    return at;
  }

  kernel(kernel: Kernel, relaxed: boolean): number {
    return this.#machine(this.#library.machine(kernel, relaxed));
  }
  #machine(f: MachineFunction): number {
    const known = this.#machines.get(f);
    if (known !== undefined) return known;
    const at = this.add(
      f.name,
      this.#library.encoded(f, (callee) => this.#machine(callee)),
    );
    this.#machines.set(f, at);
    return at;
  }
}

/** A character for every byte. */
const binary = new TextDecoder("latin1");

const code = { loop: 0x03, end: 0x0b, branchIf: 0x0d, call: 0x10, get: 0x20, set: 0x21, constant: 0x41 } as const;

function writeSteps(
  steps: readonly CallStep[],
  functionOf: (kernel: Kernel) => number,
  out: Bytes,
  depth: number,
  locals: "i32"[],
): void {
  for (const step of steps) {
    if (step.kind === "repeat") {
      if (step.length <= 0) continue;
      // One counter for each nesting depth.
      if (locals.length <= depth) locals.push("i32");
      out.byte(code.constant, 0, code.set);
      out.u32(depth);
      out.byte(code.loop, 0x40);
      writeSteps(step.steps, functionOf, out, depth + 1, locals);
      out.byte(code.get);
      out.u32(depth);
      out.byte(code.constant, 1);
      out.instruction("i32.add");
      out.byte(code.set);
      out.u32(depth);
      out.byte(code.get);
      out.u32(depth);
      out.byte(code.constant);
      out.i32(step.length);
      out.instruction("i32.ne");
      out.byte(code.branchIf, 0, code.end);
      continue;
    }
    const { kernel, args } = step;
    const wanted = kernel.buffers.length + kernel.scalars.length + kernel.locals.length;
    invariant(args.length === wanted, `${kernel.name} takes ${wanted} arguments, not ${args.length}`);
    for (const argument of args) {
      const { base, advance = [] } = typeof argument === "number" ? { base: argument } : argument;
      out.byte(code.constant);
      out.i32(base);
      for (const [k, amount] of advance.entries()) {
        if (amount === 0) continue;
        invariant(k < depth, `${kernel.name} moves with a repeat that does not enclose it`);
        out.byte(code.get);
        out.u32(k);
        out.byte(code.constant);
        out.i32(amount);
        out.instruction("i32.mul");
        out.instruction("i32.add");
      }
    }
    out.byte(code.call);
    out.u32(functionOf(kernel));
  }
}

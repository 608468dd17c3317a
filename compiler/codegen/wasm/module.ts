/** One WebAssembly module for a whole program: a function for every distinct kernel, an export for every entry. */
import type { Kernel } from "../../kernel/ir.ts";
import type { CallStep } from "./calls.ts";
import { writeCalls } from "./calls.ts";
import type { EncodedModule, FunctionCode } from "./encode.ts";
import { encodeParts } from "./encode.ts";
import { KernelLibrary } from "./library.ts";
import type { MachineFunction } from "./machine.ts";
import { awaitChange, barrier, claim, globals, serve, start } from "./threads.ts";

export interface ModuleSpec {
  /**
   * The k-th is exported as `entry${k}`; it takes nothing and returns nothing. An `exact` one has the same bits in every
   * module of the program: nothing in it is fused. Of several threads the first calls it; the others are in `serve`.
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
  functions.add("barrier", barrier());
  functions.add("await", awaitChange());
  functions.add("claim", claim());
  const shared: { entry: number; calls: number }[] = [];
  const exports = spec.entries.map(({ name, steps, exact }, entry) => {
    const relaxed = spec.relaxed && exact !== true;
    const { split, code } = writeCalls(steps, (kernel) => functions.kernel(kernel, relaxed));
    const calls = functions.add(name, code);
    if (split) shared.push({ entry, calls });
    return { name: `entry${entry}`, function: split ? functions.add(`start ${name}`, start(entry, calls)) : calls };
  });
  exports.push({ name: "serve", function: functions.add("serve", serve(shared)) });
  const minimum = memoryPages(spec.memoryBytes);
  return encodeParts({
    memory: { minimum, maximum: mostPages, shared: false },
    functions: functions.list,
    globals,
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

  kernel(kernel: Kernel, relaxed: boolean): { readonly at: number; readonly split: boolean } {
    const machine = this.#library.machine(kernel, relaxed);
    return { at: this.#machine(machine), split: machine.split === true };
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

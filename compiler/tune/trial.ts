/** The ways of a choice as one WebAssembly module over a memory of their own, ready to be timed. */
import { unusedBytes } from "../../runtime/plan.ts";
import type { CallStep } from "../codegen/wasm/calls.ts";
import { encodeModule, memoryPages } from "../codegen/wasm/module.ts";
import { invariant } from "../invariant.ts";
import type { Dispatch, Kernel } from "../kernel/ir.ts";
import type { MemoryKey } from "../schedule/liveness.ts";
import { bytesOf, keyOf, wordBytes } from "../schedule/liveness.ts";
import type { Choice } from "../schedule/options.ts";
import type { Placed } from "../schedule/program.ts";

export interface Trial {
  /** One function for each way: what every call of the program would run again. */
  readonly runs: readonly (() => void)[];
  /** Puts numbers of an ordinary size in place of what runs have made of them. */
  refill(): void;
}

/** Operands beyond this are not tried: beside them nothing else may fit. */
const mostBytes = 2 ** 31;

/** Undefined where the operands are too large. */
export function trialOf(choice: Choice, relaxed: boolean): Trial | undefined {
  const memory = new TrialMemory();
  const built = choice.ways.map((way) => way.build());
  for (const dispatch of built.flat()) memory.add(dispatch);
  if (memory.bytes > mostBytes) return undefined;
  const ways = built.map((dispatches) => {
    const calls = dispatches.map((dispatch) => memory.call(dispatch));
    const prepared = preparing(dispatches, choice);
    return { calls, repeated: calls.filter((_, k) => !prepared.has(dispatches[k]!)) };
  });
  const { bytes } = encodeModule({
    entries: ways.flatMap(({ calls, repeated }, k) => [
      { name: `all${k}`, steps: calls },
      { name: `repeated${k}`, steps: repeated },
    ]),
    memoryBytes: memory.bytes,
    relaxed,
  });
  const shared = new WebAssembly.Memory({ initial: memoryPages(memory.bytes), maximum: 65536 });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(new Uint8Array(bytes)), {
    env: { memory: shared },
  });
  const entry = (k: number): (() => void) => {
    const run = exports[`entry${k}`];
    invariant(typeof run === "function", "a module exports its entries");
    return () => run();
  };
  return {
    runs: ways.map((_, k) => entry(2 * k + 1)),
    refill: () => {
      memory.fill(shared.buffer, choice.constants);
      // Copies of what stays as it is are made once.
      for (const k of ways.keys()) entry(2 * k)();
    },
  };
}

/** The dispatches that depend on nothing that changes between calls. */
function preparing(dispatches: readonly Dispatch<Placed>[], choice: Choice): Set<Dispatch<Placed>> {
  const found = new Set<Dispatch<Placed>>();
  const changing = new Set<number>();
  for (const dispatch of dispatches) {
    const isFixed = (place: Placed): boolean =>
      place.kind === "scratch" ? !changing.has(place.id) : choice.fixed(place.tensor);
    const access = (k: number): string => dispatch.kernel.buffers[k]!.access;
    const once =
      dispatch.buffers.every((place, k) => access(k) === "write" || isFixed(place)) &&
      dispatch.buffers.every((place, k) => access(k) === "read" || place.kind === "scratch");
    if (once) found.add(dispatch);
    else
      for (const [k, place] of dispatch.buffers.entries())
        if (access(k) !== "read" && place.kind === "scratch") changing.add(place.id);
  }
  return found;
}

/** Memories one after another; behind them all, room for what kernels have of their own. */
class TrialMemory {
  readonly #places = new Map<MemoryKey, { readonly at: number; readonly bytes: number }>();
  #end = unusedBytes;
  #locals = 0;

  add({ kernel, buffers }: Dispatch<Placed>): void {
    for (const place of buffers) {
      const bytes = place.kind === "tensor" ? bytesOf(place.tensor) : place.elements * wordBytes;
      if (this.#places.has(keyOf(place))) continue;
      this.#places.set(keyOf(place), { at: this.#end, bytes });
      this.#end = aligned(this.#end + bytes);
    }
    this.#locals = Math.max(this.#locals, localOffsets(kernel).end);
  }

  get bytes(): number {
    return this.#end + this.#locals;
  }

  /** Once everything is added. */
  call({ kernel, buffers, scalars }: Dispatch<Placed>): CallStep {
    const pointers = buffers.map((place) => {
      const { at } = this.#places.get(keyOf(place))!;
      return place.kind === "tensor" ? at + place.offset * wordBytes : at;
    });
    const locals = localOffsets(kernel).offsets.map((offset) => this.#end + offset);
    return { kind: "call", kernel, args: [...pointers, ...scalars, ...locals] };
  }

  /** Floats around 0, zeros elsewhere, which is a valid index of everything; constants are what they are. */
  fill(buffer: ArrayBuffer, constants: Choice["constants"]): void {
    for (const [key, { at, bytes }] of this.#places) {
      const words = new Int32Array(buffer, at, bytes / wordBytes);
      const values = typeof key === "string" ? undefined : constants.get(key);
      if (typeof key !== "string" && values !== undefined) words.set(values);
      else if (typeof key !== "string" && key.type.dtype === "f32")
        ordinary(new Float32Array(buffer, at, words.length));
      else words.fill(0);
    }
  }
}

/** The same numbers every time, none of them subnormal: those would be slow. */
function ordinary(values: Float32Array): void {
  const period = Math.min(values.length, 4096);
  for (let k = 0; k < period; k++) values[k] = ((k * 37) % 101) / 500 - 0.1005;
  for (let filled = period; filled < values.length; filled *= 2) values.copyWithin(filled, 0, filled);
}

const aligned = (bytes: number): number => Math.ceil(bytes / 16) * 16;

function localOffsets({ locals }: Kernel): { readonly offsets: readonly number[]; readonly end: number } {
  let end = 0;
  const offsets = locals.map(({ size }) => {
    const at = end;
    end = aligned(end + size * wordBytes);
    return at;
  });
  return { offsets, end };
}

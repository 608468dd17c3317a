/** What one core can do at most: multiplications and additions that never leave the registers. */
import { encodeModule, memoryPages } from "../codegen/wasm/module.ts";
import { add, KernelBuilder, load, mul } from "../kernel/build.ts";
import type { Kernel } from "../kernel/ir.ts";

const chains = 10;
const repeats = 64 * 1024;

/** Independent chains of multiply and add, enough of them that neither unit waits for a result. */
function peakKernel(): Kernel {
  const k = new KernelBuilder("peak", "cpu");
  const y = k.buffer("y", "f32", "read_write");
  const [a, b] = [k.letIn("a", load(y, "f32", 0, 4)), k.letIn("b", load(y, "f32", 4, 4))];
  const sums = Array.from({ length: chains }, (_, i) => k.declare("sum", load(y, "f32", i * 4, 4)));
  k.forLoop("r", 0, repeats / 1024, 1, () =>
    k.forLoop("i", 0, 1024, 1, () => {
      for (const sum of sums) k.assign(sum, add(mul(a, b), sum));
    }),
  );
  for (const [i, sum] of sums.entries()) k.store(y, i * 4, sum);
  return k.finish();
}

/**
 * Milliseconds of one call: the least over `rounds` milliseconds of short rounds, so that other work on the machine shows
 * less, after a warm-up in which the engine's optimising tier takes over. `refresh` runs before each round, untimed.
 */
export function leastTime(run: () => void, rounds: number, refresh: () => void = () => {}): number {
  refresh();
  for (const end = performance.now() + rounds / 2; performance.now() < end; ) run();
  let least = Number.POSITIVE_INFINITY;
  const end = performance.now() + rounds;
  do {
    refresh();
    const start = performance.now();
    let calls = 0;
    do {
      run();
      calls++;
    } while (performance.now() - start < 1);
    least = Math.min(least, (performance.now() - start) / calls);
  } while (performance.now() < end);
  return least;
}

/** The function that a module exports under the name, on a memory of its own of so many bytes. */
export function instantiate(code: Uint8Array, memoryBytes: number) {
  const memory = new WebAssembly.Memory({ initial: memoryPages(memoryBytes), maximum: 65536 });
  const instance = new WebAssembly.Instance(new WebAssembly.Module(new Uint8Array(code)), { env: { memory } });
  const entry = (name: string): (() => void) => {
    const run = instance.exports[name];
    if (typeof run !== "function") throw new Error(`the module has no ${name}`);
    return () => run();
  };
  return { memory, entry };
}

/** Floating-point operations of one call of `entry0` of `peakModule`. */
export const peakFlops = 2 * 4 * chains * repeats;

/**
 * The module whose `entry0` computes as much as one core can: with `relaxed` fused multiply-adds, else multiplications and
 * additions beside each other. Its numbers start in memory at `at`, where they should be ordinary: subnormal ones are slow.
 */
export function peakModule(relaxed: boolean) {
  const at = 65536;
  const memoryBytes = at + chains * 16;
  const steps = [{ kind: "call", kernel: peakKernel(), args: [at] } as const];
  const { bytes } = encodeModule({ entries: [{ name: "peak", steps }], memoryBytes, relaxed });
  return { bytes, at, numbers: chains * 4, memoryBytes };
}

/** GFLOP/s of one core here, at best. */
export function measuredPeak(relaxed: boolean, milliseconds = 300): number {
  const { bytes, at, numbers, memoryBytes } = peakModule(relaxed);
  const { memory, entry } = instantiate(bytes, memoryBytes);
  new Float32Array(memory.buffer, at, numbers).fill(0.01);
  return peakFlops / leastTime(entry("entry0"), milliseconds) / 1e6;
}

import type { Manifest } from "./plan.ts";

/** Four bytes an element: f32 and f16 as Float32Array, i32/u8 as Int32Array, u32/bool as Uint32Array. */
export type Elements = Float32Array | Int32Array | Uint32Array;

/**
 * What executes a program: WebAssembly, WebGPU, or the reference interpreter. Slots and entries are numbers: positions in
 * `manifest.persistent` and `manifest.entries`. A device runs one call at a time; the session queues.
 */
export interface Device {
  readonly name: "cpu" | "webgpu" | "reference";
  /** Instruction set or adapter (`simd128`, `relaxed-simd`, `nvidia ampere`): results may differ by it in the last bits. */
  readonly details?: string;
  readonly manifest: Manifest;
  writeSlot(slot: number, values: Elements): void;
  readSlot(slot: number): Promise<Elements>;
  /**
   * Uploads the inputs (one for each of the entry's `inputs`), runs the entry and downloads its `outputs`. The arrays
   * returned belong to the caller.
   */
  run(entry: number, inputs: readonly Elements[]): Promise<readonly Elements[]>;
  /** Rejects with a DlxError when the device is lost; never resolves otherwise. */
  readonly lost: Promise<never>;
  dispose(): void;
}

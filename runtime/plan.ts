/**
 * The data that a compiled program is: what the compiler writes, `manifest.json` holds, and every device runs.
 * Offsets and sizes are bytes; an element takes four bytes on every device.
 */
export type DTypeName = "f32" | "f16" | "i32" | "u32" | "bool" | "u8";

export type PersistentRole = "parameter" | "state" | "optimizer" | "step" | "seed";

/** A tensor that outlives calls: weights, layer state, optimizer state, a train block's step counter, the seed. */
export interface PersistentSlot {
  readonly path: string;
  readonly role: PersistentRole;
  /** The train block it belongs to, if it is one block's own. */
  readonly block?: string;
  readonly dtype: DTypeName;
  readonly shape: readonly number[];
  /** Its initial value where that is one constant; otherwise an `initialize` entry computes it. */
  readonly fill?: number;
}

export interface InputSlot {
  readonly name: string;
  readonly dtype: DTypeName;
  readonly shape: readonly number[];
  /** For integers that address something: inclusive bounds, checked before dispatch. */
  readonly bounds?: { readonly min: number; readonly max: number };
  /** Knobs: the value used when the call gives none. */
  readonly default?: number;
  /** Whether axis 0 is N. Without it: whether axis 0 is as long as the batch in every entry of this name. */
  readonly batched?: boolean;
}
export interface OutputSlot {
  readonly name: string;
  /** `total`: one batch's part of a sum over all batches of an evaluation, which a `closing` entry takes. */
  readonly role: "result" | "loss" | "metric" | "total";
  readonly dtype: DTypeName;
  readonly shape: readonly number[];
  readonly batched?: boolean;
}

/** One thing the host can run. */
export interface Entry {
  /** Unique: `LeNet@64`, `saliency`, `lenet.step`, `lenet.evaluate`, `lenet.closing`, `initialize`, `lenet.initialize`. */
  readonly name: string;
  readonly kind: "predict" | "call" | "step" | "evaluate" | "closing" | "initialize";
  /** The model, export fn or train block. */
  readonly of: string;
  /** The value of N, where the program has one. */
  readonly batch?: number;
  readonly inputs: readonly InputSlot[];
  readonly outputs: readonly OutputSlot[];
}

/** Where a tensor lies. `chunk` counts the buffers of a space (WebGPU splits by its binding limit; wasm has one). */
export interface Location {
  readonly space: "persistent" | "arena";
  readonly chunk: number;
  readonly offset: number;
  readonly bytes: number;
}

/**
 * The first bytes of a WebAssembly memory belong to nobody, so that a pointer a little before the element that it is meant
 * for never falls below address 0. They count as persistent memory.
 */
export const unusedBytes = 65536;

/**
 * Byte addresses, in those bytes, of the words by which threads wait for each other; each in a cache line of its own.
 * `failed` is not 0 when a thread cannot go on; from `taken` on there is one word for each thread.
 */
export const threadWords = {
  command: 128,
  entry: 132,
  arrived: 256,
  phase: 384,
  sleepers: 512,
  failed: 640,
  taken: 1024,
} as const;
/** More are refused. */
export const mostThreads = 64;

/** Where things begin in WebAssembly's one memory; persistent memory is at 0. */
export function wasmSections({ persistent, arena: [arenaBytes = 0], perThread = 0 }: TargetPlan, threads = 1) {
  const [arena = 0] = persistent;
  const own = arena + (perThread > 0 ? Math.ceil(arenaBytes / 128) * 128 : arenaBytes);
  return { arena, own, end: own + perThread * threads };
}

/** One target's memory plan and dispatch lists. */
export interface TargetPlan {
  /** Bytes of each chunk of persistent memory: constants, then slots, then what is prepared. */
  readonly persistent: readonly number[];
  /** Bytes of each chunk of the arena, shared by all entries (they never run at once). */
  readonly arena: readonly number[];
  /** Constant tensors to be written once at load: base64 of little-endian 4-byte elements, or of the one that all are. */
  readonly constants: readonly { readonly at: Location; readonly data: string }[];
  /** CPU: bytes that every thread has for itself, behind the arena. */
  readonly perThread?: number;
  /** One for each of `Manifest.persistent`. */
  readonly slots: readonly Location[];
  /** What calls need and slots alone decide, such as packed weights; in order. */
  readonly prepare: readonly PreparationPlan[];
  /** One for each of `Manifest.entries`; null where this target does not carry the entry. */
  readonly entries: readonly (EntryPlan | null)[];
}
/** Runs before the calls that need it: once, and again after a slot that it reads was written. */
export interface PreparationPlan {
  /** Positions in `Manifest.persistent`. */
  readonly reads: readonly number[];
  /** WebGPU: the launches, in order. WebAssembly: empty. */
  readonly dispatches: readonly DispatchPlan[];
}
export interface EntryPlan {
  readonly inputs: readonly Location[];
  readonly outputs: readonly Location[];
  /** Positions in `TargetPlan.prepare`, ascending. */
  readonly prepare: readonly number[];
  /** The slots that a call changes. */
  readonly writes: readonly number[];
  /**
   * WebGPU: the launches, in order. WebAssembly: empty; the module exports `entry0`, `entry1`, .. which make the calls, of
   * the entries first, then of the preparations.
   */
  readonly dispatches: readonly DispatchPlan[];
}
export interface DispatchPlan {
  /** The kernel in `kernels.wgsl` (a section of it). */
  readonly kernel: string;
  readonly buffers: readonly Location[];
  readonly scalars: readonly number[];
  readonly workgroups: readonly [number, number, number];
}

export interface Manifest {
  readonly format: 1;
  readonly compiler: string;
  readonly source: { readonly file: string; readonly sha256: string };
  /** The model that `predict` means. */
  readonly main: string | null;
  readonly persistent: readonly PersistentSlot[];
  readonly entries: readonly Entry[];
  /** Models and exported functions whose rows are independent: any batch size may be padded and split. */
  readonly separable: readonly string[];
  readonly wasm: {
    readonly file: string;
    readonly relaxed?: string;
    readonly sha256: string;
    readonly plan: TargetPlan;
    /** Where `file` and `relaxed` have the flags of their memory: 1, or 3 for a memory that threads share. */
    readonly memoryFlags: readonly number[];
  } | null;
  readonly webgpu: { readonly file: string; readonly sha256: string; readonly plan: TargetPlan } | null;
  readonly weights: { readonly file: string; readonly sha256: string } | null;
}

/**
 * Runs a program on the CPU. One memory holds everything: persistent slots (after the constants), then the arena. The
 * module exports one function an entry, which makes all of the entry's calls with constant addresses.
 */
import { constantBytes, decodeBase64 } from "../base64.ts";
import type { Device, Elements } from "../device.ts";
import { DlxError } from "../errors.ts";
import type { DTypeName, Location, Manifest } from "../plan.ts";
import { wasmSections } from "../plan.ts";
import { Prepared } from "../prepared.ts";
import { startThreads } from "./threads.ts";

const PAGE = 65536;

/** A module of one function that uses `i8x16.splat`. */
const simdProbe = decodeBase64("AGFzbQEAAAABBAFgAAADAgEACgkBBwBBAP0PGgs=");

function view(memory: WebAssembly.Memory, dtype: DTypeName, at: number, bytes: number): Elements {
  const count = bytes / 4;
  switch (dtype) {
    case "f32":
    case "f16":
      return new Float32Array(memory.buffer, at, count);
    case "u32":
    case "bool":
      return new Uint32Array(memory.buffer, at, count);
    case "i32":
    case "u8":
      return new Int32Array(memory.buffer, at, count);
    default:
      return dtype satisfies never;
  }
}

export interface ThreadOptions {
  readonly threads: number;
  /** Where `code` has the flags of its memory. */
  readonly memoryFlags: number;
  /** The bundle's own file: browsers make workers of it. */
  readonly url?: string | undefined;
}

/**
 * `code` is the module that `manifest.wasm.file` (or `.relaxed`) names. With several threads the one that makes the device
 * waits inside of its calls: it must be one that may.
 */
export async function createWasmDevice(
  manifest: Manifest,
  code: Uint8Array<ArrayBuffer>,
  { threads, memoryFlags, url }: ThreadOptions = { threads: 1, memoryFlags: 0 },
): Promise<Device> {
  if (!manifest.wasm) throw new DlxError("E0801", "this program was built without WebAssembly");
  if (!WebAssembly.validate(simdProbe)) throw new DlxError("E0801", "WebAssembly has no SIMD on this machine");
  const { plan } = manifest.wasm;
  const sections = wasmSections(plan, threads);
  const pages = Math.max(1, Math.ceil(sections.end / PAGE));
  if (pages > PAGE)
    throw new DlxError(
      "E0801",
      `on ${threads} threads the program needs ${pages} pages of memory, of ${PAGE} that there are`,
    );
  const shared = threads > 1;
  let failure: DlxError | undefined;
  let lose: (error: DlxError) => void = () => {};
  const lost = new Promise<never>((_, reject) => {
    lose = reject;
  });
  lost.catch(() => {});
  const fail = (what: string): DlxError => {
    failure ??= new DlxError("E0802", what);
    lose(failure);
    return failure;
  };
  let endThreads: () => void = () => {};
  let memory: WebAssembly.Memory | undefined;
  let entries: readonly (() => void)[];
  try {
    // A maximum that is reached: some browsers set all of it aside for shared memory.
    memory = new WebAssembly.Memory({ initial: pages, maximum: shared ? pages : PAGE, shared });
    let bytes = code;
    if (shared) {
      bytes = code.slice();
      bytes[memoryFlags] = 3;
    }
    const module = await WebAssembly.compile(bytes);
    const { exports } = await WebAssembly.instantiate(module, { env: { memory } });
    entries = [...plan.entries, ...plan.prepare].map((_, k) => exports[`entry${k}`] as () => void);
    if (shared) {
      endThreads = await startThreads({ module, memory, threads }, url, (what) => fail(`a thread failed: ${what}`));
      Object.assign(exports.threads as WebAssembly.Global, { value: threads });
    }
  } catch (error) {
    throw new DlxError(
      "E0801",
      `the WebAssembly module does not load: ${error instanceof Error ? error.message : error}`,
      { cause: error },
    );
  }

  const opened = memory;
  const address = ({ space, offset }: Location) => (space === "arena" ? sections.arena + offset : offset);
  const placed = (dtype: DTypeName, at: Location) => view(opened, dtype, address(at), at.bytes);
  for (const constant of plan.constants)
    new Uint8Array(opened.buffer, address(constant.at)).set(constantBytes(constant));

  const slots = plan.slots.map((at, k) => placed(manifest.persistent[k]!.dtype, at));
  const programs = plan.entries.map((entry, k) => {
    const { inputs, outputs } = manifest.entries[k]!;
    return (
      entry && {
        inputs: entry.inputs.map((at, i) => placed(inputs[i]!.dtype, at)),
        outputs: entry.outputs.map((at, i) => placed(outputs[i]!.dtype, at)),
      }
    );
  });
  const prepared = new Prepared(plan);
  const perform = (k: number) => {
    try {
      entries[k]!();
    } catch (error) {
      endThreads();
      const what = shared ? "the other threads do not answer" : "a kernel failed";
      throw fail(`${what}: ${error instanceof Error ? error.message : error}`);
    }
  };
  const runPreparation = (k: number) => perform(plan.entries.length + k);
  let disposed = false;
  const live = () => {
    if (disposed) throw new DlxError("E0804", "this program was disposed of");
    if (failure) throw failure;
  };
  return {
    name: "cpu",
    manifest,
    writeSlot: (slot, values) => {
      live();
      slots[slot]!.set(values);
      prepared.slotWritten(slot);
    },
    readSlot: async (slot) => {
      live();
      return slots[slot]!.slice();
    },
    run: async (entry, inputs) => {
      live();
      const program = programs[entry];
      if (!program) throw new DlxError("E0801", `${manifest.entries[entry]?.name} was not built for the CPU`);
      prepared.enter(entry, runPreparation);
      for (let k = 0; k < inputs.length; k++) program.inputs[k]!.set(inputs[k]!);
      perform(entry);
      return program.outputs.map((values) => values.slice());
    },
    lost,
    dispose: () => {
      disposed = true;
      endThreads();
      slots.length = 0;
      programs.length = 0;
    },
  };
}

/**
 * Runs a program on the CPU. One memory holds everything: persistent slots (after the constants), then the arena. The
 * module exports one function an entry, which makes all of the entry's calls with constant addresses.
 */
import { decodeBase64 } from "../base64.ts";
import type { Device, Elements } from "../device.ts";
import { DlxError } from "../errors.ts";
import type { DTypeName, Location, Manifest } from "../plan.ts";
import { wasmSections } from "../plan.ts";
import { Prepared } from "../prepared.ts";

const PAGE = 65536;

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

/** `code` is the module that `manifest.wasm.file` (or `.relaxed`) names. */
export async function createWasmDevice(manifest: Manifest, code: BufferSource): Promise<Device> {
  if (!manifest.wasm) throw new DlxError("E0801", "this program was built without WebAssembly");
  const { plan } = manifest.wasm;
  const sections = wasmSections(plan);
  let memory: WebAssembly.Memory | undefined;
  let entries: readonly (() => void)[];
  try {
    memory = new WebAssembly.Memory({
      initial: Math.max(1, Math.ceil(sections.end / PAGE)),
      maximum: PAGE,
    });
    const { instance } = await WebAssembly.instantiate(code, { env: { memory } });
    const functions = [...plan.entries, ...plan.prepare];
    entries = functions.map((_, k) => instance.exports[`entry${k}`] as () => void);
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
  for (const { at, data } of plan.constants) new Uint8Array(opened.buffer, address(at)).set(decodeBase64(data));

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
  const runPreparation = (k: number) => entries[plan.entries.length + k]!();
  let disposed = false;
  const live = () => {
    if (disposed) throw new DlxError("E0804", "this program was disposed of");
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
      entries[entry]!();
      return program.outputs.map((values) => values.slice());
    },
    lost: new Promise<never>(() => {}),
    dispose: () => {
      disposed = true;
      slots.length = 0;
      programs.length = 0;
    },
  };
}

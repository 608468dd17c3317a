/** Persistent slots of a device to and from safetensors files. */
import type { Device } from "./device.ts";
import { DlxError } from "./errors.ts";
import type { Manifest, PersistentSlot } from "./plan.ts";
import { decodeAs, readSafetensors, writeSafetensors } from "./safetensors.ts";
import { allocate, elementCount, type HostTensor, typeText } from "./tensor.ts";

/** Parameters and layer state, as in a `state_dict`: what prediction needs. The rest belongs to training. */
export const isWeight = (slot: PersistentSlot): boolean =>
  slot.block === undefined && (slot.role === "parameter" || slot.role === "state");

/** A slot's name in files: a weight's path, so that a state file is a weights file too; else block, role and path. */
export const slotKey = (slot: PersistentSlot): string =>
  isWeight(slot) ? slot.path : [slot.block ?? "", slot.role, slot.path].join("/");

export async function saveSlots(
  device: Device,
  wanted: (slot: PersistentSlot) => boolean,
  metadata: Readonly<Record<string, string>>,
): Promise<Uint8Array> {
  const tensors: [string, HostTensor][] = [];
  for (const [index, slot] of device.manifest.persistent.entries())
    if (wanted(slot))
      tensors.push([slotKey(slot), { dtype: slot.dtype, shape: slot.shape, data: await device.readSlot(index) }]);
  return writeSafetensors(tensors, metadata);
}

export interface LoadReport {
  readonly loaded: readonly string[];
  /** Of the program, not in the file: these keep their values. */
  readonly missing: readonly string[];
  /** In the file, not of the program. */
  readonly unexpected: readonly string[];
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * Writes the file's tensors to the wanted slots. The whole file is checked before anything is written. Throws E0701 to
 * E0705; a missing tensor is fine if `partial`.
 */
export function loadSlots(
  device: Device,
  wanted: (slot: PersistentSlot) => boolean,
  bytes: Uint8Array,
  { partial = false, file = "weights" } = {},
): LoadReport {
  const { tensors, metadata } = readSafetensors(bytes, file);
  const unexpected = new Set(tensors.keys());
  const loaded: string[] = [];
  const missing: string[] = [];
  const writes: (() => void)[] = [];
  for (const [index, slot] of device.manifest.persistent.entries()) {
    if (!wanted(slot)) continue;
    const key = slotKey(slot);
    const stored = tensors.get(key);
    unexpected.delete(key);
    if (!stored) {
      missing.push(key);
      continue;
    }
    if (String(stored.shape) !== String(slot.shape))
      throw new DlxError(
        "E0703",
        `${file}: \`${key}\` is ${typeText(stored.type, stored.shape)}, this program's is ${typeText(slot.dtype, slot.shape)}`,
      );
    const elements = decodeAs(slot.dtype, stored, key);
    loaded.push(key);
    writes.push(() => device.writeSlot(index, elements));
  }
  if (missing.length > 0 && !partial) {
    const others = missing.length > 1 ? ` and ${missing.length - 1} more` : "";
    const instead = unexpected.size > 0 ? `; the file has \`${[...unexpected][0]}\`` : "";
    throw new DlxError("E0702", `${file}: \`${missing[0]}\`${others} is missing${instead}`);
  }
  for (const write of writes) write();
  return { loaded, missing, unexpected: [...unexpected], metadata };
}

/** The slots that one `initialize` entry computes: a train block's own, or everything that is no block's own. */
export function initializedBy(manifest: Manifest, of: string): number[] {
  const blocks = new Set(manifest.persistent.map((slot) => slot.block));
  const block = blocks.has(of) ? of : undefined;
  return [...manifest.persistent.keys()].filter((index) => {
    const slot = manifest.persistent[index]!;
    return slot.block === block && slot.fill === undefined && slot.role !== "seed";
  });
}

export function fillSlots(device: Device, seed: readonly [number, number]): void {
  for (const [index, { role, dtype, shape, fill }] of device.manifest.persistent.entries()) {
    const values = allocate(dtype, elementCount(shape));
    if (role === "seed") values.set(seed);
    else if (fill !== undefined) values.fill(fill);
    else continue;
    device.writeSlot(index, values);
  }
}

/** Persistent slots of a device to and from safetensors files. */
import type { Device, Elements } from "./device.ts";
import { DlxError } from "./errors.ts";
import type { Manifest, PersistentSlot } from "./plan.ts";
import { decodeAs, decodeNumbers, readSafetensors, type StoredTensor, writeSafetensors } from "./safetensors.ts";
import { allocate, elementCount, type HostTensor, toElements, typeText } from "./tensor.ts";

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

/** In a file, the name of the scales of a tensor of 8-bit numbers that stand for floats. */
export const scaleKey = (key: string): string => `${key}.scale`;

/** scale[f] * q[f, ...], the one rounding being that of single precision. Throws E0706. */
function dequantise(q: StoredTensor, scales: StoredTensor | undefined, key: string): Float32Array {
  const wanted = q.shape.slice(0, 1);
  const refuse = (why: string) =>
    new DlxError(
      "E0706",
      `\`${key}\` is ${typeText(q.type, q.shape)} and needs \`${scaleKey(key)}\`, ${typeText("F32", wanted)} of positive numbers, which ${why}`,
    );
  if (!scales) throw refuse("is missing");
  if (String(scales.shape) !== String(wanted)) throw refuse(`is ${typeText(scales.type, scales.shape)}`);
  const scale = decodeAs("f32", scales, scaleKey(key));
  const wrong = scale.findIndex((value) => !(value > 0 && value < Number.POSITIVE_INFINITY));
  if (wrong >= 0) throw refuse(`has ${scale[wrong]} at ${wrong}`);
  const values = new Float32Array(decodeNumbers(q));
  const size = values.length / scale.length;
  for (let at = 0; at < values.length; at++) values[at]! *= scale[Math.floor(at / size)]!;
  return values;
}

interface LoadSlotsOptions {
  /** Tensors may be missing. */
  readonly partial?: boolean;
  /** What messages call the file. */
  readonly file?: string;
}
/** A slot's elements, as a file has them. */
interface DecodedSlot {
  readonly index: number;
  readonly key: string;
  readonly elements: Elements;
}

/** The file's tensors for the wanted slots, all of them checked. Throws E0701 to E0706. */
export function decodeSlots(
  manifest: Manifest,
  wanted: (slot: PersistentSlot) => boolean,
  bytes: Uint8Array,
  { partial = false, file = "weights" }: LoadSlotsOptions = {},
): { readonly slots: readonly DecodedSlot[]; readonly report: LoadReport } {
  const { tensors, metadata } = readSafetensors(bytes, file);
  const unexpected = new Set(tensors.keys());
  const slots: DecodedSlot[] = [];
  const missing: string[] = [];
  for (const [index, slot] of manifest.persistent.entries()) {
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
    const { dtype } = slot;
    let elements: Elements;
    if (stored.type === "I8" && (dtype === "f32" || dtype === "f16")) {
      const scales = scaleKey(key);
      elements = toElements(dtype, dequantise(stored, tensors.get(scales), key));
      unexpected.delete(scales);
    } else elements = decodeAs(dtype, stored, key);
    slots.push({ index, key, elements });
  }
  if (missing.length > 0 && !partial) {
    const others = missing.length > 1 ? ` and ${missing.length - 1} more` : "";
    const instead = unexpected.size > 0 ? `; the file has \`${[...unexpected][0]}\`` : "";
    throw new DlxError("E0702", `${file}: \`${missing[0]}\`${others} is missing${instead}`);
  }
  return {
    slots,
    report: { loaded: slots.map(({ key }) => key), missing, unexpected: [...unexpected], metadata },
  };
}

/** Writes the file's tensors to the wanted slots, once `decodeSlots` has checked all of them. */
export function loadSlots(
  device: Device,
  wanted: (slot: PersistentSlot) => boolean,
  bytes: Uint8Array,
  options?: LoadSlotsOptions,
): LoadReport {
  const { slots, report } = decodeSlots(device.manifest, wanted, bytes, options);
  for (const { index, elements } of slots) device.writeSlot(index, elements);
  return report;
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

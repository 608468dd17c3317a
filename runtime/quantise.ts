/**
 * Weights in eight bits, each channel on its own grid: a parameter f32[F, ...] of rank 2 and more becomes the tensor I8[F, ...] of
 * that name, and `NAME.scale`, F32[F], whose products with it are the weights (`loadSlots` reads them so, wherever weights are
 * read). Everything else stays as it is. Symmetric, without a zero point: scale[f] is max |w[f]| / 127, as in
 * `quantise_per_channel` of the library, and with its rounding in single precision.
 */
import type { Elements } from "./device.ts";
import { DlxError } from "./errors.ts";
import type { Manifest, PersistentSlot } from "./plan.ts";
import { encode, readSafetensors, type StoredTensor, writeSafetensors } from "./safetensors.ts";
import { decodeSlots, isWeight, scaleKey } from "./weights.ts";

export interface QuantisedWeights {
  /** In the format safetensors. */
  readonly file: Uint8Array;
  /** What all weights take, without the file's header. */
  readonly bytes: { readonly float32: number; readonly int8: number };
}

/** The greatest magnitude in a channel becomes this. */
const most = 127;

const isQuantised = ({ role, dtype, shape }: PersistentSlot) =>
  role === "parameter" && dtype === "f32" && shape.length > 1;

/** To the nearest whole number, halves to the even one: doubles of this size have no digits behind the point. */
const wholeDoubles = 1.5 * 2 ** 52;
const nearest = (value: number) => value + wholeDoubles - wholeDoubles;

/** Throws E0706 where a weight is not finite. */
function quantise(weights: Elements, shape: readonly number[], key: string): { q: StoredTensor; scales: StoredTensor } {
  const [channels = 1] = shape;
  const size = weights.length / channels;
  const q = new Int8Array(weights.length);
  const scale = new Float32Array(channels);
  for (let f = 0; f < channels; f++) {
    const [begin, end] = [f * size, (f + 1) * size];
    let magnitude = 0;
    for (let at = begin; at < end; at++) {
      const weight = weights[at]!;
      if (!Number.isFinite(weight))
        throw new DlxError("E0706", `\`${key}\` has ${weight} at ${at}: only finite weights have a scale`);
      magnitude = Math.max(magnitude, Math.abs(weight));
    }
    // Where the scale would be 0, all are as good as 0.
    const step = Math.fround(magnitude / most) || 1;
    scale[f] = step;
    for (let at = begin; at < end; at++)
      q[at] = Math.max(-most, Math.min(most, nearest(Math.fround(weights[at]! / step))));
  }
  return {
    q: { type: "I8", shape, bytes: new Uint8Array(q.buffer) },
    scales: encode({ dtype: "f32", shape: [channels], data: scale }),
  };
}

/**
 * A program's weights from a file, once in eight bits. What is in eight bits already stays, and so does a weight whose scales
 * would have another weight's name. Throws E0701 to E0706.
 */
export function quantiseWeights(manifest: Manifest, bytes: Uint8Array, file?: string): QuantisedWeights {
  const { tensors, metadata } = readSafetensors(bytes, file);
  const { slots } = decodeSlots(manifest, isWeight, bytes, { file });
  const taken = new Set(slots.map(({ key }) => key));
  let count = 0;
  const stored = slots.flatMap(({ index, key, elements }): [string, StoredTensor][] => {
    const slot = manifest.persistent[index]!;
    const [own, scales] = [tensors.get(key), tensors.get(scaleKey(key))];
    count += elements.length;
    if (!isQuantised(slot) || taken.has(scaleKey(key))) return [[key, encode({ ...slot, data: elements })]];
    const parts = own?.type === "I8" && scales ? { q: own, scales } : quantise(elements, slot.shape, key);
    return [
      [key, parts.q],
      [scaleKey(key), parts.scales],
    ];
  });
  return {
    file: writeSafetensors(stored, { ...metadata, quantised: "int8" }),
    bytes: { float32: 4 * count, int8: stored.reduce((sum, [, part]) => sum + part.bytes.length, 0) },
  };
}

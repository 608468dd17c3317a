/** Persistent memory: constants, slots, what is prepared; and the bytes of constants. */
import type { Location } from "../../runtime/plan.ts";
import type { Tensor } from "../graph/graph.ts";
import { invariant } from "../invariant.ts";
import type { ScalarType } from "../types/dtype.ts";
import { scalarType } from "../types/dtype.ts";
import { bytesOf, wordBytes } from "./liveness.ts";
import type { Schedule } from "./program.ts";

/** Persistent memory as it is handed out, piece after piece; equal constants once. */
export class Persistent {
  readonly chunks: number[] = [];
  readonly constants: { readonly at: Location; readonly data: string }[] = [];
  readonly #alignment: number;
  readonly #chunkBytes: number;
  readonly #known = new Map<string, Location>();

  constructor(alignment: number, chunkBytes: number) {
    this.#alignment = alignment;
    this.#chunkBytes = chunkBytes;
  }

  reserve(bytes: number): Location {
    const last = this.chunks.length - 1;
    const end = this.chunks[last];
    const fits = end !== undefined && end + bytes <= this.#chunkBytes;
    const chunk = fits ? last : last + 1;
    const offset = fits ? end : 0;
    this.chunks[chunk] = Math.ceil((offset + bytes) / this.#alignment) * this.#alignment;
    return { space: "persistent", chunk, offset, bytes };
  }

  constant(schedule: Schedule, tensor: Tensor): Location {
    const values = schedule.constants.get(tensor);
    invariant(values !== undefined, `%${tensor.name} is a constant`);
    const elements = bytesOf(tensor) / wordBytes;
    const data = encodeBase64(new Uint8Array(wordsOf(scalarType(tensor.type.dtype), values)));
    const key = `${elements} ${data}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const at = this.reserve(elements * wordBytes);
    this.#known.set(key, at);
    this.constants.push({ at, data });
    return at;
  }
}

function wordsOf(type: ScalarType, values: readonly number[]): ArrayBuffer {
  const words = new DataView(new ArrayBuffer(values.length * wordBytes));
  for (const [k, value] of values.entries()) {
    if (type === "f32") words.setFloat32(k * wordBytes, value, true);
    else if (type === "i32") words.setInt32(k * wordBytes, value, true);
    else words.setUint32(k * wordBytes, value, true);
  }
  return words.buffer;
}

function encodeBase64(bytes: Uint8Array): string {
  const parts: string[] = [];
  for (let from = 0; from < bytes.length; from += 0x8000)
    parts.push(String.fromCharCode(...bytes.subarray(from, from + 0x8000)));
  return btoa(parts.join(""));
}

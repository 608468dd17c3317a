/**
 * The safetensors format: 8 bytes header length (little-endian), a JSON header `{name: {dtype, shape, data_offsets}}`, then
 * the data. Files are not trusted: every number of the header is checked before a byte of data is looked at.
 */
import type { Elements } from "./device.ts";
import { DlxError } from "./errors.ts";
import type { DTypeName } from "./plan.ts";
import {
  allocate,
  elementCount,
  floatToHalf,
  type HostTensor,
  halfToFloat,
  integerRanges,
  type TypedArray,
  toElements,
  typeText,
} from "./tensor.ts";

const sizes = {
  F64: 8,
  I64: 8,
  U64: 8,
  F32: 4,
  I32: 4,
  U32: 4,
  F16: 2,
  BF16: 2,
  I16: 2,
  U16: 2,
  I8: 1,
  U8: 1,
  BOOL: 1,
} as const;
export type StoredType = keyof typeof sizes;

/** One tensor of a file, not yet decoded. */
export interface StoredTensor {
  readonly type: StoredType;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}
export interface SafetensorsFile {
  /** What messages call the file. */
  readonly file: string;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  readonly metadata: Readonly<Record<string, string>>;
}

/** As in the reference implementation: nobody means a header of more than 100 MB. */
const longestHeader = 100_000_000;

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;
const isStoredType = (value: unknown): value is StoredType => typeof value === "string" && Object.hasOwn(sizes, value);

/** Keys of the outermost object of a valid JSON text, repetitions included: `JSON.parse` hides those. */
function countKeys(json: string): number {
  let depth = 0;
  let keys = 0;
  for (let at = 0; at < json.length; at++) {
    const character = json[at];
    if (character === '"') {
      while (json[++at] !== '"') if (json[at] === "\\") at++;
    } else if (character === "{" || character === "[") depth++;
    else if (character === "}" || character === "]") depth--;
    else if (character === ":" && depth === 1) keys++;
  }
  return keys;
}

/** Throws E0701 where the file is not well-formed. The tensors are views of `bytes`. */
export function readSafetensors(bytes: Uint8Array, file = "weights"): SafetensorsFile {
  const malformed = (what: string) => new DlxError("E0701", `${file} is not a well-formed safetensors file: ${what}`);
  if (bytes.length < 8) throw malformed(`it has ${bytes.length} bytes, the header's length alone takes 8`);
  const isZip = bytes[0] === 0x50 && bytes[1] === 0x4b && bytes[2] === 3 && bytes[3] === 4;
  if (isZip) throw malformed("torch.save wrote it; store model.state_dict() with safetensors.torch.save_file");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = view.getUint32(0, true) + view.getUint32(4, true) * 2 ** 32;
  if (length > bytes.length - 8)
    throw malformed(`it claims a header of ${length} bytes but has ${bytes.length - 8} (cut short?)`);
  if (length > longestHeader) throw malformed(`its header has ${length} bytes, more than ${longestHeader}`);
  let text: string;
  let header: unknown;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(8, 8 + length));
    header = JSON.parse(text);
  } catch (error) {
    throw malformed(`its header is not JSON in UTF-8 (${error instanceof Error ? error.message : error})`);
  }
  if (!isRecord(header)) throw malformed("its header is not an object");
  const entries = Object.entries(header);
  if (countKeys(text) !== entries.length) throw malformed("its header names a tensor twice");

  const data = bytes.subarray(8 + length);
  const tensors = new Map<string, StoredTensor>();
  const ranges: [begin: number, end: number, name: string][] = [];
  let metadata: Record<string, string> = {};
  for (const [name, entry] of entries) {
    if (!isRecord(entry)) throw malformed(`\`${name}\` is not described by an object`);
    if (name === "__metadata__") {
      metadata = Object.fromEntries(
        Object.entries(entry).map(([key, value]) => {
          if (typeof value !== "string") throw malformed(`its metadata \`${key}\` is not text`);
          return [key, value];
        }),
      );
      continue;
    }
    const { dtype, shape, data_offsets: offsets } = entry;
    if (!isStoredType(dtype)) throw malformed(`\`${name}\` has the unknown type ${JSON.stringify(dtype)}`);
    if (!Array.isArray(shape) || !shape.every(isCount))
      throw malformed(`\`${name}\` has the shape ${JSON.stringify(shape)}`);
    const [begin, end]: unknown[] = Array.isArray(offsets) && offsets.length === 2 ? offsets : [];
    if (!isCount(begin) || !isCount(end) || begin > end || end > data.length)
      throw malformed(
        `\`${name}\` lies at ${JSON.stringify(offsets)}, outside of the ${data.length} bytes of data (cut short?)`,
      );
    const needed = elementCount(shape) * sizes[dtype];
    if (needed !== end - begin)
      throw malformed(`\`${name}\` is ${typeText(dtype, shape)}, which takes ${needed} bytes, but has ${end - begin}`);
    ranges.push([begin, end, name]);
    tensors.set(name, { type: dtype, shape, bytes: data.subarray(begin, end) });
  }
  let covered = 0;
  for (const [begin, end, name] of ranges.sort((a, b) => a[0] - b[0] || a[1] - b[1])) {
    if (begin !== covered)
      throw malformed(
        `\`${name}\` begins at ${begin}, ${begin < covered ? "inside of another tensor" : "after a hole"}`,
      );
    covered = end;
  }
  if (covered !== data.length) throw malformed(`${data.length - covered} bytes follow the last tensor`);
  return { file, tensors, metadata };
}

/** The numbers of a stored tensor, each as exactly as a double can hold it. */
export function decodeNumbers(stored: StoredTensor): TypedArray {
  // A copy, aligned: `slice` of a Node Buffer would be a view.
  const { buffer } = new Uint8Array(stored.bytes);
  switch (stored.type) {
    case "F64":
      return new Float64Array(buffer);
    case "F32":
      return new Float32Array(buffer);
    case "F16":
      return Float32Array.from(new Uint16Array(buffer), halfToFloat);
    case "BF16":
      return new Float32Array(Uint32Array.from(new Uint16Array(buffer), (bits) => bits << 16).buffer);
    case "I64":
      return Float64Array.from(new BigInt64Array(buffer), Number);
    case "U64":
      return Float64Array.from(new BigUint64Array(buffer), Number);
    case "I32":
      return new Int32Array(buffer);
    case "U32":
      return new Uint32Array(buffer);
    case "I16":
      return new Int16Array(buffer);
    case "U16":
      return new Uint16Array(buffer);
    case "I8":
    case "BOOL":
      return new Int8Array(buffer);
    case "U8":
      return new Uint8Array(buffer);
    default:
      return stored.type satisfies never;
  }
}

/**
 * Elements of a stored tensor as `dtype`: floats from floats of any width, integers and bools from integers that fit.
 * Throws E0705.
 */
export function decodeAs(dtype: DTypeName, stored: StoredTensor, name: string): Elements {
  const numbers = decodeNumbers(stored);
  const fromFloat = stored.type.includes("F");
  const refuse = (why: string) =>
    new DlxError("E0705", `tensor \`${name}\`: ${stored.type} does not convert to ${dtype}${why}`);
  if (dtype === "f32" || dtype === "f16") {
    if (!fromFloat) throw refuse("");
    const floats = numbers instanceof Float32Array ? numbers : Float32Array.from(numbers);
    return toElements(dtype, floats);
  }
  if (fromFloat || (stored.type === "BOOL" && dtype !== "bool")) throw refuse("");
  const [least, most] = integerRanges[dtype];
  const elements = allocate(dtype, numbers.length);
  for (let i = 0; i < elements.length; i++) {
    const value = numbers[i]!;
    if (value < least || value > most) throw refuse(`: ${value} is out of its range`);
    elements[i] = value;
  }
  return elements;
}

const storedTypes = { f32: "F32", f16: "F16", i32: "I32", u32: "U32", bool: "BOOL", u8: "U8" } as const;

/** A tensor as it lies in a file. */
export function encode({ dtype, shape, data }: HostTensor): StoredTensor {
  const array =
    dtype === "bool" || dtype === "u8"
      ? Uint8Array.from(data)
      : dtype === "f16"
        ? Uint16Array.from(data, floatToHalf)
        : data;
  return { type: storedTypes[dtype], shape, bytes: new Uint8Array(array.buffer, array.byteOffset, array.byteLength) };
}

/** A file of these tensors; wide types come first, so that each is aligned in memory. */
export function writeSafetensors(
  tensors: Iterable<readonly [name: string, tensor: HostTensor | StoredTensor]>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const parts = [...tensors]
    .map(([name, tensor]) => ({ name, ...("dtype" in tensor ? encode(tensor) : tensor) }))
    .sort((a, b) => sizes[b.type] - sizes[a.type]);
  const header: [string, unknown][] = Object.keys(metadata).length > 0 ? [["__metadata__", metadata]] : [];
  let end = 0;
  for (const { name, type, shape, bytes } of parts) {
    const begin = end;
    end += bytes.length;
    header.push([name, { dtype: type, shape, data_offsets: [begin, end] }]);
  }
  const text = new TextEncoder().encode(JSON.stringify(Object.fromEntries(header)));
  const padded = Math.ceil(text.length / 8) * 8;
  const file = new Uint8Array(8 + padded + end).fill(0x20, 8, 8 + padded);
  new DataView(file.buffer).setUint32(0, padded, true);
  file.set(text, 8);
  let offset = 8 + padded;
  for (const { bytes } of parts) {
    file.set(bytes, offset);
    offset += bytes.length;
  }
  return file;
}

/** NumPy's .npy: magic, version, a Python dictionary as text, the elements. */
import { DlxError } from "../../errors.ts";
import { decodeNumbers, type StoredType } from "../../safetensors.ts";
import { elementCount, type TypedArray } from "../../tensor.ts";

export interface NamedArray {
  readonly data: TypedArray;
  readonly shape: readonly number[];
}

const types: Readonly<Record<string, [StoredType, bytes: number]>> = {
  f8: ["F64", 8],
  f4: ["F32", 4],
  f2: ["F16", 2],
  i8: ["I64", 8],
  i4: ["I32", 4],
  i2: ["I16", 2],
  i1: ["I8", 1],
  u8: ["U64", 8],
  u4: ["U32", 4],
  u2: ["U16", 2],
  u1: ["U8", 1],
  b1: ["BOOL", 1],
};
const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];

/** Throws E0612. */
export function parseNpy(bytes: Uint8Array, file: string): NamedArray {
  const malformed = (what: string) => new DlxError("E0612", `${file} is not an .npy file that dlx can read: ${what}`);
  if (bytes.length < 12 || magic.some((byte, k) => bytes[k] !== byte))
    throw malformed("its first bytes are not NumPy's");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [start, length] = bytes[6] === 1 ? [10, view.getUint16(8, true)] : [12, view.getUint32(8, true)];
  if (start + length > bytes.length) throw malformed("it ends inside of its header");
  const header = new TextDecoder("latin1").decode(bytes.subarray(start, start + length));
  const description = /'descr':\s*'([<>|=])(\w\d+)'/.exec(header);
  const order = /'fortran_order':\s*(True|False)/.exec(header)?.[1];
  const extents = /'shape':\s*\(([\d,\s]*)\)/.exec(header)?.[1];
  const type = types[description?.[2] ?? ""];
  if (!type || order === undefined || extents === undefined)
    throw malformed(`its header says ${JSON.stringify(header.trim().slice(0, 200))}; save numbers or booleans`);
  if (description?.[1] === ">") throw malformed("its bytes are big-endian; save it with .astype('<f4') or the like");
  const shape = extents
    .split(",")
    .filter((extent) => extent.trim() !== "")
    .map(Number);
  if (order === "True" && shape.length > 1)
    throw malformed("its axes are in Fortran order; save np.ascontiguousarray(..)");
  const data = bytes.subarray(start + length);
  const needed = elementCount(shape) * type[1];
  if (needed !== data.length)
    throw malformed(
      `(${shape.join(", ")}) of ${description?.[2]} take ${needed} bytes, but it has ${data.length}${needed > data.length ? " (cut short?)" : ""}`,
    );
  return { data: decodeNumbers({ type: type[0], shape, bytes: data }), shape };
}

/** An .npy file of what a program answers: floats, integers or bytes. */
export function formatNpy(
  data: Float32Array | Int32Array | Uint32Array | Uint8Array,
  shape: readonly number[],
): Uint8Array {
  const type =
    data instanceof Float32Array
      ? "<f4"
      : data instanceof Int32Array
        ? "<i4"
        : data instanceof Uint32Array
          ? "<u4"
          : "|u1";
  const extents = shape.length === 1 ? `${shape[0]},` : shape.join(", ");
  const header = `{'descr': '${type}', 'fortran_order': False, 'shape': (${extents}), }`;
  const length = Math.ceil((10 + header.length + 1) / 64) * 64 - 10;
  const file = new Uint8Array(10 + length + data.byteLength);
  file.set([...magic, 1, 0, length & 255, length >> 8]);
  file.set(new TextEncoder().encode(`${header.padEnd(length - 1)}\n`), 10);
  file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), 10 + length);
  return file;
}

/** The arrays of an .npz (a zip of .npy files). Throws E0612. */
export async function parseNpz(bytes: Uint8Array, file: string): Promise<Map<string, NamedArray>> {
  const { unzipSync } = await import("fflate");
  let members: Record<string, Uint8Array>;
  try {
    members = unzipSync(bytes);
  } catch (error) {
    throw new DlxError(
      "E0612",
      `${file} is not a well-formed .npz file: ${error instanceof Error ? error.message : error}`,
    );
  }
  const arrays = Object.entries(members).filter(([name]) => name.endsWith(".npy"));
  if (arrays.length === 0) throw new DlxError("E0612", `${file} has no arrays in it`);
  return new Map(arrays.map(([name, data]) => [name.slice(0, -4), parseNpy(data, `${file} (${name})`)]));
}

/** MNIST's IDX files: a magic number (type and rank), big-endian extents, the bytes. */
import { join } from "node:path";
import { DlxError } from "../../errors.ts";
import { elementCount, type TypedArray } from "../../tensor.ts";
import { exists, readBytes } from "../files.ts";
import { arrayColumn, type Column } from "./column.ts";

const readers: Readonly<Record<number, { bytes: number; read(view: DataView, count: number): TypedArray }>> = {
  8: { bytes: 1, read: (view, count) => new Uint8Array(view.buffer, view.byteOffset, count) },
  9: { bytes: 1, read: (view, count) => new Int8Array(view.buffer, view.byteOffset, count) },
  11: { bytes: 2, read: (view, count) => Int16Array.from({ length: count }, (_, i) => view.getInt16(2 * i)) },
  12: { bytes: 4, read: (view, count) => Int32Array.from({ length: count }, (_, i) => view.getInt32(4 * i)) },
  13: { bytes: 4, read: (view, count) => Float32Array.from({ length: count }, (_, i) => view.getFloat32(4 * i)) },
  14: { bytes: 8, read: (view, count) => Float64Array.from({ length: count }, (_, i) => view.getFloat64(8 * i)) },
};

/** Throws E0612. */
export function parseIdx(bytes: Uint8Array, file: string): { data: TypedArray; shape: number[] } {
  const malformed = (what: string) => new DlxError("E0612", `${file} is not a well-formed IDX file: ${what}`);
  if (bytes.length < 4) throw malformed(`it has ${bytes.length} bytes`);
  const reader = readers[bytes[2]!];
  if (bytes[0] !== 0 || bytes[1] !== 0 || !reader)
    throw malformed(`it begins with ${[...bytes.subarray(0, 4)].join(" ")}, not with 0 0 8 and a number of axes`);
  const rank = bytes[3]!;
  const header = 4 + 4 * rank;
  if (bytes.length < header) throw malformed("it ends inside of its header");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const shape = Array.from({ length: rank }, (_, axis) => view.getUint32(4 + 4 * axis));
  const needed = header + elementCount(shape) * reader.bytes;
  if (needed !== bytes.length)
    throw malformed(
      `${shape.join(" x ")} elements take ${needed} bytes, but it has ${bytes.length}${needed > bytes.length ? " (cut short?)" : ""}`,
    );
  return { data: reader.read(new DataView(new Uint8Array(bytes.subarray(header)).buffer), elementCount(shape)), shape };
}

export async function gunzip(bytes: Uint8Array, file: string): Promise<Uint8Array> {
  const { gunzipSync } = await import("node:zlib");
  try {
    return gunzipSync(bytes);
  } catch (error) {
    throw new DlxError(
      "E0612",
      `${file} is not a well-formed gzip file: ${error instanceof Error ? error.message : error}`,
    );
  }
}

/** `train-images-idx3-ubyte`, `train-images.idx3-ubyte`, each with or without `.gz`; undefined if none is there. */
async function find(folder: string, prefix: string, what: string, rank: number): Promise<string | undefined> {
  for (const separator of ["-", "."])
    for (const ending of ["", ".gz"]) {
      const path = join(folder, `${prefix}-${what}${separator}idx${rank}-ubyte${ending}`);
      if (await exists(path)) return path;
    }
  return undefined;
}

/** The columns `image` and `label` of `train` or `t10k`; undefined if the folder has neither file of that part. */
export async function idxColumns(folder: string, prefix: string): Promise<Column[] | undefined> {
  const files = [await find(folder, prefix, "images", 3), await find(folder, prefix, "labels", 1)];
  if (files.every((file) => file === undefined)) return undefined;
  const columns: Column[] = [];
  for (const [k, name] of ["image", "label"].entries()) {
    const path = files[k];
    if (!path)
      throw new DlxError(
        "E0614",
        `${folder} has no ${prefix}-${name}s-idx${k === 0 ? 3 : 1}-ubyte (with or without .gz)`,
      );
    const raw = await readBytes(path);
    const { data, shape } = parseIdx(path.endsWith(".gz") ? await gunzip(raw, path) : raw, path);
    columns.push(arrayColumn(name, data, shape, path));
  }
  return columns;
}

/** Inputs from files and results to files, for `predict` and `run`. */
import { extname } from "node:path";
import type { Inputs, Outputs } from "../call.ts";
import { DlxError } from "../errors.ts";
import type { InputSlot, OutputSlot } from "../plan.ts";
import { writeSafetensors } from "../safetensors.ts";
import { elementCount, type TensorInput, type TypedArray } from "../tensor.ts";
import { arrayColumn, bindRows, type Column } from "./data/column.ts";
import { csvTable } from "./data/csv.ts";
import { decodeImage, isImageName } from "./data/image.ts";
import { formatNpy, type NamedArray, parseNpy, parseNpz } from "./data/npy.ts";
import { storedArrays } from "./data/open.ts";
import { readBytes, writeAtomically } from "./files.ts";

/** An array of a file; a picture is one row of [channels, height, width]. */
interface FileArray extends NamedArray {
  readonly picture?: boolean;
}

/** The arrays in a file, by name; a file that has only one array and no name for it calls it "". */
async function readArrays(path: string): Promise<Map<string, FileArray>> {
  const ending = extname(path).toLowerCase();
  if (ending === ".csv") {
    const { columns } = await csvTable(path, undefined);
    return new Map(columns.map((column) => [column.name === "x" ? "" : column.name, gather(column)]));
  }
  const bytes = await readBytes(path);
  if (isImageName(path)) {
    const { data, channels, height, width } = await decodeImage(bytes, path);
    return new Map([["", { data, shape: [channels, height, width], picture: true }]]);
  }
  if (ending === ".npy") return new Map([["", parseNpy(bytes, path)]]);
  if (ending === ".npz") return parseNpz(bytes, path);
  if (ending === ".safetensors") return storedArrays(bytes, path);
  throw new DlxError("E0612", `${path}: expected an image (.png, .jpg), .npy, .npz, .csv or .safetensors`);
}

function gather(column: Column): NamedArray {
  const size = elementCount(column.shape);
  const data = new Float64Array(column.rows * size);
  for (let row = 0; row < column.rows; row++) data.set(column.row(row), row * size);
  return { data, shape: [column.rows, ...column.shape] };
}

const same = (a: readonly number[], b: readonly number[]) =>
  String(a.filter((extent) => extent !== 1)) === String(b.filter((extent) => extent !== 1));

/** One input out of one array: as rows where the array's first axis can be N, else as a whole. */
function fill(
  slot: InputSlot,
  name: string,
  { data, shape, picture }: FileArray,
  batched: boolean,
  source: string,
): Inputs {
  const rowwise = slot.batched ?? batched;
  const inner = rowwise ? slot.shape.slice(1) : slot.shape;
  const [rows = 1] = shape;
  const whole = !rowwise || picture || shape.length === 0 || same(shape, inner);
  const column = arrayColumn(slot.name, data, whole ? [1, ...shape] : shape, name ? `${source} (${name})` : source);
  const count = whole ? 1 : rows;
  const part = { columns: [column], rows: Uint32Array.from({ length: count }, (_, row) => row) };
  return bindRows(part, [{ ...slot, shape: [1, ...inner] }], new Map()).read(part.rows);
}

/** Inputs out of one file: by name, or the file's only array for the program's only input. */
export async function readInputs(path: string, slots: readonly InputSlot[], batched: boolean): Promise<Inputs> {
  const arrays = await readArrays(path);
  const needed = slots.filter((slot) => slot.default === undefined);
  const inputs: Record<string, TensorInput> = {};
  for (const slot of slots) {
    const only = needed.length === 1 && slot === needed[0];
    const array =
      arrays.get(slot.name) ??
      (only ? (arrays.get("") ?? (arrays.size === 1 ? [...arrays.values()][0] : undefined)) : undefined);
    if (array) Object.assign(inputs, fill(slot, arrays.has(slot.name) ? slot.name : "", array, batched, path));
    else if (slot.default === undefined)
      throw new DlxError(
        "E0601",
        `${path} has no \`${slot.name}\`; it has ${[...arrays.keys()].map((name) => name || "one array without a name").join(", ")}`,
      );
  }
  return inputs;
}

/** One input from what follows `--input name=`: a number, true, false or a file. */
export async function readInput(slot: InputSlot, text: string, batched: boolean): Promise<Inputs> {
  if (text === "true" || text === "false") return { [slot.name]: text === "true" };
  if (text.trim() !== "" && !Number.isNaN(Number(text))) return { [slot.name]: Number(text) };
  return readInputs(text, [{ ...slot, default: undefined }], batched);
}

/** A result with its shape, N filled in. */
export interface Result {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: OutputSlot["dtype"];
  readonly data: Float32Array | Int32Array | Uint32Array | Uint8Array;
}

export function resultsOf(outputs: Outputs, slots: readonly OutputSlot[]): Result[] {
  return slots.map((slot): Result => {
    const value = outputs[slot.name];
    const { name, dtype } = slot;
    if (value === undefined) throw new TypeError(`no result ${name}`);
    if (typeof value === "boolean") return { name, dtype, shape: [], data: Uint8Array.of(Number(value)) };
    if (typeof value === "number") {
      const array =
        dtype === "i32" ? Int32Array : dtype === "u32" ? Uint32Array : dtype === "u8" ? Uint8Array : Float32Array;
      return { name, dtype, shape: [], data: array.of(value) };
    }
    const inner = slot.shape.slice(1);
    return { name, dtype, shape: [value.length / elementCount(inner), ...inner], data: value };
  });
}

/** A picture of the last two or three axes; what is not bytes is stretched from its least to its largest value. */
async function formatPng({ name, shape, data }: Result): Promise<Uint8Array> {
  const axes = shape.filter((extent, axis) => extent !== 1 || axis >= shape.length - 2);
  const [channels, height, width] = axes.length === 2 ? [1, ...axes] : axes;
  if (axes.length < 2 || axes.length > 3 || !channels || channels > 4 || !height || !width)
    throw new DlxError(
      "E0613",
      `\`${name}\` has the shape [${shape.join(", ")}], which is no picture: write .npy instead`,
    );
  const bytes = data instanceof Uint8Array;
  let [low, high] = bytes ? [0, 255] : [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  if (!bytes)
    for (const value of data) {
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
  const plane = height * width;
  const pixels = new Uint8Array(data.length);
  for (let c = 0; c < channels; c++)
    for (let i = 0; i < plane; i++)
      pixels[i * channels + c] = Math.round(((data[c * plane + i]! - low) / (high - low || 1)) * 255);
  const { encode } = await import("fast-png");
  return encode({ width, height, channels, depth: 8, data: pixels });
}

/** One line a row; a result of several columns numbers its headings. */
function formatCsv(results: readonly Result[]): string {
  const rows = Math.max(1, ...results.map(({ shape }) => shape[0] ?? 1));
  const widths = results.map(({ data, shape }) => data.length / (shape[0] ?? 1));
  const headings = results.flatMap(({ name }, k) =>
    widths[k] === 1 ? [name] : Array.from({ length: widths[k] ?? 0 }, (_, column) => `${name}.${column}`),
  );
  const cells = (row: number) =>
    results.flatMap(({ data }, k) => [...data.subarray(row * (widths[k] ?? 0), (row + 1) * (widths[k] ?? 0))]);
  return [headings, ...Array.from({ length: rows }, (_, row) => cells(row))]
    .map((line) => `${line.join(",")}\n`)
    .join("");
}

/** By the file's ending. Throws E0612 where that is unknown, E0613 where the results do not go there. */
export async function writeResults(path: string, results: readonly Result[]): Promise<void> {
  const [first, ...others] = results;
  const ending = extname(path).toLowerCase();
  if (!first) throw new DlxError("E0613", "there is no result to write");
  if ((ending === ".npy" || ending === ".png") && others.length > 0)
    throw new DlxError(
      "E0613",
      `${ending} holds one array, but the results are ${results.map(({ name }) => name).join(", ")}: write .safetensors`,
    );
  switch (ending) {
    case ".npy":
      return writeAtomically(path, formatNpy(first.data, first.shape));
    case ".png":
      return writeAtomically(path, await formatPng(first));
    case ".csv":
      return writeAtomically(path, formatCsv(results));
    case ".json":
      return writeAtomically(path, `${JSON.stringify(jsonOf(results))}\n`);
    case ".safetensors":
      return writeAtomically(
        path,
        writeSafetensors(
          results.map(({ name, shape, dtype, data }) => [
            name,
            { dtype, shape, data: data instanceof Uint8Array ? Int32Array.from(data) : data },
          ]),
        ),
      );
    default:
      throw new DlxError("E0612", `${path}: results can be written as .npy, .csv, .safetensors, .json or .png`);
  }
}

export const jsonOf = (results: readonly Result[]): Record<string, { shape: readonly number[]; data: unknown[] }> =>
  Object.fromEntries(
    results.map(({ name, shape, data }) => [
      name,
      { shape, data: Array.from<number, unknown>(data, (value) => (Number.isFinite(value) ? value : String(value))) },
    ]),
  );

/** Results for reading: numbers as they are, of arrays the first rows. */
export function formatResults(results: readonly Result[]): string {
  const text = (data: TypedArray) =>
    [...data.slice(0, 32)].map((value) => String(Number(value.toPrecision(6)))).join(" ") +
    (data.length > 32 ? ` .. (${data.length} values)` : "");
  return results
    .map(({ name, shape, data }) => {
      if (shape.length === 0) return `${name}: ${text(data)}\n`;
      const rows = shape.length === 1 ? 1 : (shape[0] ?? 1);
      const width = data.length / rows;
      const lines = Array.from(
        { length: Math.min(rows, 20) },
        (_, row) => `  ${text(data.subarray(row * width, (row + 1) * width))}\n`,
      );
      const more = rows > 20 ? `  .. (${rows} rows; --output FILE writes them all)\n` : "";
      return `${name} [${shape.join(", ")}]\n${lines.join("")}${more}`;
    })
    .join("");
}

/** Columns of a data set, and how a program's inputs are filled from them. */
import type { Inputs } from "../../call.ts";
import { DlxError } from "../../errors.ts";
import type { InputSlot } from "../../plan.ts";
import { elementCount, integerRanges, type TypedArray, typeText } from "../../tensor.ts";

/** One named quantity, a value of `shape` a row. */
export interface Column {
  readonly name: string;
  readonly rows: number;
  readonly shape: readonly number[];
  /** Pixels are bytes as [channels, height, width]; a float input receives them divided by 255. */
  readonly pixels: boolean;
  /** File (and what in it) that messages name. */
  readonly source: string;
  /** The elements of one row, row-major; valid until the next call. */
  row(index: number): TypedArray;
}

/** An array whose first axis counts rows. Bytes in two or three further axes are pixels. */
export function arrayColumn(name: string, data: TypedArray, shape: readonly number[], source: string): Column {
  const [rows = 1, ...inner] = shape;
  const size = elementCount(inner);
  const pixels = data instanceof Uint8Array && (inner.length === 2 || inner.length === 3);
  return {
    name,
    rows,
    shape: pixels && inner.length === 2 ? [1, ...inner] : inner,
    pixels,
    source,
    row: (index) => data.subarray(index * size, (index + 1) * size),
  };
}

/** Part of a data set: columns, and which of their rows. */
export interface Part {
  readonly columns: readonly Column[];
  readonly rows: Uint32Array;
}
/** What one row of a column becomes in an input: writes `target[at ...]`. */
type Filler = (row: TypedArray, target: TypedArray, at: number) => void;

const copy: Filler = (row, target, at) => target.set(row, at);
const scaled: Filler = (row, target, at) => {
  for (let i = 0; i < row.length; i++) target[at + i] = row[i]! / 255;
};

/** Channel c of the target from the channels of the source. Luma is that of ITU-R BT.601; alpha is dropped or opaque. */
function convertChannels(from: number, to: number, plane: number): (row: TypedArray) => TypedArray {
  if (from === to) return (row) => row;
  const colours = (channels: number) => (channels >= 3 ? 3 : 1);
  const result = new Uint8Array(to * plane);
  return (row) => {
    for (let i = 0; i < plane; i++) {
      for (let c = 0; c < colours(to); c++)
        result[c * plane + i] =
          colours(from) === 1
            ? row[i]!
            : colours(to) === 3
              ? row[c * plane + i]!
              : Math.round(0.299 * row[i]! + 0.587 * row[plane + i]! + 0.114 * row[2 * plane + i]!);
      if (to % 2 === 0) result[(to - 1) * plane + i] = from % 2 === 0 ? row[(from - 1) * plane + i]! : 255;
    }
    return result;
  };
}

/** Rows that are at hand: `Rows` of the training loop, without waiting. */
export interface LocalRows {
  readonly count: number;
  read(positions: Uint32Array): Inputs;
}

const withoutOnes = (shape: readonly number[]) => String(shape.filter((extent) => extent !== 1));

const rowText = (shape: readonly number[]) => (shape.length === 0 ? "one number" : `[${shape.join(", ")}]`);

/** How a column's rows fill an input of this shape (without N). Throws E0613 where it cannot. */
function fillerOf(column: Column, slot: InputSlot, whole: readonly number[]): Filler {
  // An image for f32[1, 3, 32, 32] is one for f32[3, 32, 32].
  const ones = whole.findIndex((extent, axis) => extent !== 1 || whole.length - axis <= 3);
  const shape = column.pixels ? whole.slice(Math.max(0, ones)) : whole;
  const real = slot.dtype === "f32" || slot.dtype === "f16";
  const misfit = (advice: string) =>
    new DlxError(
      "E0613",
      `input \`${slot.name}\` takes ${typeText(slot.dtype, ["N", ...shape])}, but ${column.source} has ${
        column.pixels ? `${column.shape[1]} x ${column.shape[2]} pixels` : `rows of ${rowText(column.shape)}`
      }: ${advice}`,
    );
  if (!column.pixels) {
    const alike = withoutOnes(shape) === withoutOnes(column.shape);
    const flat = column.shape.length <= 1 && elementCount(shape) === elementCount(column.shape);
    if (!alike && !flat) throw misfit("change the program's input, or prepare the data in this shape");
    return copy;
  }
  const [channels, height, width] = column.shape as [number, number, number];
  const plane = height * width;
  const wanted = elementCount(shape) / plane;
  const flat = shape.length === 1 || (shape.length === 2 && shape[0] === height && shape[1] === width);
  const planar = shape.length === 3 && shape[1] === height && shape[2] === width;
  if (!(flat || planar) || !Number.isInteger(wanted) || wanted < 1 || wanted > 4)
    throw misfit(`resize the images, or change the program's input to ${typeText(slot.dtype, ["N", ...column.shape])}`);
  const convert = convertChannels(channels, wanted, plane);
  const fill = real ? scaled : copy;
  return (row, target, at) => fill(convert(row), target, at);
}

const arrays = {
  f32: Float32Array,
  f16: Float32Array,
  i32: Int32Array,
  u32: Uint32Array,
  u8: Uint8Array,
  bool: Uint8Array,
} as const;
/** Integers have to be integers, in the range of their type and within the program's bounds. */
function checkRow(column: Column, slot: InputSlot, index: number, row: TypedArray): void {
  if (slot.dtype === "f32" || slot.dtype === "f16") return;
  const [least, most] = slot.bounds ? [slot.bounds.min, slot.bounds.max] : integerRanges[slot.dtype];
  for (const value of row)
    if (!(Number.isInteger(value) && value >= least && value <= most))
      throw new DlxError(
        "E0613",
        `${column.source}, row ${index + 1}: ${value} is not what input \`${slot.name}\` takes (integers from ${least} to ${most})`,
      );
}

/**
 * Fills a program's inputs from a part's columns. `batched` inputs have N as axis 0. Inputs with a default are left alone
 * unless a column has their name; `mapping` gives columns other names. Throws E0613.
 */
export function bindRows(part: Part, slots: readonly InputSlot[], mapping: ReadonlyMap<string, string>): LocalRows {
  const named = part.columns.map((column) => ({ column, name: mapping.get(column.name) ?? column.name }));
  const bound = slots.flatMap((slot) => {
    const column = named.findLast(({ name }) => name === slot.name)?.column;
    if (!column) {
      if (slot.default !== undefined) return [];
      const offered = [...new Set(named.map(({ name }) => name))].join(", ");
      throw new DlxError(
        "E0613",
        `the data has nothing named \`${slot.name}\`; it has ${offered}. Name it with ,COLUMN=${slot.name}`,
      );
    }
    const shape = slot.shape.slice(1);
    return [{ slot, column, size: elementCount(shape), fill: fillerOf(column, slot, shape) }];
  });
  return {
    count: part.rows.length,
    read(positions) {
      const inputs: Record<string, TypedArray> = {};
      for (const { slot, column, size, fill } of bound) {
        const target = new arrays[slot.dtype](positions.length * size);
        positions.forEach((position, k) => {
          const index = part.rows[position]!;
          const row = column.row(index);
          checkRow(column, slot, index, row);
          fill(row, target, k * size);
        });
        inputs[slot.name] = target;
      }
      return inputs;
    },
  };
}

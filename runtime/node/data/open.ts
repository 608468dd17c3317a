/** Opens what `--data` names, and divides it into rows to train on and rows held out. */
import { DlxError } from "../../errors.ts";
import { permutation } from "../../rng.ts";
import { decodeNumbers, readSafetensors } from "../../safetensors.ts";
import { readBytes } from "../files.ts";
import { arrayColumn, type Column, type Part } from "./column.ts";
import { csvTable } from "./csv.ts";
import { imageFolderColumns } from "./folder.ts";
import { idxColumns } from "./idx.ts";
import { type NamedArray, parseNpy, parseNpz } from "./npy.ts";
import { type DataSpec, parseSpec, takeNumber } from "./spec.ts";
import { syntheticColumns } from "./synthetic.ts";
import { textColumns } from "./text.ts";

export interface DataSet {
  readonly train: Part;
  readonly held: Part;
  /** Column names to input names. */
  readonly mapping: ReadonlyMap<string, string>;
  /** Names of the classes, where the data has them. */
  readonly classes: readonly string[];
}

/** What a source gives: one set of columns to be split, or two that were split when they were made. */
interface Source {
  readonly columns: readonly Column[];
  readonly held?: readonly Column[];
  readonly classes?: readonly string[];
}

/** Named arrays as columns; `x_train` and `x_test` are `x` of the two parts. */
function fromArrays(arrays: ReadonlyMap<string, NamedArray>, file: string): Source {
  const columns: Column[] = [];
  const held: Column[] = [];
  for (const [name, { data, shape }] of arrays) {
    const [, base, part] = /^(.+)_(train|test)$/.exec(name) ?? [];
    (part === "test" ? held : columns).push(arrayColumn(base ?? name, data, shape, `${file} (${name})`));
  }
  return held.length > 0 && columns.length > 0 ? { columns, held } : { columns: [...columns, ...held] };
}

/** The arrays in a safetensors file, as plain numbers. */
export function storedArrays(bytes: Uint8Array, file: string): Map<string, NamedArray> {
  const { tensors } = readSafetensors(bytes, file);
  return new Map([...tensors].map(([name, stored]) => [name, { data: decodeNumbers(stored), shape: stored.shape }]));
}

const isCount = (value: number) => Number.isSafeInteger(value) && value > 0;

async function readSource(spec: DataSpec, left: Map<string, string>): Promise<Source> {
  const [path = "", second] = spec.paths;
  const count = (name: string, fallback: number) =>
    takeNumber(spec, left, name, fallback, isCount, "a positive integer");
  switch (spec.kind) {
    case "idx": {
      const columns = await idxColumns(path, "train");
      const held = await idxColumns(path, "t10k");
      if (columns) return held ? { columns, held } : { columns };
      throw new DlxError(
        "E0614",
        `${path} has no train-images-idx3-ubyte and train-labels-idx1-ubyte (with or without .gz)`,
      );
    }
    case "images":
      return imageFolderColumns(path);
    case "csv": {
      const label = left.get("label");
      left.delete("label");
      return csvTable(path, label);
    }
    case "npy": {
      const columns: Column[] = [];
      for (const [k, file] of [path, second].entries()) {
        if (file === undefined) continue;
        const { data, shape } = parseNpy(await readBytes(file), file);
        columns.push(arrayColumn(k === 0 ? "x" : "label", data, shape, file));
      }
      return { columns };
    }
    case "npz":
      return fromArrays(await parseNpz(await readBytes(path), path), path);
    case "safetensors":
      return fromArrays(storedArrays(await readBytes(path), path), path);
    case "text": {
      const context = count("context", 128);
      const columns = await textColumns(path, context, count("stride", context));
      return second === undefined ? { columns } : { columns, held: await textColumns(second, context, context) };
    }
    case "synthetic": {
      const noise = takeNumber(spec, left, "noise", 0.1, (value) => value >= 0 && value < 100, "a number from 0");
      const seed = takeNumber(
        spec,
        left,
        "seed",
        0,
        (value) => Number.isSafeInteger(value) && value >= 0,
        "an integer from 0",
      );
      return { columns: syntheticColumns(path, count("rows", 1000), noise, seed) };
    }
    default:
      return spec.kind satisfies never;
  }
}

function countRows(columns: readonly Column[]): number {
  const [first, ...others] = columns;
  if (!first) throw new DlxError("E0612", "the data has no columns");
  for (const column of others)
    if (column.rows !== first.rows)
      throw new DlxError(
        "E0613",
        `${column.source} has ${column.rows} rows, but ${first.source} has ${first.rows}: they have to belong together`,
      );
  return first.rows;
}

const all = (count: number) => Uint32Array.from({ length: count }, (_, row) => row);
/** Apart from any program's stream: which rows are held out must not follow from the training's seed. */
const splitStream = 0xfffffffe;

/** Rows of nothing, for a block that draws its own: one a step of training, in passes of a thousand. */
export function withoutData(steps: number): DataSet {
  return {
    train: { columns: [], rows: all(Math.min(steps, 1000)) },
    held: { columns: [], rows: all(0) },
    mapping: new Map(),
    classes: [],
  };
}

export async function openData(text: string): Promise<DataSet> {
  const spec = parseSpec(text);
  const left = new Map(spec.options);
  const share = takeNumber(spec, left, "split", 0.1, (value) => value >= 0 && value <= 1, "a share from 0 to 1");
  const { columns, held, classes = [] } = await readSource(spec, left);
  const mapping = left;
  for (const name of mapping.keys())
    if (!columns.some((column) => column.name === name))
      throw new DlxError(
        "E0611",
        `--data ${text}: \`${name}\` is neither an option of ${spec.kind}: nor one of its columns (${columns.map((column) => column.name).join(", ")})`,
      );
  const count = countRows(columns);
  if (held && !spec.options.has("split"))
    return {
      train: { columns, rows: all(count) },
      held: { columns: held, rows: all(countRows(held)) },
      mapping,
      classes,
    };
  const order = permutation([0, 0], splitStream, 0, count);
  const heldOut = Math.round(count * share);
  return {
    train: { columns, rows: order.slice(heldOut).sort() },
    // With nothing held out, everything is there to look at.
    held: { columns, rows: heldOut > 0 ? order.slice(0, heldOut).sort() : all(count) },
    mapping,
    classes,
  };
}

/**
 * From a caller's record of inputs to runs of a device and back: checking, padding and splitting over the batch sizes that
 * were built, and putting the results together. Pure but for `run`.
 */
import type { Elements } from "./device.ts";
import { DlxError } from "./errors.ts";
import type { DTypeName, Entry, InputSlot, OutputSlot } from "./plan.ts";
import {
  allocate,
  elementCount,
  fromElements,
  openInput,
  type TensorInput,
  type TensorOutput,
  toElements,
  typeText,
} from "./tensor.ts";

export type Inputs = Readonly<Record<string, TensorInput>>;
export type Outputs = Record<string, TensorOutput>;

/** The entries that differ only in batch size: one thing that callers can call. */
export interface Callable {
  /** `predict LeNet`, for messages. */
  readonly title: string;
  /** Ascending by batch. */
  readonly variants: readonly { readonly index: number; readonly entry: Entry }[];
  /** How the results of several runs combine: rows behind one another, mean weighted by rows, or not at all. */
  readonly combine: "concatenate" | "average" | "exact";
}

/** Whether axis 0 of an input or output is N: it is, in every variant, as long as the batch. */
function isBatched(callable: Callable, side: "inputs" | "outputs", position: number): boolean {
  return callable.variants.every(({ entry }) => {
    const slot = entry[side][position];
    return slot?.batched ?? (entry.batch !== undefined && slot?.shape[0] === entry.batch);
  });
}

const first = (callable: Callable): Entry => callable.variants[0]!.entry;

function checkBounds(slot: InputSlot, elements: Elements): void {
  const { bounds } = slot;
  if (!bounds) return;
  for (let i = 0; i < elements.length; i++) {
    const value = elements[i]!;
    if (value < bounds.min || value > bounds.max)
      throw new DlxError(
        "E0605",
        `input \`${slot.name}\`: element ${i} is ${value}; expected ${bounds.min} to ${bounds.max}`,
      );
  }
}

/** An input that passed every check. `row` is the number of elements a row where axis 0 is N, else undefined. */
interface Ready {
  readonly dtype: DTypeName;
  readonly elements: Elements;
  readonly row: number | undefined;
}

function check(callable: Callable, inputs: Inputs): { ready: Ready[]; rows: number | undefined } {
  const entry = first(callable);
  const known = entry.inputs.map((slot) => slot.name);
  for (const name of Object.keys(inputs))
    if (!known.includes(name))
      throw new DlxError("E0602", `${callable.title} has no input \`${name}\`; it takes ${known.join(", ") || "none"}`);
  let rows: number | undefined;
  const ready = entry.inputs.map((slot, position): Ready => {
    const { name, dtype } = slot;
    const batched = isBatched(callable, "inputs", position);
    const fixed = batched ? slot.shape.slice(1) : slot.shape;
    const wanted = batched ? ["N", ...fixed] : fixed;
    const value = inputs[name] ?? slot.default;
    if (value === undefined)
      throw new DlxError("E0601", `${callable.title}: input \`${name}\` (${typeText(dtype, wanted)}) is missing`);
    const { data, shape } = openInput(name, dtype, wanted, value);
    const row = elementCount(fixed);
    const count = batched ? data.length / row : 1;
    const whole = batched ? [count, ...fixed] : fixed;
    const misfit = (got: string) =>
      new DlxError("E0604", `input \`${name}\`: expected ${typeText(dtype, wanted)}, got ${got}`);
    if (!Number.isInteger(count) || data.length !== count * row) throw misfit(`${data.length} elements`);
    if (shape && String(shape) !== String(whole)) throw misfit(`[${shape.join(", ")}]`);
    if (batched) {
      if (rows !== undefined && rows !== count)
        throw misfit(`N = ${count} where the inputs before it have N = ${rows}`);
      rows = count;
    }
    const elements = toElements(dtype, data);
    checkBounds(slot, elements);
    return { dtype, elements, row: batched ? row : undefined };
  });
  return { ready, rows };
}

/**
 * Built sizes that cover `rows`: the largest that fits, again and again; the last one may be padded if more than half of it
 * is used. Undefined where that does not come out.
 */
export function chooseSizes(rows: number, sizes: readonly number[], pad: boolean): number[] | undefined {
  const chosen: number[] = [];
  for (let left = rows; left > 0; ) {
    const below = sizes.findLast((size) => size <= left);
    const above = pad ? sizes.find((size) => size >= left) : undefined;
    const size = above !== undefined && (below === undefined || above < 2 * left) ? above : below;
    if (size === undefined) return undefined;
    chosen.push(size);
    left -= size;
  }
  return chosen;
}

/** Rows `[begin, begin + size)`; rows after the last repeat it, so that bounds keep holding. */
function slice({ elements, row, dtype }: Ready, begin: number, size: number): Elements {
  if (row === undefined || (begin === 0 && elements.length === size * row)) return elements;
  const part = elements.subarray(begin * row, (begin + size) * row);
  if (part.length === size * row) return part;
  const full = allocate(dtype, size * row);
  full.set(part);
  for (let at = part.length; at < full.length; at += row) full.set(elements.subarray(-row), at);
  return full;
}

/** How many rows N is in a record of inputs; undefined if nothing in it depends on N. Checks all of it. */
export function countRows(callable: Callable, inputs: Inputs): number | undefined {
  return check(callable, inputs).rows;
}

/** Inputs that passed every check, and the sizes of the runs that they take. */
export interface Prepared {
  readonly ready: readonly Ready[];
  readonly rows: number | undefined;
  readonly chosen: readonly number[];
}

/**
 * Checks the inputs. `keep`: they are not read at once, so what is the caller's own array is copied; between runs the
 * caller may write to it too.
 */
export function prepare(callable: Callable, inputs: Inputs, keep: boolean): Prepared {
  const { ready, rows } = check(callable, inputs);
  const sizes = callable.variants.map(({ entry }) => entry.batch ?? 1);
  const { combine } = callable;
  const chosen =
    rows === undefined
      ? sizes.slice(0, 1)
      : combine === "exact"
        ? sizes.filter((size) => size === rows)
        : chooseSizes(rows, sizes, combine === "concatenate");
  if (!chosen?.length)
    throw new DlxError("E0606", `${callable.title}: N = ${rows} was not built; N can be ${sizes.join(" or ")}`);
  if (!keep && chosen.length === 1) return { ready, rows, chosen };
  return { ready: ready.map((input) => ({ ...input, elements: input.elements.slice() })), rows, chosen };
}

export interface Parts {
  readonly rows: number;
  readonly results: readonly Elements[];
}

/** Runs what is needed and combines it: one array for each output. The first run reads its inputs before this returns. */
export async function execute(
  callable: Callable,
  { ready, rows, chosen }: Prepared,
  run: (entry: number, inputs: readonly Elements[]) => Promise<readonly Elements[]>,
): Promise<Parts> {
  const { combine } = callable;
  let begin = 0;
  const runs: { count: number; results: readonly Elements[] }[] = [];
  for (const size of chosen) {
    const variant = callable.variants.find(({ entry }) => (entry.batch ?? 1) === size)!;
    const results = await run(
      variant.index,
      ready.map((input) => slice(input, begin, size)),
    );
    const count = rows === undefined ? 1 : Math.min(size, rows - begin);
    runs.push({ count, results });
    begin += size;
  }
  const total = rows ?? 1;
  if (runs.length === 1 && runs[0]!.count === chosen[0]) return { rows: total, results: runs[0]!.results };
  if (combine === "average") {
    const tally = new Tally(first(callable).outputs);
    for (const { count, results } of runs) tally.add({ rows: count, results });
    return { rows: total, results: tally.results() };
  }
  const results = first(callable).outputs.map(({ dtype, shape }, position) => {
    if (!isBatched(callable, "outputs", position)) return runs[0]!.results[position]!;
    const row = elementCount(shape.slice(1));
    const joined = allocate(dtype, total * row);
    let at = 0;
    for (const { count, results } of runs) {
      joined.set(results[position]!.subarray(0, count * row), at);
      at += count * row;
    }
    return joined;
  });
  return { rows: total, results };
}

/** What runs of an evaluation come to: means weighted by rows, and the sums of totals; added up in float64. */
export class Tally {
  readonly #outputs: readonly OutputSlot[];
  readonly #parts: Parts[] = [];
  #rows = 0;
  #sums: readonly Float64Array[] = [];

  constructor(outputs: readonly OutputSlot[]) {
    this.#outputs = outputs;
  }
  get rows(): number {
    return this.#rows;
  }
  add(part: Parts): void {
    if (this.#rows === 0) {
      this.#parts.push(part);
      this.#sums = part.results.map(({ length }) => new Float64Array(length));
    } else this.#parts.length = 0;
    this.#rows += part.rows;
    for (const [k, { role }] of this.#outputs.entries()) {
      const weight = role === "total" ? 1 : part.rows;
      const sum = this.#sums[k]!;
      for (const [i, value] of part.results[k]!.entries()) sum[i]! += weight * value;
    }
  }
  /** One array an output. What a single run gave stays as it is; a mean is real, whatever it is a mean of. */
  results(): readonly Elements[] {
    const [only] = this.#parts;
    if (only) return only.results;
    return this.#outputs.map(({ dtype, role }, k) => {
      const sum = this.#sums[k]!;
      if (role !== "total") return Float32Array.from(sum, (value) => value / this.#rows);
      const total = allocate(dtype, sum.length);
      total.set(sum);
      return total;
    });
  }
}

/** Results as callers see them, by name; parts of totals are not for callers. */
export function outputsOf(callable: Callable, results: readonly Elements[]): Outputs {
  return Object.fromEntries(
    first(callable).outputs.flatMap(({ name, role, dtype, shape }, position) => {
      if (role === "total") return [];
      const elements = results[position]!;
      const real = elements instanceof Float32Array && dtype !== "f16" ? "f32" : dtype;
      return [[name, fromElements(real, shape, elements)]];
    }),
  );
}

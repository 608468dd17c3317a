/** What `dlx summary` counts: layers in the order of the forward pass, their shapes, parameters, work and memory. */
import type { PersistentSlot } from "../../runtime/plan.ts";
import { isWeight } from "../../runtime/weights.ts";
import type { Program, ProgramEntry } from "../elaborate/program.ts";
import { graphFlops, nodeFlops } from "../graph/flops.ts";
import type { Graph, Tensor } from "../graph/graph.ts";

export interface SummaryRow {
  /** The layer's path; for what stands between layers the line that made it, indented. */
  readonly layer: string;
  /** Shape of what the layer hands on. */
  readonly output: readonly number[];
  readonly parameters: number;
  /** Floating-point operations; a multiplication and an addition are two. */
  readonly flops: number;
  /** Bytes of everything the layer computes, if all of it were stored. */
  readonly activationBytes: number;
}
export interface Summary {
  readonly model: string;
  readonly batch: number | undefined;
  readonly rows: readonly SummaryRow[];
  /** What a file of its weights holds, parameters and layer state, in the order of the program. */
  readonly weights: readonly Pick<PersistentSlot, "path" | "role" | "dtype" | "shape">[];
  readonly parameters: number;
  readonly flops: number;
  readonly activationBytes: number;
}

const count = (shape: readonly number[]) => shape.reduce((product, extent) => product * extent, 1);
const bytesOf = (tensor: Tensor) => 4 * count(tensor.type.shape);

/** The persistent slots that a graph reads as parameters, by the path of the layer that owns them. */
function parametersByLayer(graph: Graph): Map<string, number> {
  const owners = new Map<string, number>();
  for (const { role, path, tensor } of graph.inputs)
    if (role === "parameter") {
      const owner = path.slice(0, Math.max(0, path.lastIndexOf(".")));
      owners.set(owner, (owners.get(owner) ?? 0) + count(tensor.type.shape));
    }
  return owners;
}

function summarize(entry: ProgramEntry, { persistent }: Program): Summary {
  const { graph } = entry;
  const read = new Set(graph.inputs.map(({ path }) => path));
  const owners = parametersByLayer(graph);
  const total = [...owners.values()].reduce((a, b) => a + b, 0);
  const rows: SummaryRow[] = [];
  let key: string | undefined;
  for (const node of graph.nodes) {
    const last = node.results[0];
    if (!last) continue;
    const { origin } = node;
    const path = origin?.path ?? "";
    // What stands under the model's own path is one row from layer to layer, named by the first line that made it.
    const own = path === "" || path === entry.of;
    const layer = own ? `  line ${origin?.line ?? "?"} of ${origin?.file ?? entry.of}` : path;
    const stored = node.kind === "view" ? 0 : node.results.reduce((sum, tensor) => sum + bytesOf(tensor), 0);
    const previous = rows.at(-1);
    if (previous && key === path)
      rows[rows.length - 1] = {
        ...previous,
        output: last.type.shape,
        flops: previous.flops + nodeFlops(node),
        activationBytes: previous.activationBytes + stored,
      };
    else {
      // A layer applied twice has its parameters once.
      const parameters = owners.get(path) ?? 0;
      owners.delete(path);
      rows.push({ layer, output: last.type.shape, parameters, flops: nodeFlops(node), activationBytes: stored });
    }
    key = path;
  }
  return {
    model: entry.of,
    batch: entry.batch,
    rows,
    weights: persistent.flatMap((slot) => {
      const { path, role, dtype, shape } = slot;
      return isWeight(slot) && read.has(path) ? [{ path, role, dtype, shape }] : [];
    }),
    parameters: total,
    flops: rows.reduce((sum, row) => sum + row.flops, 0),
    activationBytes: rows.reduce((sum, row) => sum + row.activationBytes, 0),
  };
}

/** Each model (or the one named) at its largest batch. */
export function summaries(program: Program, model: string | undefined): Summary[] {
  const chosen = new Map<string, ProgramEntry>();
  for (const entry of program.entries)
    if (entry.kind === "predict" && (model === undefined || entry.of === model)) {
      const other = chosen.get(entry.of);
      if (!other || (other.batch ?? 0) < (entry.batch ?? 0)) chosen.set(entry.of, entry);
    }
  return [...chosen.values()].map((entry) => summarize(entry, program));
}

export interface TrainingSummary {
  readonly block: string;
  readonly batch: number | undefined;
  /** Of one step. */
  readonly flops: number;
  /** Weights, optimizer state and everything else that outlives a step. */
  readonly persistentBytes: number;
}

const slotBytes = (slots: readonly PersistentSlot[]) => slots.reduce((sum, { shape }) => sum + 4 * count(shape), 0);

export function trainingSummaries(program: Program): TrainingSummary[] {
  return program.entries
    .filter(({ kind }) => kind === "step")
    .map(({ of, batch, graph }) => ({
      block: of,
      batch,
      flops: graphFlops(graph),
      persistentBytes: slotBytes(program.persistent.filter(({ block }) => block === undefined || block === of)),
    }));
}

/** 1234567 as `1.23 M`: three digits and the SI prefix. */
export function short(value: number): string {
  const prefixes = ["", " k", " M", " G", " T", " P"];
  let power = 0;
  let left = value;
  while (left >= 999.5 && power < prefixes.length - 1) {
    left /= 1000;
    power++;
  }
  return `${power === 0 ? left : Number(left.toPrecision(3))}${prefixes[power]}`;
}

/** Columns of text; all but the first stand to the right. */
export function table(lines: readonly (readonly string[])[]): string {
  const widths = (lines[0] ?? []).map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  return lines
    .map((line) =>
      line
        .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
        .join("  ")
        .trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join("");
}

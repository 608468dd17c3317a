/** The nodes that have kernels of their own: adding at computed places, random words, and sorting. */
import type { RandomNode, ScatterAddNode, SortNode } from "../graph/graph.ts";
import type { Dispatch } from "../kernel/ir.ts";
import type { BuildContext } from "./group.ts";
import type { Placed } from "./program.ts";
import { randomCpu } from "./random/cpu.ts";
import { randomGpu } from "./random/gpu.ts";
import { scatterCpu } from "./scatter/cpu.ts";
import { scatterGpu } from "./scatter/gpu.ts";
import { sortCpu } from "./sort/cpu.ts";
import { sortGpu } from "./sort/gpu.ts";

/** Adds to the result's memory, which has been filled with zeros. */
export function scatterOf(node: ScatterAddNode, context: BuildContext): readonly Dispatch<Placed>[] {
  return context.target === "cpu" ? [scatterCpu(node, context)] : scatterGpu(node, context);
}
export function randomOf(node: RandomNode, context: BuildContext): readonly Dispatch<Placed>[] {
  return [context.target === "cpu" ? randomCpu(node, context) : randomGpu(node, context)];
}
export function sortOf(node: SortNode, context: BuildContext): readonly Dispatch<Placed>[] {
  return context.target === "cpu" ? [sortCpu(node, context)] : sortGpu(node, context);
}

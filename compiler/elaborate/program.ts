/** What elaboration makes of a file: everything the host can run, each as one graph. */
import type { Entry, InputSlot, PersistentSlot } from "../../runtime/plan.ts";
import type { Graph } from "../graph/graph.ts";

export interface ProgramEntry extends Omit<Entry, "inputs" | "outputs"> {
  /** Arguments and knobs in signature order; the graph's inputs carry the same names as paths. */
  readonly inputs: readonly InputSlot[];
  readonly graph: Graph;
}

export interface Program {
  readonly main: string | null;
  readonly persistent: readonly PersistentSlot[];
  readonly entries: readonly ProgramEntry[];
}

import type { ScanNode } from "../graph/graph.ts";
import type { Sweep } from "./rules.ts";
export function adjointOfScan(_sweep: Sweep, _node: ScanNode): void {
  throw new Error("unfinished");
}

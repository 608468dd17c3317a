/** Fits an entry into a number of bytes by computing values again instead of keeping them. */
import { graphFlops, nodeFlops } from "../../graph/flops.ts";
import type { Graph, Origin } from "../../graph/graph.ts";
import type { Target } from "../group.ts";
import type { Schedule } from "../program.ts";
import { prepared } from "../schedule.ts";
import { computedAgain } from "./again.ts";
import { choose, prune } from "./choose.ts";
import { Lives, type Stop } from "./lives.ts";

/** A value that is computed a second time. */
export interface Repeated {
  readonly name: string;
  readonly origin: Origin | undefined;
  /** Bytes that need not be kept meanwhile; 0 for what only ever was in registers. */
  readonly bytes: number;
  readonly flops: number;
}
export interface Fitted {
  readonly graph: Graph;
  readonly schedule: Schedule;
  readonly arenaBytes: number;
  readonly repeated: readonly Repeated[];
  /** Of the whole entry, without what is computed again. */
  readonly flops: number;
}

/** How often the estimate is corrected by a real plan. */
const mostPlans = 12;
/** By how much the limit falls at a time when the smallest plan is wanted. */
const descent = 0.93;

export interface FitOptions {
  readonly alignment: number;
  readonly scheduled: (graph: Graph) => Schedule;
  readonly arenaOf: (schedule: Schedule) => number;
}

/** The plan that costs least among those found within `limit` bytes; the smallest found if there is none. */
export function fitInto(original: Graph, target: Target, limit: number, options: FitOptions): Fitted {
  const graph = prepared(original, target);
  const plain = options.scheduled(graph);
  const flops = graphFlops(graph);
  const start: Fitted = { graph, schedule: plain, arenaBytes: options.arenaOf(plain), repeated: [], flops };
  if (start.arenaBytes <= limit) return start;
  const lives = new Lives(graph, plain, options.alignment);
  const planOf = (again: ReadonlySet<Stop>): Fitted => {
    const changed = computedAgain(graph, lives, again);
    const planned = options.scheduled(changed);
    const repeated = [...lives.returns(again).keys()]
      .sort((a, b) => a.index - b.index)
      .map(({ node }): Repeated => {
        const stop = lives.maker(node.results[0]!)!;
        return { name: node.results[0]!.name, origin: node.origin, bytes: lives.bytesOf(stop), flops: nodeFlops(node) };
      });
    return { graph: changed, schedule: planned, arenaBytes: options.arenaOf(planned), repeated, flops };
  };

  const again = new Set<Stop>();
  let best = start;
  let estimated = limit;
  for (let plans = 0; plans < mostPlans; plans++) {
    const enough = choose(lives, again, estimated);
    const slim = new Set(again);
    if (enough) prune(lives, slim, estimated);
    const found = planOf(slim);
    if (found.arenaBytes < best.arenaBytes) best = found;
    if (found.arenaBytes <= limit) return found;
    if (!enough) break;
    estimated = Math.min(estimated - (found.arenaBytes - limit), estimated * 0.99);
  }
  return smallest(lives, planOf, best, limit);
}

/** Lowers the limit step by step, so that every step takes what is cheapest there. */
function smallest(lives: Lives, planOf: (again: ReadonlySet<Stop>) => Fitted, known: Fitted, limit: number): Fitted {
  const again = new Set<Stop>();
  let best = known;
  let wanted = Math.max(...lives.usage(again)) * descent;
  let tries = 0;
  while (tries < mostPlans && choose(lives, again, wanted)) {
    wanted *= descent;
    // Far above what has been reached there is nothing to find.
    if (wanted > best.arenaBytes) continue;
    tries++;
    const found = planOf(again);
    if (found.arenaBytes < best.arenaBytes) best = found;
    if (best.arenaBytes <= limit) return best;
  }
  const last = planOf(again);
  return last.arenaBytes < best.arenaBytes ? last : best;
}

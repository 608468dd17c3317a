/**
 * Which nodes to compute again: greedily what frees most bytes over the limit, at every launch that is over it, for each
 * operation that it costs. Gains only shrink as more is chosen, nearly always, so an old gain is a bound (Minoux,
 * "Accelerated greedy algorithms", 1978).
 */
import type { Lives, Stop } from "./lives.ts";

/** Chains of values that are computed again from further and further back. */
const deepest = 8;

interface Move {
  readonly stop: Stop;
  /** Bytes for an operation when last looked at. */
  gain: number;
  added: readonly Stop[];
}

const excessOver = (usage: Float64Array, limit: number): number => {
  let excess = 0;
  for (const bytes of usage) if (bytes > limit) excess += bytes - limit;
  return excess;
};

/** Adds to `again` until no launch uses more than `limit`; false if nothing is left that would help. */
export function choose(lives: Lives, again: Set<Stop>, limit: number): boolean {
  let excess = excessOver(lives.usage(again), limit);
  if (excess === 0) return true;
  const look = (move: Move): void => {
    move.gain = 0;
    for (const added of closures(lives, again, move.stop)) {
      const all = new Set([...again, ...added]);
      const cost = added.reduce((sum, stop) => sum + stop.cost, 1);
      const gain = (excess - excessOver(lives.usage(all), limit)) / cost;
      if (gain > move.gain) [move.gain, move.added] = [gain, added];
    }
  };
  const moves = lives.stops.flatMap((stop): Move[] => {
    const isLate = lives.readersOf(stop).some((reader) => lives.isLate(reader, stop));
    return stop.repeatable && isLate && lives.bytesOf(stop) > 0
      ? [{ stop, gain: Number.POSITIVE_INFINITY, added: [] }]
      : [];
  });
  for (const move of moves) look(move);
  while (excess > 0) {
    moves.sort((a, b) => b.gain - a.gain);
    const best = moves.shift();
    if (best === undefined || best.gain <= 0) return false;
    look(best);
    if (best.gain < (moves[0]?.gain ?? 0)) {
      moves.push(best);
      continue;
    }
    for (const stop of best.added) again.add(stop);
    excess = excessOver(lives.usage(again), limit);
  }
  return true;
}

/** Leaves out again what is not needed to stay within the limit, the costliest first. */
export function prune(lives: Lives, again: Set<Stop>, limit: number): void {
  for (const stop of [...again].sort((a, b) => b.cost - a.cost)) {
    const isHeld = lives.bytesOf(stop) > 0;
    again.delete(stop);
    if (isHeld && excessOver(lives.usage(again), limit) === 0) continue;
    again.add(stop);
  }
  const needed = lives.returns(again);
  for (const stop of again) if (!needed.has(stop)) again.delete(stop);
}

/**
 * What has to be computed again besides for a node: what it reads and no memory holds; then, step by step, what it reads
 * and would otherwise have to stay.
 */
function* closures(lives: Lives, again: ReadonlySet<Stop>, stop: Stop): Generator<readonly Stop[]> {
  if (again.has(stop)) return;
  let added: Stop[] = [stop];
  for (let depth = 0; depth < deepest; depth++) {
    const whole = withUnstored(lives, again, added);
    if (!whole) return;
    yield whole;
    const returns = lives.returns(new Set([...again, ...whole]));
    const known = new Set<Stop>(whole);
    const next: Stop[] = [...whole];
    for (const one of whole)
      for (const tensor of one.operands) {
        const maker = lives.maker(tensor);
        const at = returns.get(one)?.at ?? 0;
        if (!maker?.repeatable || again.has(maker) || known.has(maker) || lives.isThereUntil(tensor, at)) continue;
        known.add(maker);
        next.push(maker);
      }
    if (next.length === whole.length) return;
    added = next;
  }
}

function withUnstored(lives: Lives, again: ReadonlySet<Stop>, start: readonly Stop[]): Stop[] | undefined {
  const found = new Set(start);
  for (const stop of found)
    for (const tensor of stop.operands) {
      const maker = lives.maker(tensor);
      if (lives.isStored(tensor) || lives.isAlwaysThere(tensor) || (maker && again.has(maker))) continue;
      if (!maker?.repeatable) return undefined;
      found.add(maker);
    }
  return [...found];
}

/** The candidate that was probably meant by a misspelt name, if one is near enough. */
export function suggest(name: string, candidates: Iterable<string>): string | undefined {
  // A third of the letters may differ: `max_pol` finds `max_pool`, `relu` does not find `gelu_tanh`.
  const limit = Math.max(1, Math.floor(name.length / 3));
  let best: string | undefined;
  let least = limit + 1;
  const lowered = name.toLowerCase();
  for (const candidate of candidates) {
    if (candidate === name || Math.abs(candidate.length - name.length) >= least) continue;
    const distance = editDistance(lowered, candidate.toLowerCase(), least);
    if (distance < least && distance < name.length) {
      best = candidate;
      least = distance;
    }
  }
  return best;
}

/**
 * Insertions, deletions, substitutions and swaps of neighbours that lead from `a` to `b` (optimal string alignment). Where
 * that is `enough` or more, some number of at least `enough`: a file full of errors names thousands that are not near.
 */
export function editDistance(a: string, b: string, enough = Number.POSITIVE_INFINITY): number {
  let leastBefore = 0;
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    let least = i;
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        cost = Math.min(cost, (beforeLast[j - 2] ?? 0) + 1);
      }
      row.push(cost);
      if (cost < least) least = cost;
    }
    // A later row is reached through one of two in a row.
    if (least >= enough && leastBefore >= enough) return least;
    leastBefore = least;
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? 0;
}

/** Which of several functions is the fastest, on a machine where other programs run beside. */

/** Milliseconds. */
export type Clock = () => number;

/** Engines compile what runs often once more, and caches fill: so long each runs before it counts. */
const warmth = 30;
/** A round of a function takes at least this long, since a clock is only so fine. */
const roundLength = 2;
const rounds = { least: 3, most: 12 } as const;
/** All rounds together, beyond the least. */
const budget = 2000;
/** Who is slower than the fastest by this factor leaves the race: clearly in the first round, or after the least rounds. */
const hopeless = { first: 2.5, later: 1.3 } as const;

/** The least milliseconds of one run of each: interference only ever adds. Rounds are interleaved. */
export function race(runs: readonly (() => void)[], refill: () => void, now: Clock): number[] {
  refill();
  const counts = runs.map((run) => warmUp(run, now));
  const least = runs.map(() => Number.POSITIVE_INFINITY);
  const start = now();
  for (let round = 0; round < rounds.most; round++) {
    if (round >= rounds.least && now() - start > budget) break;
    // What runs do to their own operands, time and again, would end in subnormal numbers or worse.
    refill();
    const fastest = Math.min(...least);
    for (const place of runs.keys()) {
      // Each is first at some time: what was run before leaves the caches to the next.
      const k = (place + round) % runs.length;
      const limit = round < rounds.least ? hopeless.first : hopeless.later;
      if (round > 0 && least[k]! > limit * fastest) continue;
      const before = now();
      for (let i = 0; i < counts[k]!; i++) runs[k]!();
      least[k] = Math.min(least[k]!, (now() - before) / counts[k]!);
    }
  }
  return least;
}

/** How many runs make a round. */
function warmUp(run: () => void, now: Clock): number {
  const start = now();
  let count = 0;
  let elapsed = 0;
  do {
    run();
    count++;
    elapsed = now() - start;
  } while (elapsed < warmth);
  return Math.max(1, Math.ceil((roundLength * count) / elapsed));
}

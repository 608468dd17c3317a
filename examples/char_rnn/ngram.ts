/**
 * `npx tsx examples/char_rnn/ngram.ts`: what models of 1 to 6 characters give the held-out text, in bits a character. They are
 * the bar that the networks have to pass: an n-gram knows the n - 1 characters before the one it predicts, across the edges of
 * the networks' windows too, and is smoothed in the two ways that are known to be good.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** As many as the networks' softmax has. */
const ALPHABET = 128;
const LONGEST = 6;

/** How often each character followed each context of one length. */
type Counts = Map<string, Map<string, number>>;
/** The probability of `next` after `before`, whose last characters are the context. */
type Model = (before: string, next: string) => number;

const read = (name: string) => readFileSync(join(import.meta.dirname, name), "latin1");

function counted(text: string, length: number): Counts {
  const counts: Counts = new Map();
  for (let at = length; at < text.length; at++) add(counts, text.slice(at - length, at), text.charAt(at), 1);
  return counts;
}

function add(counts: Counts, context: string, next: string, times: number): void {
  const followers = counts.get(context) ?? new Map<string, number>();
  counts.set(context, followers.set(next, (followers.get(next) ?? 0) + times));
}

const suffix = (before: string, length: number) => before.slice(before.length - length);
const total = (followers: ReadonlyMap<string, number>) =>
  [...followers.values()].reduce((sum, count) => sum + count, 0);

/** Witten and Bell 1991: a new follower is as likely as kinds of followers were seen; (c + T P') / (C + T). */
function wittenBell(counts: readonly Counts[], length: number): Model {
  const lower: Model = length === 0 ? () => 1 / ALPHABET : wittenBell(counts, length - 1);
  const seen = new Map([...(counts[length] ?? [])].map(([context, followers]) => [context, total(followers)]));
  return (before, next) => {
    const followers = counts[length]?.get(suffix(before, length));
    const below = lower(before, next);
    if (!followers) return below;
    return (
      ((followers.get(next) ?? 0) + followers.size * below) / ((seen.get(suffix(before, length)) ?? 0) + followers.size)
    );
  };
}

/** In how many contexts one character longer each follower was seen. */
function continuations(longer: Counts): Counts {
  const counts: Counts = new Map();
  for (const [context, followers] of longer)
    for (const next of followers.keys()) add(counts, context.slice(1), next, 1);
  return counts;
}

/** Kneser and Ney 1995, interpolated (Chen and Goodman 1998): what is seen gives up D, shorter contexts count contexts. */
function kneserNey(counts: readonly Counts[], length: number, own: Counts = counts[length] ?? new Map()): Model {
  const shorter = (k: number) => continuations(counts[k] ?? new Map());
  const lower: Model = length === 0 ? () => 1 / ALPHABET : kneserNey(counts, length - 1, shorter(length));
  const all = [...own.values()].flatMap((followers) => [...followers.values()]);
  const [once, twice] = [1, 2].map((times) => all.filter((count) => count === times).length);
  const discount = (once ?? 0) > 0 ? (once ?? 0) / ((once ?? 0) + 2 * (twice ?? 0)) : 0.5;
  const seen = new Map([...own].map(([context, followers]) => [context, total(followers)]));
  return (before, next) => {
    const followers = own.get(suffix(before, length));
    const below = lower(before, next);
    if (!followers) return below;
    const kept = Math.max((followers.get(next) ?? 0) - discount, 0);
    const free = discount * followers.size;
    return (kept + free * below) / (seen.get(suffix(before, length)) ?? 1);
  };
}

/** The mean of -log2 of what the model gives each character. */
function bits(model: Model, text: string): number {
  let sum = 0;
  for (let at = 1; at < text.length; at++)
    sum -= Math.log2(model(text.slice(Math.max(0, at - LONGEST), at), text.charAt(at)));
  return sum / (text.length - 1);
}

const train = read("train.txt");
const held = read("held.txt");
const counts = Array.from({ length: LONGEST }, (_, length) => counted(train, length));
console.log(`${train.length} characters to learn from, ${held.length} held out\n`);
console.log("bits a character   Witten-Bell   Kneser-Ney");
for (let n = 1; n <= LONGEST; n++) {
  const [a, b] = [wittenBell, kneserNey].map((smoothing) => bits(smoothing(counts, n - 1), held));
  console.log(`${`${n}-gram`.padEnd(16)}${a?.toFixed(3).padStart(14)}${b?.toFixed(3).padStart(13)}`);
}

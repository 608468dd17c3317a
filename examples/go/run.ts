/**
 * Trains policy and value on generated positions and shows one that they have not seen.
 *
 *     npx tsx examples/go/run.ts
 */
import { evaluate, isMain, learn, openExample, percent, table, whole } from "../support/program.ts";
import {
  areaScore,
  captured,
  PLANES,
  POINTS,
  type Position,
  planesOf,
  positionRows,
  positions,
  SIDE,
} from "./positions.ts";

export interface Played {
  readonly parameters: number;
  /** `accuracy` of the policy, `points` that the value is off, on positions not trained on. */
  readonly before: Readonly<Record<string, number>>;
  readonly after: Readonly<Record<string, number>>;
  readonly position: Position;
  /** The point with the highest score, and the score that the value foretells, in points. */
  readonly chosen: number;
  readonly foretold: number;
}

export async function train(steps: number, counts: { readonly train: number; readonly held: number }): Promise<Played> {
  const example = await openExample(import.meta.url, { set: { steps } });
  const held = positions(counts.held, 2);
  const before = await evaluate(example, "go", positionRows(held));
  await learn(example, "go", positionRows(positions(counts.train, 1)), steps);
  const after = await evaluate(example, "go", positionRows(held));
  const position = held[0];
  if (!position) throw new Error("no position is held out");
  const { policy, value } = await example.session.predict({ planes: planesOf(position.board, position.colour) });
  if (!(policy instanceof Float32Array && value instanceof Float32Array)) throw new Error("Go answers two tensors");
  const { parameters } = example.cost("Go");
  example.session.dispose();
  const chosen = policy.indexOf(Math.max(...policy));
  return { parameters, before, after, position, chosen, foretold: POINTS * (value[0] ?? Number.NaN) };
}

/** The mover's stones are X, the opponent's O. */
function draw({ board, colour }: Position, chosen: number): string {
  const sign = (point: number) => {
    const holds = (board[point] ?? 0) * colour;
    return point === chosen ? "*" : holds === 1 ? "X" : holds === -1 ? "O" : ".";
  };
  const row = (_: unknown, k: number) => Array.from({ length: SIDE }, (_, column) => sign(k * SIDE + column)).join(" ");
  return Array.from({ length: SIDE }, row).join("\n");
}

if (isMain(import.meta.url)) {
  const { parameters, before, after, position, chosen, foretold } = await train(800, { train: 8000, held: 1000 });
  const line = (name: string, { accuracy = 0, points = 0 }: Readonly<Record<string, number>>) => [
    name,
    percent(accuracy),
    points.toFixed(1),
  ];
  console.log(`${whole(parameters)} parameters, ${PLANES} planes of ${SIDE} x ${SIDE}\n`);
  console.log(
    table(["", "best move found", "points that the value is off"], [line("before", before), line("after", after)]),
  );
  const { board, colour } = position;
  console.log(
    `\n${draw(position, chosen)}\n\nThe move * of X captures ${captured(board, chosen, colour).size}; score ${areaScore(board, colour)}, foretold ${foretold.toFixed(1)}.`,
  );
}

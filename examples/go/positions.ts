/**
 * Positions of Go on 9 x 9 with a best move that can be computed: random legal games, stopped where the mover can capture, and one
 * move captures more stones than any other. The value is the area score: stones, and empty regions that touch one colour alone.
 */
import type { Rows } from "../../runtime/train-loop.ts";
import { Draws } from "../support/draws.ts";
import { rowsOf } from "../support/program.ts";

export const SIDE = 9;
export const POINTS = SIDE * SIDE;
export const PLANES = 8;
/** A stone's colour: 1 and -1; 0 is empty. */
export type Board = Int8Array;

const neighbours: readonly (readonly number[])[] = Array.from({ length: POINTS }, (_, point) => {
  const [row, column] = [Math.floor(point / SIDE), point % SIDE];
  return [
    ...(row > 0 ? [point - SIDE] : []),
    ...(row < SIDE - 1 ? [point + SIDE] : []),
    ...(column > 0 ? [point - 1] : []),
    ...(column < SIDE - 1 ? [point + 1] : []),
  ];
});

export interface Region {
  readonly points: readonly number[];
  /** Points around it by what stands on them. */
  readonly around: ReadonlyMap<number, ReadonlySet<number>>;
}

/** The points connected to `start` that hold the same: a group of stones, or an empty region. */
export function regionAt(board: Board, start: number): Region {
  const seen = new Set([start]);
  const around = new Map<number, Set<number>>();
  const points = [start];
  for (let k = 0; k < points.length; k++)
    for (const next of neighbours[points[k] ?? 0] ?? []) {
      const holds = board[next] ?? 0;
      if (holds !== board[start]) around.set(holds, (around.get(holds) ?? new Set<number>()).add(next));
      else if (!seen.has(next)) {
        seen.add(next);
        points.push(next);
      }
    }
  return { points, around };
}

const regionsOf = (board: Board): Region[] => {
  const seen = new Set<number>();
  return Array.from(board.keys()).flatMap((point) => {
    if (seen.has(point)) return [];
    const region = regionAt(board, point);
    for (const one of region.points) seen.add(one);
    return [region];
  });
};

export const libertiesOf = ({ around }: Region): ReadonlySet<number> => around.get(0) ?? new Set();

/** The stones that a move of `colour` captures. */
export function captured(board: Board, point: number, colour: number): Set<number> {
  const stones = new Set<number>();
  for (const next of neighbours[point] ?? []) {
    if (board[next] !== -colour || stones.has(next)) continue;
    const group = regionAt(board, next);
    if (libertiesOf(group).size === 1) for (const stone of group.points) stones.add(stone);
  }
  return stones;
}

/** The board after a move; undefined where it is no legal one (an occupied point, or a group left without liberties). */
export function play(board: Board, point: number, colour: number): Board | undefined {
  if (board[point] !== 0) return undefined;
  const next = board.slice();
  for (const stone of captured(board, point, colour)) next[stone] = 0;
  next[point] = colour;
  return libertiesOf(regionAt(next, point)).size > 0 ? next : undefined;
}

/** `colour`'s stones and the empty regions that touch no other's, less the opponent's. */
export function areaScore(board: Board, colour: number): number {
  let score = 0;
  for (const { points, around } of regionsOf(board)) {
    const holds = board[points[0] ?? 0] ?? 0;
    const owner = holds !== 0 ? holds : around.has(1) === around.has(-1) ? 0 : around.has(1) ? 1 : -1;
    score += owner * colour * points.length;
  }
  return score;
}

/** The move that captures most; undefined where there is none, or none alone. */
export function bestCapture(board: Board, colour: number): number | undefined {
  let best: number | undefined;
  let most = 0;
  for (let point = 0; point < POINTS; point++) {
    if (board[point] !== 0) continue;
    const count = captured(board, point, colour).size;
    if (count === most) best = undefined;
    if (count > most) [best, most] = [point, count];
  }
  return best;
}

/** The planes of `model.dlx`, as the mover sees the board. */
export function planesOf(board: Board, colour: number): Float32Array {
  const planes = new Float32Array(PLANES * POINTS);
  for (const region of regionsOf(board)) {
    const holds = (board[region.points[0] ?? 0] ?? 0) * colour;
    const liberties = Math.min(4, libertiesOf(region).size);
    for (const point of region.points) {
      planes[(holds === 1 ? 0 : holds === -1 ? 1 : 2) * POINTS + point] = 1;
      planes[3 * POINTS + point] = 1;
      if (holds !== 0) planes[(3 + liberties) * POINTS + point] = 1;
    }
  }
  return planes;
}

export interface Position {
  readonly board: Board;
  readonly colour: number;
  readonly move: number;
}

/** One that a random game of 15 to 60 moves ends in. */
function position(draws: Draws): Position {
  for (;;) {
    let board: Board = new Int8Array(POINTS);
    let colour = 1;
    const moves = 15 + draws.below(46);
    for (let k = 0; k < moves; k++) {
      board = play(board, draws.below(POINTS), colour) ?? board;
      colour = -colour;
    }
    const move = bestCapture(board, colour);
    if (move !== undefined) return { board, colour, move };
  }
}

export function positions(count: number, seed: number): Position[] {
  const draws = new Draws(seed);
  return Array.from({ length: count }, () => position(draws));
}

export function positionRows(chosen: readonly Position[]): Rows {
  const planes = new Float32Array(chosen.length * PLANES * POINTS);
  chosen.forEach(({ board, colour }, k) => {
    planes.set(planesOf(board, colour), k * PLANES * POINTS);
  });
  return rowsOf(chosen.length, {
    planes,
    move: Int32Array.from(chosen, ({ move }) => move),
    score: Float32Array.from(chosen, ({ board, colour }) => areaScore(board, colour) / POINTS),
  });
}

/** The rules that the positions of the Go example are made by. */
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  areaScore,
  type Board,
  bestCapture,
  captured,
  libertiesOf,
  POINTS,
  planesOf,
  play,
  positions,
  regionAt,
  SIDE,
} from "../../examples/go/positions.ts";

/** A board of nine lines: X is 1, O is -1. */
function board(...lines: string[]): Board {
  const points = lines.concat(Array.from({ length: SIDE - lines.length }, () => ".".repeat(SIDE))).join("");
  return Int8Array.from(points, (sign) => (sign === "X" ? 1 : sign === "O" ? -1 : 0));
}

const cornered = board("OO.X.....", "XX.......");

test("a group without liberties leaves the board", () => {
  expect([...captured(cornered, 2, 1)].sort()).toEqual([0, 1]);
  expect(play(cornered, 2, 1)?.slice(0, 4)).toEqual(Int8Array.of(0, 0, 1, 1));
  expect(bestCapture(cornered, 1)).toBe(2);
  expect(bestCapture(cornered, -1)).toBeUndefined();
});

test("a stone without liberties that captures nothing is no move", () => {
  const eye = board(".X.......", "X........");
  expect(play(eye, 0, -1)).toBeUndefined();
  expect(play(eye, 0, 1)).toBeDefined();
  expect(play(eye, 1, 1)).toBeUndefined();
});

test("area is stones and what only they surround", () => {
  expect(areaScore(board(".X.......", "X........"), 1)).toBe(POINTS);
  // The corner is X's; the rest touches both.
  expect(areaScore(board(".X.......", "X........", "........O"), 1)).toBe(3 - 1);
  expect(areaScore(cornered, -1)).toBe(-areaScore(cornered, 1));
});

test("two captures of one size are no best move", () => {
  expect(bestCapture(board("OX.....XO", "........."), 1)).toBeUndefined();
});

test("every position has a legal capture that no other equals, and planes that say so", () => {
  fc.assert(
    fc.property(fc.nat(1000), (seed) => {
      for (const { board: points, colour, move } of positions(2, seed)) {
        const most = captured(points, move, colour).size;
        expect(most).toBeGreaterThan(0);
        expect(play(points, move, colour)).toBeDefined();
        for (let point = 0; point < POINTS; point++) {
          if (points[point] === 0 && point !== move) expect(captured(points, point, colour).size).toBeLessThan(most);
          if (points[point] !== 0) expect(libertiesOf(regionAt(points, point)).size).toBeGreaterThan(0);
        }
        const planes = planesOf(points, colour);
        const plane = (k: number) => planes.subarray(k * POINTS, (k + 1) * POINTS);
        const total = (k: number) => plane(k).reduce((sum, value) => sum + value, 0);
        expect(total(0) + total(1) + total(2)).toBe(POINTS);
        expect(total(3)).toBe(POINTS);
        expect(total(4) + total(5) + total(6) + total(7)).toBe(total(0) + total(1));
        expect(plane(2)[move]).toBe(1);
      }
    }),
    { numRuns: 20 },
  );
});

/** Folds of data and settings to try: what holds for any of them. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Part } from "../../runtime/node/data/column.ts";
import { foldsOf } from "../../runtime/node/data/folds.ts";
import { parseDimension, trialsOf } from "../../runtime/node/search/space.ts";

const part = (rows: number[]): Part => ({ columns: [], rows: Uint32Array.from(rows) });

describe("folds", () => {
  test("hold every row out once, in sizes that differ by one at most", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.nat(1000), { minLength: 2, maxLength: 60 }),
        fc.nat(58),
        fc.nat(),
        (numbers, more, seed) => {
          const rows = numbers.sort((a, b) => a - b);
          const count = 2 + (more % (rows.length - 1));
          const splits = foldsOf(part(rows), count, seed);
          expect(splits).toHaveLength(count);
          const sizes = splits.map(({ held }) => held.rows.length);
          expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
          expect(splits.flatMap(({ held }) => [...held.rows]).sort((a, b) => a - b)).toEqual(rows);
          for (const { train, held } of splits)
            expect([...train.rows, ...held.rows].sort((a, b) => a - b)).toEqual(rows);
        },
      ),
    );
  });
  test("follow from the seed, and are not stretches of the data", () => {
    const rows = Array.from({ length: 40 }, (_, row) => row);
    const held = (seed: number) => [...foldsOf(part(rows), 4, seed)[0]!.held.rows];
    expect(held(1)).toEqual(held(1));
    expect(held(1)).not.toEqual(held(2));
    expect(held(1)).not.toEqual(rows.slice(0, 10));
  });
  test.each([0, 1, 6])("%d of five rows is refused", (count) => {
    expect(() => foldsOf(part([0, 1, 2, 3, 4]), count, 0)).toThrow(/E0615: --folds \d: .* make 2 to 5 folds/);
  });
});

describe("trials", () => {
  const dimension = (text: string, domain: Parameters<typeof parseDimension>[2] = "real") => {
    const [name = "", value = ""] = text.split("=");
    return parseDimension(name, value, domain);
  };
  test("lists give every combination, the last one changing fastest", () => {
    const space = [dimension("a=1,2"), dimension("b=x,[3,4]", "other")];
    const all = trialsOf(space, undefined, 0);
    expect(all.map(({ a, b }) => `${a} ${b}`)).toEqual(["1 x", "1 [3,4]", "2 x", "2 [3,4]"]);
    const some = trialsOf(space, 3, 5);
    expect(new Set(some.map((values) => JSON.stringify(values))).size).toBe(3);
    for (const values of some) expect(all).toContainEqual(values);
    expect(trialsOf(space, 9, 0)).toEqual(all);
  });
  test("draws lie in their range, and the first are the same however many follow", () => {
    fc.assert(
      fc.property(
        fc.double({ min: 1e-6, max: 1, noNaN: true }),
        fc.double({ min: 1.5, max: 1e5, noNaN: true }),
        fc.constantFrom("", ":log", ":linear"),
        fc.nat(),
        (low, high, scale, seed) => {
          const space = [dimension(`lr=${low}..${high}${scale}`), dimension("n=3,4,5", "integer")];
          const trials = trialsOf(space, 12, seed);
          for (const { lr } of trials) expect(Number(lr)).toBeGreaterThanOrEqual(low);
          for (const { lr } of trials) expect(Number(lr)).toBeLessThanOrEqual(high);
          for (const n of ["3", "4", "5"]) expect(trials.filter((values) => values.n === n)).toHaveLength(4);
          for (const count of [2, 7]) expect(trialsOf(space, count, seed)).toEqual(trials.slice(0, count));
        },
      ),
    );
  });
  test("logarithmic draws are even in the logarithm, linear ones in the number, whole ones in all numbers", () => {
    const shareBelow = (text: string, limit: number, domain: "real" | "integer" = "real") => {
      const trials = trialsOf([dimension(`v=${text}`, domain), dimension("w=0..1")], 2000, 1);
      return trials.filter(({ v }) => Number(v) < limit).length / trials.length;
    };
    // Four standard deviations of 2000 draws.
    const near = (share: number, expected: number) => expect(Math.abs(share - expected)).toBeLessThan(0.045);
    near(shareBelow("1e-4..1:log", 1e-2), 0.5);
    near(shareBelow("2..6", 3), 0.25);
    near(shareBelow("1..4", 2, "integer"), 0.25);
    near(shareBelow("1..4", 4, "integer"), 0.75);
    near(shareBelow("1..15:log", 3, "integer"), Math.log(3) / Math.log(16));
  });
  test("what was drawn twice is tried once", () => {
    expect(trialsOf([dimension("n=1..2", "integer")], 50, 0)).toHaveLength(2);
  });
  test.each([
    ["lr=2..1", "real", /the range is empty/],
    ["lr=1..1", "real", /the range is empty/],
    ["lr=0..1:log", "real", /begins above 0, not at 0/],
    ["lr=-1..1:log", "real", /begins above 0, not at -1/],
    ["lr=1..2:exp", "real", /neither `:log` nor `:linear`/],
    ["lr=a..2", "real", /expected two numbers/],
    ["lr=..", "real", /expected two numbers/],
    ["lr=", "real", /expected LOW\.\.HIGH/],
    ["lr=1,,2", "real", /expected LOW\.\.HIGH/],
    ["lr=1,fast", "real", /fast is no number/],
    ["n=1,2.5", "integer", /2\.5 is no whole number/],
    ["n=1..2.5", "integer", /takes whole numbers/],
    ["f=1..2", "other", /only a number has a range/],
    ["lr=1,1", "real", /stands there twice/],
  ] as const)("%s of %s numbers is refused", (text, domain, message) => {
    expect(() => dimension(text, domain)).toThrow(message);
    expect(() => dimension(text, domain)).toThrow(/^E0615: --search/);
  });
  test("too many combinations are refused", () => {
    const many = Array.from({ length: 11 }, (_, k) => k).join();
    const space = "abcdef".split("").map((name) => dimension(`${name}=${many}`));
    expect(() => trialsOf(space, 5, 0)).toThrow(/1771561 combinations/);
  });
});

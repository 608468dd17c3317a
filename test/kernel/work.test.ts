import { expect, test } from "vitest";
import { add, constant, KernelBuilder, load, mul, select, variable } from "../../compiler/kernel/build.ts";
import { flopsOf } from "../../compiler/kernel/work.ts";

test("scalar functions on f32 count once a lane, as often as loops run", () => {
  const k = new KernelBuilder("work", "cpu");
  const y = k.buffer("y", "f32", "read_write");
  const rows = k.scalar("rows");
  // Indices are integers and cost nothing here.
  k.forLoop("i", 0, rows, 1, (i) =>
    k.forLoop("j", 0, 16, 4, (j) => {
      const x = load(y, "f32", add(mul(i, 16), j), 4);
      k.store(y, add(mul(i, 16), j), add(mul(x, x), x));
    }),
  );
  expect(flopsOf(k.finish(), [3])).toBe(3 * 4 * 2 * 4);
});

test("a triangle of loops is the mean of its ends and its middle", () => {
  const k = new KernelBuilder("triangle", "cpu");
  const y = k.buffer("y", "f32", "read_write");
  k.forLoop("i", 0, 9, 1, (i) =>
    k.forLoop("j", 0, i, 1, (j) => k.store(y, j, add(load(y, "f32", j), load(y, "f32", j)))),
  );
  expect(flopsOf(k.finish(), [])).toBe(36);
});

test("choices between values are no operations; a loop that never runs has none", () => {
  const k = new KernelBuilder("none", "cpu");
  const y = k.buffer("y", "f32", "read_write");
  k.store(y, 0, select(variable("flag", "bool"), load(y, "f32", 0), constant("f32", 1)));
  k.forLoop("i", 5, 5, 1, (i) => k.store(y, i, mul(load(y, "f32", i), load(y, "f32", i))));
  expect(flopsOf(k.finish(), [])).toBe(0);
});

/** What the kernels of maps and rows look like where that is the point: what was done to them, and what was not. */
import { describe, expect, test } from "vitest";
import { readGraph } from "../../compiler/graph/read.ts";
import { printKernel, structureOf } from "../../compiler/kernel/print.ts";
import { dispatchesOf } from "../../compiler/schedule/liveness.ts";
import { schedule } from "../../compiler/schedule/schedule.ts";

const kernelsOf = (text: string) => dispatchesOf(schedule(readGraph(text), "cpu").steps).map(({ kernel }) => kernel);
const printed = (text: string): string =>
  kernelsOf(text)
    .map((kernel) => printKernel(kernel))
    .join("\n");

const map = (shape: string, axes: string, body: string): string =>
  `input %x: f32[${shape}] argument x\n%y: f32[${shape}] = map[${axes}] ${body}\noutput %y result y`;
const shifted = (combiner: string): string => `input %x: f32[6,10] argument x
  %m: f32[6] = ${combiner}[i<6 | j<10] %x[i, j]
  %e: f32[6,10] = map[i<6, j<10] exp(%x[i, j] - %m[i])
  %s: f32[6] = sum[i<6 | j<10] %e[i, j]
  %y: f32[6,10] = map[i<6, j<10] %e[i, j] / %s[i]
  output %y result y`;

describe("an exponential is known not to overflow", () => {
  test.each([
    ["less the greatest of its row", shifted("max"), true],
    ["less the least of its row", shifted("min"), false],
    ["of -|x|", map("8", "i<8", "exp(select(%x[i] > 0, -%x[i], %x[i]))"), true],
    ["of |x|", map("8", "i<8", "exp(select(%x[i] > 0, %x[i], -%x[i]))"), false],
    ["of anything", map("8", "i<8", "exp(%x[i])"), false],
  ])("%s", (_, text, bounded) => {
    expect(printed(text).includes("exp_not_positive(")).toBe(bounded);
    expect(printed(text).includes(" exp(")).toBe(!bounded);
  });
});

test("softmax keeps its exponentials where the result will lie", () => {
  expect(printed(shifted("max"))).not.toContain("scratch");
});

test("a transpose loads and stores no element alone", () => {
  const text = printed("input %x: f32[18,7] argument x\n%y: f32[7,18] = map[j<7, i<18] %x[i, j]\noutput %y result y");
  expect(text.match(/let \w+ = x\[[^\]]*\]/g)?.every((load) => load.includes(" :4]"))).toBe(true);
  expect(text.match(/ y\[[^\]]*\] =/g)?.every((store) => store.includes(" :4]"))).toBe(true);
});

test("updates of tensors of different sizes are one kernel", () => {
  const update = (name: string, size: number): string => `input %${name}: f32[${size}] parameter ${name}
    input %g${name}: f32[${size}] argument g${name}
    %n${name}: f32[${size}] = map[i<${size}] %${name}[i] - %lr * %g${name}[i]
    output %n${name} parameter ${name}`;
  const kernels = kernelsOf(`input %lr: f32[] argument lr\n${update("a", 64)}\n${update("b", 640)}`);
  expect(kernels).toHaveLength(2);
  expect(new Set(kernels.map(structureOf)).size).toBe(1);
});

describe("layers that differ in names alone are built once", () => {
  const layer = (from: string, to: string, bias: string): string =>
    `%${to}.product: f32[8,24] = sum[i<8, j<24 | k<24] %${from}[i, k] * %w.${to}[j, k]
    %${to}: f32[8,24] = map[i<8, j<24] ${bias}max(%${to}.product[i, j], 0)`;
  const network = (second: string): string => `input %x: f32[8,24] argument x
    input %w.one: f32[24,24] parameter one\ninput %w.two: f32[24,24] parameter two
    ${layer("x", "one", "")}\n${layer("one", "two", second)}\noutput %two result y`;

  test.each(["cpu", "gpu"] as const)("on the %s", (target) => {
    const dispatches = dispatchesOf(schedule(readGraph(network("")), target).steps);
    const labels = dispatches.map(({ label }) => label);
    expect(labels).toEqual(["one", "two"]);
    const [one, two] = dispatches;
    expect(two!.kernel).toBe(one!.kernel);
    const dump = printKernel(two!.kernel, (name) => two!.names?.get(name) ?? name);
    expect(dump).toContain("read w_two: f32[]");
    expect(dump).toMatch(/kernel two\w*\(/);
    expect(two!.buffers).not.toEqual(one!.buffers);
  });
  test.each(["cpu", "gpu"] as const)("others are not, on the %s", (target) => {
    const [one, two] = dispatchesOf(schedule(readGraph(network("2 + ")), target).steps);
    expect(two!.kernel).not.toBe(one!.kernel);
    expect(structureOf(two!.kernel)).not.toBe(structureOf(one!.kernel));
  });
});

test("few long rows are one loop that threads can share", () => {
  const text = `input %x: f32[2,3,2048] argument x\ninput %z: f32[2,3] argument z
    %y: f32[2,3,2048] = map[n<2, c<3, i<2048] %x[n, c, i] + %z[n, c] * to_f32(c)\noutput %y result y`;
  expect(printed(text)).toContain("outer for i in 0 .. 6 {");
});

test("a long sum is cut in parts", () => {
  const sum = (size: number): string =>
    `input %x: f32[${size}] argument x\n%y: f32[] = sum[| i<${size}] %x[i]\noutput %y result y`;
  expect(kernelsOf(sum(2 ** 17))).toHaveLength(2);
  expect(kernelsOf(sum(2 ** 16))).toHaveLength(1);
  // No divisor numbers the parts.
  expect(kernelsOf(sum(131_101))).toHaveLength(1);
});

/** A parameter and its state, updated with sums of columns: the update touches more memories than the sum does. */
const update = (rows: number, columns: number): string => `input %w: f32[${columns}] parameter w
  input %m: f32[${columns}] optimizer m
  input %v: f32[${columns}] optimizer v
  input %d: f32[${rows},${columns}] argument d
  %g: f32[${columns}] = sum[j<${columns} | i<${rows}] %d[i, j]
  %m2: f32[${columns}] = map[j<${columns}] 0.9 * %m[j] + 0.1 * %g[j]
  %v2: f32[${columns}] = map[j<${columns}] 0.99 * %v[j] + 0.01 * %g[j] * %g[j]
  %w2: f32[${columns}] = map[j<${columns}] %w[j] - 0.1 * %m2[j] / (sqrt(%v2[j]) + 0.001)
  output %w2 parameter w
  output %m2 optimizer m
  output %v2 optimizer v`;

describe("sums of columns move through memory as it lies, whatever follows them", () => {
  test.each([
    [64, 64],
    [512, 48],
    [512, 8],
    [20, 40],
  ])("%i x %i", (rows, columns) => {
    const text = printed(update(rows, columns));
    expect(text).toMatch(/ d\[.* :4\]/);
    expect(text).not.toMatch(/ d\[[^:]*\]\n/);
    expect(text.match(/sqrt\(/g)).toHaveLength(1);
  });
});

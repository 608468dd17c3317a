/** Random contractions in WebAssembly against the reference: layouts, windows, strides, prologues and epilogues. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { elementCount } from "../../compiler/graph/builder.ts";
import type { Graph } from "../../compiler/graph/graph.ts";
import { readGraph } from "../../compiler/graph/read.ts";
import { verify } from "../../compiler/graph/verify.ts";
import type { KernelMemory } from "../../compiler/kernel/interpret.ts";
import { allocate, interpretKernel } from "../../compiler/kernel/interpret.ts";
import { printKernel } from "../../compiler/kernel/print.ts";
import { verifyKernel } from "../../compiler/kernel/verify.ts";
import { evaluateOutputs } from "../../compiler/reference/evaluate.ts";
import { rowMajor } from "../../compiler/schedule/align.ts";
import { analyseContraction, analyseOneSided } from "../../compiler/schedule/contraction/analysis.ts";
import { contractionBy } from "../../compiler/schedule/contraction/cpu.ts";
import { schemesOf } from "../../compiler/schedule/contraction/planner.ts";
import { nameOfScheme, rowsAreColumns } from "../../compiler/schedule/contraction/scheme.ts";
import type { BuildContext } from "../../compiler/schedule/group.ts";
import type { Unit } from "../../compiler/schedule/grouping.ts";
import { groupNodes } from "../../compiler/schedule/grouping.ts";
import { plainOptions } from "../../compiler/schedule/options.ts";
import { expectClose } from "../support/compare.ts";
import { runOnCpu } from "../support/run-cpu.ts";
import { contractionText, valuesFor } from "./contraction-texts.ts";

function check(text: string): void {
  const graph = readGraph(text);
  verify(graph, "the text");
  const inputs = valuesFor(graph);
  expectClose(graph, runOnCpu(graph, inputs), evaluateOutputs(graph, inputs));
}

const units = (graph: Graph): Unit[] =>
  groupNodes(graph, {
    launchesAreCheap: true,
    isContraction: (group) => analyseContraction(group) !== undefined,
    maximumBuffers: 24,
    isOnce: () => false,
  });

/** Every scheme of a graph's one contraction in the interpreter, where memory has bounds. */
function checkSchemes(text: string): string[] {
  const graph = readGraph(text);
  const inputs = valuesFor(graph);
  const want = evaluateOutputs(graph, inputs);
  const [unit, ...others] = units(graph);
  if (unit?.kind !== "group" || others.length > 0) return [];
  const contraction = analyseContraction(unit.group) ?? analyseOneSided(unit.group);
  if (contraction === undefined) return [];
  let scratch = 0;
  const context: BuildContext = {
    target: "cpu",
    options: plainOptions,
    layout: (tensor) => ({ place: { kind: "tensor", tensor, offset: 0 }, strides: rowMajor(tensor.type.shape) }),
    uniform: () => undefined,
    // Copies of such factors are made by a kernel of their own.
    fixed: ({ name }) => name === (text.length % 2 === 0 ? "a" : "b"),
    scratch: (elements) => ({ kind: "scratch", id: scratch++, elements }),
    constant: () => expect.fail("no tables here"),
    name: (hint) => hint,
  };
  const schemes = schemesOf(contraction, context);
  expect(new Set(schemes.map(nameOfScheme)).size).toBe(schemes.length);
  const kinds: string[] = [];
  for (const scheme of schemes) {
    const { kind, rowPanel, columnPanel, clips, parts } = scheme;
    const clipped = clips.length > 0 ? " without padding" : "";
    const shared = kind === "lanes" && rowsAreColumns(scheme) ? " of columns alone" : "";
    kinds.push(
      `${kind} ${rowPanel.kind} ${columnPanel.kind}${shared}${clipped}${parts > 1 ? ` in ${parts} parts` : ""}`,
    );
    // Blocks of rows are for what does not fit a cache: here they are small.
    const small = { ...scheme, rowBlock: Math.min(scheme.rowBlock, 1 + (text.length % 3)) };
    const dispatches = contractionBy(small, context);
    const memory = new Map<unknown, KernelMemory>();
    for (const [at, { tensor }] of graph.inputs.entries()) memory.set(tensor, Float32Array.from(inputs[at]!));
    for (const { kernel, buffers } of dispatches) {
      verifyKernel(kernel);
      const bound = buffers.map((place, at) => {
        const { type } = kernel.buffers[at]!;
        const [key, elements] =
          place.kind === "scratch" ? [place.id, place.elements] : [place.tensor, elementCount(place.tensor.type.shape)];
        const fresh = allocate(type, elements);
        const found = memory.get(key) ?? (place.kind === "scratch" ? fresh.fill(Number.NaN) : fresh);
        memory.set(key, found);
        return found;
      });
      interpretKernel(kernel, bound);
    }
    const got = graph.outputs.map(({ tensor }) => memory.get(tensor)!);
    try {
      expectClose(graph, got, want);
    } catch (error) {
      throw new Error(
        `scheme ${kinds.at(-1)}: ${error}\n${dispatches.map(({ kernel }) => printKernel(kernel)).join("\n")}`,
      );
    }
  }
  return kinds;
}

describe("contractions", () => {
  test("random ones agree with the reference", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 31 - 1 }), (seed) => {
        const text = contractionText(seed);
        try {
          check(text);
        } catch (error) {
          throw new Error(`${text}\n${error instanceof Error ? error.stack : error}`);
        }
      }),
      { numRuns: process.env.DLX_DEEP ? 2000 : 100, endOnFailure: true },
    );
  });

  test("every scheme of random ones does", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 31 - 1 }), (seed) => {
        const text = contractionText(seed, 3000);
        try {
          checkSchemes(text);
        } catch (error) {
          throw new Error(`${text}\n${error instanceof Error ? error.stack : error}`);
        }
      }),
      { numRuns: process.env.DLX_DEEP ? 1000 : 40, endOnFailure: true },
    );
  });

  const product = (m: number, n: number, k: number, order: [string, string] = ["i,k", "k,j"]): string => {
    const extent: Record<string, number> = { i: m, j: n, k };
    const shape = (names: string): string =>
      names
        .split(",")
        .map((name) => extent[name])
        .join(",");
    return `input %a: f32[${shape(order[0])}] argument a
      input %b: f32[${shape(order[1])}] argument b
      %y: f32[${m},${n}] = sum[i<${m}, j<${n} | k<${k}] %a[${order[0]}] * %b[${order[1]}]
      output %y result y`;
  };
  const cases: Readonly<Record<string, string>> = {
    "the smallest": product(2, 2, 2),
    "two rows": product(2, 37, 19),
    "two columns": product(41, 2, 30),
    "edges everywhere": product(67, 45, 29),
    "both transposed": product(33, 21, 40, ["k,i", "j,k"]),
    "dot products": product(13, 27, 128, ["i,k", "j,k"]),
    "a long sum": product(3, 5, 5003),
    "blocks of rows and of the sum": product(256, 72, 512),
    "a weight gradient": `input %d: f32[9,6,12,12] argument d
      input %x: f32[9,3,12,12] argument x
      %w: f32[6,3,3,3] = sum[o<6, c<3, p<3, q<3 | n<9, i<12, j<12] %d[n, o, i, j] * %x[n, c, i + p - 1, j + q - 1 else 0]
      output %w result w`,
    "grouped convolution of stride 2": `input %x: f32[2,3,4,11,13] argument x
      input %w: f32[3,5,4,3,3] argument w
      %y: f32[2,3,5,6,7] = sum[n<2, g<3, o<5, i<6, j<7 | c<4, p<3, q<3] %x[n, g, c, 2*i + p - 1, 2*j + q - 1 else 0] * %w[g, o, c, p, q]
      output %y result y`,
    attention: `input %q: f32[2,3,10,8] argument q
      input %k: f32[2,3,14,8] argument k
      input %v: f32[2,3,14,8] argument v
      %s: f32[2,3,10,14] = sum[b<2, h<3, i<10, j<14 | d<8] %q[b, h, i, d] * %k[b, h, j, d]
      %e: f32[2,3,10,14] = map[b<2, h<3, i<10, j<14] exp(%s[b, h, i, j])
      %o: f32[2,10,3,8] = sum[b<2, i<10, h<3, d<8 | j<14] %e[b, h, i, j] * %v[b, h, j, d]
      output %o result o`,
    "residues written into a join": `input %d: f32[3,8,5,6] argument d
      input %w: f32[8,7] argument w
      %a: f32[3,7,5,6] = sum[n<3, c<7, i<5, j<6 | o<8] %d[n, o, i, j] * %w[o, c]
      %b: f32[3,7,5,6] = sum[n<3, c<7, i<5, j<6 | o<8] %d[n, o, i, 5 - j] * %w[o, 6 - c]
      %x: f32[3,7,5,12] = join { %a at [:, :, :, 0::2], %b at [:, :, :, 1::2] } fill 0
      output %x result x`,
    "a product of three factors": `input %a: f32[6,9] argument a
      input %b: f32[9,10] argument b
      input %s: f32[9] argument s
      %y: f32[6,10] = sum[i<6, j<10 | k<9] %a[i, k] * %s[k] * %b[k, j]
      output %y result y`,
    "matrix times vector": `input %a: f32[37,50] argument a
      input %x: f32[50] argument x
      input %b: f32[37] argument b
      %y: f32[37] = sum[i<37 | k<50] %a[i, k] * %x[k]
      %z: f32[37] = map[i<37] max(%y[i] + %b[i], 0)
      output %z result z`,
    "transposed matrix times vector": `input %a: f32[50,37] argument a
      input %x: f32[50] argument x
      %y: f32[37] = sum[i<37 | k<50] %a[k, i] * %x[k]
      output %y result y`,
    "a filter for every channel": `input %x: f32[2,3,9,11] argument x
      input %w: f32[3,5,5] argument w
      %y: f32[2,3,9,11] = sum[n<2, c<3, i<9, j<11 | p<5, q<5] %x[n, c, i + p - 2, j + q - 2 else 0] * %w[c, p, q]
      output %y result y`,
    "columns that run along one dimension, with another between them": `input %a: f32[3,7] argument a
      input %b: f32[7,11,4] argument b
      %y: f32[3,5,4,6] = sum[m<3, i<5, j<4, k<6 | r<7] %a[m, r] * %b[r, k - i + 4, j]
      %z: f32[3,5,4,6] = sum[m<3, i<5, j<4, k<6 | r<7, p<2] %a[m, r] * %b[r, i + k + p - 1, j else 0]
      output %y result y
      output %z result z`,
    "a gather as a factor": `input %a: f32[6,9] argument a
      input %id: i32[4] argument id
      input %b: f32[9,10] argument b
      %y: f32[4,10] = sum[i<4, j<10 | k<9] %a[%id[i], k] * %b[k, j]
      output %y result y`,
  };
  test("dot products have every scheme", () => {
    const kinds = checkSchemes(product(5, 6, 8, ["i,k", "j,k"]));
    expect(new Set(kinds)).toEqual(new Set(["lanes direct packed", "lanes packed packed", "dot direct direct"]));
  });

  test("a weight gradient over many images is cut in parts, which are added up", () => {
    const kinds = checkSchemes(`input %a: f32[8,3,16,16] argument a
      input %b: f32[8,2,16,16] argument b
      %w: f32[3,2,2,3] = sum[o<3, c<2, p<2, q<3 | n<8, i<16, j<16] %a[n, o, i, j] * %b[n, c, i + p - 1, j + q - 1 else 0]
      output %w result w`);
    expect(kinds.every((kind) => kind.endsWith("in 8 parts"))).toBe(true);
  });

  test("where one factor has no index of its own, an index of the other stands for the rows", () => {
    const kinds = checkSchemes(`input %d: f32[6,5,4,7] argument d
      input %x: f32[6,5,9,14] argument x
      %w: f32[5,5,3] = sum[c<5, p<5, q<3 | n<6, i<4, j<7] %d[n, c, i, j] * %x[n, c, 2*i + p - 1, 2*j + q - 1 else 0]
      output %w result w`);
    expect(kinds).toContain("lanes direct packed of columns alone");
    expect(kinds).toContain("lanes packed packed of columns alone");
  });

  /** Images, input channels, height and width, output channels, kernel, padding, stride. */
  const convolutions: readonly (readonly [number, number, number, number, number, number, number, number])[] = [
    [2, 1, 5, 5, 3, 5, 0, 1],
    [2, 3, 7, 11, 5, 3, 1, 2],
    [3, 5, 6, 9, 7, 2, 0, 3],
    [8, 7, 5, 5, 17, 3, 2, 1],
    [16, 1, 10, 7, 6, 5, 0, 2],
    [5, 17, 4, 3, 1, 1, 0, 1],
    [24, 2, 6, 6, 3, 3, 1, 1],
  ];
  for (const [n, c, height, width, o, k, pad, stride] of convolutions) {
    const [h, w] = [height, width].map((size) => Math.floor((size + 2 * pad - k) / stride) + 1);
    // Axes of one element have no index.
    const axes = (list: Record<string, number | undefined>): string =>
      Object.entries(list)
        .flatMap(([name, extent]) => (extent === 1 ? [] : [`${name}<${extent}`]))
        .join(", ");
    const name = (index: string, extent: number | undefined): string => (extent === 1 ? "0" : index);
    const [ni, ci, oi, hi, wi] = [name("n", n), name("c", c), name("o", o), name("i", h), name("j", w)];
    const [p, q] = [name("p", k), name("q", k)];
    const at = (i: string, tap: string): string => {
      const terms = [i === "0" ? "0" : `${stride}*${i}`, tap].filter((term) => term !== "0");
      return `${terms.join(" + ") || "0"}${pad > 0 ? ` - ${pad}` : ""}`;
    };
    const image = `%x[${ni}, ${ci}, ${at(hi, p)}, ${at(wi, q)}${pad > 0 ? " else 0" : ""}]`;
    const inputs = `input %x: f32[${n},${c},${height},${width}] argument x
      input %w: f32[${o},${c},${k},${k}] argument w
      input %d: f32[${n},${o},${h},${w}] argument d\n`;
    test(`${n} images of ${c}x${height}x${width}, ${o} windows of ${k}, padding ${pad}, stride ${stride}`, () => {
      check(`${inputs}%y: f32[${n},${o},${h},${w}] = sum[${axes({ n, o, i: h, j: w })} | ${axes({ c, p: k, q: k })}] ${image} * %w[${oi}, ${ci}, ${p}, ${q}]
        output %y result y`);
      check(`${inputs}%g: f32[${o},${c},${k},${k}] = sum[${axes({ o, c, p: k, q: k })} | ${axes({ n, i: h, j: w })}] %d[${ni}, ${oi}, ${hi}, ${wi}] * ${image}
        output %g result g`);
    });
  }

  test("padding is left out of the sum where the window's place is known", () => {
    const kinds = checkSchemes(`input %d: f32[8,3,4,5] argument d
      input %w: f32[3,2,3,2] argument w
      %e: f32[8,2,6,6] = sum[n<8, c<2, h<6, v<6 | o<3, p<3, q<2] %d[n, o, h - p, v - q else 0] * %w[o, c, p, q]
      output %e result e`);
    expect(kinds.filter((kind) => kind.includes("without padding")).length).toBeGreaterThan(2);
  });

  for (const [name, text] of Object.entries(cases))
    test(name, () => {
      const isFound = (unit: Unit): boolean =>
        unit.kind === "group" && (unit.contraction || analyseOneSided(unit.group) !== undefined);
      expect(units(readGraph(text)).some(isFound)).toBe(true);
      check(text);
    });
});

/** 3x3 windows through Winograd's transforms, in WebAssembly and in the interpreter, against the reference. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { elementCount } from "../../compiler/graph/builder.ts";
import type { Graph } from "../../compiler/graph/graph.ts";
import { readGraph } from "../../compiler/graph/read.ts";
import { verify } from "../../compiler/graph/verify.ts";
import { evaluateOutputs } from "../../compiler/reference/evaluate.ts";
import type { ScheduleOptions } from "../../compiler/schedule/options.ts";
import type { TileSize } from "../../compiler/schedule/winograd/transforms.ts";
import { winogradTolerance } from "../../compiler/schedule/winograd/transforms.ts";
import { expectClose } from "../support/compare.ts";
import { compileForCpu, interpretOnCpu } from "../support/run-cpu.ts";
import { runOnThreads } from "../support/run-threads.ts";

interface Convolution {
  readonly images: number;
  readonly groups: number;
  readonly channels: number;
  readonly outputs: number;
  readonly height: number;
  readonly width: number;
  /** Before and behind, down and across. */
  readonly padding: readonly [number, number, number, number];
  /** Backward-data: the window is read from its end. */
  readonly flipped: boolean;
  /** The order of the axes of data and result, and of weights. */
  readonly data: string;
  readonly weights: string;
  readonly epilogue: "none" | "bias" | "residual" | "index";
  readonly factors: "plain" | "scaled" | "masked";
}
const usual: Convolution = {
  images: 2,
  groups: 1,
  channels: 8,
  outputs: 8,
  height: 8,
  width: 8,
  padding: [1, 1, 1, 1],
  flipped: false,
  data: "ngcij",
  weights: "gocpq",
  epilogue: "none",
  factors: "plain",
};

function textOf(c: Convolution): string {
  const [top, bottom, left, right] = c.padding;
  const sizes: Record<string, number> = {
    n: c.images,
    g: c.groups,
    c: c.channels,
    o: c.outputs,
    i: c.height,
    j: c.width,
    p: 3,
    q: 3,
  };
  const inputSizes = { ...sizes, i: c.height + 2 - top - bottom, j: c.width + 2 - left - right };
  const shape = (names: string, of: Record<string, number> = sizes): string =>
    [...names].map((name) => of[name]).join(",");
  const index = (name: string): string => (sizes[name] === 1 ? "0" : name);
  const here = (names: string): string => [...names].map(index).join(", ");
  const result = c.data.replace("c", "o");
  const moved = (name: string, tap: string, before: number): string => {
    const offset = c.flipped ? 2 - before : -before;
    return `${sizes[name] === 1 ? "" : `${name} ${c.flipped ? "-" : "+"} `}${sizes[name] === 1 && c.flipped ? "-" : ""}${tap}${offset === 0 ? "" : ` ${offset < 0 ? "-" : "+"} ${Math.abs(offset)}`}`;
  };
  const at = [...c.data]
    .map((name) => (name === "i" ? moved("i", "p", top) : name === "j" ? moved("j", "q", left) : index(name)))
    .join(", ");
  const read = (name: string): string => `%${name}[${at} else 0]`;
  const domain = (names: string): string =>
    [...names].flatMap((name) => (sizes[name] === 1 ? [] : [`${name}<${sizes[name]}`])).join(", ");
  const lines = [
    `input %x: f32[${shape(c.data, inputSizes)}] argument x`,
    `input %w: f32[${shape(c.weights)}] parameter w`,
    `input %m: f32[${shape(c.data, inputSizes)}] argument m`,
    `input %s: f32[${shape("go")}] argument s`,
    `input %r: f32[${shape(result)}] argument r`,
  ];
  const data = c.factors === "masked" ? `select(${read("m")} > 0, ${read("x")}, 0)` : read("x");
  const weight = `%w[${here(c.weights)}]${c.factors === "scaled" ? ` * %s[${here("go")}]` : ""}`;
  lines.push(`%y: f32[${shape(result)}] = sum[${domain(result)} | ${domain("cpq")}] ${data} * (${weight})`);
  const bodies = {
    none: undefined,
    bias: `max(%y[${here(result)}] + %s[${here("go")}], 0)`,
    residual: `max(%y[${here(result)}] + %r[${here(result)}], 0) + %s[${here("go")}]`,
    index: c.width > 1 ? `%y[${here(result)}] * to_f32(j)` : `%y[${here(result)}] * 2`,
  };
  const body = bodies[c.epilogue];
  if (body !== undefined)
    lines.push(`%z: f32[${shape(result)}] = map[${domain(result)}] ${body}`, "output %z result z");
  if (c.epilogue !== "bias") lines.push("output %y result y");
  return lines.join("\n");
}

function valuesFor(graph: Graph): number[][] {
  let state = 12345;
  const next = (): number => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state >>> 8) / 2 ** 23 - 1;
  };
  return graph.inputs.map(({ tensor: { type } }) =>
    Array.from({ length: elementCount(type.shape) }, () => Math.fround(next())),
  );
}

/** Takes a way wherever there is one of that name; `met` is how often. */
function forced(wanted: string): { readonly options: ScheduleOptions; readonly met: () => number } {
  let met = 0;
  const options: ScheduleOptions = {
    winograd: true,
    choose: ({ ways }) => {
      const way = ways.find(({ name }) => name === wanted);
      if (way !== undefined) met++;
      return way;
    },
  };
  return { options, met: () => met };
}

type Device = "wasm" | "interpreter";
function check(convolution: Convolution, size: TileSize, devices: readonly Device[]): number {
  return checkText(textOf(convolution), `winograd ${size}x${size}`, winogradTolerance[size], devices);
}
/** How many contractions were computed in the way that was wanted. */
function checkText(text: string, wanted: string, relative: number, devices: readonly Device[]): number {
  try {
    const graph = readGraph(text);
    verify(graph, "the text");
    const inputs = valuesFor(graph);
    const want = evaluateOutputs(graph, inputs);
    const { options, met } = forced(wanted);
    for (const device of devices) {
      const got =
        device === "wasm" ? compileForCpu(graph, options).run(inputs) : interpretOnCpu(graph, inputs, { options });
      expectClose(graph, got, want, { relative });
    }
    return met() / devices.length;
  } catch (error) {
    throw new Error(`${wanted}\n${text}\n${error instanceof Error ? error.stack : error}`);
  }
}

/** The gradient of the weights, with a step of descent behind it. */
function gradientText({ images, channels, outputs, height, width, padding, data, weights }: Convolution): string {
  const [top, bottom, left, right] = padding;
  const sizes: Record<string, number> = { n: images, g: 1, c: channels, o: outputs, i: height, j: width, p: 3, q: 3 };
  const inputSizes = { ...sizes, i: height + 2 - top - bottom, j: width + 2 - left - right };
  const names = (order: string): string[] => [...order.replace("g", "")];
  const shape = (order: string, of: Record<string, number> = sizes): string =>
    names(order)
      .map((name) => of[name])
      .join();
  const index = (name: string): string => (sizes[name] === 1 ? "0" : name);
  const domain = (order: readonly string[]): string =>
    order.flatMap((name) => (sizes[name] === 1 ? [] : [`${name}<${sizes[name]}`])).join(", ");
  const moved = (name: string, tap: string, before: number): string =>
    `${sizes[name] === 1 ? "" : `${name} + `}${tap}${before === 0 ? "" : ` - ${before}`}`;
  const at = names(data).map((name) =>
    name === "i" ? moved("i", "p", top) : name === "j" ? moved("j", "q", left) : index(name),
  );
  const adjoint = names(data.replace("c", "o"));
  const here = names(weights).map(index).join();
  return `input %x: f32[${shape(data, inputSizes)}] argument x
input %d: f32[${shape(adjoint.join(""))}] argument d
input %w: f32[${shape(weights)}] parameter w
%g: f32[${shape(weights)}] = sum[${domain(names(weights))} | ${domain(["n", "i", "j"])}] %d[${adjoint.map(index).join()}] * %x[${at.join(", ")} else 0]
%v: f32[${shape(weights)}] = map[${domain(names(weights))}] %w[${here}] - 0.5 * %g[${here}]
output %g result g
output %v parameter w`;
}

const counts = [1, 2, 3, 5, 7, 17];
const convolutions = fc.record({
  images: fc.constantFrom(1, 2, 3, 7),
  groups: fc.constantFrom(1, 1, 1, 2, 3),
  channels: fc.constantFrom(...counts),
  outputs: fc.constantFrom(...counts),
  height: fc.integer({ min: 1, max: 13 }),
  width: fc.integer({ min: 1, max: 13 }),
  padding: fc.constantFrom<Convolution["padding"][]>(
    [1, 1, 1, 1],
    [0, 0, 0, 0],
    [1, 0, 0, 1],
    [0, 1, 1, 0],
    [2, 0, 1, 1],
  ),
  flipped: fc.boolean(),
  data: fc.constantFrom("ngcij", "nijgc", "gcijn", "njicg"),
  weights: fc.constantFrom("gocpq", "pqcog", "gcoqp"),
  epilogue: fc.constantFrom<Convolution["epilogue"][]>("none", "bias", "residual", "index"),
  factors: fc.constantFrom<Convolution["factors"][]>("plain", "scaled", "masked"),
});

describe("Winograd", () => {
  for (const size of [2, 4] as const) {
    test(`F(${size}x${size}): random convolutions`, () => {
      let met = 0;
      fc.assert(
        fc.property(convolutions, (convolution) => {
          const c = {
            ...convolution,
            height: Math.max(convolution.height, convolution.padding[0] + convolution.padding[1] - 1),
          };
          const points = c.images * c.groups * c.channels * c.outputs * c.height * c.width;
          met += check(
            points > 20000 ? { ...c, images: 1, groups: 1 } : c,
            size,
            points < 3000 ? ["wasm", "interpreter"] : ["wasm"],
          );
        }),
        { numRuns: process.env.DLX_DEEP ? 1000 : 40, endOnFailure: true },
      );
      expect(met).toBeGreaterThan(5);
    });

    const cases: Readonly<Record<string, Partial<Convolution>>> = {
      "whole tiles": {},
      "an image smaller than a tile": { height: 2, width: 3, images: 3 },
      "edges everywhere": { height: 7, width: 9, channels: 5, outputs: 7, epilogue: "residual" },
      "no padding": { padding: [0, 0, 0, 0], height: 6, width: 5 },
      "data gradient": { flipped: true, channels: 17, outputs: 3 },
      "channels last": { data: "nijgc", weights: "pqcog", epilogue: "bias" },
      groups: { groups: 3, channels: 3, outputs: 5, height: 5 },
      "several bands": { images: 1, channels: 32, outputs: 4, height: 34, width: 40, epilogue: "bias" },
      "blocks of images": { images: 12, channels: 64, outputs: 3, height: 8, width: 8 },
      "expressions for factors": { factors: "masked", epilogue: "index" },
    };
    for (const [name, some] of Object.entries(cases))
      test(`F(${size}x${size}): ${name}`, () => {
        expect(check({ ...usual, ...some }, size, ["wasm"])).toBe(1);
      });
  }

  test("F(3x3, 4x4): random gradients of weights", () => {
    let met = 0;
    fc.assert(
      fc.property(convolutions, (convolution) => {
        const height = Math.max(convolution.height, convolution.padding[0] + convolution.padding[1] - 1);
        // One pixel of one image would leave nothing to sum over.
        const images = height * convolution.width === 1 ? Math.max(2, convolution.images) : convolution.images;
        const c = { ...convolution, height, images };
        met += checkText(
          gradientText(c),
          "winograd 3x3",
          winogradTolerance[4],
          c.height * c.width < 20 ? ["wasm", "interpreter"] : ["wasm"],
        );
      }),
      { numRuns: process.env.DLX_DEEP ? 1000 : 40, endOnFailure: true },
    );
    expect(met).toBeGreaterThan(5);
  });
  const gradients: Readonly<Record<string, Partial<Convolution>>> = {
    "whole tiles": {},
    "edges everywhere": { images: 7, channels: 5, outputs: 7, height: 7, width: 9 },
    "several bands": { images: 3, channels: 32, outputs: 16, height: 34, width: 38 },
    "channels last, no padding": { data: "nijgc", weights: "pqcog", padding: [0, 0, 0, 0], images: 5, height: 5 },
  };
  for (const [name, some] of Object.entries(gradients))
    test(`F(3x3, 4x4): ${name}`, () => {
      expect(checkText(gradientText({ ...usual, ...some }), "winograd 3x3", winogradTolerance[4], ["wasm"])).toBe(1);
    });

  test.each([
    ["blocks of images", "winograd 4x4", textOf({ ...usual, images: 12, channels: 64, epilogue: "residual" })],
    ["few tiles", "winograd 2x2", textOf({ ...usual, outputs: 40, height: 7, epilogue: "bias" })],
    [
      "one small image",
      "winograd 4x4",
      textOf({ ...usual, images: 1, channels: 64, outputs: 64, height: 7, width: 7 }),
    ],
    ["a small gradient", "winograd 3x3", gradientText({ ...usual, images: 1, channels: 32, outputs: 32 })],
    ["a gradient", "winograd 3x3", gradientText({ ...usual, images: 7, height: 34, width: 34, channels: 17 })],
  ])("%s: the same bits on one thread and on three", async (_, wanted, text) => {
    const graph = readGraph(text);
    const inputs = valuesFor(graph);
    const { options, met } = forced(wanted);
    const [one, three] = await runOnThreads(graph, inputs, [1, 3], options);
    expect(met()).toBe(1);
    expect(three).toEqual(one);
    expectClose(graph, one!, evaluateOutputs(graph, inputs), { relative: winogradTolerance[4] });
  });

  test("what is no window of three by three in steps of one is left alone", () => {
    const others = [
      textOf(usual)
        .replaceAll("i + p - 1", "2*i + p - 1")
        .replace("f32[2,1,8,8,8] argument x", "f32[2,1,8,16,8] argument x"),
      textOf({ ...usual, channels: 1 }),
    ];
    for (const text of others) {
      const { options, met } = forced("winograd 4x4");
      const graph = readGraph(text);
      verify(graph, "the text");
      compileForCpu(graph, options);
      expect(met()).toBe(0);
    }
  });
});

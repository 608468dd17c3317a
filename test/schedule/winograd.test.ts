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

/** Takes a tile size wherever there is one; `met` is how often. */
function forced(size: TileSize): { readonly options: ScheduleOptions; readonly met: () => number } {
  let met = 0;
  const options: ScheduleOptions = {
    winograd: true,
    choose: ({ ways }) => {
      const way = ways.find(({ name }) => name === `winograd ${size}x${size}`);
      if (way !== undefined) met++;
      return way;
    },
  };
  return { options, met: () => met };
}

function check(convolution: Convolution, size: TileSize, devices: readonly ("wasm" | "interpreter")[]): number {
  const text = textOf(convolution);
  try {
    const graph = readGraph(text);
    verify(graph, "the text");
    const inputs = valuesFor(graph);
    const want = evaluateOutputs(graph, inputs);
    const { options, met } = forced(size);
    for (const device of devices) {
      const got =
        device === "wasm" ? compileForCpu(graph, options).run(inputs) : interpretOnCpu(graph, inputs, options);
      expectClose(graph, got, want, { relative: winogradTolerance[size] });
    }
    return met() / devices.length;
  } catch (error) {
    throw new Error(`F(${size}x${size})\n${text}\n${error instanceof Error ? error.stack : error}`);
  }
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
    }, 600_000);

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

  test("what is no window of three by three in steps of one is left alone", () => {
    const others = [
      textOf(usual)
        .replaceAll("i + p - 1", "2*i + p - 1")
        .replace("f32[2,1,8,8,8] argument x", "f32[2,1,8,16,8] argument x"),
      textOf({ ...usual, channels: 1 }),
    ];
    for (const text of others) {
      const { options, met } = forced(4);
      const graph = readGraph(text);
      verify(graph, "the text");
      compileForCpu(graph, options);
      expect(met()).toBe(0);
    }
  });
});

/** Random points at which gradients are checked: every input of an entry, drawn from a seed. */
import { randomWords } from "../../runtime/rng.ts";
import type { Program, ProgramEntry } from "../elaborate/program.ts";
import { elementCount } from "../graph/builder.ts";
import type { GraphInput, Tensor } from "../graph/graph.ts";
import { evaluate, type Values } from "../reference/evaluate.ts";
import { isFloat } from "../types/dtype.ts";

/** A stream of random numbers that a seed determines. */
export interface Draw {
  /** Uniform in [0, 1). */
  uniform(): number;
  normal(): number;
  /** 0 to below - 1. */
  integer(below: number): number;
}

export function drawFrom(seed: number, stream: number): Draw {
  let block = 0;
  let words: Uint32Array = new Uint32Array(0);
  let at = 0;
  const uniform = (): number => {
    if (at === words.length) {
      words = randomWords([seed >>> 0, Math.floor(seed / 2 ** 32) >>> 0], stream, block++, 0, 1024);
      at = 0;
    }
    return (words[at++] ?? 0) / 2 ** 32;
  };
  return {
    uniform,
    normal: () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
    integer: (below) => Math.floor(uniform() * below),
  };
}

/**
 * Values for all inputs of an entry. Parameters and layer state start where training would, a little off: at exact zeros
 * and ones a wrong gradient can hide.
 */
export function randomInputs(program: Program, entry: ProgramEntry, seed: number, draw: Draw): Map<Tensor, Values> {
  const initial = new Map<string, Values>();
  for (const initialize of program.entries.filter(({ kind }) => kind === "initialize")) {
    if (
      initialize.of !== "" &&
      initialize.of !== entry.of &&
      initial.size > 0 &&
      !initialize.name.startsWith("initialize")
    )
      continue;
    const inputs = new Map(
      initialize.graph.inputs.map((input) => [input.tensor, initial.get(input.path) ?? plain(program, input, seed)]),
    );
    const values = evaluate(initialize.graph, inputs);
    for (const { tensor, path } of initialize.graph.outputs)
      initial.set(path, values.get(tensor) ?? new Float64Array(0));
  }
  return new Map(
    entry.graph.inputs.map((input) => {
      const start = initial.get(input.path) ?? plain(program, input, seed);
      switch (input.role) {
        case "argument":
          return [input.tensor, argument(entry, input, draw)];
        case "parameter":
          return [input.tensor, start.map((value) => value + 0.1 * draw.normal())];
        case "state":
          return [
            input.tensor,
            isFloat(input.tensor.type.dtype) ? start.map((value) => value + 0.1 * draw.uniform()) : start,
          ];
        case "knob": {
          const slot = entry.inputs.find(({ name }) => name === input.path);
          return [input.tensor, start.map(() => slot?.default ?? draw.uniform())];
        }
        default:
          return [input.tensor, start];
      }
    }),
  );
}

function argument(entry: ProgramEntry, { tensor, path }: GraphInput, draw: Draw): Values {
  const values = new Float64Array(elementCount(tensor.type.shape));
  const { dtype } = tensor.type;
  const bounds = entry.inputs.find(({ name }) => name === path)?.bounds;
  const low = bounds?.min ?? 0;
  const count = (bounds?.max ?? (dtype === "u8" ? 255 : 1)) - low + 1;
  return values.map(() => (isFloat(dtype) ? draw.normal() : low + draw.integer(count)));
}

function plain(program: Program, { tensor, role, path }: GraphInput, seed: number): Values {
  const values = new Float64Array(elementCount(tensor.type.shape));
  if (role === "seed") return values.map((_, k) => (k === 0 ? seed >>> 0 : 0));
  return values.fill(program.persistent.find((slot) => slot.path === path)?.fill ?? 0);
}

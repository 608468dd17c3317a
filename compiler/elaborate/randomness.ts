/** Random draws: counter-based words of a stream (runtime/rng.ts). Every call site has a stream of its own. */
import { constant } from "../types/dims.ts";
import { scalarType } from "../types/dtype.ts";
import type { Shape } from "../types/shape.ts";
import type { Machine } from "./context.ts";
import { applyElement, constantElement, type Handle } from "./element.ts";
import { asTensor, convertElement, handleOf, partly } from "./tensors.ts";
import { describe, type Place, type TensorValue, type Value } from "./values.ts";

/** Uniform u32 words. Inside index notation every index draws its own. */
export function drawBits(machine: Machine, shape: Shape, place: Place): TensorValue {
  const { open, seed } = machine.dynamic;
  const whole = [...open.map(({ extent }) => extent), ...shape];
  const stream = seed ? seed.draws++ : machine.stream(place);
  const key = seed ? seed.handle : machine.entry.seed();
  const step = seed ? undefined : machine.entry.step();
  return partly(machine.domain.random(whole, stream, key, step), open);
}

/** An integer, or one element of an integer tensor, as the two words of a key. */
export function seedOf(machine: Machine, seed: Value, place: Place): Handle {
  const value = asTensor(seed);
  if (!value || value.shape.length > 0 || scalarType(value.dtype) === "f32" || value.dtype === "bool")
    return machine.raise("E0205", place, { name: "seed", expected: "int", got: describe(seed) });
  const low = convertElement(value.at([]), "u32");
  const words: TensorValue = {
    kind: "tensor",
    dtype: "u32",
    shape: [constant(2)],
    at: ([position = constantElement("i32", 0)]) =>
      applyElement("select", [
        applyElement("eq", [position, constantElement("i32", 0)]),
        low,
        constantElement("u32", 0),
      ]),
  };
  return handleOf(words, machine, "seed", place);
}

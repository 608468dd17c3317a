/**
 * Where a tensor came from, for the warnings of library code. `made_by(x)` is the name of the function or layer that made
 * it; `is_made_by(x, "softmax")` also looks into functions that only handed it on; `made_with(x, "bias")` is what its maker
 * was called with; `made_through(x, "sigmoid")` how often the longest way to it leads through a function.
 */
import { constant } from "../../types/dims.ts";
import type { Machine } from "../context.ts";
import { describe, isFunction, nameOf, type Provenance, type Value } from "../values.ts";
import type { Arguments, Builtin } from "./define.ts";

function originOf(args: Arguments): Provenance | undefined {
  const x = args.get("x");
  return x.kind === "tensor" ? x.from : undefined;
}
function nameArgument(machine: Machine, args: Arguments): string {
  const name = args.get("name");
  if (name.kind === "str") return name.value;
  return machine.raise("E0205", args.placeOf("name"), { name: "name", expected: "str", got: describe(name) });
}

/** Functions as their names, so that they can be compared. */
function configured({ scope }: Provenance, name: string): Value | undefined {
  const binding = scope?.findLocal(name);
  if (binding?.kind !== "value") return undefined;
  return isFunction(binding.value) ? { kind: "str", value: nameOf(binding.value) } : binding.value;
}

/** The maker, then what that handed on. */
function* makers(from: Provenance | undefined): Iterable<Provenance> {
  for (let one = from; one; one = one.inner) yield one;
}

function longest(from: Provenance | undefined, name: string, seen: Map<Provenance, number>): number {
  if (!from) return 0;
  const known = seen.get(from);
  if (known !== undefined) return known;
  const below = Math.max(0, ...[...(from.inputs ?? []), from.inner].map((one) => longest(one, name, seen)));
  const count = below + (from.what === name ? 1 : 0);
  seen.set(from, count);
  return count;
}

export const originBuiltins: readonly Builtin[] = [
  {
    name: "made_by",
    parameters: ["x"],
    run: (_machine, args) => ({ kind: "str", value: originOf(args)?.what ?? "" }),
  },
  {
    name: "made_with",
    parameters: ["x", "name"],
    run: (machine, args) => {
      const name = nameArgument(machine, args);
      for (const from of makers(originOf(args))) {
        const value = configured(from, name);
        if (value) return value;
      }
      return { kind: "bool", value: false };
    },
  },
  {
    name: "is_made_by",
    parameters: ["x", "name"],
    run: (machine, args) => {
      const name = nameArgument(machine, args);
      return { kind: "bool", value: [...makers(originOf(args))].some(({ what }) => what === name) };
    },
  },
  {
    name: "made_through",
    parameters: ["x", "name"],
    run: (machine, args) => ({
      kind: "int",
      value: constant(longest(originOf(args), nameArgument(machine, args), new Map())),
    }),
  },
];

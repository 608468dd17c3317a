/** Every function that the language itself has; all others are written in dlx. */
import type { Machine } from "../context.ts";
import type { BuiltinFunction } from "../values.ts";
import { type Builtin, bind } from "./define.ts";
import { differentiationBuiltins } from "./differentiate.ts";
import { originBuiltins } from "./origin.ts";
import { scalarBuiltins } from "./scalars.ts";
import { scanBuiltins } from "./scan.ts";
import { shapeBuiltins } from "./shapes.ts";
import { sortBuiltins } from "./sort.ts";
import { totalBuiltins } from "./total.ts";
import { treeBuiltins } from "./trees.ts";
import { valueBuiltins } from "./values.ts";
import { withinBuiltins } from "./within.ts";

const all: readonly Builtin[] = [
  ...scalarBuiltins,
  ...shapeBuiltins,
  ...treeBuiltins,
  ...totalBuiltins,
  ...differentiationBuiltins,
  ...valueBuiltins,
  ...scanBuiltins,
  ...sortBuiltins,
  ...originBuiltins,
  ...withinBuiltins,
];
export const builtinNames: readonly string[] = all.map(({ name }) => name);

export function builtins(machine: Machine): ReadonlyMap<string, BuiltinFunction> {
  return new Map(all.map((builtin) => [builtin.name, bind(machine, builtin)]));
}

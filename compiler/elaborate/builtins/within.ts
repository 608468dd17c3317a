/** Looking into a function: `replacing` calls others in the place of those that it calls, `cut` takes it apart. */
import { describe } from "../values.ts";
import { callCut, callReplacing } from "../within.ts";
import { type Builtin, functionOf } from "./define.ts";

export const withinBuiltins: readonly Builtin[] = [
  {
    name: "replacing",
    parameters: ["f", "old", "new"],
    makesFunction: true,
    run: (machine, args) => {
      const [old, by] = [args.get("old"), args.get("new")];
      if (old.kind !== "fn" && old.kind !== "builtin" && old.kind !== "instance")
        return machine.raise("E0205", args.placeOf("old"), {
          name: "what is replaced",
          expected: "a declared function or an instance",
          got: describe(old),
        });
      return functionOf("replacing(f, old, new)", (inputs, place) =>
        callReplacing(machine, args.get("f"), { old, by, args: inputs, place }),
      );
    },
  },
  {
    name: "cut",
    parameters: ["f", "at"],
    makesFunction: true,
    run: (machine, args) =>
      functionOf("cut(f, at)", (inputs, place) =>
        callCut(machine, args.get("f"), args.get("at"), { args: inputs, place }),
      ),
  },
];

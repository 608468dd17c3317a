import type { Pattern } from "../../grammar/ast.ts";
import type { Machine } from "./context.ts";
import { describe, type Place, type Scope, type Value } from "./values.ts";

/** Binds the names of a pattern to the parts of a value. */
export function bindPattern(machine: Machine, pattern: Pattern, value: Value, scope: Scope, place: Place): void {
  switch (pattern.kind) {
    case "name-pattern":
      if (pattern.name !== "_") scope.bind(pattern.name, value);
      return;
    case "tuple-pattern": {
      const parts = value.kind === "tuple" || value.kind === "list" ? value.elements : undefined;
      if (parts?.length !== pattern.elements.length)
        machine.raise("E0217", place, {
          expected: `a tuple of ${pattern.elements.length}`,
          got: describe(value),
        });
      pattern.elements.forEach((element, k) => {
        const part = parts[k];
        if (part) bindPattern(machine, element, part, scope, place);
      });
      return;
    }
    case "record-pattern":
      for (const { name, pattern: inner } of pattern.fields) {
        const field = value.kind === "record" ? value.fields.get(name.text) : undefined;
        if (!field) machine.raise("E0217", place, { expected: `a record with ${name.text}`, got: describe(value) });
        bindPattern(machine, inner, field, scope, place);
      }
      return;
    default:
      pattern satisfies never;
  }
}

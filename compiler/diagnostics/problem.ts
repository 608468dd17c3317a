import type { Problem } from "../../grammar/problem.ts";
import type { Source } from "../../grammar/span.ts";
import { invariant } from "../invariant.ts";
import { construct } from "./construct.ts";
import type { Diagnostic } from "./diagnostic.ts";
import { entryOf } from "./explain.ts";
import { suggest } from "./suggest.ts";

/** The grammar's problem, worded. Where it names `candidates` (one text, separated by blanks), the nearest is suggested. */
export function fromProblem(problem: Problem, source: Source): Diagnostic {
  const entry = entryOf(problem.code);
  invariant(entry !== undefined, `the catalogue has no entry ${problem.code}`);
  const { name, candidates } = problem.values;
  const suggestion = candidates === undefined ? undefined : suggest(String(name), String(candidates).split(" "));
  return construct(entry, source, problem.span, { ...problem.values, suggestion });
}

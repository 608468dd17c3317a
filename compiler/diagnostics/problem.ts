import type { Problem } from "../../grammar/problem.ts";
import type { Source } from "../../grammar/span.ts";
import { invariant } from "../invariant.ts";
import { construct } from "./construct.ts";
import type { Diagnostic } from "./diagnostic.ts";
import { entryOf } from "./explain.ts";

/** The grammar's problem, worded. */
export function fromProblem(problem: Problem, source: Source): Diagnostic {
  const entry = entryOf(problem.code);
  invariant(entry !== undefined, `the catalogue has no entry ${problem.code}`);
  return construct(entry, source, problem.span, problem.values);
}

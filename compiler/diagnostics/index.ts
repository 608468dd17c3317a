export type { CatalogueEntry, Details, Diagnostic, NoValues, RelatedPlace, Severity, Values } from "./diagnostic.ts";
export { codes, entryOf, explain } from "./explain.ts";
export { type Code, catalogue, diagnose } from "./generated.ts";
export { type DiagnosticJson, toJson } from "./json.ts";
export { fromProblem } from "./problem.ts";
export { type RenderOptions, render } from "./render.ts";
export { editDistance, suggest } from "./suggest.ts";

/** Writes `cst.d.ts`, the types of the concrete syntax tree, from the grammar: `npx tsx grammar/generate.ts`. */
import { writeFileSync } from "node:fs";
import { printCstTypes } from "./cst-types.ts";

writeFileSync(new URL("./cst.d.ts", import.meta.url), printCstTypes());

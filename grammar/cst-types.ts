import { generateCstDts } from "chevrotain";
import { DlxParser } from "./parser.ts";

/** The text of `cst.d.ts`. */
export function printCstTypes(): string {
  return `// Made by \`npx tsx grammar/generate.ts\` from parser.ts.\n${generateCstDts(new DlxParser().getGAstProductions())}`;
}

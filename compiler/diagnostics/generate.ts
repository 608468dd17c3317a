/** Writes `generated.ts` from the catalogue: `npx tsx compiler/diagnostics/generate.ts`. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { printCatalogue, readEntry } from "./catalogue.ts";

const folder = new URL("./catalogue/", import.meta.url);
const entries = readdirSync(folder)
  .filter((file) => file.endsWith(".md"))
  .map((file) => readEntry(file, readFileSync(new URL(file, folder), "utf8")));
writeFileSync(new URL("./generated.ts", import.meta.url), printCatalogue(entries));

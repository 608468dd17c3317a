import { readFile } from "node:fs/promises";
import type { Source } from "../../grammar/span.ts";
import { fileError } from "../../runtime/node/files.ts";

/** The source in a file, which has to be UTF-8. Throws E0614. */
export async function readSource(file: string): Promise<Source> {
  try {
    return { file, text: new TextDecoder("utf-8", { fatal: true }).decode(await readFile(file)) };
  } catch (error) {
    throw fileError("read", file, error instanceof TypeError ? new Error("it is not text in UTF-8") : error);
  }
}

/** WebGPU for Node, from the optional package `webgpu` (Dawn). */
import { DlxError } from "../errors.ts";

/**
 * What stands in for `navigator.gpu`. It has to be held as long as its devices are used, and dropped then: held, it keeps
 * Node alive. Throws E0801 where the package is missing.
 */
export async function nodeGpu(): Promise<GPU> {
  try {
    const { create } = await import("webgpu");
    return create([]);
  } catch (error) {
    const what = error instanceof Error ? error.message.split("\n")[0] : String(error);
    throw new DlxError("E0801", `there is no WebGPU in this Node: install the package \`webgpu\` (${what})`, {
      cause: error,
    });
  }
}

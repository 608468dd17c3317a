/** WebGPU for Node, from the optional package `webgpu` (Dawn). */
import { DlxError } from "../errors.ts";

/**
 * What stands in for `navigator.gpu`. It has to be held as long as its devices are used, and dropped then: held, it keeps
 * Node alive. Throws E0801 where there is none.
 */
export async function nodeGpu(): Promise<GPU> {
  if (process.platform === "linux" && !canLoad("libvulkan.so.1"))
    throw new DlxError("E0801", "there is no WebGPU here: the system has no Vulkan (libvulkan.so.1)");
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

/** Without its library Dawn prints a warning of its own. A library that is no addon of Node fails to load in another way. */
function canLoad(library: string): boolean {
  try {
    process.dlopen({ exports: {} }, library);
    return true;
  } catch (error) {
    return !String(error).includes("cannot open shared object file");
  }
}

/** What the build puts in, or what the checkout has: version, standard library, files of the package itself. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

declare const DLX_LIBRARY: Readonly<Record<string, string>> | undefined;
declare const DLX_VERSION: string | undefined;
declare const DLX_ROOT: string | undefined;

/** The package's folder, with a slash at its end. In a chunk of the build `import.meta.url` stands one folder deeper. */
function root(): URL {
  if (typeof DLX_ROOT === "undefined") return new URL("../../", import.meta.url);
  const here = import.meta.url.includes("/chunks/") ? new URL("../", import.meta.url) : new URL("./", import.meta.url);
  return new URL(`${DLX_ROOT}/`, here);
}

/** Path of a file of the package. */
export const packagePath = (path: string): string => fileURLToPath(new URL(path, root()));

export const version: string =
  typeof DLX_VERSION === "undefined"
    ? String(JSON.parse(readFileSync(packagePath("package.json"), "utf8")).version)
    : DLX_VERSION;

/** The text of a file of the standard library (`nn/conv.dlx`), if there is one. */
export function libraryText(path: string): string | undefined {
  if (typeof DLX_LIBRARY !== "undefined") return Object.hasOwn(DLX_LIBRARY, path) ? DLX_LIBRARY[path] : undefined;
  try {
    return readFileSync(packagePath(`stdlib/${path}`), "utf8");
  } catch {
    return undefined;
  }
}

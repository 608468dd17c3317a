/** What the build puts in, or what the checkout has: version, files of the package itself. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

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

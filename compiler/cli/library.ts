/** Where imports lead: the standard library of the package, and neighbours within the project's folder. */
import { readdirSync, readFileSync, realpathSync } from "node:fs";
import { dirname, relative, resolve, sep } from "node:path";
import type { Source } from "../../grammar/span.ts";
import type { ModuleLoader } from "../elaborate/modules.ts";
import { packagePath } from "./place.ts";

declare const DLX_LIBRARY: Readonly<Record<string, string>> | undefined;

/** Modules that were read: the package's files stay what they are while a process lasts, and so their trees are kept too. */
const known = new Map<string, readonly Source[]>();

function libraryModule(name: string): readonly Source[] {
  const sources = known.get(name) ?? readModule(name);
  if (sources.length > 0) known.set(name, sources);
  return sources;
}

/** The files of a module of the library, in the order of their names. */
function readModule(name: string): Source[] {
  if (!/^\w+$/.test(name)) return [];
  if (typeof DLX_LIBRARY !== "undefined")
    return Object.entries(DLX_LIBRARY).flatMap(([path, text]) =>
      path.startsWith(`${name}/`) ? [{ file: `stdlib/${path}`, text }] : [],
    );
  const folder = packagePath(`stdlib/${name}`);
  try {
    return readdirSync(folder)
      .filter((file) => file.endsWith(".dlx"))
      .sort()
      .map((file) => ({ file: `stdlib/${name}/${file}`, text: readFileSync(`${folder}/${file}`, "utf8") }));
  } catch {
    return [];
  }
}

const within = (path: string, folder: string) => path.startsWith(folder.endsWith(sep) ? folder : folder + sep);

/** For a program in `root`: the project is the working folder if the program lies in it, else the program's folder. */
export function fileLoader(root: string): ModuleLoader {
  const here = realpathSync(process.cwd());
  const folder = realpathSync(dirname(resolve(root)));
  const project = folder === here || within(folder, here) ? here : folder;
  return {
    load(path, quoted, from) {
      if (!quoted) {
        const sources = libraryModule(path);
        return sources.length > 0 ? sources : undefined;
      }
      const file = resolve(dirname(from.file), path);
      try {
        if (!within(realpathSync(file), project)) return undefined;
        const text = new TextDecoder("utf-8", { fatal: true }).decode(readFileSync(file));
        return [{ file: relative(process.cwd(), file), text }];
      } catch {
        return undefined;
      }
    },
  };
}

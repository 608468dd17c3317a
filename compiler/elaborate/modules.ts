/** Modules: a file with what it imports. A library module is a folder of files and passes on what it imports itself. */
import type { Declaration, Import, Module } from "../../grammar/ast.ts";
import { type ParseResult, parse } from "../../grammar/parse.ts";
import type { Source } from "../../grammar/span.ts";
import { type Diagnostic, diagnose, fromProblem } from "../diagnostics/index.ts";

/** Where source texts come from: the compiler touches no files itself. */
export interface ModuleLoader {
  /**
   * The files of `import nn` (`quoted` false; every file of the folder) or of `import "./blocks.dlx"` (one file, beside
   * `from`); undefined if there is none, or if it lies outside the project's folder.
   */
  load(path: string, quoted: boolean, from: Source): readonly Source[] | undefined;
}

/** A module with everything it needs, parsed. */
export interface Unit {
  readonly name: string;
  readonly library: boolean;
  readonly files: readonly Module[];
  readonly imports: readonly { readonly statement: Import; readonly file: Module; readonly unit: Unit }[];
}
export interface Loaded {
  readonly root: Unit;
  /** Imported into every file without being asked. */
  readonly prelude: Unit | undefined;
  readonly diagnostics: readonly Diagnostic[];
}

/** A tree is kept as long as its source is: programs of one process that import a module share what a loader keeps of it. */
const trees = new WeakMap<Source, ParseResult>();

function treeOf(source: Source): ParseResult {
  const known = trees.get(source);
  if (known) return known;
  const result = parse(source);
  trees.set(source, result);
  return result;
}

export function loadModules(root: Source, loader: ModuleLoader): Loaded {
  const diagnostics: Diagnostic[] = [];
  const units = new Map<string, Unit>();
  const path: { key: string; name: string }[] = [];
  const read = (key: string, name: string, library: boolean, sources: readonly Source[]): Unit => {
    const files = sources.map((source) => {
      const { module, problems } = treeOf(source);
      diagnostics.push(...problems.map((problem) => fromProblem(problem, source)));
      return module;
    });
    path.push({ key, name });
    const imports: Unit["imports"][number][] = [];
    for (const file of files)
      for (const statement of file.imports) {
        const unit = follow(statement, file);
        if (unit) imports.push({ statement, file, unit });
      }
    path.pop();
    const unit = { name, library, files, imports };
    units.set(key, unit);
    return unit;
  };
  const follow = (statement: Import, file: Module): Unit | undefined => {
    const { source } = file;
    const sources = loader.load(statement.path, statement.quoted, source);
    const [first] = sources ?? [];
    if (!sources || !first) {
      diagnostics.push(diagnose.E0209(source, statement.span, { path: statement.path }));
      return undefined;
    }
    const key = statement.quoted ? first.file : `stdlib ${statement.path}`;
    const cycle = path.findIndex((one) => one.key === key);
    if (cycle >= 0) {
      const names = [...path.slice(cycle).map(({ name }) => name), nameOfImport(statement)];
      diagnostics.push(diagnose.E0210(source, statement.span, { cycle: names.join(" -> ") }));
      return undefined;
    }
    return units.get(key) ?? read(key, nameOfImport(statement), !statement.quoted, sources);
  };
  const preludeSources = loader.load("prelude", false, root);
  const prelude = preludeSources && read("stdlib prelude", "prelude", true, preludeSources);
  const unit = read(root.file, "", false, [root]);
  return { root: unit, prelude, diagnostics };
}

/** `./blocks.dlx` is known as `blocks`. */
function nameOfImport({ path }: Import): string {
  return path.replace(/^.*\//, "").replace(/\.dlx$/, "");
}

/** What importing a module makes visible: its declarations, and for a library module what it imports. */
export function exportsOf(unit: Unit, seen = new Set<Unit>()): Declaration[] {
  if (seen.has(unit)) return [];
  seen.add(unit);
  const own = unit.files.flatMap((file) => file.declarations);
  return unit.library ? [...own, ...unit.imports.flatMap((one) => exportsOf(one.unit, seen))] : own;
}

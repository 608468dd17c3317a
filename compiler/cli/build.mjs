// Builds what the launcher loads: `node compiler/cli/build.mjs [OUTDIR]`. Commands are chunks of their own, so that
// `dlx --help` reads none of the compiler; the standard library's text is built in.
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("../..", import.meta.url));
const read = (path) => readFileSync(join(root, path), "utf8");

/** Every .dlx file under `stdlib/`, by its path there with forward slashes. */
function library() {
  const files = readdirSync(join(root, "stdlib"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".dlx"))
    .map((entry) => relative(join(root, "stdlib"), join(entry.parentPath ?? entry.path, entry.name)));
  return Object.fromEntries(files.sort().map((path) => [path.replaceAll("\\", "/"), read(join("stdlib", path))]));
}

const outdir = resolve(root, process.argv[2] ?? "dist");
rmSync(outdir, { recursive: true, force: true });
await build({
  entryPoints: [{ in: join(root, "compiler/cli/start.ts"), out: "cli" }],
  outdir,
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "node",
  target: "node20.16",
  minifySyntax: true,
  minifyWhitespace: true,
  // Large, or with a binary of their own: only the commands that need them pay for them.
  external: ["esbuild", "webgpu", "wabt"],
  chunkNames: "chunks/[name]-[hash]",
  define: {
    DLX_LIBRARY: JSON.stringify(library()),
    DLX_VERSION: JSON.stringify(JSON.parse(read("package.json")).version),
    DLX_ROOT: JSON.stringify(relative(outdir, root)),
  },
  // Packages in CommonJS call `require` for Node's own modules.
  banner: { js: 'import{createRequire as dlxRequire}from"node:module";const require=dlxRequire(import.meta.url);' },
  logLevel: "warning",
});

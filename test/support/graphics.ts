/**
 * A WebGPU driver and a browser without a GPU and without a system package: `@sparticuz/chromium` carries SwiftShader (a
 * Vulkan driver that runs on the CPU) and a Chromium; both are unpacked once into a cache folder.
 *
 * The dynamic linker reads LD_LIBRARY_PATH when a process starts, so `graphicsEnvironment` must be in the environment
 * *before* that: `vitest.config.ts` puts it there for vitest's workers.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliDecompressSync } from "node:zlib";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
const require = createRequire(import.meta.url);

/** Why SwiftShader or Chromium cannot run here; undefined where they can. */
export function unsupportedReason(): string | undefined {
  if (process.platform !== "linux" || process.arch !== "x64")
    return `SwiftShader and Chromium of @sparticuz/chromium are built for linux-x64, this is ${process.platform}-${process.arch}`;
  try {
    packageFolder("@sparticuz/chromium");
  } catch {
    return "@sparticuz/chromium is not installed (npm ci)";
  }
  return undefined;
}

function packageFolder(name: string): string {
  let folder = dirname(require.resolve(name));
  while (!existsSync(join(folder, "package.json")) || !existsSync(join(folder, "bin"))) {
    const parent = dirname(folder);
    if (parent === folder) throw new Error(`${name} has no package folder`);
    folder = parent;
  }
  return folder;
}

/** The files of an uncompressed tar archive (POSIX ustar: 512-byte headers, octal numbers), directories left out. */
function* filesOfTar(archive: Uint8Array): Generator<{ path: string; mode: number; bytes: Uint8Array }> {
  const text = (from: number, length: number) => {
    const field = archive.subarray(from, from + length);
    const end = field.indexOf(0);
    return new TextDecoder().decode(end < 0 ? field : field.subarray(0, end));
  };
  for (let at = 0; at + 512 <= archive.length && archive[at] !== 0; ) {
    const path = text(at, 100);
    const size = Number.parseInt(text(at + 124, 12), 8);
    const regular = archive[at + 156] === 0 || archive[at + 156] === 0x30;
    if (regular)
      yield { path, mode: Number.parseInt(text(at + 100, 8), 8), bytes: archive.subarray(at + 512, at + 512 + size) };
    at += 512 + Math.ceil(size / 512) * 512;
  }
}

/** Makes `name` in the cache folder unless it is there; a rename at the end keeps concurrent processes apart. */
function cached(name: string, fill: (folder: string) => void): string {
  const packageJson = join(packageFolder("@sparticuz/chromium"), "package.json");
  const { version } = JSON.parse(readFileSync(packageJson, "utf8")) as { version: string };
  const cache = join(root, "node_modules/.cache/dlx");
  const target = join(cache, `${name}-${version}`);
  if (existsSync(target)) return target;
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, `${name}.`));
  fill(folder);
  try {
    renameSync(folder, target);
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    if (!existsSync(target)) throw error;
  }
  return target;
}

function unpack(archive: string, folder: string): void {
  const compressed = readFileSync(join(packageFolder("@sparticuz/chromium"), "bin", archive));
  for (const file of filesOfTar(brotliDecompressSync(compressed))) {
    const path = join(folder, file.path);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, file.bytes, { mode: file.mode });
  }
}

/** The folder with SwiftShader's Vulkan driver and loader. */
export function swiftshaderFolder(): string {
  return cached("swiftshader", (folder) => unpack("swiftshader.tar.br", folder));
}

/** The variables under which a Node process finds SwiftShader; empty where it cannot run. */
export function graphicsEnvironment(): Record<string, string> {
  if (unsupportedReason() !== undefined) return {};
  const folder = swiftshaderFolder();
  const manifest = join(folder, "vk_swiftshader_icd.json");
  const inherited = process.env.LD_LIBRARY_PATH?.split(":").filter((entry) => entry !== "" && entry !== folder) ?? [];
  return {
    LD_LIBRARY_PATH: [folder, ...inherited].join(":"),
    VK_DRIVER_FILES: manifest,
    VK_ICD_FILENAMES: manifest,
  };
}

/** Chromium's executable (SwiftShader beside it) and the folder with shared libraries that a bare system may lack. */
export function chromiumFiles(): { executable: string; libraries: string; fonts: string } {
  const folder = cached("chromium", (into) => {
    unpack("swiftshader.tar.br", into);
    unpack("al2023.tar.br", join(into, "system"));
    unpack("fonts.tar.br", join(into, "fonts"));
    const compressed = readFileSync(join(packageFolder("@sparticuz/chromium"), "bin/chromium.br"));
    writeFileSync(join(into, "chromium"), brotliDecompressSync(compressed), { mode: 0o755 });
  });
  return {
    executable: join(folder, "chromium"),
    libraries: join(folder, "system/lib"),
    fonts: join(folder, "fonts"),
  };
}

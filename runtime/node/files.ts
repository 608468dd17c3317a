/** Files as commands need them: errors in the user's words, and writes that are whole or not at all. */
import { constants } from "node:fs";
import { access, mkdir, open, readFile, realpath, rename, rm, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { DlxError } from "../errors.ts";

const reasons: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file",
  ENOTDIR: "a part of the path is not a folder",
  EISDIR: "it is a folder",
  EACCES: "permission denied",
  EPERM: "permission denied",
  EROFS: "the file system is read-only",
  ENOSPC: "no space left on the device",
  EEXIST: "something of this name is in the way",
  ENAMETOOLONG: "the name is too long",
  ERR_FS_FILE_TOO_LARGE: "it is larger than 2 GiB",
};

/** E0614 for what the file system says. */
export function fileError(what: string, path: string, error: unknown): DlxError {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const reason = reasons[code] ?? (error instanceof Error ? error.message : String(error));
  return new DlxError("E0614", `cannot ${what} ${path}: ${reason}`, { cause: error });
}

export async function readBytes(path: string): Promise<Uint8Array> {
  try {
    const { buffer, byteOffset, byteLength } = await readFile(path);
    return new Uint8Array(buffer, byteOffset, byteLength);
  } catch (error) {
    throw fileError("read", path, error);
  }
}

export async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

/** Makes a folder and those around it. Node's own way never ends where a folder that is there lets none be made in it. */
async function makeFolders(path: string): Promise<void> {
  if (await isFolder(path)) return;
  const around = dirname(path);
  if (around !== path) await makeFolders(around);
  await mkdir(path).catch(async (error) => {
    if (!(await isFolder(path))) throw error;
  });
}

/** Makes the folder if it is not there, and makes sure that files can be written to it. */
export async function writableFolder(path: string): Promise<void> {
  try {
    await makeFolders(resolve(path));
    await access(path, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw fileError("write to", path, error);
  }
}

let writes = 0;

/** Writes a neighbour and renames it: a reader, or a crash, sees the old file or the new one. Links and modes stay. */
export async function writeAtomically(path: string, data: Uint8Array | string): Promise<void> {
  const target = await realpath(path).catch(() => path);
  const temporary = join(dirname(target), `.${process.pid}-${writes++}.tmp`);
  try {
    const mode = await stat(target).then(
      (found) => found.mode,
      () => 0o666,
    );
    const file = await open(temporary, "wx", mode);
    try {
      await file.writeFile(data);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true });
    throw fileError("write", path, error);
  }
}

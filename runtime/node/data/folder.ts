/**
 * `images:DIR`: a folder for each class, PNG and JPEG files in it. Classes are numbered in alphabetical order. What begins with
 * a point is not part of the data: editors and file managers leave folders and copies of that kind.
 */
import { readFileSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { DlxError } from "../../errors.ts";
import { fileError } from "../files.ts";
import { arrayColumn, type Column } from "./column.ts";
import { decodeImage, isImageName } from "./image.ts";

/** All pixels stay in memory; beyond this much the data set has to be prepared otherwise. */
const mostBytes = 3 * 2 ** 30;

async function list(folder: string): Promise<{ name: string; isFolder: boolean }[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries
      .filter((entry) => !entry.name.startsWith("."))
      .map((entry) => ({ name: entry.name, isFolder: entry.isDirectory() }))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch (error) {
    throw fileError("read", folder, error);
  }
}

export async function imageFolderColumns(folder: string): Promise<{ columns: Column[]; classes: string[] }> {
  const classes = (await list(folder)).filter(({ isFolder }) => isFolder).map(({ name }) => name);
  const files: { path: string; label: number }[] = [];
  for (const [label, name] of classes.entries())
    for (const file of await list(join(folder, name)))
      if (!file.isFolder && isImageName(file.name)) files.push({ path: join(folder, name, file.name), label });
  if (files.length === 0)
    throw new DlxError("E0612", `${folder} has no folders with PNG or JPEG files in them (one folder for each class)`);

  let first: { path: string; height: number; width: number; channels: number } | undefined;
  const pictures: Uint8Array[] = [];
  const channelsOf: number[] = [];
  for (const { path } of files) {
    let bytes: Uint8Array;
    try {
      bytes = readFileSync(path);
    } catch (error) {
      throw fileError("read", path, error);
    }
    const { height, width, channels, data } = await decodeImage(bytes, path);
    first ??= { path, height, width, channels };
    if (height !== first.height || width !== first.width)
      throw new DlxError(
        "E0613",
        `${path} has ${height} x ${width} pixels, but ${first.path} has ${first.height} x ${first.width}: resize the images to one size`,
      );
    if (data.length * files.length > mostBytes)
      throw new DlxError("E0613", `${folder}: ${files.length} images of ${height} x ${width} do not fit in memory`);
    pictures.push(data);
    channelsOf.push(channels);
  }
  // Grey and coloured files may mix: the column has the most channels found, each file says how many it has.
  const { height, width } = first as NonNullable<typeof first>;
  const most = Math.max(...new Set(channelsOf));
  const plane = height * width;
  const image: Column = {
    name: "image",
    rows: files.length,
    shape: [most, height, width],
    pixels: true,
    source: folder,
    row: (index) => {
      const data = pictures[index]!;
      const channels = channelsOf[index]!;
      if (channels === most) return data;
      const row = new Uint8Array(most * plane).fill(255);
      for (let c = 0; c < Math.min(3, most); c++) {
        const from = channels >= 3 ? c : 0;
        row.set(data.subarray(from * plane, (from + 1) * plane), c * plane);
      }
      // Alpha stands last, if the file has one.
      if (most % 2 === 0 && channels % 2 === 0) row.set(data.subarray((channels - 1) * plane), (most - 1) * plane);
      return row;
    },
  };
  const labels = Int32Array.from(files, ({ label }) => label);
  return { columns: [image, arrayColumn("label", labels, [files.length], folder)], classes };
}

/** `text:FILE,HELD,context=128`: windows of bytes as `id`, the bytes that follow each as `target`. */
import { DlxError } from "../../errors.ts";
import { readBytes } from "../files.ts";
import type { Column } from "./column.ts";

export async function textColumns(path: string, context: number, stride: number): Promise<Column[]> {
  const bytes = await readBytes(path);
  const rows = Math.floor((bytes.length - 1 - context) / stride) + 1;
  if (bytes.length < context + 1)
    throw new DlxError(
      "E0613",
      `${path} has ${bytes.length} bytes, too few for one window of context=${context} and the byte after it`,
    );
  const windows = (name: string, shift: number): Column => ({
    name,
    rows,
    shape: [context],
    pixels: false,
    source: path,
    row: (index) => bytes.subarray(index * stride + shift, index * stride + shift + context),
  });
  return [windows("id", 0), windows("target", 1)];
}

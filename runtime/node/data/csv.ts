/**
 * `csv:FILE`: the columns that are not the label are `x`, in order; the label's is `label`; each column is there under its
 * own heading as well. A label in words becomes the number of the class, in alphabetical order. Cells stand between commas,
 * semicolons or tabs.
 */
import { DlxError } from "../../errors.ts";
import { readBytes } from "../files.ts";
import { arrayColumn, type Column } from "./column.ts";

export interface CsvTable {
  readonly columns: Column[];
  /** The words of the label column, if they are words. */
  readonly classes: readonly string[];
}

const isNumber = (text: string) => text.trim() !== "" && !Number.isNaN(Number(text));

/** The separator that the first line has most of, outside of quotes. */
function separatorOf(text: string): string {
  const line = (/^(?:"[^"]*"|[^"\r\n])*/.exec(text)?.[0] ?? "").replace(/"[^"]*"/g, "");
  const counts = [",", ";", "\t"].map((each) => [each, line.split(each).length] as const);
  return counts.reduce((most, each) => (each[1] > most[1] ? each : most))[0];
}

/** Words for no value, which a row may begin with, and no heading is. */
const isMissing = (cell: string) => /^(\?|-|\.|n\/?a|nan|null|none|[+-]?inf(inity)?)$/i.test(cell);

/** Whether the first line has headings: the label's, no number at all, or a word over a column of numbers. */
const isHeaded = ([first = [], ...rows]: readonly (readonly string[])[], label = "label") =>
  (first.includes(label) && !isNumber(label)) ||
  first.every((cell) => !isNumber(cell) && !isMissing(cell)) ||
  (rows.length > 0 &&
    first.some(
      (cell, k) => cell !== "" && !isNumber(cell) && !isMissing(cell) && rows.every((row) => isNumber(row[k] ?? "")),
    ));

/** `label` is a heading or a number from 1. Without it: a column headed `label`, if there is one. Throws E0612. */
export async function csvTable(path: string, label: string | undefined): Promise<CsvTable> {
  const { parse } = await import("csv-parse/sync");
  const bytes = await readBytes(path);
  let records: string[][];
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes).replace(/^(?:[ \t]*\r?\n)+/, "");
    records = parse(text, { bom: true, skip_empty_lines: true, trim: true, delimiter: separatorOf(text) });
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error);
    throw new DlxError("E0612", `${path} is not a well-formed CSV file in UTF-8: ${what}`);
  }
  const [first] = records;
  if (!first) throw new DlxError("E0612", `${path} is empty`);
  const headed = isHeaded(records, label);
  const headings = headed ? first : first.map((_, k) => String(k + 1));
  const rows = headed ? records.slice(1) : records;
  if (rows.length === 0) throw new DlxError("E0612", `${path} has headings but no rows`);

  let labelAt = headings.indexOf(label ?? "label");
  if (labelAt < 0 && label !== undefined && /^[1-9]\d*$/.test(label) && Number(label) <= headings.length)
    labelAt = Number(label) - 1;
  if (labelAt < 0 && label !== undefined)
    throw new DlxError("E0611", `${path} has no column \`${label}\`; it has ${headings.join(", ")}`);

  const refuse = (line: number, at: number, what: string) =>
    new DlxError("E0612", `${path}, row ${line + (headed ? 2 : 1)}, column \`${headings[at]}\`: ${what}`);
  const numbers = (at: number): Float64Array =>
    Float64Array.from(rows, (row, line) => {
      const cell = row[at] ?? "";
      if (isNumber(cell)) return Number(cell);
      throw refuse(line, at, `${JSON.stringify(cell)} is not a number`);
    });
  const column = (name: string, data: Float64Array, width?: number) =>
    arrayColumn(name, data, width === undefined ? [rows.length] : [rows.length, width], `${path} (${name})`);

  const classes =
    labelAt >= 0 && rows.some((row) => !isNumber(row[labelAt] ?? ""))
      ? [...new Set(rows.map((row) => row[labelAt] ?? ""))].sort()
      : [];
  const unlabelled = classes.length > 0 ? rows.findIndex((row) => (row[labelAt] ?? "") === "") : -1;
  if (unlabelled >= 0) throw refuse(unlabelled, labelAt, "the label is missing");
  const numberOf = new Map(classes.map((name, k) => [name, k]));
  const labels = () =>
    classes.length > 0 ? Float64Array.from(rows, (row) => numberOf.get(row[labelAt] ?? "") ?? 0) : numbers(labelAt);

  const features = headings.map((_, at) => at).filter((at) => at !== labelAt);
  const values = features.map(numbers);
  const x = new Float64Array(rows.length * features.length);
  values.forEach((column, k) => {
    for (let row = 0; row < rows.length; row++) x[row * features.length + k] = column[row]!;
  });
  const columns = values.map((data, k) => column(headings[features[k]!]!, data));
  columns.push(column("x", x, features.length));
  if (labelAt >= 0)
    for (const name of ["label", headings[labelAt]!])
      if (!columns.some((one) => one.name === name)) columns.push(column(name, labels()));
  return { columns, classes };
}

/** The text after `--data`: `kind:path[,path][,option=value]`. */
import { DlxError } from "../../errors.ts";

export const kinds = ["idx", "images", "csv", "npz", "npy", "safetensors", "text", "synthetic"] as const;
export type Kind = (typeof kinds)[number];

export interface DataSpec {
  readonly text: string;
  readonly kind: Kind;
  readonly paths: readonly string[];
  readonly options: ReadonlyMap<string, string>;
}

const isKind = (text: string): text is Kind => kinds.some((kind) => kind === text);

/** What two files are, where a kind takes them. */
function secondPath(kind: Kind): string | undefined {
  if (kind === "npy") return "x, then label";
  return kind === "text" ? "to train on, then held out" : undefined;
}

/** Throws E0611. */
export function parseSpec(text: string): DataSpec {
  const colon = text.indexOf(":");
  const kind = text.slice(0, Math.max(colon, 0));
  if (!isKind(kind))
    throw new DlxError(
      "E0611",
      `--data ${text}: begin with one of ${kinds.map((kind) => `${kind}:`).join(" ")} as in idx:FOLDER or csv:FILE,label=COLUMN`,
    );
  const paths: string[] = [];
  const options = new Map<string, string>();
  for (const item of text.slice(colon + 1).split(",")) {
    const equals = item.indexOf("=");
    if (equals < 0) paths.push(item);
    else if (equals === 0 || options.has(item.slice(0, equals)))
      throw new DlxError("E0611", `--data ${text}: \`${item}\` is not a new option of the form name=value`);
    else options.set(item.slice(0, equals), item.slice(equals + 1));
  }
  const second = secondPath(kind);
  if (paths.length < 1 || paths.length > (second ? 2 : 1) || paths.some((path) => path === ""))
    throw new DlxError(
      "E0611",
      `--data ${text}: expected ${second ? `one or two files (${second})` : "one path or name"} after ${kind}:`,
    );
  return { text, kind, paths, options };
}

/** Takes a number out of the options. */
export function takeNumber(
  spec: DataSpec,
  left: Map<string, string>,
  name: string,
  fallback: number,
  valid: (value: number) => boolean,
  expected: string,
): number {
  const text = left.get(name);
  left.delete(name);
  if (text === undefined) return fallback;
  const value = text.trim() === "" ? Number.NaN : Number(text);
  if (!valid(value)) throw new DlxError("E0611", `--data ${spec.text}: ${name}=${text} is not ${expected}`);
  return value;
}

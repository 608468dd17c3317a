/** Sizes of memory as people write them: `64M`, where K, M and G are powers of 1024. */
const units: Readonly<Record<string, number>> = { K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 };

/** Undefined where the text is no size. */
export function readBytes(text: string): number | undefined {
  const [, digits, unit = ""] = /^(\d+(?:\.\d+)?)([KMG]?)(?:i?B)?$/i.exec(text) ?? [];
  if (digits === undefined) return undefined;
  const bytes = Math.floor(Number(digits) * (units[unit.toUpperCase()] ?? 1));
  return bytes >= 1 && Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** 67108864 as `64 MiB`: three digits. */
export function bytesText(bytes: number): string {
  const unit = Object.entries(units).findLast(([, size]) => bytes >= 0.9995 * size);
  if (!unit) return `${bytes} B`;
  return `${Number((bytes / unit[1]).toPrecision(bytes >= 1000 * unit[1] ? 4 : 3))} ${unit[0]}iB`;
}

/** The types of a program's calls, as TypeScript text: names as in the source, shapes in the doc comments. */
import type { DTypeName, Entry, InputSlot, Manifest, OutputSlot } from "../../../runtime/plan.ts";
import { nameOf } from "./literal.ts";

/** The typed array that carries a dtype between caller and program. */
function arrayType(dtype: DTypeName): string {
  switch (dtype) {
    case "f32":
    case "f16":
      return "Float32Array";
    case "i32":
      return "Int32Array";
    case "u32":
      return "Uint32Array";
    case "bool":
    case "u8":
      return "Uint8Array";
    default:
      return dtype satisfies never;
  }
}

function scalarType(dtype: DTypeName): string {
  return dtype === "bool" ? "boolean" : "number";
}

/** Entries that differ only in batch size. */
export interface CallVariants {
  readonly of: string;
  readonly entries: readonly Entry[];
  /** Whether any batch size is accepted. */
  readonly separable: boolean;
}

export function variants(manifest: Manifest, kind: Entry["kind"]): CallVariants[] {
  const names = [...new Set(manifest.entries.filter((entry) => entry.kind === kind).map((entry) => entry.of))];
  return names.map((of) => ({
    of,
    entries: manifest.entries.filter((entry) => entry.kind === kind && entry.of === of),
    separable: manifest.separable.includes(of),
  }));
}

type Side = "inputs" | "outputs";

/** `f32[N, 1, 28, 28]`: an axis that differs between variants, or that the host splits over, is `N`. */
function typeText(call: CallVariants, side: Side, position: number): string {
  const slots = call.entries.map((entry) => entry[side][position]);
  const slot = slots[0];
  if (!slot) return "";
  if (slot.shape.length === 0) return slot.dtype;
  const batched =
    slot.batched ??
    call.entries.every((entry) => entry.batch !== undefined && entry[side][position]?.shape[0] === entry.batch);
  const extents = slot.shape.map((extent, axis) =>
    axis === 0 && batched && (call.separable || call.entries.length > 1) ? "N" : String(extent),
  );
  return `${slot.dtype}[${extents.join(", ")}]`;
}

function inputField(call: CallVariants, slot: InputSlot, position: number): string {
  const notes = [typeText(call, "inputs", position)];
  if (slot.bounds) notes.push(`${slot.bounds.min} to ${slot.bounds.max}`);
  if (slot.default !== undefined) notes.push(`default ${slot.default}`);
  const type =
    slot.shape.length === 0 ? scalarType(slot.dtype) : `${arrayType(slot.dtype)} | Shaped<${arrayType(slot.dtype)}>`;
  return `/** ${notes.join("; ")} */ ${nameOf(slot.name)}${slot.default === undefined ? "" : "?"}: ${type}`;
}

function outputField(call: CallVariants, slot: OutputSlot, position: number): string {
  const type = slot.shape.length === 0 ? scalarType(slot.dtype) : arrayType(slot.dtype);
  return `/** ${typeText(call, "outputs", position)} */ ${nameOf(slot.name)}: ${type}`;
}

const record = (fields: readonly string[]) =>
  fields.length === 0 ? "Record<string, never>" : `{ ${fields.join("; ")} }`;

export function inputsType(call: CallVariants): string {
  return record((call.entries[0]?.inputs ?? []).map((slot, position) => inputField(call, slot, position)));
}

export function outputsType(call: CallVariants): string {
  return record((call.entries[0]?.outputs ?? []).map((slot, position) => outputField(call, slot, position)));
}

/** The instructions of WebAssembly that kernels use, by their textual names (Core Specification 2.0, section 5.4). */
import { invariant } from "../../invariant.ts";
import type { ScalarType } from "../../types/dtype.ts";

export type Slot = "i32" | "f32" | "v128";

/** From opcode `first` on, one after another. */
function run(first: number, prefix: string, names: string): [string, number][] {
  return names
    .trim()
    .split(/\s+/)
    .map((name, k): [string, number] => [`${prefix}.${name}`, first + k])
    .filter(([name]) => !name.endsWith("._"));
}

const plain = new Map<string, number>([
  ["select", 0x1b],
  ...run(0x28, "i32", "load"),
  ...run(0x2a, "f32", "load"),
  ...run(0x36, "i32", "store"),
  ...run(0x38, "f32", "store"),
  ...run(0x45, "i32", "eqz eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u"),
  ...run(0x5b, "f32", "eq ne lt gt le ge"),
  ...run(0x67, "i32", "clz ctz popcnt add sub mul div_s div_u rem_s rem_u and or xor shl shr_s shr_u rotl rotr"),
  ...run(0x8b, "f32", "abs neg ceil floor trunc nearest sqrt add sub mul div min max copysign"),
  ["i32.trunc_f32_s", 0xa8],
  ["i32.trunc_f32_u", 0xa9],
  ["f32.convert_i32_s", 0xb2],
  ["f32.convert_i32_u", 0xb3],
  ["i32.reinterpret_f32", 0xbc],
  ["f32.reinterpret_i32", 0xbe],
]);

const saturating = new Map<string, number>(run(0, "i32", "trunc_sat_f32_s trunc_sat_f32_u"));

const vector = new Map<string, number>([
  ["v128.load", 0x00],
  ["v128.load32_splat", 0x09],
  ["v128.store", 0x0b],
  ["v128.const", 0x0c],
  ["i8x16.shuffle", 0x0d],
  ["i32x4.splat", 0x11],
  ["f32x4.splat", 0x13],
  ["i32x4.extract_lane", 0x1b],
  ["i32x4.replace_lane", 0x1c],
  ["f32x4.extract_lane", 0x1f],
  ["f32x4.replace_lane", 0x20],
  ...run(0x37, "i32x4", "eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u"),
  ...run(0x41, "f32x4", "eq ne lt gt le ge"),
  ...run(0x4d, "v128", "not and andnot or xor bitselect any_true"),
  ["v128.load32_lane", 0x56],
  ["v128.store32_lane", 0x5a],
  ["v128.load32_zero", 0x5c],
  ...run(0x67, "f32x4", "ceil floor trunc nearest"),
  ...run(0xa0, "i32x4", "abs neg _ all_true bitmask"),
  ...run(0xab, "i32x4", "shl shr_s shr_u add _ _ sub _ _ _ mul min_s min_u max_s max_u"),
  ...run(0xe0, "f32x4", "abs neg _ sqrt add sub mul div min max pmin pmax"),
  ...run(0xf8, "i32x4", "trunc_sat_f32x4_s trunc_sat_f32x4_u"),
  ...run(0xfa, "f32x4", "convert_i32x4_s convert_i32x4_u"),
  ...run(0x105, "f32x4", "relaxed_madd relaxed_nmadd"),
]);

const atomic = new Map<string, number>([
  ["memory.atomic.notify", 0x00],
  ["memory.atomic.wait32", 0x01],
  ["i32.atomic.load", 0x10],
  ["i32.atomic.store", 0x17],
  ["i32.atomic.rmw.add", 0x1e],
]);

function* encoded(): Generator<readonly [string, readonly number[]]> {
  for (const [name, code] of plain) yield [name, [code]];
  for (const [name, code] of saturating) yield [name, [0xfc, code]];
  for (const [name, code] of vector) yield [name, code < 0x80 ? [0xfd, code] : [0xfd, (code & 0x7f) | 0x80, code >> 7]];
  for (const [name, code] of atomic) yield [name, [0xfe, code]];
}
const opcodes: ReadonlyMap<string, readonly number[]> = new Map(encoded());

/** The bytes of an instruction, immediates not included. */
export function opcode(name: string): readonly number[] {
  const bytes = opcodes.get(name);
  return bytes ?? (invariant(false, `no WebAssembly instruction is called ${name}`) as never);
}

const vectorless = new Set([
  "i32x4.extract_lane",
  "f32x4.extract_lane",
  "v128.any_true",
  "i32x4.all_true",
  "i32x4.bitmask",
]);

/** What an instruction leaves on the stack; `select` leaves what its arms are. */
export function resultSlot(name: string, first: Slot): Slot {
  if (name === "select") return first;
  if (vectorless.has(name)) return name.startsWith("f32") ? "f32" : "i32";
  if (vector.has(name)) return "v128";
  if (/^f32\.(eq|ne|lt|gt|le|ge)$/.test(name)) return "i32";
  return name.startsWith("f32") ? "f32" : "i32";
}

export const slotCode: Readonly<Record<Slot, number>> = { i32: 0x7f, f32: 0x7d, v128: 0x7b };

/** Truth values are 0 or 1 alone, and all bits or none in lanes. */
export function slotOf(type: ScalarType, lanes: 1 | 4): Slot {
  if (lanes === 4) return "v128";
  return type === "f32" ? "f32" : "i32";
}

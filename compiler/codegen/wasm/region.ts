/** Regions of a function under construction, and what has a value in them. */
import type { Code, Local, Value, Window } from "./machine.ts";

/** An i32 that is neither a sum nor a product: a parameter, a loop counter, a loaded value. */
export interface Atom {
  readonly id: number;
  readonly local: Local;
  /** Where it has a value: from its definition to the end of this region. */
  readonly region: Region;
}

export interface Monomial {
  readonly coefficient: number;
  /** Ordered by id; repeated for powers. */
  readonly atoms: readonly Atom[];
}

export interface Counter {
  readonly atom: Atom;
  readonly from: Value;
  readonly step: number;
  /** No loop is nested in it: addresses become pointers that move with it. */
  readonly innermost: boolean;
  readonly pointers: { readonly local: Local; readonly step: Value }[];
}

export interface Region {
  readonly parent: Region | undefined;
  readonly depth: number;
  readonly code: Code[];
  /** Set for loop bodies, after the region exists. */
  counter: Counter | undefined;
  readonly isBranch: boolean;
  /** Values that have been computed here already. */
  readonly known: Map<string, Value>;
  readonly windows: Map<string, { readonly pointer: Value; readonly window: Window }[]>;
}

export function newRegion(parent: Region | undefined, isBranch = false): Region {
  return {
    parent,
    depth: parent === undefined ? 0 : parent.depth + 1,
    code: [],
    counter: undefined,
    isBranch,
    known: new Map(),
    windows: new Map(),
  };
}

export function deeper(a: Region, b: Region): Region {
  return a.depth >= b.depth ? a : b;
}

export function number(value: number): Value {
  return { kind: "number", slot: "i32", value };
}
export function get(local: Local): Value {
  return { kind: "get", slot: local.slot, local };
}
export function operation(
  code: string,
  slot: Value["slot"],
  args: readonly Value[],
  immediates: readonly number[] = [],
): Value {
  return { kind: "operation", slot, code, arguments: args, immediates, address: undefined };
}
export function addValues(a: Value, b: Value): Value {
  if (a.kind === "number" && b.kind === "number") return number((a.value + b.value) | 0);
  if (a.kind === "number") return addValues(b, a);
  if (b.kind === "number" && b.value === 0) return a;
  return operation("i32.add", "i32", [a, b]);
}
export function multiplyValues(a: Value, b: Value): Value {
  if (a.kind === "number" && b.kind === "number") return number(Math.imul(a.value, b.value));
  if (a.kind === "number") return multiplyValues(b, a);
  if (b.kind === "number") {
    if (b.value === 1) return a;
    if (b.value === 0) return b;
    const shift = Math.log2(b.value);
    if (Number.isInteger(shift)) return operation("i32.shl", "i32", [a, number(shift)]);
  }
  return operation("i32.mul", "i32", [a, b]);
}

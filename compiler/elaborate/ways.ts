/**
 * How tensors depend on each other where no graph is built: enough to tell that a derivative is missing, and where on the
 * way it ends. In doubt a derivative passes; what only a graph shows is told when it is built.
 */
import type { Origin } from "../graph/graph.ts";
import { rowOf } from "../scalar/table.ts";
import { isFloat } from "../types/dtype.ts";
import type { Element, Handle } from "./element.ts";

/** Where a derivative ends on the way from an operand: the function that is flat; undefined where it passes. */
export type Ways = ReadonlyMap<Handle, string | undefined>;

/** A handle that knows what it was made of. */
export interface TracedHandle extends Handle {
  readonly hint: string;
  readonly role: "argument" | "value" | "stopped" | "gradient" | "total";
  readonly ways: Ways;
  /** Operands behind which every way counts as one with a derivative. */
  readonly behind: readonly Handle[];
  readonly origin: Origin | undefined;
}

function traced(handle: Handle): TracedHandle | undefined {
  return "ways" in handle ? (handle as TracedHandle) : undefined;
}
function operandsOf(handle: Handle): readonly Handle[] {
  const known = traced(handle);
  return known ? [...known.ways.keys(), ...known.behind] : [];
}

/** What is written for a function of graphs behind which nothing has a derivative. */
const written: Readonly<Record<string, string>> = {
  max_first: "argmax",
  min_first: "argmin",
  sort: "argsort",
  to_i32: "i32",
  to_u32: "u32",
  to_bool: "bool",
  to_f32: "f32",
  eq: "`==`",
  ne: "`!=`",
  lt: "`<`",
  le: "`<=`",
  gt: "`>`",
  ge: "`>=`",
  index: "an index",
};
/** Where a way ends: the function as it is written, and its line. */
export function endOf(flat: string, origin: Origin | undefined): string {
  const name = written[flat] ?? flat;
  return origin ? `${name} (${origin.file}:${origin.line})` : name;
}

/** The ways into an element; what is told of one that ends is the first function on it. */
export function waysOf(element: Element): Ways {
  const ways = new Map<Handle, string | undefined>();
  const seen = { passing: new Set<Element>(), flat: new Set<Element>() };
  const pending: { readonly element: Element; readonly flat: string | undefined }[] = [{ element, flat: undefined }];
  for (let next = pending.pop(); next; next = pending.pop()) {
    const { element: one, flat } = next;
    if (one.kind !== "read" && one.kind !== "apply") continue;
    if (seen.passing.has(one) || (flat !== undefined && seen.flat.has(one))) continue;
    (flat === undefined ? seen.passing : seen.flat).add(one);
    if (one.kind === "read") {
      // Where it may be out of range it may be none at all.
      const ends = one.otherwise === undefined ? flat : undefined;
      if (ends === undefined || !ways.has(one.handle)) ways.set(one.handle, ends);
      for (const coordinate of one.coordinates) pending.push({ element: coordinate, flat: "index" });
    } else {
      const passes = typeof rowOf(one.name).derivative === "function";
      for (const argument of one.arguments)
        pending.push({ element: argument, flat: passes && argument.type === "f32" ? flat : one.name });
    }
  }
  return ways;
}
export function passing(handles: readonly Handle[]): Ways {
  return new Map(handles.map((handle) => [handle, undefined]));
}

/** Whether a handle is found among a tensor and all it was made of. */
function finds(result: Handle, isWanted: (handle: Handle) => boolean): boolean {
  const seen = new Set<Handle>();
  const pending = [result];
  for (let handle = pending.pop(); handle; handle = pending.pop()) {
    if (isWanted(handle)) return true;
    if (seen.has(handle)) continue;
    seen.add(handle);
    pending.push(...operandsOf(handle));
  }
  return false;
}
export function dependsOn(result: Handle, source: Handle): boolean {
  return finds(result, (handle) => handle === source);
}
export function dependsOnArguments(result: Handle): boolean {
  return finds(result, (handle) => traced(handle)?.role === "argument");
}

/** Whether a result is made of totals, and an argument that it is made of beside them. */
export function closingOf(result: Handle): { ofTotals: boolean; reads: string | undefined } {
  let ofTotals = false;
  let reads: string | undefined;
  const seen = new Set<Handle>();
  const pending = [result];
  for (let handle = pending.pop(); handle; handle = pending.pop()) {
    if (seen.has(handle)) continue;
    seen.add(handle);
    const known = traced(handle);
    if (known?.role === "total") ofTotals = true;
    else {
      if (known?.role === "argument") reads ??= known.hint;
      pending.push(...operandsOf(handle));
    }
  }
  return { ofTotals, reads };
}

/** The tensors in which results have a derivative, as far as can be told. */
export function sourcesOf(results: readonly Handle[]): ReadonlySet<Handle> {
  const found = new Set<Handle>();
  const pending = [...results];
  for (let handle = pending.pop(); handle; handle = pending.pop()) {
    if (found.has(handle) || !isFloat(handle.dtype)) continue;
    found.add(handle);
    const known = traced(handle);
    if (!known || known.role === "stopped") continue;
    for (const [operand, flat] of known.ways) if (flat === undefined) pending.push(operand);
    const behind = [...known.behind];
    const seen = new Set<Handle>();
    for (let one = behind.pop(); one; one = behind.pop()) {
      if (seen.has(one)) continue;
      seen.add(one);
      if (isFloat(one.dtype)) found.add(one);
      behind.push(...operandsOf(one));
    }
  }
  return found;
}

/** Where the derivative ends on the shortest way; undefined where there is none, or where it was ended on purpose. */
export function whereItEnds(result: Handle, source: Handle): { path: string; by: string } | undefined {
  // The derivative of a derivative vanishes where a function is piecewise linear: that is no mistake.
  if (finds(result, (handle) => traced(handle)?.role === "gradient")) return undefined;
  const way = shortestWay(result, source);
  if (!way) return undefined;
  const path = way.map((handle) => traced(handle)?.hint ?? "tensor").join(" -> ");
  if (!isFloat(source.dtype)) return { path, by: "its element type" };
  for (const [k, operand] of way.entries()) {
    const next = way[k + 1];
    const made = next && traced(next);
    if (!made || made.role === "stopped") return undefined;
    const flat = made.ways.get(operand);
    if (isFloat(made.dtype) && flat === undefined) continue;
    return { path, by: endOf(flat ?? "whole numbers", made.origin) };
  }
  return undefined;
}

/** From the source to the result. */
function shortestWay(result: Handle, source: Handle): Handle[] | undefined {
  const next = new Map<Handle, Handle | undefined>([[result, undefined]]);
  const queue = [result];
  for (const handle of queue) {
    if (handle === source) {
      const way: Handle[] = [];
      for (let step: Handle | undefined = handle; step; step = next.get(step)) way.push(step);
      return way;
    }
    for (const operand of operandsOf(handle)) {
      if (next.has(operand)) continue;
      next.set(operand, handle);
      queue.push(operand);
    }
  }
  return undefined;
}

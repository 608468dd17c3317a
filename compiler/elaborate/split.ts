/**
 * Quotients and remainders of an index by a divisor of its extent go away by splitting the index in two: with
 * `o = k*high + low` the normal form of `o / k` is `high` and that of `o % k` is `low`.
 */

import type { Dim } from "../types/dims.ts";
import * as dims from "../types/dims.ts";
import { type Element, type Index, integerElement, isIndex } from "./element.ts";

/** What stands for each index of a domain: itself, or the indices it was split into, outermost first. */
export interface Splitting {
  readonly parts: ReadonlyMap<Index, readonly Index[]>;
  readonly rewrite: (dim: Dim) => Dim;
}

export function splitIndices(domain: readonly Index[], element: Element): Splitting {
  const dimsUsed = new Set<Dim>();
  collectDims(element, dimsUsed, new Set());
  const parts = new Map<Index, Index[]>(domain.map((index) => [index, [index]]));
  const replacements = new Map<dims.Variable, Dim>();
  let current = [...dimsUsed];
  for (;;) {
    const found = firstSplit(current);
    if (!found) break;
    const { index, divisor, extent } = found;
    const part = (suffix: string, size: number): Index => ({
      ...index,
      name: index.name + suffix,
      key: index.key + suffix,
      maximum: size - 1,
      extent: dims.constant(size),
    });
    const high = part("h", extent / divisor);
    const low = part("l", divisor);
    const whole = dims.add(dims.scale(dims.fromAtom(high), divisor), dims.fromAtom(low));
    const replace = (variable: dims.Variable) => (variable === index ? whole : undefined);
    for (const [variable, value] of replacements) replacements.set(variable, dims.substitute(value, replace));
    replacements.set(index, whole);
    for (const list of parts.values()) {
      const at = list.indexOf(index);
      if (at >= 0) list.splice(at, 1, high, low);
    }
    current = current.map((dim) => dims.substitute(dim, replace));
  }
  const rewrite = (dim: Dim) =>
    replacements.size === 0 ? dim : dims.substitute(dim, (variable) => replacements.get(variable));
  return { parts, rewrite };
}

function collectDims(element: Element, found: Set<Dim>, seen: Set<Element>): void {
  if (seen.has(element)) return;
  seen.add(element);
  if (element.kind === "integer") found.add(element.value);
  else if (element.kind === "read") for (const one of element.coordinates) collectDims(one, found, seen);
  else if (element.kind === "apply") for (const one of element.arguments) collectDims(one, found, seen);
}

/** Some quotient or remainder of a lone index by a proper divisor of its extent. */
function firstSplit(among: readonly Dim[]): { index: Index; divisor: number; extent: number } | undefined {
  for (const dim of among) {
    for (const { factors } of dim.terms)
      for (const { atom } of factors) {
        if (atom.kind === "variable") continue;
        const index = loneIndex(atom.numerator);
        const divisor = dims.constantOf(atom.divisor);
        const extent = index && dims.constantOf(index.extent);
        if (index && divisor !== undefined && extent !== undefined && divisor > 1 && extent % divisor === 0)
          return { index, divisor, extent };
        const inner = firstSplit([atom.numerator]);
        if (inner) return inner;
      }
  }
  return undefined;
}
function loneIndex(dim: Dim): Index | undefined {
  const [term, ...more] = dim.terms;
  const [factor, ...others] = term?.factors ?? [];
  if (more.length > 0 || others.length > 0 || term?.coefficient !== 1 || factor?.power !== 1) return undefined;
  return factor.atom.kind === "variable" && isIndex(factor.atom) ? factor.atom : undefined;
}

/** The element with its integers rewritten; subtrees that do not change stay the same objects. */
export function rewriteIntegers(
  element: Element,
  rewrite: (dim: Dim) => Dim,
  memo = new Map<Element, Element>(),
): Element {
  const seen = memo.get(element);
  if (seen) return seen;
  const result = rewriteOne(element, (child) => rewriteIntegers(child, rewrite, memo), rewrite);
  memo.set(element, result);
  return result;
}
function rewriteOne(element: Element, child: (element: Element) => Element, rewrite: (dim: Dim) => Dim): Element {
  switch (element.kind) {
    case "constant":
      return element;
    case "integer": {
      const value = rewrite(element.value);
      return value === element.value ? element : integerElement(value);
    }
    case "read": {
      const coordinates = element.coordinates.map(child);
      return coordinates.every((one, k) => one === element.coordinates[k]) ? element : { ...element, coordinates };
    }
    case "apply": {
      const args = element.arguments.map(child);
      return args.every((one, k) => one === element.arguments[k]) ? element : { ...element, arguments: args };
    }
    default:
      return element satisfies never;
  }
}

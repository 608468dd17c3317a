/** The sum of a one-hot select is the value. */
import { provedInRange } from "../graph/affine.ts";
import type { Coordinate, Scalar } from "../graph/graph.ts";
import { apply, constant, coordinateValue, valueCoordinate } from "../graph/scalars.ts";
import { indexSubstituter, indicesOf, visitScalars } from "../graph/traverse.ts";
import { rangesOver } from "./ranges.ts";
import { isConstant, isRow } from "./scalar-rules.ts";
import type { SumSite } from "./sum-signature.ts";

/** A value over the sum's domain that is free of the index at `position`. */
export interface Collapsed {
  readonly value: Scalar;
  readonly position: number;
}

/** `sum[r] select(r == e, value, 0)` where e does not use r: the value at r = e if that lies in r's extent, else 0. */
export function oneHot(rest: readonly Scalar[], site: SumSite): Collapsed | undefined {
  const [only, ...more] = rest;
  if (more.length > 0 || !isRow(only, "select")) return undefined;
  const [mask, value, zero] = only.arguments;
  if (!mask || !value || !isConstant(zero, 0)) return undefined;
  if (isRow(mask, "and")) {
    const [a, b] = mask.arguments;
    for (const [outer, inner] of [
      [a!, b!],
      [b!, a!],
    ] as const) {
      const found = oneHot([apply("select", outer, apply("select", inner, value, zero!), zero!)], site);
      if (found) return found;
    }
    return undefined;
  }
  if (!isRow(mask, "eq")) return undefined;
  const [left, right] = mask.arguments;
  for (const [index, target] of [
    [left!, right!],
    [right!, left!],
  ] as const) {
    if (index.kind !== "index" || !site.isReduction(index.position) || indicesOf(target).has(index.position)) continue;
    const found = collapsedAt(value, index.position, target, site);
    if (found) return { value: found, position: index.position };
  }
  return undefined;
}

function collapsedAt(value: Scalar, position: number, target: Scalar, site: SumSite): Scalar | undefined {
  const extent = site.extents[position]!;
  const zero = constant(value.type, 0);
  const range = rangesOver(site.extents).of(target);
  const proved = range !== undefined && range.min >= 0 && range.max < extent;
  const guarded = (inner: Scalar): Scalar => {
    if (proved) return inner;
    const above = apply("ge", target, constant(target.type, 0));
    return apply("select", apply("and", above, apply("lt", target, constant(target.type, extent))), inner, zero);
  };
  if (!indicesOf(value).has(position)) return guarded(value);
  const clamped = clampedTo(target, extent);
  if (clamped) {
    const coordinate = valueCoordinate(clamped);
    return coordinate && addressesOnly(value, position, extent)
      ? substituted(value, position, coordinate, site)
      : undefined;
  }
  const coordinate = valueCoordinate(target);
  const inner = coordinate && substituted(value, position, coordinate, site);
  if (!inner || provedInRange(coordinate, site.extents, extent)) return inner;
  if (inner.kind === "read" && value.kind === "read" && addressesOnly(value, position, extent))
    return { ...inner, otherwise: 0 };
  return guarded(inner);
}

/** `d` where the scalar is `min(max(d, 0), extent - 1)`: what a data coordinate without `else` does by itself. */
function clampedTo(scalar: Scalar, extent: number): Scalar | undefined {
  if (!isRow(scalar, "min")) return undefined;
  const [inner, last] = scalar.arguments;
  if (!isConstant(last, extent - 1) || !isRow(inner, "max")) return undefined;
  const [data, zero] = inner.arguments;
  return isConstant(zero, 0) ? data : undefined;
}

function substituted(value: Scalar, position: number, coordinate: Coordinate, site: SumSite): Scalar | undefined {
  const by = (index: number): Coordinate =>
    index === position ? coordinate : { offset: 0, terms: [{ kind: "affine", coefficient: 1, position: index }] };
  return indexSubstituter({ by, value: (index) => coordinateValue(by(index)), extents: site.extents }).scalar(value);
}

/** Whether the index is used only to address whole axes of its extent, by reads without `else`. */
function addressesOnly(value: Scalar, position: number, extent: number): boolean {
  let only = true;
  visitScalars([value], (scalar) => {
    if (scalar.kind === "index" && scalar.position === position) only = false;
    if (scalar.kind !== "read") return;
    for (const [axis, { offset, terms }] of scalar.coordinates.entries())
      for (const term of terms) {
        if (term.kind === "data" || term.position !== position) continue;
        const plain = terms.length === 1 && offset === 0 && term.kind === "affine" && term.coefficient === 1;
        if (!plain || scalar.tensor.type.shape[axis] !== extent || scalar.otherwise !== undefined) only = false;
      }
  });
  return only;
}

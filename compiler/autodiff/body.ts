/** Reverse mode inside one scalar body: from the adjoint of its value to the adjoints of its reads. */
import type { Scalar, ScalarRead } from "../graph/graph.ts";
import { visitScalars } from "../graph/traverse.ts";
import { rowOf } from "../scalar/table.ts";
import { isConstant, type Scalars } from "./scalars.ts";

export interface ReadAdjoint {
  readonly read: ScalarRead;
  /** Over the domain of the body. */
  readonly adjoint: Scalar;
}

/**
 * `body` must be interned in `scalars`, so that one read that occurs twice has one adjoint. Zero adjoints are left out.
 * `value` is the body's value as it is known already, for derivatives that are written in it.
 */
export function readAdjoints(
  scalars: Scalars,
  body: Scalar,
  seed: Scalar,
  isActive: (read: ScalarRead) => boolean,
  value: Scalar = body,
): ReadAdjoint[] {
  const active = new Set<Scalar>();
  const order: Scalar[] = [];
  visitScalars([body], (scalar) => {
    const carries =
      scalar.kind === "read"
        ? isActive(scalar)
        : scalar.kind === "apply" && scalar.type === "f32" && scalar.arguments.some((argument) => active.has(argument));
    if (!carries) return;
    active.add(scalar);
    order.push(scalar);
  });
  const adjoints = new Map<Scalar, Scalar>([[body, seed]]);
  const found: ReadAdjoint[] = [];
  for (const scalar of order.reverse()) {
    const adjoint = adjoints.get(scalar);
    if (!adjoint || isConstant(adjoint, 0)) continue;
    if (scalar.kind === "read") found.push({ read: scalar, adjoint });
    if (scalar.kind !== "apply") continue;
    const { derivative } = rowOf(scalar.name);
    if (typeof derivative !== "function") continue;
    const partials = derivative(scalars, scalar.arguments, scalar === body ? value : scalar);
    for (const [k, argument] of scalar.arguments.entries()) {
      const partial = partials[k];
      if (partial === undefined || !active.has(argument)) continue;
      const contribution = scalars.chain(adjoint, partial);
      const before = adjoints.get(argument);
      adjoints.set(argument, before ? scalars.plus(before, contribution) : contribution);
    }
  }
  return found.reverse();
}

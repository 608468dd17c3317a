/** Index notation: `let y[i, j] = body` and `sum[k] body`, with the extents that the body's reads give. */
import type { Expression, IndexBinder, IndexedLet, Reduction, ReductionName } from "../../grammar/ast.ts";
import type { Combiner } from "../graph/graph.ts";
import * as dims from "../types/dims.ts";
import { type DType, isFloat } from "../types/dtype.ts";
import { applyNumeric } from "./arithmetic.ts";
import { type Machine, placeOf } from "./context.ts";
import { type Element, type Index, indexElement, indexValue, indicesOf, inOrder, readElement } from "./element.ts";
import { extentsOf } from "./extents.ts";
import { asTensor, convertElement, define, scalarTensor, show } from "./tensors.ts";
import { describe, type Place, type Scope, type TensorValue, type Value } from "./values.ts";

/** Binds the indices of a binder list in a new scope; runs become lists. */
function bindIndices(
  machine: Machine,
  binders: readonly IndexBinder[],
  body: Expression,
  scope: Scope,
): { inner: Scope; indices: Index[] } {
  const extents = extentsOf(machine, binders, body, scope);
  const inner = scope.child();
  const indices: Index[] = [];
  for (const binder of binders) {
    const found = extents.get(binder) ?? [];
    const run = found.map((extent, k) => {
      const index = machine.index(binder.spread ? `${binder.name.text}${k + 1}` : binder.name.text, extent);
      if (dims.compare(extent, ">=", dims.constant(1)) === "no")
        machine.raise("E0311", placeOf(scope, binder), { name: binder.name.text, extent: dims.printDim(extent) });
      return index;
    });
    indices.push(...run);
    const values = run.map((index): Value => ({ kind: "int", value: indexValue(index) }));
    const [only] = values;
    inner.bind(binder.name.text, binder.spread || !only ? { kind: "list", elements: values } : only);
  }
  return { inner, indices };
}

export function indexedLet(machine: Machine, statement: IndexedLet, scope: Scope): TensorValue {
  const { inner, indices } = bindIndices(machine, statement.indices, statement.value, scope);
  const place = placeOf(scope, statement.value);
  const naming = statement.value.kind === "reduction" ? statement.name.text : undefined;
  const value = machine.within({ open: [...machine.dynamic.open, ...indices], naming }, () =>
    scalarBody(machine, machine.evaluate(statement.value, inner), place),
  );
  return define(machine, statement.name.text, indices, value.at([]), { dtype: value.dtype });
}

/** A body has to be one element: rank 0. */
function scalarBody(machine: Machine, value: Value, place: Place): TensorValue {
  const tensor = asTensor(value);
  if (!tensor || tensor.shape.length > 0) return machine.raise("E0308", place, { got: describe(value) });
  return tensor;
}

export function reduction(machine: Machine, expression: Reduction, scope: Scope): Value {
  const { inner, indices } = bindIndices(machine, expression.indices, expression.body, scope);
  const place = placeOf(scope, expression);
  const body = machine.within({ open: [...machine.dynamic.open, ...indices], naming: undefined }, () =>
    scalarBody(machine, machine.evaluate(expression.body, inner), placeOf(scope, expression.body)),
  );
  return reduceOver(machine, expression.reducer, indices, body, place);
}

/** `sum(x)`: over every element. */
export function reduceWhole(machine: Machine, reducer: ReductionName, value: TensorValue, place: Place): TensorValue {
  const indices = value.shape.map((extent, axis) => machine.index("ijklmnpqrst"[axis] ?? `i${axis}`, extent));
  return reduceOver(machine, reducer, indices, scalarTensor(value.at(indices.map(indexElement)), value.dtype), place);
}

const combiners: Readonly<Record<ReductionName, Combiner>> = {
  sum: "sum",
  mean: "sum",
  prod: "prod",
  max: "max",
  min: "min",
  any: "any",
  all: "all",
  argmax: "max_first",
  argmin: "min_first",
};

/** Its own node over exactly the outer indices it uses; the result is read at those. */
export function reduceOver(
  machine: Machine,
  reducer: ReductionName,
  indices: readonly Index[],
  body: TensorValue,
  place: Place,
): TensorValue {
  const { element, dtype } = operand(machine, reducer, body, place);
  const free = inOrder([...indicesOf(element)].filter((index) => !indices.includes(index)));
  const handles = machine.domain.compute({
    hint: machine.dynamic.naming ?? reducer,
    combiner: combiners[reducer],
    parallel: free,
    reduction: indices,
    element,
    dtype,
  });
  const handle = handles[reducer === "argmax" || reducer === "argmin" ? 1 : 0];
  if (!handle) throw new Error("a reduction has a result");
  const value: TensorValue = {
    ...scalarTensor(readElement(handle, free.map(indexElement)), handle.dtype),
    ...(free.length === 0 && { handle }),
  };
  if (reducer !== "mean") return value;
  const count = indices.reduce((product, { extent }) => dims.multiply(product, extent), dims.constant(1));
  const number: Value = { kind: "int", value: count };
  return applyNumeric(machine, "div", [value, number], place, "mean");
}

function operand(
  machine: Machine,
  reducer: ReductionName,
  body: TensorValue,
  place: Place,
): { element: Element; dtype: DType } {
  const element = body.at([]);
  const logical = reducer === "any" || reducer === "all";
  const wrong = logical ? element.type !== "bool" : element.type === "bool";
  if (wrong)
    return machine.raise("E0309", place, {
      operation: reducer,
      got: show(body),
      fix: logical ? "a comparison in parentheses: `any[i] (x[i] > 0)`" : "f32(..) around the bool",
    });
  if (reducer === "mean" && element.type !== "f32") return { element: convertElement(element, "f32"), dtype: "f32" };
  return { element, dtype: isFloat(body.dtype) ? body.dtype : element.type };
}

/** The domain of checking: a handle is a dtype, a shape that may hold symbols, and what it was made of; nothing is built. */
import type { Origin } from "../graph/graph.ts";
import type { DType } from "../types/dtype.ts";
import { isFloat } from "../types/dtype.ts";
import type { Shape } from "../types/shape.ts";
import type { Computation, TensorDomain } from "./domain.ts";
import type { Handle } from "./element.ts";
import {
  closingOf,
  dependsOn,
  dependsOnArguments,
  passing,
  sourcesOf,
  type TracedHandle,
  waysOf,
  whereItEnds,
} from "./ways.ts";

const none: TracedHandle["ways"] = new Map();

export class ShapesDomain implements TensorDomain {
  readonly symbolic = true;
  /** For initial values, which no argument may reach. */
  readonly #initial: boolean;
  readonly #origin: () => Origin | undefined;
  origin: undefined;
  #count = 0;

  constructor(initial: boolean, origin: () => Origin | undefined) {
    this.#initial = initial;
    this.#origin = origin;
  }

  get nodeCount(): number {
    return this.#count;
  }

  compute({ hint, combiner, parallel, dtype, element }: Computation): readonly Handle[] {
    const shape = parallel.map((index) => index.extent);
    const operands = waysOf(element);
    const positions = new Map([...operands.keys()].map((operand) => [operand, combiner]));
    const ways = combiner === "map" || isFloat(dtype) ? operands : positions;
    const value = this.#made(hint, dtype, shape, ways);
    if (combiner === "moments") return [value, this.#made(hint, "f32", shape, ways)];
    if (combiner !== "max_first" && combiner !== "min_first") return [value];
    return [value, this.#made(hint, "i32", shape, positions)];
  }
  constant(dtype: DType, shape: Shape): Handle {
    return this.#made("list", dtype, shape, none);
  }
  reshape(handle: Handle, shape: Shape): Handle {
    return this.#of("reshape", handle, shape);
  }
  concat(pieces: readonly Handle[], _axis: number, _starts: readonly unknown[], shape: Shape): Handle {
    return this.#made("concat", pieces[0]?.dtype ?? "f32", shape, passing(pieces));
  }
  alias(handle: Handle, hint = "x"): Handle {
    return this.#of(hint, handle, handle.shape);
  }
  stop(handle: Handle): TracedHandle {
    return { ...this.#of("constant", handle, handle.shape), role: "stopped" };
  }
  sort(source: Handle): Handle {
    return this.#made("positions", "i32", source.shape, new Map([[source, "sort"]]));
  }
  total(handle: Handle): TracedHandle {
    return { ...this.#of("total", handle, handle.shape), role: "total" };
  }
  closingOf(result: Handle): { ofTotals: boolean; reads: string | undefined } {
    return closingOf(result);
  }
  random(shape: Shape): Handle {
    return this.#made("random", "u32", shape, none);
  }
  differentiate(
    results: Parameters<TensorDomain["differentiate"]>[0],
    sources: readonly Handle[],
  ): readonly (Handle | undefined)[] {
    const from = results.flatMap(({ result, adjoint }) => (adjoint ? [result, adjoint] : [result]));
    const found = sourcesOf(results.map(({ result }) => result));
    return sources.map((source) => {
      if (!found.has(source)) return undefined;
      const gradient = this.#made("gradient", source.dtype, source.shape, passing([...from, source]));
      return { ...gradient, role: "gradient" as const };
    });
  }
  scan({ hint, length, carries, slices, body }: Parameters<TensorDomain["scan"]>[0]): readonly Handle[] {
    const results = body([
      ...carries,
      ...slices.map((slice) => this.#of("slice", slice, slice.shape.slice(1))),
      handle("i32", []),
    ]);
    // Over the iterations any result may come to depend on any other.
    const ways = passing([...carries, ...results]);
    return results.map(({ dtype, shape }, k) =>
      this.#made(hint, dtype, k < carries.length ? shape : [length, ...shape], ways),
    );
  }
  custom({ hint, operands, forward, backward }: Parameters<TensorDomain["custom"]>[0]): readonly Handle[] {
    const results = forward(operands);
    backward([...operands, ...results, ...results.map(({ dtype, shape }) => handle(dtype, shape))]);
    return results.map(({ dtype, shape }) => ({
      ...this.#made(hint, dtype, shape, passing(operands)),
      behind: results,
    }));
  }
  whyNoGradient(result: Handle, source: Handle): { path: string; by: string } | undefined {
    return whereItEnds(result, source);
  }
  dependsOn(result: Handle, source: Handle): boolean {
    return dependsOn(result, source);
  }
  reaches(one: Handle): boolean {
    return !this.#initial || !dependsOnArguments(one);
  }

  #of(hint: string, from: Handle, shape: Shape): TracedHandle {
    return this.#made(hint, from.dtype, shape, passing([from]));
  }
  #made(hint: string, dtype: DType, shape: Shape, ways: TracedHandle["ways"]): TracedHandle {
    this.#count++;
    return { dtype, shape, hint, role: "value", ways, behind: [], origin: this.#origin() };
  }
}

/** A tensor that was there before. */
export function handle(dtype: DType, shape: Shape, hint = "tensor"): Handle {
  return leaf(dtype, shape, hint, "value");
}
/** A tensor that comes with a call. */
export function argument(dtype: DType, shape: Shape, hint: string): Handle {
  return leaf(dtype, shape, hint, "argument");
}
function leaf(dtype: DType, shape: Shape, hint: string, role: TracedHandle["role"]): TracedHandle {
  return { dtype, shape, hint, role, ways: none, behind: [], origin: undefined };
}

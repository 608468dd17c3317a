/** The domain of checking: a handle is a dtype and a shape that may hold symbols; nothing is built. */
import type { DType } from "../types/dtype.ts";
import type { Shape } from "../types/shape.ts";
import type { Computation, TensorDomain } from "./domain.ts";
import type { Handle } from "./element.ts";

export class ShapesDomain implements TensorDomain {
  readonly symbolic = true;
  readonly nodeCount = 0;
  origin: undefined;

  compute({ combiner, parallel, dtype }: Computation): readonly Handle[] {
    const shape = parallel.map((index) => index.extent);
    const value = handle(dtype, shape);
    if (combiner === "moments") return [value, handle("f32", shape)];
    return combiner === "max_first" || combiner === "min_first" ? [value, handle("i32", shape)] : [value];
  }
  reshape({ dtype }: Handle, shape: Shape): Handle {
    return handle(dtype, shape);
  }
  concat([first]: readonly Handle[], _axis: number, _starts: readonly unknown[], shape: Shape): Handle {
    return handle(first?.dtype ?? "f32", shape);
  }
  alias({ dtype, shape }: Handle): Handle {
    return handle(dtype, shape);
  }
  stop({ dtype, shape }: Handle): Handle {
    return handle(dtype, shape);
  }
  random(shape: Shape): Handle {
    return handle("u32", shape);
  }
  differentiate(_results: unknown, sources: readonly Handle[]): readonly Handle[] {
    return sources.map(({ dtype, shape }) => handle(dtype, shape));
  }
  scan({ length, carries, slices, body }: Parameters<TensorDomain["scan"]>[0]): readonly Handle[] {
    const results = body([
      ...carries,
      ...slices.map(({ dtype, shape }) => handle(dtype, shape.slice(1))),
      handle("i32", []),
    ]);
    return results.map((result, k) => (k < carries.length ? result : handle(result.dtype, [length, ...result.shape])));
  }
  custom({ operands, forward, backward }: Parameters<TensorDomain["custom"]>[0]): readonly Handle[] {
    const results = forward(operands);
    backward([...operands, ...results, ...results.map(({ dtype, shape }) => handle(dtype, shape))]);
    return results;
  }
  whyNoGradient(): undefined {}
  dependsOn(): boolean {
    return true;
  }
  reaches(): boolean {
    return true;
  }
}

export function handle(dtype: DType, shape: Shape): Handle {
  return { dtype, shape };
}

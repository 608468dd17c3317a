/**
 * Runs a kernel over typed arrays, one expression at a time, with the expansions and the rounding of WebAssembly without
 * fused multiply-add: what the code generators are tested against. Slow. Out-of-range accesses throw, so it finds wrong indexing that memory would hide.
 */
import { invariant } from "../invariant.ts";
import { float32 } from "../scalar/numbers.ts";
import type { ScalarType } from "../types/dtype.ts";
import type { Expression, Kernel, Statement } from "./ir.ts";

export type KernelMemory = Float32Array | Int32Array | Uint32Array;
type Value = readonly number[];

interface Frame {
  readonly memory: ReadonlyMap<string, KernelMemory>;
  readonly values: Map<string, Value>;
  readonly place: Readonly<Record<"workgroup" | "local" | "global", readonly [number, number, number]>>;
}

export function allocate(type: ScalarType, size: number): KernelMemory {
  switch (type) {
    case "f32":
      return new Float32Array(size);
    case "i32":
      return new Int32Array(size);
    case "u32":
    case "bool":
      return new Uint32Array(size);
    default:
      return type satisfies never;
  }
}

/** Writes into `buffers` (one for each of the kernel's), in place. */
export function interpretKernel(
  kernel: Kernel,
  buffers: readonly KernelMemory[],
  scalars: readonly number[] = [],
  workgroups: readonly [number, number, number] = [1, 1, 1],
): void {
  invariant(buffers.length === kernel.buffers.length, `kernel ${kernel.name} takes ${kernel.buffers.length} buffers`);
  invariant(scalars.length === kernel.scalars.length, `kernel ${kernel.name} takes ${kernel.scalars.length} scalars`);
  const global = new Map(kernel.buffers.map((buffer, k) => [buffer.name, buffers[k]!]));
  const size = kernel.workgroupSize ?? [1, 1, 1];
  for (const workgroup of points(workgroups)) {
    const shared = new Map(global);
    for (const local of kernel.locals)
      if (local.space !== "register") shared.set(local.name, allocate(local.type, local.size));
    const invocations = [...points(size)].map((local) => {
      const memory = new Map(shared);
      for (const own of kernel.locals) if (own.space === "register") memory.set(own.name, allocate(own.type, own.size));
      const frame: Frame = {
        memory,
        values: new Map(kernel.scalars.map((name, k) => [name, [scalars[k]! | 0]])),
        place: {
          workgroup,
          local,
          global: [0, 1, 2].map((d) => workgroup[d]! * size[d]! + local[d]!) as [number, number, number],
        },
      };
      return run(kernel.body, frame);
    });
    runTogether(kernel, invocations);
  }
}

function* points([x, y, z]: readonly [number, number, number]): Generator<readonly [number, number, number]> {
  for (let k = 0; k < z; k++) for (let j = 0; j < y; j++) for (let i = 0; i < x; i++) yield [i, j, k];
}

/** From barrier to barrier: all invocations of a workgroup must reach the same number of them. */
function runTogether(kernel: Kernel, invocations: readonly Generator<void>[]): void {
  for (;;) {
    const finished = invocations.filter((invocation) => invocation.next().done).length;
    if (finished === invocations.length) return;
    invariant(finished === 0, `kernel ${kernel.name}: a barrier is not reached by all invocations`);
  }
}

function* run(statements: readonly Statement[], frame: Frame): Generator<void> {
  for (const s of statements) {
    switch (s.kind) {
      case "let":
      case "declare":
      case "assign":
        frame.values.set(s.name, evaluate(s.value, frame));
        break;
      case "store": {
        const memory = memoryOf(frame, s.buffer);
        const at = evaluate(s.index, frame)[0]!;
        const value = evaluate(s.value, frame);
        checkRange(s.buffer, memory, at, value.length);
        for (const [k, element] of value.entries()) memory[at + k] = element;
        break;
      }
      case "for": {
        const to = evaluate(s.to, frame)[0]!;
        for (let i = evaluate(s.from, frame)[0]!; i < to; i += s.step) {
          frame.values.set(s.name, [i]);
          yield* run(s.body, frame);
        }
        break;
      }
      case "if":
        yield* run(evaluate(s.condition, frame)[0] !== 0 ? s.then : s.otherwise, frame);
        break;
      case "barrier":
        yield;
        break;
      default:
        s satisfies never;
    }
  }
}

function memoryOf(frame: Frame, buffer: string): KernelMemory {
  const memory = frame.memory.get(buffer);
  invariant(memory, `no buffer ${buffer}`);
  return memory;
}
function checkRange(buffer: string, memory: KernelMemory, at: number, count: number): void {
  invariant(at >= 0 && at + count <= memory.length, `${buffer}[${at} :${count}] of ${memory.length} elements`);
}

function evaluate(e: Expression, frame: Frame): Value {
  switch (e.kind) {
    case "constant":
      return new Array<number>(e.lanes).fill(e.value);
    case "variable": {
      const value = frame.values.get(e.name);
      invariant(value, `${e.name} has no value`);
      return value;
    }
    case "load": {
      const memory = memoryOf(frame, e.buffer);
      const at = evaluate(e.index, frame)[0]!;
      checkRange(e.buffer, memory, at, e.lanes);
      return [...memory.subarray(at, at + e.lanes)];
    }
    case "apply": {
      // Both arms of a select are values here as they are in every target; loads in them must be in range.
      const operands = e.arguments.map((operand) => evaluate(operand, frame));
      const ops = float32(e.lanes === 4 ? "lanes" : "scalar");
      return Array.from({ length: e.lanes }, (_, k) => {
        const values = e.arguments.map(({ type }, at) => ({ type, value: operands[at]![k]! }));
        return ops.apply(e.name, ...values).value;
      });
    }
    case "splat":
      return new Array<number>(4).fill(evaluate(e.value, frame)[0]!);
    case "vector":
      return e.elements.map((element) => evaluate(element, frame)[0]!);
    case "lane":
      return [evaluate(e.value, frame)[e.lane]!];
    case "shuffle": {
      const both = [...evaluate(e.first, frame), ...evaluate(e.second, frame)];
      return e.pick.map((p) => both[p]!);
    }
    case "builtin":
      return [frame.place[e.name][e.dimension]];
    default:
      return e satisfies never;
  }
}

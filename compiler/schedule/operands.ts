/** The buffers of one kernel: a parameter for every memory that it touches, with what the dispatch must bind there. */
import type { Origin, Tensor } from "../graph/graph.ts";
import type { KernelBuilder } from "../kernel/build.ts";
import type { BufferParameter, Dispatch } from "../kernel/ir.ts";
import type { ScalarType } from "../types/dtype.ts";
import { scalarType } from "../types/dtype.ts";
import type { BuildContext } from "./group.ts";
import type { Placed } from "./program.ts";

/** The element type of a tensor's buffer: bool is stored as u32 0 or 1. */
export function storageType(tensor: Tensor): ScalarType {
  const type = scalarType(tensor.type.dtype);
  return type === "bool" ? "u32" : type;
}

export interface Operand {
  readonly buffer: string;
  readonly type: ScalarType;
  /** In elements, one an axis of the tensor's type. */
  readonly strides: readonly number[];
}

interface Binding {
  readonly operand: string;
  readonly place: Placed;
  access: BufferParameter["access"];
}

export class Operands {
  readonly context: BuildContext;
  readonly kernel: KernelBuilder;
  #bindings: Binding[] = [];

  constructor(kernel: KernelBuilder, context: BuildContext) {
    this.kernel = kernel;
    this.context = context;
  }

  read(tensor: Tensor): Operand {
    return this.#operand(tensor, "read");
  }
  write(tensor: Tensor): Operand {
    return this.#operand(tensor, "write");
  }
  /** A buffer that is not a tensor: scratch shared by dispatches. */
  bind(hint: string, type: ScalarType, place: Placed, access: BufferParameter["access"]): string {
    const found = this.#bindings.find((binding) => samePlace(binding.place, place));
    if (found !== undefined) {
      if (found.access !== access) found.access = "read_write";
      return found.operand;
    }
    const operand = this.kernel.buffer(hint, type, access);
    this.#bindings.push({ operand, place, access });
    return operand;
  }

  #operand(tensor: Tensor, access: "read" | "write"): Operand {
    const type = storageType(tensor);
    const { place, strides } = this.context.layout(tensor);
    return { buffer: this.bind(tensor.name, type, place, access), type, strides };
  }

  /** Ends the kernel. Nothing may be written to it afterwards. */
  dispatch(spec: {
    label: string;
    origin: Origin | undefined;
    scalars?: readonly number[];
    workgroups?: readonly [number, number, number];
  }): Dispatch<Placed> {
    const kernel = this.kernel.finish();
    return {
      kernel: {
        ...kernel,
        buffers: kernel.buffers.map((parameter) => ({
          ...parameter,
          access: this.#bindings.find((binding) => binding.operand === parameter.name)?.access ?? parameter.access,
        })),
      },
      buffers: this.#bindings.map((binding) => binding.place),
      scalars: spec.scalars ?? [],
      workgroups: spec.workgroups,
      origin: spec.origin,
      label: spec.label,
    };
  }
}

export function samePlace(a: Placed, b: Placed): boolean {
  if (a.kind === "scratch" || b.kind === "scratch")
    return a.kind === "scratch" && b.kind === "scratch" && a.id === b.id;
  return a.tensor === b.tensor && a.offset === b.offset && String(a.advance ?? "") === String(b.advance ?? "");
}

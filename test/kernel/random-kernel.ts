/** Random kernels: nested loops, branches, mutable locals, vectors, index arithmetic that a code generator may get wrong. */
import {
  add,
  apply,
  constant,
  i32,
  KernelBuilder,
  lane,
  load,
  lt,
  max,
  min,
  mul,
  select,
  shuffle,
  splat,
  sub,
  vector,
} from "../../compiler/kernel/build.ts";
import type { KernelMemory } from "../../compiler/kernel/interpret.ts";
import { allocate } from "../../compiler/kernel/interpret.ts";
import type { Expression, Kernel, Lanes, Variable } from "../../compiler/kernel/ir.ts";
import type { ScalarType } from "../../compiler/types/dtype.ts";

export const size = 128;

export class Random {
  #state: number;
  constructor(seed: number) {
    this.#state = (seed ^ 0x9e3779b9) >>> 0;
  }
  below(count: number): number {
    this.#state = (Math.imul(this.#state ^ (this.#state >>> 15), 0x2c1b3c6d) + 0x6d2b79f5) >>> 0;
    return (this.#state >>> 3) % count;
  }
  chance(percent: number): boolean {
    return this.below(100) < percent;
  }
  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!;
  }
}

interface Ranged {
  readonly value: Expression;
  readonly from: number;
  readonly to: number;
}
interface Buffer {
  readonly name: string;
  readonly type: ScalarType;
  readonly writable: boolean;
}

/** Rows of which both have the same bits; not `round`, `max` and `min`, whose zeros differ in sign. */
const unary: Readonly<Record<ScalarType, readonly string[]>> = {
  f32: ["neg", "abs", "floor", "ceil", "sqrt", "sign"],
  i32: ["neg", "abs", "sign"],
  u32: [],
  bool: ["not"],
};
const binary: Readonly<Record<ScalarType, readonly string[]>> = {
  f32: ["add", "sub", "mul", "div"],
  i32: ["add", "sub", "mul", "max", "min", "div", "rem", "bit_and", "bit_xor"],
  u32: ["add", "mul", "max", "min", "div", "rem", "bit_or"],
  bool: ["and", "or"],
};
const comparisons = ["eq", "ne", "lt", "le", "gt", "ge"];
const types: readonly ScalarType[] = ["f32", "f32", "f32", "i32", "u32", "bool"];

class Writer {
  readonly #random: Random;
  readonly kernel = new KernelBuilder("random", "cpu");
  readonly #buffers: readonly Buffer[];
  #names: Expression[] = [];
  #mutable: Variable[] = [];
  #indices: Ranged[];
  #depth = 0;
  #budget = 24;

  constructor(random: Random) {
    this.#random = random;
    this.#buffers = (["f32", "i32", "u32", "bool", "f32"] as const).map((type, k) => ({
      name: this.kernel.buffer(`b${k}`, type, k === 4 || k === 1 ? "read" : "read_write"),
      type,
      writable: k !== 4 && k !== 1,
    }));
    this.#indices = [{ value: this.kernel.scalar("s"), from: 0, to: 6 }];
  }

  block(): void {
    const saved = [this.#names, this.#mutable, this.#indices] as const;
    [this.#names, this.#mutable, this.#indices] = [[...saved[0]], [...saved[1]], [...saved[2]]];
    for (let count = 2 + this.#random.below(5); count > 0 && this.#budget > 0; count--) this.#statement();
    this.#store();
    [this.#names, this.#mutable, this.#indices] = saved;
  }

  #statement(): void {
    this.#budget--;
    const { kernel } = this;
    switch (this.#random.below(7)) {
      case 0:
        this.#names.push(kernel.letIn("x", this.#value(this.#random.pick(types), this.#lanes(), 3)));
        return;
      case 1:
        this.#mutable.push(kernel.declare("m", this.#value(this.#random.pick(types), this.#lanes(), 2)));
        return;
      case 2: {
        if (this.#mutable.length === 0) break;
        const target = this.#random.pick(this.#mutable);
        kernel.assign(target, this.#value(target.type, target.lanes, 3));
        return;
      }
      case 3:
        kernel.ifThen(
          this.#value("bool", 1, 2),
          () => this.block(),
          () => (this.#random.chance(50) ? this.block() : undefined),
        );
        return;
      case 4: {
        if (this.#depth >= 3) break;
        const step = this.#random.pick([1, 1, 1, 2, 3, 4]);
        const from = this.#random.below(4);
        const dynamic = this.#random.chance(30);
        const end = this.#random.pick(this.#indices);
        const to = dynamic ? end.value : i32(from + this.#random.below(9) - 1);
        const last = dynamic ? end.to : from + 8;
        this.#depth++;
        kernel.forLoop("i", from, to, step, (value) => {
          const outer = this.#indices;
          this.#indices = [...outer, { value, from, to: Math.max(from, last - 1) }];
          this.block();
          this.#indices = outer;
        });
        this.#depth--;
        return;
      }
    }
    this.#store();
  }

  #store(): void {
    const buffer = this.#random.pick(this.#buffers.filter(({ writable }) => writable));
    const lanes = this.#lanes();
    const value =
      this.#random.chance(15) && lanes === 1
        ? lane(this.#value(buffer.type, 4, 2), this.#random.below(4))
        : this.#value(buffer.type, lanes, 3);
    this.kernel.store(buffer.name, this.#index(value.lanes), value);
  }

  #lanes(): Lanes {
    return this.#random.chance(50) ? 4 : 1;
  }

  /** An index in range: affine where intervals prove it, otherwise brought into range. */
  #index(lanes: Lanes): Expression {
    let value: Expression = i32(this.#random.below(20));
    let [from, to] = [0, 20];
    for (let count = this.#random.below(4); count > 0; count--) {
      const index = this.#random.pick(this.#indices);
      const factor = this.#random.pick([1, 1, 2, 3, -1, 5]);
      const term = this.#random.chance(20)
        ? mul(index.value, this.#random.pick(this.#indices).value)
        : mul(index.value, factor);
      value = this.#random.chance(20) ? sub(value, term) : add(value, term);
      [from, to] = [from - 200, to + 200];
      if (term.kind === "apply" && term.arguments.length === 2) continue;
    }
    if (this.#random.chance(15)) value = add(value, this.#value("i32", 1, 1));
    else if (from >= 0 && to + lanes <= size) return value;
    return min(max(value, 0), size - lanes);
  }

  #value(type: ScalarType, lanes: Lanes, depth: number): Expression {
    const random = this.#random;
    const known = [...this.#names, ...this.#mutable].filter((name) => name.type === type && name.lanes === lanes);
    if (known.length > 0 && random.chance(30)) return random.pick(known);
    if (type === "i32" && lanes === 1 && random.chance(40)) return random.pick(this.#indices).value;
    if (depth === 0 || random.chance(15)) return this.#leaf(type, lanes);
    const inner = (t: ScalarType = type, l: Lanes = lanes): Expression => this.#value(t, l, depth - 1);
    switch (random.below(9)) {
      case 0:
        return unary[type].length > 0 ? apply(random.pick(unary[type]), type, inner()) : this.#leaf(type, lanes);
      case 1:
      case 2:
        return apply(random.pick(binary[type]), type, inner(), inner());
      case 3:
        return select(inner("bool"), inner(), inner());
      case 4:
        if (lanes === 1) return lane(inner(type, 4), random.below(4));
        return random.chance(50) ? splat(inner(type, 1)) : vector([0, 1, 2, 3].map(() => inner(type, 1)));
      case 5: {
        if (lanes === 1) return apply(random.pick(binary[type]), type, inner(), inner());
        const pick = [0, 1, 2, 3].map(() => random.below(8));
        return shuffle(inner(), inner(), [pick[0]!, pick[1]!, pick[2]!, pick[3]!]);
      }
      case 6:
        if (type === "bool") {
          const operand = random.pick(["f32", "i32", "u32"] as const);
          return apply(random.pick(comparisons), "bool", inner(operand), inner(operand));
        }
        // Twice the same value: what is shared must be computed where both see it.
        return ((shared: Expression) => apply(type === "u32" ? "add" : "sub", type, shared, shared))(inner());
      case 7:
        return type === "i32" && lanes === 1 ? add(mul(inner(), inner()), 7) : this.#leaf(type, lanes);
      default:
        return this.#leaf(type, lanes);
    }
  }

  #leaf(type: ScalarType, lanes: Lanes): Expression {
    if (this.#random.chance(30))
      return constant(type, this.#random.pick(type === "f32" ? [0, 1, -1, 0.5, -2.25, 100] : [0, 1, 2, 3, 7]), lanes);
    const buffer = this.#random.pick(this.#buffers.filter((candidate) => candidate.type === type));
    return load(buffer.name, type, this.#index(lanes), lanes);
  }

  /** A condition on the scalar parameter, so that some of the code does not run. */
  guarded(): void {
    const s = this.#indices[0]!.value;
    this.kernel.ifThen(lt(s, 3), () => this.block());
  }
}

export function randomKernel(seed: number): Kernel {
  const writer = new Writer(new Random(seed));
  writer.block();
  writer.guarded();
  return writer.kernel.finish();
}

export function randomMemory(kernel: Kernel, seed: number): KernelMemory[] {
  const random = new Random(seed);
  return kernel.buffers.map(({ type }) => {
    const memory = allocate(type, size);
    for (let k = 0; k < size; k++)
      memory[k] =
        type === "f32"
          ? (random.below(65) - 32) / 8
          : type === "bool"
            ? random.below(2)
            : type === "i32"
              ? random.below(41) - 20
              : random.below(50);
    return memory;
  });
}

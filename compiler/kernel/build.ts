/** Writes kernels statement by statement. The constructors of their expressions come with it. */
import type { ScalarType } from "../types/dtype.ts";
import type { Index } from "./expressions.ts";
import { index, variable } from "./expressions.ts";
import type { BufferParameter, Expression, Kernel, LocalBuffer, Statement, Variable } from "./ir.ts";

export * from "./expressions.ts";

const isWord = /^[A-Za-z][A-Za-z0-9_]*$/;

/** What names in kernels begin with: the word characters of a hint. */
export function wordOf(hint: string): string {
  return isWord.test(hint) ? hint : hint.replace(/[^A-Za-z0-9_]/g, "_").replace(/^(?![A-Za-z])/, "v");
}

/**
 * Writes one kernel statement by statement: `letIn`, `declare`, `store` append to the block that is open; `forLoop` and
 * `ifThen` open one for the time of their callback.
 *
 * ```ts
 * const k = new KernelBuilder("double", "cpu");
 * const x = k.buffer("x", "f32", "read"), y = k.buffer("y", "f32", "write");
 * k.forLoop("i", 0, 1024, 4, (i) => k.store(y, i, mul(load(x, "f32", i, 4), splat(f32(2)))));
 * k.finish();
 * ```
 */
export class KernelBuilder {
  readonly target: Kernel["target"];
  #name: string;
  #workgroupSize: Kernel["workgroupSize"];
  #names = new Map<string, number>();
  #buffers: BufferParameter[] = [];
  #scalars: string[] = [];
  #locals: LocalBuffer[] = [];
  #stores = new Map<string, number>();
  readonly #body: Statement[] = [];
  #block = this.#body;

  constructor(name: string, target: Kernel["target"], workgroupSize?: readonly [number, number, number]) {
    this.#name = name;
    this.target = target;
    this.#workgroupSize = workgroupSize;
  }

  /** A name not yet used in this kernel, made of `hint`'s word characters. */
  fresh(hint: string): string {
    const word = wordOf(hint);
    const count = this.#names.get(word) ?? 0;
    this.#names.set(word, count + 1);
    if (count === 0) return word;
    return this.fresh(`${word}_${count}`);
  }

  buffer(hint: string, type: ScalarType, access: BufferParameter["access"]): string {
    const name = this.fresh(hint);
    this.#buffers.push({ name, type, access });
    return name;
  }
  /** An i32 that comes with the dispatch. */
  scalar(hint: string): Variable {
    const name = this.fresh(hint);
    this.#scalars.push(name);
    return variable(name);
  }
  /** Memory of the kernel's own, in elements. */
  local(hint: string, type: ScalarType, space: LocalBuffer["space"], size: number): string {
    const name = this.fresh(hint);
    this.#locals.push({ name, type, space, size });
    return name;
  }
  /** Scratch memory that every thread has for itself. */
  ownScratch(hint: string, type: ScalarType, size: number): string {
    const name = this.fresh(hint);
    this.#locals.push({ name, type, space: "scratch", size, perThread: true });
    return name;
  }

  /** Names a value; constants and variables are returned as they are. */
  letIn(hint: string, value: Expression): Expression {
    if (value.kind === "constant" || value.kind === "variable") return value;
    const name = this.fresh(hint);
    this.#block.push({ kind: "let", name, value });
    return variable(name, value.type, value.lanes);
  }
  /** A mutable local. */
  declare(hint: string, value: Expression): Variable {
    const name = this.fresh(hint);
    this.#block.push({ kind: "declare", name, value });
    return variable(name, value.type, value.lanes);
  }
  assign(target: Variable, value: Expression): void {
    this.#block.push({ kind: "assign", name: target.name, value });
  }
  store(buffer: string, at: Index, value: Expression): void {
    this.#stores.set(buffer, this.storesTo(buffer) + 1);
    this.#block.push({ kind: "store", buffer, index: index(at), value });
  }
  /** How many stores to a buffer have been written: what was loaded before the last of them may be out of date. */
  storesTo(buffer: string): number {
    return this.#stores.get(buffer) ?? 0;
  }
  /** Nothing is written for an empty range; one iteration is written without a loop. */
  forLoop(
    hint: string,
    from: Index,
    to: Index,
    step: number,
    body: (i: Expression) => void,
    options: { outer?: boolean } = {},
  ): void {
    const [start, end] = [index(from), index(to)];
    if (start.kind === "constant" && end.kind === "constant") {
      if (start.value >= end.value) return;
      if (start.value + step >= end.value) {
        body(start);
        return;
      }
    }
    const name = this.fresh(hint);
    const statements = this.#collect(() => body(variable(name)));
    this.#block.push({
      kind: "for",
      name,
      from: start,
      to: end,
      step,
      outer: options.outer ?? false,
      body: statements,
    });
  }
  ifThen(condition: Expression, then: () => void, otherwise: () => void = () => {}): void {
    if (condition.kind === "constant") {
      if (condition.value !== 0) then();
      else otherwise();
      return;
    }
    const [yes, no] = [this.#collect(then), this.#collect(otherwise)];
    if (yes.length > 0 || no.length > 0) this.#block.push({ kind: "if", condition, then: yes, otherwise: no });
  }
  barrier(): void {
    this.#block.push({ kind: "barrier" });
  }

  /** Whether what is written next is a statement of the kernel's body: there, loops may be shared between threads. */
  get atTopLevel(): boolean {
    return this.#block === this.#body;
  }

  #collect(write: () => void): Statement[] {
    const outer = this.#block;
    const block: Statement[] = [];
    this.#block = block;
    try {
      write();
    } finally {
      this.#block = outer;
    }
    return block;
  }

  finish(): Kernel {
    return {
      name: this.#name,
      target: this.target,
      buffers: this.#buffers,
      scalars: this.#scalars,
      locals: this.#locals,
      body: this.#block,
      workgroupSize: this.target === "gpu" ? (this.#workgroupSize ?? [64, 1, 1]) : undefined,
    };
  }
}

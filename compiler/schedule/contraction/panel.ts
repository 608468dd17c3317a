import { invariant } from "../../invariant.ts";
import type { KernelBuilder } from "../../kernel/build.ts";
import { add, lane, load, mul } from "../../kernel/build.ts";
import type { Expression } from "../../kernel/ir.ts";

/** A panel of an operand in workgroup memory: `depth` lines of `width` neighbours. */
export class Panel {
  readonly #kernel: KernelBuilder;
  readonly #name: string;
  readonly width: number;

  constructor(kernel: KernelBuilder, hint: string, width: number, depth: number) {
    invariant(width % 4 === 0, "a panel is filled by fours");
    this.#kernel = kernel;
    this.width = width;
    this.#name = kernel.local(`${hint}_panel`, "f32", "workgroup", width * depth);
  }
  #at(depth: Expression, across: Expression): Expression {
    return add(mul(depth, this.width), across);
  }
  store(depth: Expression, across: Expression, four: Expression): void {
    this.#kernel.store(this.#name, this.#at(depth, across), four);
  }
  vector(depth: Expression, across: Expression): Expression {
    return this.#kernel.letIn("b", load(this.#name, "f32", this.#at(depth, across), 4));
  }
  /** `count` neighbours, one by one. */
  rows(depth: Expression, across: Expression, count: number): Expression[] {
    if (count % 4 === 0)
      return Array.from({ length: count / 4 }, (_, v) => this.vector(depth, add(across, 4 * v))).flatMap((four) =>
        [0, 1, 2, 3].map((l) => lane(four, l)),
      );
    return Array.from({ length: count }, (_, r) =>
      this.#kernel.letIn("a", load(this.#name, "f32", this.#at(depth, add(across, r)))),
    );
  }
}

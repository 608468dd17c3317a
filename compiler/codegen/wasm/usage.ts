/** What machine code reads and sets. */
import type { Code, Local, Value } from "./machine.ts";

/** How often code reads and sets each local, in the order in which they are met; whether it reads memory. */
export class Usage {
  readonly reads = new Map<Local, number>();
  readonly sets = new Map<Local, number>();
  loads = false;

  block(code: readonly Code[]): void {
    for (const c of code)
      switch (c.kind) {
        case "set":
          this.#count(this.sets, c.local);
          this.value(c.value);
          break;
        case "store":
          this.value(c.address.pointer);
          this.value(c.value);
          break;
        case "loop":
          this.#count(this.sets, c.counter);
          for (const value of [c.from, c.to, c.trips]) if (value) this.value(value);
          for (const { local, step } of c.pointers) {
            this.#count(this.sets, local);
            this.#count(this.reads, local);
            this.value(step);
          }
          this.block(c.body);
          break;
        case "branch":
          this.value(c.condition);
          this.block(c.yes);
          this.block(c.no);
          break;
        case "call":
          for (const argument of c.arguments) this.value(argument);
          break;
        case "claims":
          this.value(c.count);
          this.#count(this.sets, c.first);
          this.#count(this.sets, c.trips);
          this.block(c.body);
          break;
        case "barrier":
          break;
        default:
          c satisfies never;
      }
  }
  value(value: Value): void {
    switch (value.kind) {
      case "get":
        this.#count(this.reads, value.local);
        break;
      case "lowest":
        if (value.base) this.value(value.base);
        break;
      case "operation":
        if (value.address) {
          this.loads = true;
          this.value(value.address.pointer);
        }
        for (const argument of value.arguments) this.value(argument);
        break;
      case "number":
      case "lanes":
      case "global":
        break;
      default:
        value satisfies never;
    }
  }
  #count(counts: Map<Local, number>, local: Local): void {
    counts.set(local, (counts.get(local) ?? 0) + 1);
  }
}

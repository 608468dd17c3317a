/**
 * What is set once and read once is computed where it is read: the stack holds it, not a local. Engines make the same code
 * of both; LeNet with training takes 24 KB compressed instead of 29.
 */
import type { Address, Code, Local, MachineFunction, Value } from "./machine.ts";

export function stacked(f: MachineFunction): MachineFunction {
  const counts = new Counts();
  counts.block(f.body);
  return { ...f, body: block(f.body, counts) };
}

/** A value whose one reader may still come in the same block. */
interface Pending {
  readonly at: number;
  readonly value: Value;
  readonly reads: ReadonlySet<Local>;
  readonly loads: boolean;
}

function block(code: readonly Code[], counts: Counts): Code[] {
  const out: (Code | undefined)[] = [];
  const pending = new Map<Local, Pending>();
  const use = (value: Value): Value => {
    switch (value.kind) {
      case "get": {
        const found = pending.get(value.local);
        if (found === undefined) return value;
        pending.delete(value.local);
        out[found.at] = undefined;
        return found.value;
      }
      case "lowest":
        return value.base === undefined ? value : { ...value, base: use(value.base) };
      case "operation":
        return {
          ...value,
          address: value.address && at(value.address),
          arguments: value.arguments.map(use),
        };
      case "number":
      case "lanes":
      case "global":
        return value;
      default:
        return value satisfies never;
    }
  };
  const at = (address: Address): Address => ({ ...address, pointer: use(address.pointer) });
  const stay = (moved: (candidate: Pending) => boolean): void => {
    for (const [local, candidate] of pending) if (moved(candidate)) pending.delete(local);
  };
  for (const c of code)
    switch (c.kind) {
      case "set": {
        const value = use(c.value);
        stay(({ reads }) => reads.has(c.local));
        if (counts.sets.get(c.local) === 1 && counts.reads.get(c.local) === 1)
          pending.set(c.local, { at: out.length, value, ...effectsOf(value) });
        out.push({ ...c, value });
        break;
      }
      case "store":
        out.push({ ...c, address: at(c.address), value: use(c.value) });
        stay(({ loads }) => loads);
        break;
      case "branch": {
        const condition = use(c.condition);
        pending.clear();
        out.push({ ...c, condition, yes: block(c.yes, counts), no: block(c.no, counts) });
        break;
      }
      case "loop":
        // Its bounds are computed more than once.
        pending.clear();
        out.push({ ...c, body: block(c.body, counts) });
        break;
      case "call":
        out.push({ ...c, arguments: c.arguments.map(use) });
        pending.clear();
        break;
      case "barrier":
        pending.clear();
        out.push(c);
        break;
      default:
        c satisfies never;
    }
  return out.filter((c) => c !== undefined);
}

/** The locals that a value reads, and whether it reads memory. */
function effectsOf(value: Value): Pick<Pending, "reads" | "loads"> {
  const counts = new Counts();
  counts.value(value);
  return { reads: new Set(counts.reads.keys()), loads: counts.loads };
}

class Counts {
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

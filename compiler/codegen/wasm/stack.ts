/**
 * What is set once and read once is computed where it is read: the stack holds it, not a local. Engines make the same code
 * of both, and modules are a sixth smaller when compressed.
 */
import type { Address, Code, Local, MachineFunction, Value } from "./machine.ts";
import { Usage } from "./usage.ts";

export function stacked(f: MachineFunction): MachineFunction {
  const usage = new Usage();
  usage.block(f.body);
  return { ...f, body: block(f.body, usage) };
}

/** A value whose one reader may still come in the same block. */
interface Pending {
  readonly at: number;
  readonly value: Value;
  readonly reads: ReadonlySet<Local>;
  readonly loads: boolean;
}

function block(code: readonly Code[], usage: Usage): Code[] {
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
        if (usage.sets.get(c.local) === 1 && usage.reads.get(c.local) === 1)
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
        out.push({ ...c, condition, yes: block(c.yes, usage), no: block(c.no, usage) });
        break;
      }
      case "loop":
        // Its bounds are computed more than once.
        pending.clear();
        out.push({ ...c, body: block(c.body, usage) });
        break;
      case "call":
        out.push({ ...c, arguments: c.arguments.map(use) });
        pending.clear();
        break;
      case "claims":
        pending.clear();
        out.push({ ...c, body: block(c.body, usage) });
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
  const usage = new Usage();
  usage.value(value);
  return { reads: new Set(usage.reads.keys()), loads: usage.loads };
}

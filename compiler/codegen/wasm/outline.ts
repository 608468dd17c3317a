/**
 * Loop bodies become functions of their own. Engines compile a hot function again with optimisation but do not switch in
 * the middle of a call: a kernel that is one long loop would stay in baseline code for the whole of its first run.
 */
import type { Code, Local, Loop, MachineFunction, Value } from "./machine.ts";
import { get } from "./region.ts";

const mostParameters = 48;

export function outline(f: MachineFunction): MachineFunction {
  let count = 0;
  const constants = new Map<Local, Value>();
  // A mutable local that begins with a constant is set again somewhere.
  const sets = setCounts(f.body);
  for (const c of f.body)
    if (c.kind === "set" && c.value.kind === "lanes" && sets.get(c.local) === 1) constants.set(c.local, c.value);

  function block(code: readonly Code[], nested: boolean): Code[] {
    return code.map((c) => {
      if (c.kind === "branch") return { ...c, yes: block(c.yes, nested), no: block(c.no, nested) };
      if (c.kind !== "loop" || c.height === 0) return c;
      const body = block(c.body, true);
      return c.height === 1 && nested ? { ...c, body } : loop({ ...c, body }, setCounts(c.body));
    });
  }

  function loop(l: Loop, inside: ReadonlyMap<Local, number>): Loop {
    const usage = new Usage();
    usage.block(l.body);
    // A local that the body changes and others see cannot be passed by value.
    for (const local of usage.set) if ((sets.get(local) ?? 0) > (inside.get(local) ?? 0)) return l;
    const free = [...usage.read].filter((local) => !usage.set.has(local));
    const parameters = free.filter((local) => !constants.has(local));
    if (parameters.length > mostParameters) return l;
    const remade = free.flatMap((local): Code[] => {
      const value = constants.get(local);
      return value === undefined ? [] : [{ kind: "set", local, value }];
    });
    const callee: MachineFunction = { name: `${f.name}_${count++}`, parameters, body: [...remade, ...l.body] };
    return { ...l, body: [{ kind: "call", callee, arguments: parameters.map(get) }] };
  }

  return { ...f, body: block(f.body, false) };
}

/** How many statements set each local, loops that count with it included. */
function setCounts(code: readonly Code[], counts: Map<Local, number> = new Map()): Map<Local, number> {
  for (const c of code) {
    if (c.kind === "set") counts.set(c.local, (counts.get(c.local) ?? 0) + 1);
    if (c.kind === "loop") {
      counts.set(c.counter, (counts.get(c.counter) ?? 0) + 1);
      setCounts(c.body, counts);
    }
    if (c.kind === "branch") {
      setCounts(c.yes, counts);
      setCounts(c.no, counts);
    }
  }
  return counts;
}

/** The locals that code reads and sets. */
export class Usage {
  readonly read = new Set<Local>();
  readonly set = new Set<Local>();

  block(code: readonly Code[]): void {
    for (const c of code) this.#code(c);
  }
  #code(c: Code): void {
    switch (c.kind) {
      case "set":
        this.set.add(c.local);
        this.value(c.value);
        break;
      case "store":
        this.value(c.address.pointer);
        this.value(c.value);
        break;
      case "loop":
        this.set.add(c.counter);
        this.value(c.from);
        this.value(c.to);
        if (c.trips) this.value(c.trips);
        for (const pointer of c.pointers) {
          this.set.add(pointer.local);
          this.read.add(pointer.local);
          this.value(pointer.step);
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
        this.read.add(value.local);
        break;
      case "lowest":
        if (value.base) this.value(value.base);
        break;
      case "operation":
        if (value.address) this.value(value.address.pointer);
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
}

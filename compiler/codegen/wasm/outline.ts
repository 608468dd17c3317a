/**
 * Loop bodies become functions of their own. Engines compile a hot function again with optimisation but do not switch in
 * the middle of a call: a kernel that is one long loop would stay in baseline code for the whole of its first run.
 */
import type { Code, Local, Loop, MachineFunction, Value } from "./machine.ts";
import { get } from "./region.ts";
import { Usage } from "./usage.ts";

const mostParameters = 48;

export function outline(f: MachineFunction): MachineFunction {
  let count = 0;
  const constants = new Map<Local, Value>();
  // A mutable local that begins with a constant is set again somewhere.
  const { sets } = usageOf(f.body);
  for (const c of f.body)
    if (c.kind === "set" && c.value.kind === "lanes" && sets.get(c.local) === 1) constants.set(c.local, c.value);

  function block(code: readonly Code[], nested: boolean): Code[] {
    return code.map((c) => {
      if (c.kind === "claims") return { ...c, body: block(c.body, nested) };
      if (c.kind === "branch") return { ...c, yes: block(c.yes, nested), no: block(c.no, nested) };
      if (c.kind !== "loop" || c.height === 0) return c;
      const body = block(c.body, true);
      return c.height === 1 && nested ? { ...c, body } : loop({ ...c, body }, usageOf(c.body).sets);
    });
  }

  function loop(l: Loop, inside: ReadonlyMap<Local, number>): Loop {
    const usage = usageOf(l.body);
    // A local that the body changes and others see cannot be passed by value.
    for (const local of usage.sets.keys()) if ((sets.get(local) ?? 0) > (inside.get(local) ?? 0)) return l;
    const free = [...usage.reads.keys()].filter((local) => !usage.sets.has(local));
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

function usageOf(code: readonly Code[]): Usage {
  const usage = new Usage();
  usage.block(code);
  return usage;
}

/** Which locals the stack takes the place of, and which it may not. */
import { expect, test } from "vitest";
import type { Code, Local, Loop, Value } from "../../../compiler/codegen/wasm/machine.ts";
import { stacked } from "../../../compiler/codegen/wasm/stack.ts";

const [p, a, b, c, counter] = ["p", "a", "b", "c", "i"].map((hint): Local => ({ slot: "i32", hint }));
const get = (local: Local): Value => ({ kind: "get", slot: "i32", local });
const one: Value = { kind: "number", slot: "i32", value: 1 };
const window = { low: 0, high: 0 };
const at = (pointer: Value) => ({ pointer, window, constant: 0 });
const add = (...args: Value[]): Value => ({
  kind: "operation",
  slot: "i32",
  code: "add",
  arguments: args,
  immediates: [],
  address: undefined,
});
const load = (pointer: Value): Value => ({
  kind: "operation",
  slot: "i32",
  code: "load",
  arguments: [],
  immediates: [],
  address: at(pointer),
});
const set = (local: Local, value: Value): Code => ({ kind: "set", local, value });
const store = (pointer: Value, value: Value): Code => ({
  kind: "store",
  code: "store",
  address: at(pointer),
  value,
  immediates: [],
});
const loop = (body: readonly Code[], to: Value = one): Loop => ({
  kind: "loop",
  counter: counter!,
  from: one,
  to,
  step: 1,
  pointers: [],
  body,
  height: 0,
});

/** As text: `a = load(p)`. */
function text(code: readonly Code[]): string[] {
  const value = (v: Value): string => {
    if (v.kind === "get") return v.local.hint;
    if (v.kind === "operation")
      return `${v.code}(${[v.address?.pointer, ...v.arguments].flatMap((x) => (x ? [value(x)] : [])).join(" ")})`;
    return v.kind === "number" ? `${v.value}` : v.kind;
  };
  return code.flatMap((s): string[] => {
    if (s.kind === "set") return [`${s.local.hint} = ${value(s.value)}`];
    if (s.kind === "store") return [`store(${value(s.address.pointer)} ${value(s.value)})`];
    if (s.kind === "branch") return [`if ${value(s.condition)}`, ...text(s.yes), "else", ...text(s.no), "end"];
    if (s.kind === "loop") return [`loop to ${value(s.to)}`, ...text(s.body), "end"];
    return [s.kind];
  });
}

const [P, A, B, C] = [p!, a!, b!, c!];
const cases: [what: string, code: Code[], after: string[]][] = [
  [
    "a chain of values is one",
    [set(A, load(get(P))), set(B, add(get(A), one)), store(get(P), get(B))],
    ["store(p add(load(p) 1))"],
  ],
  [
    "what is read twice stays a local",
    [set(A, load(get(P))), store(get(P), add(get(A), get(A)))],
    ["a = load(p)", "store(p add(a a))"],
  ],
  [
    "memory is not read after a store that came later",
    [set(A, load(get(P))), set(B, add(get(P), one)), store(get(P), one), store(get(A), get(B))],
    ["a = load(p)", "store(p 1)", "store(a add(p 1))"],
  ],
  [
    "a local is not read after it has changed",
    [set(C, one), set(A, add(get(C), one)), set(C, add(get(C), one)), store(get(P), add(get(A), get(C)))],
    ["c = 1", "a = add(c 1)", "c = add(c 1)", "store(p add(a c))"],
  ],
  [
    "nor computed in a loop what stands before it",
    [set(A, load(get(P))), loop([set(B, load(get(A))), store(get(P), get(B))])],
    ["a = load(p)", "loop to 1", "store(p load(a))", "end"],
  ],
  [
    "bounds of loops are computed more than once",
    [set(A, load(get(P))), loop([store(get(P), one)], get(A))],
    ["a = load(p)", "loop to a", "store(p 1)", "end"],
  ],
  [
    "a condition is computed once, before its branches",
    [
      set(A, load(get(P))),
      set(B, load(get(P))),
      { kind: "branch", condition: get(A), yes: [store(get(P), get(B))], no: [] },
    ],
    ["b = load(p)", "if load(p)", "store(p b)", "else", "end"],
  ],
  [
    "threads that wait may have changed memory",
    [set(A, load(get(P))), { kind: "barrier" }, store(get(P), get(A))],
    ["a = load(p)", "barrier", "store(p a)"],
  ],
];
test.each(cases)("%s", (_, body, after) => {
  expect(text(stacked({ name: "f", parameters: [P], body }).body)).toEqual(after);
});

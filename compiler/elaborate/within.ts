/**
 * Looking into a call: other functions in the place of those that it calls, and the values that it comes by on its way. Both
 * are found by every application below the call, `calls.ts` asks here.
 */
import { suggest } from "../diagnostics/index.ts";
import { sameShape } from "../types/shape.ts";
import { bindable } from "./arguments.ts";
import type { Machine, Owner } from "./context.ts";
import { show } from "./tensors.ts";
import {
  type ArgumentValue,
  describe,
  nameOf,
  type Place,
  type TensorValue,
  type Value,
  type Watch,
} from "./values.ts";

/** Whether calling the one is calling the other. */
function isSame(a: Value, b: Value): boolean {
  if (a.kind === "fn") return b.kind === "fn" && a.declaration === b.declaration;
  if (a.kind === "instance") return b.kind === "instance" && a.instance === b.instance;
  return a.kind === "builtin" && b.kind === "builtin" && a.name === b.name;
}

/** Applies what stands in the place of `callee`, or itself by `apply`. */
export function applyWithin(
  machine: Machine,
  callee: Value,
  args: readonly ArgumentValue[],
  place: Place,
  apply: () => Value,
): Value {
  const { replacements, watch, open } = machine.dynamic;
  const found = replacements.findLast(({ old }) => isSame(old, callee));
  let result: Value;
  if (found) {
    found.onUse();
    // What replaces a function may call that function.
    const others = replacements.filter((one) => one !== found);
    result = machine.within({ replacements: others }, () => machine.call(found.by, args, place));
  } else result = apply();
  // Inside index notation a value is one for each index: nothing that could be taken out.
  return watch && open.length === 0 ? watch(result, callee) : result;
}

/** `replacing(f, old, new)` applied. */
export function callReplacing(
  machine: Machine,
  f: Value,
  { old, by, args, place }: { old: Value; by: Value; args: readonly ArgumentValue[]; place: Place },
): Value {
  let used = false;
  const onUse = () => {
    used = true;
  };
  const replacements = [...machine.dynamic.replacements, { old, by, onUse }];
  const result = machine.within({ replacements }, () => machine.call(f, args, place));
  if (!used) machine.warn("W0111", place, { what: nameOf(f), old: nameOf(old) });
  return result;
}

/** A value inside of a call: how many results were there before it. */
interface Inner {
  readonly order: number;
  readonly value: TensorValue;
  readonly path: string | undefined;
}

/**
 * `cut(f, at)` applied: the last inner value that is meant, and the function from it to the result. That function runs the
 * call a second time with its argument in the value's place.
 */
export function callCut(
  machine: Machine,
  f: Value,
  at: Value,
  { args, place }: { args: readonly ArgumentValue[]; place: Place },
): Value {
  if (machine.dynamic.open.length > 0) machine.raise("E0514", place, { what: "cut" });
  const run = freezeNames(machine);
  const inner: Inner[] = [];
  let count = 0;
  const note: Watch = (value, callee) => {
    const path = callee.kind === "instance" ? callee.instance.path : undefined;
    if (value.kind === "tensor") inner.push({ order: count, value, path });
    count++;
    return value;
  };
  run(note, () => machine.call(f, args, place));
  const found = pick(machine, inner, f, at, place);
  const value = bindable(machine, found.value, "inner");
  const rest: Value = {
    kind: "builtin",
    name: `the rest of ${nameOf(f)}`,
    call: ([given], here) => {
      const replaced = given?.value;
      if (replaced?.kind !== "tensor" || sameShape(replaced.shape, found.value.shape) === "no")
        return machine.raise("E0316", here, {
          operation: "cut",
          first: `a value ${show(found.value)}`,
          second: replaced ? describe(replaced) : "nothing",
        });
      let order = 0;
      return run(
        (result) => (order++ === found.order ? replaced : result),
        () => machine.call(f, args, place),
      );
    },
  };
  return { kind: "tuple", elements: [value, rest] };
}

/** Runs a call again and again as if for the first time: layers that it makes are the same ones. */
function freezeNames(machine: Machine): (watch: Watch, call: () => Value) => Value {
  const { owner } = machine.dynamic;
  const counters = new Map(owner?.counters);
  const taken = new Set(owner?.taken);
  const fresh = (): Owner | undefined => owner && { ...owner, counters: new Map(counters), taken: new Set(taken) };
  return (watch, call) => machine.within({ watch, owner: fresh() }, call);
}

/** The last value that is meant: by an instance, by its path, or by a question that it answers with true. */
function pick(machine: Machine, inner: readonly Inner[], f: Value, at: Value, place: Place): Inner {
  const wanted = at.kind === "instance" ? at.instance.path : at.kind === "str" ? at.value : undefined;
  const found =
    wanted === undefined
      ? inner.findLast(({ value }) => isMeant(machine, at, value, place))
      : inner.findLast(({ path }) => path === wanted);
  if (found) return found;
  const paths = [...new Set(inner.flatMap(({ path }) => path ?? []))];
  return machine.raise("E0229", place, {
    what: nameOf(f),
    wanted: wanted === undefined ? "for which that is true" : `called ${wanted}`,
    suggestion: wanted === undefined ? undefined : suggest(wanted, paths),
    known: paths.length > 0 ? paths.join(", ") : undefined,
  });
}
function isMeant(machine: Machine, question: Value, value: TensorValue, place: Place): boolean {
  const answer = machine.within({ watch: undefined }, () => machine.invoke(question, [value], place));
  if (answer.kind === "bool" && answer.value !== undefined) return answer.value;
  return machine.raise("E0214", place, { what: "the question of `cut`", got: describe(answer) });
}

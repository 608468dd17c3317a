/**
 * Launches that follow each other and go through the same slices become one: where iteration k of a launch's outer loop
 * makes slice k of a tensor, iteration k of the next one's reads no other slice, and nobody else reads the tensor, one loop
 * does both. The tensor then is one slice in each thread's scratch and never goes to memory: the feature maps of a
 * convolution before a pooling window, for instance. Where slices lie is read off the kernels' own addresses, so that it is
 * the same whatever made them. Where somebody reads the tensor later, as a backward pass does, it is written anyway; what
 * is spared then, reading it once from a farther cache, was not to be measured.
 */
import { elementCount } from "../graph/builder.ts";
import type { Tensor } from "../graph/graph.ts";
import { add, i32, mul } from "../kernel/build.ts";
import type { BufferParameter, Dispatch, Expression, For, Kernel, LocalBuffer, Statement } from "../kernel/ir.ts";
import type { Linear } from "../kernel/linear.ts";
import { accessesOf } from "../kernel/linear.ts";
import { operandsOf, withOperands } from "../kernel/map.ts";
import { renamed } from "../kernel/rename.ts";
import { dispatchesOf, keyOf } from "./liveness.ts";
import type { Placed, Schedule, Step } from "./program.ts";

/** Elements of a slice that stay in the second cache beside what else an iteration reads. */
const mostSlice = 2 ** 16;
/** Tensors of fewer elements stay in the first cache anyway. */
const leastWhole = 2 ** 14;

type Launched = Dispatch<Placed>;

export function fuseSlices(schedule: Schedule): Schedule {
  const uses = new Map<Tensor, number>();
  for (const { buffers } of [...dispatchesOf(schedule.once), ...dispatchesOf(schedule.steps)])
    for (const tensor of new Set(buffers.flatMap((place) => (place.kind === "tensor" ? [place.tensor] : []))))
      uses.set(tensor, (uses.get(tensor) ?? 0) + 1);
  const kept = new Set<Tensor>([
    ...schedule.slots.map(({ tensor }) => tensor),
    ...schedule.graph.inputs.map(({ tensor }) => tensor),
    ...schedule.graph.outputs.map(({ tensor }) => rootOf(tensor, schedule)),
  ]);
  const isPassedOn = (tensor: Tensor): boolean => uses.get(tensor) === 2 && !kept.has(tensor);
  const fused = new Map<Launched, Launched>();
  const steps: Step[] = [];
  for (const step of schedule.steps) {
    const last = steps.at(-1);
    const both =
      last?.kind === "launch" && step.kind === "launch"
        ? fusedLaunch(last.dispatch, step.dispatch, isPassedOn)
        : undefined;
    if (both === undefined || last?.kind !== "launch" || step.kind !== "launch") {
      steps.push(step);
      continue;
    }
    for (const [from, to] of fused) if (to === last.dispatch) fused.set(from, both);
    fused.set(last.dispatch, both).set(step.dispatch, both);
    steps[steps.length - 1] = { kind: "launch", dispatch: both };
  }
  if (fused.size === 0) return schedule;
  const launches = new Map(
    [...schedule.launches].map(([tensor, list]) => [tensor, list.map((launch) => fused.get(launch) ?? launch)]),
  );
  return { ...schedule, steps, launches };
}

function rootOf(tensor: Tensor, { aliases }: Schedule): Tensor {
  const place = aliases.get(tensor);
  return place?.kind === "tensor" ? place.tensor : tensor;
}

/** Loops `0 .. count` whose iterations threads share. */
function outerLoop(kernel: Kernel): { readonly loop: For; readonly count: number } | undefined {
  const loop = kernel.body.at(-1);
  if (loop?.kind !== "for" || !loop.outer || loop.step !== 1) return undefined;
  if (loop.from.kind !== "constant" || loop.from.value !== 0 || loop.to.kind !== "constant") return undefined;
  return { loop, count: loop.to.value };
}

const isWritten = ({ access }: BufferParameter): boolean => access !== "read";

/** The elements of a slice, where iterations keep to slices of their own that begin at multiples of that. */
function sliceOf(access: Linear | undefined): number | undefined {
  return access && access.low >= 0 && access.high < access.coefficient ? access.coefficient : undefined;
}

function fusedLaunch(first: Launched, second: Launched, isPassedOn: (tensor: Tensor) => boolean): Launched | undefined {
  const [a, b] = [first.kernel, second.kernel];
  const [outer, inner] = [outerLoop(a), outerLoop(b)];
  if (!outer || !inner || outer.count !== inner.count || b.body.length > 1) return undefined;
  const [made, taken] = [accessesOf(outer.loop), accessesOf(inner.loop)];
  const before = namesIn(a.body.slice(0, -1));
  /** Buffers of the second that are buffers of the first. */
  const same = new Map<string, string>();
  /** Buffers of the first that become scratch. */
  const slices = new Map<string, number>();
  for (const [k, place] of first.buffers.entries())
    for (const [l, other] of second.buffers.entries()) {
      if (keyOf(place) !== keyOf(other)) continue;
      const [from, to] = [a.buffers[k]!, b.buffers[l]!];
      if (!isWritten(from) && !isWritten(to)) continue;
      if (place.kind !== "tensor" || other.kind !== "tensor") return undefined;
      if (place.advance || other.advance || place.offset !== other.offset || from.type !== to.type) return undefined;
      const slice = sliceOf(made.get(from.name));
      if (slice === undefined || slice !== sliceOf(taken.get(to.name)) || same.has(to.name)) return undefined;
      if (before.has(from.name)) return undefined;
      same.set(to.name, from.name);
      const size = elementCount(place.tensor.type.shape);
      const isWhole = place.offset === 0 && slice * outer.count === size;
      if (from.access !== "write" || isWritten(to) || !isWhole || size < leastWhole || slice > mostSlice) continue;
      if (isPassedOn(place.tensor)) slices.set(from.name, slice);
    }
  return slices.size > 0 ? joined(first, second, outer.loop, inner.loop, same, slices) : undefined;
}

function joined(
  first: Launched,
  second: Launched,
  outer: For,
  inner: For,
  same: ReadonlyMap<string, string>,
  slices: ReadonlyMap<string, number>,
): Launched {
  const [a, b] = [first.kernel, second.kernel];
  const namesOfA = new Set([...namesIn(a.body), ...a.scalars, ...[...a.buffers, ...a.locals].map(({ name }) => name)]);
  const others = new Map<string, string>([...same, [inner.name, outer.name]]);
  const nameOf = (name: string): string => {
    const known = others.get(name);
    if (known !== undefined) return known;
    let fresh = name;
    for (let k = 2; namesOfA.has(fresh); k++) fresh = `${name}_${k}`;
    namesOfA.add(fresh);
    others.set(name, fresh);
    return fresh;
  };
  const inSlice =
    (loop: string, bufferOf: (name: string) => string) =>
    (buffer: string, index: Expression): Expression =>
      slices.has(bufferOf(buffer)) ? withoutVariable(index, loop) : index;
  const own = (name: string): string => name;
  const body = [
    ...renamed(outer.body, { of: own, index: inSlice(outer.name, own) }),
    ...renamed(inner.body, { of: nameOf, index: inSlice(inner.name, (name) => same.get(name) ?? "") }),
  ];
  const scratch = [...slices].map(([name, size]): LocalBuffer => {
    const { type } = a.buffers.find((buffer) => buffer.name === name)!;
    return { name, type, space: "scratch", size, perThread: true };
  });
  const parameters = [
    ...a.buffers.flatMap((buffer, k) => (slices.has(buffer.name) ? [] : [{ buffer, place: first.buffers[k]! }])),
    ...b.buffers.flatMap((buffer, l) =>
      same.has(buffer.name) ? [] : [{ buffer: { ...buffer, name: nameOf(buffer.name) }, place: second.buffers[l]! }],
    ),
  ];
  const shared = new Set(same.values());
  return {
    kernel: {
      name: `${a.name}_${b.name}`,
      target: "cpu",
      buffers: parameters.map(({ buffer }) => ({
        ...buffer,
        access: shared.has(buffer.name) ? "read_write" : buffer.access,
      })),
      scalars: [...a.scalars, ...b.scalars.map(nameOf)],
      locals: [...a.locals, ...scratch, ...b.locals.map((local) => ({ ...local, name: nameOf(local.name) }))],
      body: [...a.body.slice(0, -1), { ...outer, body }],
      workgroupSize: undefined,
    },
    buffers: parameters.map(({ place }) => place),
    scalars: [...first.scalars, ...second.scalars],
    workgroups: undefined,
    origin: first.origin ?? second.origin,
    label: `${first.label}, ${second.label}`,
  };
}

/** Where a linear index lies when a variable is 0. */
function withoutVariable(index: Expression, name: string): Expression {
  if (index.kind === "variable" && index.name === name) return i32(0);
  const operands = operandsOf(index).map((operand) => withoutVariable(operand, name));
  if (index.kind === "apply" && index.name === "add") return add(operands[0]!, operands[1]!);
  if (index.kind === "apply" && index.name === "mul") return mul(operands[0]!, operands[1]!);
  return operands.length === 0 ? index : withOperands(index, operands);
}

function namesIn(statements: readonly Statement[]): Set<string> {
  const names = new Set<string>();
  renamed(statements, {
    of: (name) => {
      names.add(name);
      return name;
    },
  });
  return names;
}

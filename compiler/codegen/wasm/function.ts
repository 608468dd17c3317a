/** Machine code to bytes: locals numbered, structured control written, the stack machine fed. */
import { invariant } from "../../invariant.ts";
import type { FunctionCode } from "./encode.ts";
import { Bytes } from "./encode.ts";
import type { Slot } from "./instructions.ts";
import type { Address, Code, Local, Loop, MachineFunction, Value } from "./machine.ts";
import { stacked } from "./stack.ts";
import { barrierIndex, claimIndex, globalIndex } from "./threads.ts";
import { Usage } from "./usage.ts";

const voidBlock = 0x40;
const code = {
  block: 0x02,
  loop: 0x03,
  if: 0x04,
  else: 0x05,
  end: 0x0b,
  branch: 0x0c,
  branchIf: 0x0d,
  call: 0x10,
  global: 0x23,
} as const;
const local = { get: 0x20, set: 0x21 } as const;

export function encodeFunction(named: MachineFunction, indexOf: (callee: MachineFunction) => number): FunctionCode {
  const f = stacked(named);
  const writer = new Writer(f, indexOf);
  writer.block(f.body);
  return {
    type: { parameters: f.parameters.map((parameter) => parameter.slot) },
    locals: writer.locals,
    instructions: writer.out.finish(),
  };
}

class Writer {
  readonly out = new Bytes();
  readonly locals: Slot[] = [];
  readonly #indexOf: (callee: MachineFunction) => number;
  readonly #numbers = new Map<Local, number>();
  readonly #parameterCount: number;

  constructor(f: MachineFunction, indexOf: (callee: MachineFunction) => number) {
    this.#indexOf = indexOf;
    this.#parameterCount = f.parameters.length;
    for (const [k, parameter] of f.parameters.entries()) this.#numbers.set(parameter, k);
    const usage = new Usage();
    usage.block(f.body);
    const own = [...usage.sets.keys()].filter((candidate) => !this.#numbers.has(candidate));
    // One run a slot makes the declaration short. Ends of loops that count by a pointer are added later, as i32.
    for (const slot of ["v128", "f32", "i32"] as const)
      for (const candidate of own) if (candidate.slot === slot) this.#declare(candidate);
    for (const used of usage.reads.keys())
      invariant(this.#numbers.has(used), `${f.name} reads ${used.hint}, which is never set`);
  }

  #declare(candidate: Local): void {
    this.#numbers.set(candidate, this.#parameterCount + this.locals.length);
    this.locals.push(candidate.slot);
  }
  #local(opcode: number, which: Local): void {
    const at = this.#numbers.get(which);
    invariant(at !== undefined, `no local ${which.hint}`);
    this.out.byte(opcode);
    this.out.u32(at);
  }

  block(statements: readonly Code[]): void {
    for (const statement of statements) this.#statement(statement);
  }

  #statement(c: Code): void {
    const { out } = this;
    switch (c.kind) {
      case "set":
        this.#value(c.value);
        this.#local(local.set, c.local);
        break;
      case "store":
        this.#value(c.address.pointer);
        this.#value(c.value);
        out.instruction(c.code);
        this.#immediate(c.address);
        out.byte(...c.immediates);
        break;
      case "loop":
        this.#loop(c);
        break;
      case "branch":
        this.#value(c.condition);
        out.byte(code.if, voidBlock);
        this.block(c.yes);
        if (c.no.length > 0) {
          out.byte(code.else);
          this.block(c.no);
        }
        out.byte(code.end);
        break;
      case "call":
        for (const argument of c.arguments) this.#value(argument);
        out.byte(code.call);
        out.u32(this.#indexOf(c.callee));
        break;
      case "claims":
        out.byte(code.loop, voidBlock);
        this.#value(c.count);
        out.byte(code.call);
        out.u32(claimIndex);
        this.#global("first", c.first);
        this.#global("trips", c.trips);
        this.#local(local.get, c.trips);
        out.byte(code.if, voidBlock);
        this.block(c.body);
        out.byte(code.branch, 1, code.end, code.end);
        break;
      case "barrier":
        out.byte(code.call);
        out.u32(barrierIndex);
        break;
      default:
        c satisfies never;
    }
  }

  #global(name: "first" | "trips", to: Local): void {
    this.out.byte(code.global, globalIndex[name]);
    this.#local(local.set, to);
  }

  #loop(l: Loop): void {
    const { out } = this;
    const { from, to } = l;
    const trips =
      from.kind === "number" && to.kind === "number" ? Math.ceil((to.value - from.value) / l.step) : undefined;
    if (trips !== undefined && trips <= 0) return;
    const counting = this.#pointerThatCounts(l, trips);
    if (counting === undefined) {
      this.#value(from);
      this.#local(local.set, l.counter);
    }
    if (trips === undefined) {
      this.#value(from);
      this.#value(to);
      out.instruction("i32.lt_s");
      out.byte(code.if, voidBlock);
    }
    if (counting !== undefined) {
      this.#value(counting.end);
      this.#local(local.set, counting.local);
    }
    out.byte(code.loop, voidBlock);
    this.block(l.body);
    for (const pointer of l.pointers) {
      this.#local(local.get, pointer.local);
      this.#value(pointer.step);
      out.instruction("i32.add");
      this.#local(local.set, pointer.local);
    }
    if (counting === undefined) {
      this.#local(local.get, l.counter);
      this.#number(l.step);
      out.instruction("i32.add");
      this.#local(local.set, l.counter);
      this.#local(local.get, l.counter);
      this.#value(to);
      out.instruction("i32.lt_s");
    } else {
      this.#local(local.get, counting.pointer);
      this.#local(local.get, counting.local);
      out.instruction("i32.ne");
    }
    out.byte(code.branchIf, 0, code.end);
    if (trips === undefined) out.byte(code.end);
  }

  /** Where nobody reads the counter, a pointer that reaches a known end replaces it. */
  #pointerThatCounts(
    l: Loop,
    trips: number | undefined,
  ): { readonly pointer: Local; readonly local: Local; readonly end: Value } | undefined {
    const pointer = l.pointers.find(({ step }) => step.kind === "number" && step.value !== 0);
    if (pointer === undefined || pointer.step.kind !== "number") return undefined;
    if (trips === undefined && l.trips === undefined && l.step !== 1) return undefined;
    const usage = new Usage();
    usage.block(l.body);
    if (usage.reads.has(l.counter)) return undefined;
    const end: Local = { slot: "i32", hint: "end" };
    this.#declare(end);
    const start: Value = { kind: "get", slot: "i32", local: pointer.local };
    const distance: Value =
      trips === undefined
        ? operation("i32.mul", l.trips ?? operation("i32.sub", l.to, l.from), pointer.step)
        : { kind: "number", slot: "i32", value: Math.imul(trips, pointer.step.value) };
    return { pointer: pointer.local, local: end, end: operation("i32.add", start, distance) };
  }

  #immediate(address: Address): void {
    this.out.u32(2);
    this.out.u32(address.constant - address.window.low);
  }
  #number(value: number): void {
    this.out.byte(0x41);
    this.out.i32(value);
  }

  #value(value: Value): void {
    const { out } = this;
    switch (value.kind) {
      case "number":
        if (value.slot === "i32") this.#number(value.value);
        else {
          out.byte(0x43);
          out.f32(value.value);
        }
        break;
      case "lanes":
        out.instruction("v128.const");
        out.append(new Uint8Array(new Int32Array(value.bits).buffer));
        break;
      case "get":
        this.#local(local.get, value.local);
        break;
      case "global":
        out.byte(code.global, globalIndex[value.name]);
        break;
      case "lowest":
        if (value.base === undefined) this.#number(value.window.low);
        else {
          this.#value(value.base);
          if (value.window.low !== 0) {
            this.#number(value.window.low);
            out.instruction("i32.add");
          }
        }
        break;
      case "operation":
        if (value.address !== undefined) this.#value(value.address.pointer);
        for (const argument of value.arguments) this.#value(argument);
        out.instruction(value.code);
        if (value.address !== undefined) this.#immediate(value.address);
        out.byte(...value.immediates);
        break;
      default:
        value satisfies never;
    }
  }
}

function operation(name: string, ...args: Value[]): Value {
  return { kind: "operation", slot: "i32", code: name, arguments: args, immediates: [], address: undefined };
}

/**
 * What threads share of a module. Each has its own instance, whose globals say which thread it is; memory is one. Words in
 * the unused first bytes of memory hold the barrier and the command that the first thread gives the others. A thread that
 * waits looks again and again for a while, since sleeping and waking costs far more than what most waits take, and then
 * sleeps. With one thread nothing of this happens.
 *
 * Iterations that threads share are taken a few at a time: every thread begins with a range of its own, the same in every
 * loop of so many iterations, so that it finds what it wrote in its own cache; who is done helps the others. So a thread
 * that others of the machine's work slow down, or a slower core, does less. Which thread runs an iteration changes no bit.
 */
import { threadWords as words } from "../../../runtime/plan.ts";
import type { FunctionCode } from "./encode.ts";
import { Bytes } from "./encode.ts";

/** Functions that every module begins with, and its globals. */
export const barrierIndex = 0;
const awaitIndex = 1;
export const claimIndex = 2;
/** Last: what `claim` answers, and how many ranges the thread has found empty in a loop. */
export const globals = [
  { name: "thread", value: 0 },
  { name: "threads", value: 1 },
  { name: "first", value: 0 },
  { name: "trips", value: 0 },
  { name: "emptied", value: 0 },
] as const;
export const globalIndex = { thread: 0, threads: 1, first: 2, trips: 3, emptied: 4 } as const;

/** A range is taken in so many pieces at most: 1/16 of its time is what threads wait for each other in the end. */
const piecesBits = 4;
/** Bytes from one thread's count of iterations taken to the next one's: a line of a cache, or two. */
const countBits = 7;

/** Looks before a thread sleeps: some 50 us. */
const looks = 30_000;
const nanosecondsAsleep = 1_000_000_000;
/** Times that it wakes in vain before it gives up on the others. */
const patience = 20;

const op = {
  unreachable: 0x00,
  loop: 0x03,
  if: 0x04,
  else: 0x05,
  end: 0x0b,
  branch: 0x0c,
  branchIf: 0x0d,
  return: 0x0f,
  call: 0x10,
  drop: 0x1a,
  get: 0x20,
  set: 0x21,
  tee: 0x22,
  global: 0x23,
  setGlobal: 0x24,
  constant: 0x41,
  long: 0x42,
  none: 0x40,
} as const;

/** A function written instruction by instruction. */
class Writer extends Bytes {
  number(value: number): void {
    this.byte(op.constant);
    this.i32(value);
  }
  atomic(name: string, offset = 0): void {
    this.instruction(name);
    this.u32(2);
    this.u32(offset);
  }
  load(address: number): void {
    this.number(address);
    this.atomic("i32.atomic.load");
  }
  /** Adds to a word; leaves what it was. */
  add(address: number, amount: number): void {
    this.number(address);
    this.number(amount);
    this.atomic("i32.atomic.rmw.add");
  }
  /** Wakes whoever sleeps on a word. */
  wake(address: number): void {
    this.load(words.sleepers);
    this.byte(op.if, op.none);
    this.number(address);
    this.number(-1);
    this.atomic("memory.atomic.notify");
    this.byte(op.drop, op.end);
  }
  get(global: keyof typeof globalIndex): void {
    this.byte(op.global, globalIndex[global]);
  }
  set(global: keyof typeof globalIndex): void {
    this.byte(op.setGlobal, globalIndex[global]);
  }
  do(...names: string[]): void {
    for (const name of names) this.instruction(name);
  }
  function(parameters: number, locals: number): FunctionCode {
    const slots = (count: number) => Array.from({ length: count }, () => "i32" as const);
    return { type: { parameters: slots(parameters) }, locals: slots(locals), instructions: this.finish() };
  }
}

/** The barrier: the last to arrive begins the next phase (a central counter with generations). */
export function barrier(): FunctionCode {
  const f = new Writer();
  const [generation, left] = [0, 1];
  f.get("threads");
  f.number(1);
  f.do("i32.eq");
  f.byte(op.if, op.none, op.return, op.end);
  f.load(words.phase);
  f.byte(op.set, generation);
  f.add(words.arrived, 1);
  f.number(1);
  f.do("i32.add");
  f.get("threads");
  f.do("i32.eq");
  f.byte(op.if, op.none);
  f.number(words.arrived);
  f.number(0);
  f.atomic("i32.atomic.store");
  // Nobody takes iterations now.
  f.get("threads");
  f.byte(op.set, left, op.loop, op.none, op.get, left);
  f.number(1);
  f.do("i32.sub");
  f.byte(op.tee, left);
  f.number(countBits);
  f.do("i32.shl");
  f.number(0);
  f.atomic("i32.atomic.store", words.taken);
  f.byte(op.get, left, op.branchIf, 0, op.end);
  f.add(words.phase, 1);
  f.byte(op.drop);
  f.wake(words.phase);
  f.byte(op.else);
  f.number(words.phase);
  f.byte(op.get, generation);
  f.number(patience);
  f.byte(op.call, awaitIndex, op.end);
  return f.function(0, 2);
}

/** Takes iterations of so many for the thread: `trips` from `first` on; none when all are taken, and the next loop begins. */
export function claim(): FunctionCode {
  const f = new Writer();
  const [count, owner, begin, size, taken, piece] = [0, 1, 2, 3, 4, 5];
  const answer = (): void => {
    f.set("trips");
    f.byte(op.return);
  };
  /** Where the range of a thread begins: its number is on the stack. */
  const beginning = (): void => {
    f.byte(op.get, count);
    f.do("i32.mul");
    f.get("threads");
    f.do("i32.div_u");
  };
  f.byte(op.loop, op.none);
  f.get("emptied");
  f.get("threads");
  f.do("i32.eq");
  f.byte(op.if, op.none);
  f.number(0);
  f.set("emptied");
  f.number(0);
  answer();
  f.byte(op.end);
  // One thread takes all there is at once.
  f.get("threads");
  f.number(1);
  f.do("i32.eq");
  f.byte(op.if, op.none, op.get, count);
  f.number(0);
  f.do("i32.ne");
  f.set("emptied");
  f.byte(op.get, count);
  answer();
  f.byte(op.end);
  f.get("thread");
  f.get("emptied");
  f.do("i32.add");
  f.get("threads");
  f.do("i32.rem_u");
  f.byte(op.tee, owner);
  beginning();
  f.byte(op.set, begin, op.get, owner);
  f.number(1);
  f.do("i32.add");
  beginning();
  f.byte(op.get, begin);
  f.do("i32.sub");
  f.byte(op.set, size, op.get, owner);
  f.number(countBits);
  f.do("i32.shl");
  f.byte(op.get, size);
  f.number(2 ** piecesBits - 1);
  f.do("i32.add");
  f.number(piecesBits);
  f.do("i32.shr_u");
  f.byte(op.tee, piece);
  f.atomic("i32.atomic.rmw.add", words.taken);
  f.byte(op.tee, taken, op.get, size);
  f.do("i32.lt_u");
  f.byte(op.if, op.none, op.get, begin, op.get, taken);
  f.do("i32.add");
  f.set("first");
  f.byte(op.get, piece, op.get, size, op.get, taken);
  f.do("i32.sub");
  f.byte(op.tee, size, op.get, piece, op.get, size);
  f.do("i32.lt_u", "select");
  answer();
  f.byte(op.end);
  f.get("emptied");
  f.number(1);
  f.do("i32.add");
  f.set("emptied");
  f.byte(op.branch, 0, op.end);
  return f.function(1, 5);
}

/** Returns once the word at an address is not `seen`. After `patience` vain wakings it traps; 0 waits for ever. */
export function awaitChange(): FunctionCode {
  const f = new Writer();
  const [address, seen, left, look] = [0, 1, 2, 3];
  const returnIfChanged = (): void => {
    f.byte(op.get, address);
    f.atomic("i32.atomic.load");
    f.byte(op.get, seen);
    f.do("i32.ne");
    f.byte(op.if, op.none, op.return, op.end);
  };
  f.number(looks);
  f.byte(op.set, look, op.loop, op.none);
  returnIfChanged();
  f.byte(op.get, look);
  f.number(1);
  f.do("i32.sub");
  f.byte(op.tee, look, op.branchIf, 0, op.end);
  f.byte(op.loop, op.none);
  f.add(words.sleepers, 1);
  f.byte(op.drop, op.get, address, op.get, seen, op.long);
  f.i32(-1);
  f.byte(op.long);
  f.i32(nanosecondsAsleep);
  f.byte(op.get, left);
  f.do("i32.eqz");
  f.do("select");
  f.atomic("memory.atomic.wait32");
  f.byte(op.drop);
  f.add(words.sleepers, -1);
  f.byte(op.drop);
  returnIfChanged();
  f.byte(op.get, left);
  f.number(1);
  f.do("i32.sub");
  f.byte(op.tee, left);
  f.do("i32.eqz");
  f.load(words.failed);
  f.do("i32.or");
  f.byte(op.if, op.none, op.unreachable, op.end);
  f.byte(op.branch, 0, op.end);
  return f.function(3, 1);
}

/** An entry as the first thread begins it: the others are told which one, and all make its calls. */
export function start(entry: number, calls: number): FunctionCode {
  const f = new Writer();
  f.get("threads");
  f.number(1);
  f.do("i32.ne");
  f.byte(op.if, op.none);
  f.number(words.entry);
  f.number(entry);
  f.atomic("i32.atomic.store");
  f.add(words.command, 1);
  f.byte(op.drop);
  f.wake(words.command);
  f.byte(op.end, op.call);
  f.u32(calls);
  return f.function(0, 0);
}

/** What every thread but the first does for ever: it waits for a command and makes the calls of that entry. */
export function serve(entries: readonly { readonly entry: number; readonly calls: number }[]): FunctionCode {
  const f = new Writer();
  const [seen, wanted] = [0, 1];
  f.byte(op.loop, op.none);
  f.number(words.command);
  f.byte(op.get, seen);
  f.number(0);
  f.byte(op.call, awaitIndex);
  f.load(words.command);
  f.byte(op.set, seen);
  // Read once: when the calls are made, the next command may be there.
  f.load(words.entry);
  f.byte(op.set, wanted);
  for (const { entry, calls } of entries) {
    f.byte(op.get, wanted);
    f.number(entry);
    f.do("i32.eq");
    f.byte(op.if, op.none, op.call);
    f.u32(calls);
    f.byte(op.end);
  }
  f.byte(op.branch, 0, op.end);
  return f.function(0, 2);
}

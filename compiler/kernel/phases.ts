/**
 * A CPU kernel's body as threads run it. `outer` loops that are statements of the body are split between threads; `let`s
 * that they need are pure, and every thread has its own; the rest one thread does. Between phases threads wait for each
 * other.
 */
import { invariant } from "../invariant.ts";
import type { Expression, For, Kernel, Let, Statement } from "./ir.ts";
import { expressionsOf, operandsOf } from "./map.ts";

export type Phase =
  | { readonly kind: "split"; readonly loop: For }
  /** `reads`: from memory that the kernel writes, so that it may not happen before or after it should. */
  | { readonly kind: "everywhere"; readonly statement: Let; readonly reads: boolean }
  | { readonly kind: "serial"; readonly statements: readonly Statement[] };

export function phasesOf(kernel: Kernel): Phase[] {
  return phasesWithin(kernel, (loop) => loop.outer);
}

/** With the split loops that `chosen` names among those marked `outer`. */
export function phasesWithin(kernel: Kernel, chosen: (loop: For) => boolean): Phase[] {
  const readOnly = new Set(kernel.buffers.flatMap(({ name, access }) => (access === "read" ? [name] : [])));
  const isSplit = (s: Statement): s is For => s.kind === "for" && s.outer && chosen(s);
  const needed = new Set<string>();
  for (const s of [...kernel.body].reverse()) {
    if (isSplit(s)) for (const name of namesWithin([s])) needed.add(name);
    if (s.kind === "let" && needed.has(s.name)) for (const name of namesIn(s.value)) needed.add(name);
  }
  const isSerial = new Set<string>();
  const phases: Phase[] = [];
  let serial: Statement[] | undefined;
  for (const s of kernel.body) {
    if (isSplit(s)) {
      phases.push({ kind: "split", loop: s });
      serial = undefined;
      continue;
    }
    if (s.kind === "let" && needed.has(s.name) && ![...namesIn(s.value)].some((name) => isSerial.has(name))) {
      const reads = [...buffersIn(s.value)].some((name) => !readOnly.has(name));
      phases.push({ kind: "everywhere", statement: s, reads });
      if (reads) serial = undefined;
      continue;
    }
    // What one thread alone knows.
    if (s.kind === "let" || s.kind === "declare") isSerial.add(s.name);
    if (serial === undefined) {
      serial = [];
      phases.push({ kind: "serial", statements: serial });
    }
    serial.push(s);
  }
  return phases;
}

/** That no thread needs what another one has, and no two write the same memory, as far as can be seen. */
export function verifyPhases(kernel: Kernel): void {
  const own = new Set(kernel.locals.flatMap(({ name, perThread }) => (perThread ? [name] : [])));
  const isSerial = new Set<string>();
  const splitStores = new Set<string>();
  for (const phase of phasesOf(kernel)) {
    if (phase.kind === "serial") {
      for (const s of phase.statements) if (s.kind === "let" || s.kind === "declare") isSerial.add(s.name);
      const written = storesWithin(phase.statements);
      for (const name of loadsWithin(phase.statements))
        invariant(
          !splitStores.has(name) || written.has(name),
          `kernel ${kernel.name}: one thread reads of ${name} what each has its own of`,
        );
    }
    if (phase.kind !== "split") continue;
    const check = (condition: unknown, what: string): void =>
      invariant(condition, `kernel ${kernel.name}, loop ${phase.loop.name}: ${what}`);
    const inside = new Set<string>();
    const varying = new Set([phase.loop.name]);
    const stored = new Set<string>();
    const loaded = new Set<string>();
    const varies = (e: Expression): boolean => [...namesIn(e)].some((name) => varying.has(name));
    const see = (e: Expression): void => {
      for (const name of namesIn(e)) check(!isSerial.has(name), `${name} is known to one thread alone`);
      for (const buffer of buffersIn(e)) loaded.add(buffer);
    };
    const block = (statements: readonly Statement[], chosen: boolean): void => {
      for (const s of statements) {
        switch (s.kind) {
          case "let":
          case "declare":
            see(s.value);
            inside.add(s.name);
            if (varies(s.value)) varying.add(s.name);
            break;
          case "assign":
            see(s.value);
            check(inside.has(s.name), `${s.name} is carried from iteration to iteration`);
            if (varies(s.value)) varying.add(s.name);
            break;
          case "store":
            see(s.index);
            see(s.value);
            stored.add(s.buffer);
            check(own.has(s.buffer) || chosen || varies(s.index), `every iteration writes the same of ${s.buffer}`);
            break;
          case "for":
            see(s.from);
            see(s.to);
            if (varies(s.from) || varies(s.to)) varying.add(s.name);
            block(s.body, chosen);
            break;
          case "if": {
            see(s.condition);
            const decides = chosen || varies(s.condition);
            block(s.then, decides);
            block(s.otherwise, decides);
            break;
          }
          case "barrier":
            break;
          default:
            s satisfies never;
        }
      }
    };
    see(phase.loop.from);
    see(phase.loop.to);
    block(phase.loop.body, false);
    for (const buffer of own)
      check(!loaded.has(buffer) || stored.has(buffer), `what is read of ${buffer} may be another thread's`);
    for (const buffer of stored) if (own.has(buffer)) splitStores.add(buffer);
  }
}

function visit(e: Expression, see: (e: Expression) => void): void {
  see(e);
  for (const operand of operandsOf(e)) visit(operand, see);
}
const namesWithin = (statements: readonly Statement[]): Set<string> => within(statements, namesIn);
const loadsWithin = (statements: readonly Statement[]): Set<string> => within(statements, buffersIn);
const storesWithin = (statements: readonly Statement[]): Set<string> =>
  within(
    statements,
    () => [],
    (s) => (s.kind === "store" ? [s.buffer] : []),
  );

function within(
  statements: readonly Statement[],
  inExpression: (e: Expression) => Iterable<string>,
  inStatement: (s: Statement) => Iterable<string> = () => [],
): Set<string> {
  const names = new Set<string>();
  const block = (some: readonly Statement[]): void => {
    for (const s of some) {
      for (const name of inStatement(s)) names.add(name);
      for (const e of expressionsOf(s)) for (const name of inExpression(e)) names.add(name);
      if (s.kind === "for") block(s.body);
      if (s.kind === "if") {
        block(s.then);
        block(s.otherwise);
      }
    }
  };
  block(statements);
  return names;
}
function namesIn(e: Expression): Set<string> {
  const names = new Set<string>();
  visit(e, (part) => {
    if (part.kind === "variable") names.add(part.name);
  });
  return names;
}
function buffersIn(e: Expression): Set<string> {
  const buffers = new Set<string>();
  visit(e, (part) => {
    if (part.kind === "load") buffers.add(part.buffer);
  });
  return buffers;
}

/**
 * What a kernel must satisfy: names defined once and before use, types and lanes that fit, buffers accessed as declared,
 * loops that threads can share, and nothing that the target lacks. Violations are defects of the builder that wrote the kernel.
 */
import { invariant } from "../invariant.ts";
import { resultType } from "../scalar/table.ts";
import type { ScalarType } from "../types/dtype.ts";
import type { Expression, Kernel, Statement, ValueType } from "./ir.ts";
import { verifyPhases } from "./phases.ts";
import { printExpression } from "./print.ts";

interface Name extends ValueType {
  readonly mutable: boolean;
}
interface Memory {
  readonly type: ScalarType;
  readonly read: boolean;
  readonly write: boolean;
}

export function verifyKernel(kernel: Kernel): void {
  new Verifier(kernel).kernel();
}

class Verifier {
  readonly #kernel: Kernel;
  readonly #everNamed = new Set<string>();
  readonly #memory = new Map<string, Memory>();
  #scope = new Map<string, Name>();

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  #check(condition: unknown, what: string): asserts condition {
    invariant(condition, `kernel ${this.#kernel.name}: ${what}`);
  }

  kernel(): void {
    const { target, buffers, scalars, locals, body, workgroupSize } = this.#kernel;
    this.#check((target === "gpu") === (workgroupSize !== undefined), "a workgroup size belongs to gpu kernels alone");
    for (const { name, type, access } of buffers) {
      this.#define(name);
      this.#memory.set(name, { type, read: access !== "write", write: access !== "read" });
    }
    for (const name of scalars) {
      this.#define(name);
      this.#scope.set(name, { type: "i32", lanes: 1, mutable: false });
    }
    for (const { name, type, space, size, perThread } of locals) {
      this.#define(name);
      this.#check(space === "scratch" || !perThread, `${name} of ${space} memory belongs to a thread`);
      this.#check((space === "scratch") === (target === "cpu"), `${space} memory does not exist on the ${target}`);
      this.#check(Number.isInteger(size) && size > 0, `size of ${name}`);
      this.#memory.set(name, { type, read: true, write: true });
    }
    this.#block(body);
    if (target === "cpu") verifyPhases(this.#kernel);
  }

  #define(name: string): void {
    this.#check(/^[A-Za-z][A-Za-z0-9_]*$/.test(name), `"${name}" is not a name`);
    this.#check(!this.#everNamed.has(name), `${name} is defined twice`);
    this.#everNamed.add(name);
  }

  #block(statements: readonly Statement[]): void {
    const outer = this.#scope;
    this.#scope = new Map(outer);
    for (const statement of statements) this.#statement(statement);
    this.#scope = outer;
  }

  #statement(s: Statement): void {
    switch (s.kind) {
      case "let":
      case "declare":
        this.#expression(s.value);
        this.#define(s.name);
        this.#scope.set(s.name, { type: s.value.type, lanes: s.value.lanes, mutable: s.kind === "declare" });
        return;
      case "assign": {
        this.#expression(s.value);
        const name = this.#scope.get(s.name);
        this.#check(name?.mutable, `assignment to ${s.name}, which is not a mutable local`);
        this.#check(
          name.type === s.value.type && name.lanes === s.value.lanes,
          `${s.name}: ${name.type}x${name.lanes} becomes ${s.value.type}x${s.value.lanes}`,
        );
        return;
      }
      case "store": {
        this.#index(s.index);
        this.#expression(s.value);
        const memory = this.#memory.get(s.buffer);
        this.#check(memory?.write, `${s.buffer} cannot be written`);
        this.#check(memory.type === s.value.type, `${s.value.type} stored to ${s.buffer}: ${memory.type}`);
        return;
      }
      case "for":
        this.#index(s.from);
        this.#index(s.to);
        this.#check(Number.isInteger(s.step) && s.step >= 1, `step ${s.step}`);
        this.#define(s.name);
        this.#inScope(s.name, { type: "i32", lanes: 1, mutable: false }, () => this.#block(s.body));
        return;
      case "if":
        this.#expression(s.condition);
        this.#check(s.condition.type === "bool" && s.condition.lanes === 1, "a condition is one bool");
        this.#block(s.then);
        this.#block(s.otherwise);
        return;
      case "barrier":
        this.#check(this.#kernel.target === "gpu", "a barrier exists on the gpu alone");
        return;
      default:
        s satisfies never;
    }
  }

  #inScope(name: string, value: Name, run: () => void): void {
    const outer = this.#scope;
    this.#scope = new Map(outer).set(name, value);
    run();
    this.#scope = outer;
  }

  #index(e: Expression): void {
    this.#expression(e);
    this.#check(e.type === "i32" && e.lanes === 1, `index ${printExpression(e)} is ${e.type}x${e.lanes}`);
  }

  #expression(e: Expression): void {
    switch (e.kind) {
      case "constant":
        return;
      case "variable": {
        const name = this.#scope.get(e.name);
        this.#check(name, `${e.name} is not in scope`);
        this.#check(name.type === e.type && name.lanes === e.lanes, `${e.name} is ${name.type}x${name.lanes}`);
        return;
      }
      case "load": {
        this.#index(e.index);
        const memory = this.#memory.get(e.buffer);
        this.#check(memory?.read, `${e.buffer} cannot be read`);
        this.#check(memory.type === e.type, `${e.type} loaded from ${e.buffer}: ${memory.type}`);
        return;
      }
      case "apply": {
        for (const operand of e.arguments) {
          this.#expression(operand);
          this.#check(operand.lanes === e.lanes, `lanes of ${printExpression(e)}`);
        }
        const types = e.arguments.map((operand) => operand.type);
        const type = resultType(e.name, types);
        this.#check(type === e.type, `${printExpression(e)}: ${e.name}(${types.join(", ")}) is ${type}, not ${e.type}`);
        return;
      }
      case "splat":
        this.#expression(e.value);
        this.#check(e.lanes === 4 && e.value.lanes === 1 && e.value.type === e.type, `${printExpression(e)}`);
        return;
      case "vector":
        this.#check(e.lanes === 4 && e.elements.length === 4, `${printExpression(e)}`);
        for (const element of e.elements) {
          this.#expression(element);
          this.#check(element.lanes === 1 && element.type === e.type, `element ${printExpression(element)}`);
        }
        return;
      case "lane":
        this.#expression(e.value);
        this.#check(e.lanes === 1 && e.value.lanes === 4 && e.value.type === e.type, `${printExpression(e)}`);
        this.#check(e.lane >= 0 && e.lane < 4, `lane ${e.lane}`);
        return;
      case "shuffle":
        this.#expression(e.first);
        this.#expression(e.second);
        this.#check(
          [e.first, e.second].every((v) => v.lanes === 4 && v.type === e.type) && e.pick.every((p) => p >= 0 && p < 8),
          `${printExpression(e)}`,
        );
        return;
      case "builtin":
        this.#check(this.#kernel.target === "gpu", `${e.name} exists on the gpu alone`);
        return;
      default:
        e satisfies never;
    }
  }
}

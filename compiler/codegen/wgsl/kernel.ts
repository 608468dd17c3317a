/** One kernel as a WGSL module with one entry point, `main`. */
import { invariant } from "../../invariant.ts";
import type { Expression, Kernel, Statement } from "../../kernel/ir.ts";
import { vectorMemories } from "./alignment.ts";
import type { Bindings } from "./bindings.ts";
import { ExpressionPrinter, expandRows, type Memory, typeText } from "./expression.ts";
import { wgslName } from "./names.ts";

/** The text of a kernel without its names, which equal kernels share, and what stands for its numbers. */
export interface PrintedKernel {
  readonly structure: string;
  /** In order of appearance: the k-th stands where the structure has `§k§`. */
  readonly names: readonly string[];
}

/**
 * The uniform `given` holds [infinity, the kernel's scalars .., buffer offsets ..]; storage bindings follow it, all
 * `read_write`.
 */
export function printKernel(kernel: Kernel, bindings: Bindings): PrintedKernel {
  return new KernelPrinter(kernel, bindings).print();
}

export function readable({ structure, names }: PrintedKernel): string {
  const words = names.map(wgslName);
  return structure.replace(/§(\d+)§/g, (_, k: string) => words[Number(k)]!);
}

class KernelPrinter {
  readonly #kernel: Kernel;
  readonly #bindings: Bindings;
  readonly #names = new Map<string, string>();
  readonly #memories = new Map<string, Memory>();
  readonly #expanded = new Map<Expression, Expression>();
  #lines: string[] = [];
  #indent = "  ";
  #temporaries = 0;
  #usesInfinity = false;

  constructor(kernel: Kernel, bindings: Bindings) {
    this.#kernel = kernel;
    this.#bindings = bindings;
  }

  print(): PrintedKernel {
    return { structure: this.#module(), names: [...this.#names.keys()] };
  }

  #module(): string {
    const { buffers, locals, scalars, body, workgroupSize } = this.#kernel;
    invariant(workgroupSize, `kernel ${this.#kernel.name} is not for a GPU`);
    const vectors = vectorMemories(this.#kernel);
    const { types, ranges, offsets } = this.#bindings;
    const places = this.#bindings.buffers;

    const bound = types.map((type, binding) => {
      const members = buffers.filter((_, k) => places[k]?.binding === binding);
      const first = members[0];
      invariant(first && ranges[binding], "a binding holds at least one buffer");
      const whole = places.every((place) => place.binding !== binding || place.aligned);
      const asVectors = whole && members.every(({ name }) => vectors.has(name));
      return { name: this.#name(first.name), type, vectors: asVectors };
    });
    const declarations = bound.map(
      ({ name, type, vectors: asVectors }, binding) =>
        `@group(0) @binding(${binding + 1}) var<storage, read_write> ${name}: array<${typeText(type, asVectors ? 4 : 1)}>;`,
    );
    buffers.forEach(({ name }, k) => {
      const place = places[k];
      const binding = place && bound[place.binding];
      invariant(binding, "every buffer is bound");
      const offset = place.offset === undefined ? undefined : given(scalars.length + place.offset);
      this.#memories.set(name, { ...binding, offset });
    });
    const registers: string[] = [];
    for (const { name, type, space, size } of locals) {
      const memory = { name: this.#name(name), type, vectors: vectors.has(name), offset: undefined };
      this.#memories.set(name, memory);
      const array = memory.vectors ? `array<${typeText(type, 4)}, ${size / 4}>` : `array<${type}, ${size}>`;
      if (space === "workgroup") declarations.push(`var<workgroup> ${memory.name}: ${array};`);
      else registers.push(`var ${memory.name}: ${array};`);
    }
    const parameters = scalars.map((name, k) => `let ${this.#name(name)} = ${given(k)};`);
    this.#block(body);
    const infinity = this.#usesInfinity ? ["let _infinity = bitcast<f32>(given[0].x);"] : [];
    const words = 1 + scalars.length + offsets.length;
    return [
      `@group(0) @binding(0) var<uniform> given: array<vec4<i32>, ${Math.ceil(words / 4)}>;`,
      ...declarations,
      `@compute @workgroup_size(${workgroupSize.join(", ")})`,
      `fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) local: vec3<u32>,`,
      "  @builtin(global_invocation_id) global: vec3<u32>) {",
      ...[...infinity, ...parameters, ...registers].map((line) => `  ${line}`),
      ...this.#lines,
      "}",
    ].join("\n");
  }

  #name(name: string): string {
    let text = this.#names.get(name);
    if (text === undefined) {
      text = `§${this.#names.size}§`;
      this.#names.set(name, text);
    }
    return text;
  }

  #line(text: string): void {
    this.#lines.push(this.#indent + text);
  }

  /** A printer for the expressions of one statement. */
  #printer(roots: readonly Expression[]): { printer: ExpressionPrinter; roots: Expression[] } {
    const expanded = roots.map((root) => expandRows(root, this.#expanded));
    const printer = new ExpressionPrinter(
      {
        name: (name) => this.#name(name),
        memory: (buffer) => {
          const memory = this.#memories.get(buffer);
          invariant(memory, `kernel ${this.#kernel.name} has no memory ${buffer}`);
          return memory;
        },
        infinity: () => {
          this.#usesInfinity = true;
          return "_infinity";
        },
        temporary: (text) => {
          const name = `_${++this.#temporaries}`;
          this.#line(`let ${name} = ${text};`);
          return name;
        },
      },
      expanded,
    );
    return { printer, roots: expanded };
  }
  #print(e: Expression): string {
    const { printer, roots } = this.#printer([e]);
    return printer.print(roots[0]!);
  }

  #block(statements: readonly Statement[]): void {
    for (const statement of statements) this.#statement(statement);
  }
  #inner(statements: readonly Statement[]): void {
    const outer = this.#indent;
    this.#indent += "  ";
    this.#block(statements);
    this.#indent = outer;
  }

  #statement(s: Statement): void {
    switch (s.kind) {
      case "let":
        this.#define("let", s.name, s.value);
        return;
      case "declare":
        this.#define("var", s.name, s.value);
        return;
      case "assign":
        this.#line(`${this.#name(s.name)} = ${this.#print(s.value)};`);
        return;
      case "store": {
        const { printer, roots } = this.#printer([s.index, s.value]);
        for (const line of printer.store(s.buffer, roots[0]!, roots[1]!)) this.#line(line);
        return;
      }
      case "for": {
        const [from, to] = [this.#print(s.from), this.#print(s.to)];
        const name = this.#name(s.name);
        this.#line(`for (var ${name} = ${from}; ${name} < ${to}; ${name} += ${s.step}) {`);
        this.#inner(s.body);
        this.#line("}");
        return;
      }
      case "if":
        this.#line(`if (${this.#print(s.condition)}) {`);
        this.#inner(s.then);
        if (s.otherwise.length > 0) {
          this.#line("} else {");
          this.#inner(s.otherwise);
        }
        this.#line("}");
        return;
      case "barrier":
        this.#line("workgroupBarrier();");
        return;
      default:
        s satisfies never;
    }
  }

  #define(keyword: "let" | "var", name: string, value: Expression): void {
    const text = this.#print(value);
    this.#line(`${keyword} ${this.#name(name)} = ${text};`);
  }
}

/** A word of the uniform after the first. */
function given(position: number): string {
  const word = position + 1;
  return `given[${word >> 2}].${"xyzw"[word % 4]}`;
}

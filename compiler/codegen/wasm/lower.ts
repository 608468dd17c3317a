/** From the loop IR to machine code: instructions chosen, values placed in regions, addresses made pointers. */
import { invariant } from "../../invariant.ts";
import { constant } from "../../kernel/build.ts";
import type { Expression, Kernel, Load, Statement } from "../../kernel/ir.ts";
import type { ScalarType } from "../../types/dtype.ts";
import { bitsOf, wasmRule } from "./expand.ts";
import type { Slot } from "./instructions.ts";
import { resultSlot } from "./instructions.ts";
import type { Address, Local, MachineFunction, Value } from "./machine.ts";
import type { Atom, Polynomial } from "./polynomial.ts";
import {
  addPolynomials,
  atomPolynomial,
  constantPolynomial,
  multiplyPolynomials,
  scalePolynomial,
} from "./polynomial.ts";
import type { Region } from "./region.ts";
import { addValues, deeper, get, newRegion, number, operation, Placement } from "./region.ts";

/** A value and where it may be computed. */
interface Placed {
  readonly value: Value;
  readonly region: Region;
  /** Equal keys are equal values; undefined where the value depends on when it is computed. */
  readonly key: string | undefined;
}
type Binding =
  | { readonly kind: "polynomial"; readonly polynomial: Polynomial }
  | { readonly kind: "value"; readonly placed: Placed }
  | { readonly kind: "mutable"; readonly local: Local };

function slotOf(type: ScalarType, lanes: 1 | 4): Slot {
  if (lanes === 4) return "v128";
  return type === "f32" ? "f32" : "i32";
}

export function lowerKernel(kernel: Kernel, relaxed: boolean): MachineFunction {
  return new Lowering(kernel, relaxed).run();
}

class Lowering {
  readonly #kernel: Kernel;
  readonly #relaxed: boolean;
  readonly #root = newRegion(undefined);
  readonly #placement = new Placement(this.#root);
  readonly #bindings = new Map<string, Binding>();
  readonly #buffers = new Map<string, { readonly base: Atom; readonly readOnly: boolean; readonly type: ScalarType }>();
  #region = this.#root;
  #atoms = 0;
  #values = 0;

  constructor(kernel: Kernel, relaxed: boolean) {
    this.#kernel = kernel;
    this.#relaxed = relaxed;
  }

  run(): MachineFunction {
    const parameters: Local[] = [];
    const parameter = (hint: string): Atom => {
      const local: Local = { slot: "i32", hint };
      parameters.push(local);
      return this.#atom(local, this.#root);
    };
    for (const { name, access, type } of this.#kernel.buffers)
      this.#buffers.set(name, { base: parameter(name), readOnly: access === "read", type });
    for (const name of this.#kernel.scalars)
      this.#bindings.set(name, { kind: "polynomial", polynomial: atomPolynomial(parameter(name)) });
    for (const { name, type } of this.#kernel.locals)
      this.#buffers.set(name, { base: parameter(name), readOnly: false, type });
    this.#block(this.#kernel.body);
    return { name: this.#kernel.name, parameters, body: this.#root.code };
  }

  #atom(local: Local, region: Region): Atom {
    return { id: this.#atoms++, local, region };
  }

  // ---- Statements ---------------------------------------------------------------------------------------------------

  #block(statements: readonly Statement[]): void {
    for (const s of statements) this.#statement(s);
  }

  #within(region: Region, write: () => void): void {
    const outer = this.#region;
    this.#region = region;
    write();
    this.#region = outer;
  }

  #statement(s: Statement): void {
    switch (s.kind) {
      case "let":
        this.#bindings.set(s.name, this.#bind(s.value, s.name));
        break;
      case "declare": {
        const local: Local = { slot: slotOf(s.value.type, s.value.lanes), hint: s.name };
        this.#region.code.push({ kind: "set", local, value: this.#use(this.#lower(s.value)) });
        this.#bindings.set(s.name, { kind: "mutable", local });
        break;
      }
      case "assign": {
        const binding = this.#bindings.get(s.name);
        invariant(binding?.kind === "mutable", `${s.name} is not mutable`);
        this.#region.code.push({ kind: "set", local: binding.local, value: this.#use(this.#lower(s.value)) });
        break;
      }
      case "store":
        this.#store(s.buffer, s.index, s.value);
        break;
      case "for":
        this.#loop(s);
        break;
      case "if": {
        const condition = this.#use(this.#lower(s.condition));
        const [yes, no] = [newRegion(this.#region, true), newRegion(this.#region, true)];
        this.#within(yes, () => this.#block(s.then));
        this.#within(no, () => this.#block(s.otherwise));
        this.#region.code.push({ kind: "branch", condition, yes: yes.code, no: no.code });
        break;
      }
      case "barrier":
        invariant(false, "WebAssembly has no barrier");
        break;
      default:
        s satisfies never;
    }
  }

  #loop(s: Extract<Statement, { kind: "for" }>): void {
    const [from, end] = [this.#integer(s.from), this.#integer(s.to)];
    // Compared after every iteration: so it must be a local.
    const to = isTrivial(end) ? end : this.#placement.set(this.#region, end, "end");
    const height = heightOf(s.body);
    const region = newRegion(this.#region);
    const counter: Local = { slot: "i32", hint: s.name };
    const atom = this.#atom(counter, region);
    region.counter = { atom, from, step: s.step, innermost: height === 0, pointers: [] };
    this.#bindings.set(s.name, { kind: "polynomial", polynomial: atomPolynomial(atom) });
    this.#within(region, () => this.#block(s.body));
    this.#region.code.push({
      kind: "loop",
      counter,
      from,
      to,
      step: s.step,
      pointers: region.counter.pointers,
      body: region.code,
      height,
    });
  }

  #bind(e: Expression, hint: string): Binding {
    if (e.type === "i32" && e.lanes === 1) return { kind: "polynomial", polynomial: this.#polynomial(e) };
    return { kind: "value", placed: this.#named(this.#lower(e), hint) };
  }

  #store(buffer: string, index: Expression, value: Expression): void {
    if (value.lanes === 1 && value.kind === "lane" && value.type !== "bool") {
      const vector = this.#use(this.#lower(value.value));
      this.#region.code.push({
        kind: "store",
        code: "v128.store32_lane",
        address: this.#address(buffer, index).address,
        value: vector,
        immediates: [value.lane],
      });
      return;
    }
    let stored = this.#use(this.#lower(value));
    if (value.type === "bool" && value.lanes === 4) stored = operation("i32x4.neg", "v128", [stored]);
    const code = value.lanes === 4 ? "v128.store" : value.type === "f32" ? "f32.store" : "i32.store";
    this.#region.code.push({
      kind: "store",
      code,
      address: this.#address(buffer, index).address,
      value: stored,
      immediates: [],
    });
  }

  // ---- Integers and addresses -----------------------------------------------------------------------------------------

  #polynomial(e: Expression): Polynomial {
    invariant(e.type === "i32" && e.lanes === 1, "index arithmetic is i32");
    if (e.kind === "constant") return constantPolynomial(e.value);
    if (e.kind === "variable") {
      const binding = this.#bindings.get(e.name);
      if (binding?.kind === "polynomial") return binding.polynomial;
    }
    if (e.kind === "apply") {
      const [a, b] = e.arguments;
      if (a && b && e.name === "add") return addPolynomials(this.#polynomial(a), this.#polynomial(b));
      if (a && b && e.name === "sub")
        return addPolynomials(this.#polynomial(a), scalePolynomial(this.#polynomial(b), -1));
      if (a && b && e.name === "mul") {
        const [x, y] = [this.#polynomial(a), this.#polynomial(b)];
        const product = multiplyPolynomials(x, y);
        if (product !== undefined) return product;
        const [left, right] = [this.#sum(x), this.#sum(y)];
        return this.#opaque(this.#combine("i32.mul", "i32", [left, right]));
      }
    }
    return this.#opaque(this.#lower(e));
  }

  /** An integer that is not a sum or a product: it is computed once, and named. */
  #opaque(placed: Placed): Polynomial {
    if (placed.value.kind === "number") return constantPolynomial(placed.value.value);
    const opaques = this.#opaquesOf(placed.region);
    const known = placed.key === undefined ? undefined : opaques.get(placed.key);
    if (known !== undefined) return known;
    const named = this.#named(placed, "integer");
    invariant(named.value.kind === "get", "a named value is a local");
    const polynomial = atomPolynomial(this.#atom(named.value.local, named.region));
    if (placed.key !== undefined) opaques.set(placed.key, polynomial);
    return polynomial;
  }
  /** By region: what one branch has computed the other has not. */
  #opaquesOf(region: Region): Map<string, Polynomial> {
    const known = this.#opaques.get(region) ?? new Map<string, Polynomial>();
    this.#opaques.set(region, known);
    return known;
  }
  readonly #opaques = new Map<Region, Map<string, Polynomial>>();

  #sum(polynomial: Polynomial): Placed {
    const monomials = [...polynomial.terms.values()];
    const region = monomials.map((m) => this.#placement.regionOf(m)).reduce(deeper, this.#root);
    const variable = this.#placement.sum(monomials);
    const value =
      variable === undefined ? number(polynomial.constant) : addValues(variable, number(polynomial.constant));
    return { value, region, key: this.#keyOf(value) };
  }
  /** Of sums and constants: their locals never change. */
  #keyOf(value: Value): string | undefined {
    switch (value.kind) {
      case "number":
        return `${value.slot} ${Object.is(value.value, -0) ? "-0" : value.value}`;
      case "lanes":
        return `lanes ${value.bits.join()}`;
      case "get":
        return `local ${this.#localNumber(value)}`;
      case "operation": {
        if (value.address !== undefined) return undefined;
        const keys = value.arguments.map((argument) => this.#keyOf(argument));
        return `${value.code} ${value.immediates.join()}(${keys.join()})`;
      }
      case "lowest":
        return undefined;
      default:
        return value satisfies never;
    }
  }

  #integer(e: Expression): Value {
    return this.#use(this.#sum(this.#polynomial(e)));
  }

  #address(buffer: string, index: Expression): { readonly address: Address; readonly region: Region } {
    const memory = this.#buffers.get(buffer);
    invariant(memory, `no buffer ${buffer}`);
    const bytes = addPolynomials(atomPolynomial(memory.base), scalePolynomial(this.#polynomial(index), 4));
    const monomials = [...bytes.terms.values()];
    const region = monomials.map((m) => this.#placement.regionOf(m)).reduce(deeper, this.#root);
    const { pointer, window } = this.#placement.pointer(monomials, bytes.constant);
    return { address: { pointer, window, constant: bytes.constant }, region };
  }

  // ---- Values -----------------------------------------------------------------------------------------------------------

  /** The value where it is used: what belongs to an outer region is computed there. */
  #use(placed: Placed): Value {
    if (placed.region === this.#region || isTrivial(placed.value)) return placed.value;
    return this.#named(placed, "invariant").value;
  }

  /** In a local of its region, computed once. */
  #named(placed: Placed, hint: string): Placed {
    const { region, key } = placed;
    // A mutable local has no key: its present value is copied.
    if (placed.value.kind === "number" || (placed.value.kind === "get" && key !== undefined)) return placed;
    const known = key === undefined ? undefined : region.known.get(`value ${key}`);
    const value = known ?? this.#placement.set(region, placed.value, hint);
    if (key !== undefined) region.known.set(`value ${key}`, value);
    return { value, region, key: `local ${this.#localNumber(value)}` };
  }
  readonly #localNumbers = new Map<Local, number>();
  #localNumber(value: Value): number {
    invariant(value.kind === "get", "a local");
    let at = this.#localNumbers.get(value.local);
    if (at === undefined) {
      at = this.#values++;
      this.#localNumbers.set(value.local, at);
    }
    return at;
  }

  #combine(code: string, slot: Slot, operands: readonly Placed[], immediates: readonly number[] = []): Placed {
    const region = operands.map((operand) => operand.region).reduce(deeper, this.#root);
    // Operands of outer regions are computed there; four-lane constants outside of every loop.
    const values = operands.map((operand) =>
      operand.region === region || isTrivial(operand.value) ? operand.value : this.#named(operand, "invariant").value,
    );
    const keys = operands.map((operand) => operand.key);
    const key = keys.every((k) => k !== undefined) ? `${code} ${immediates.join()}(${keys.join()})` : undefined;
    const value = operation(code, slot, values, immediates);
    // What may trap stays where its guard is.
    return mayTrap(code, values[1]) ? this.#here(value) : { value, region, key };
  }

  #here(value: Value): Placed {
    return { value, region: this.#region, key: undefined };
  }
  #constant(value: Value): Placed {
    return { value, region: this.#root, key: this.#keyOf(value) };
  }

  #lower(e: Expression): Placed {
    if (e.type === "i32" && e.lanes === 1 && isSum(e)) {
      return this.#sum(this.#polynomial(e));
    }
    switch (e.kind) {
      case "constant": {
        const bits = bitsOf(e.type, e.value);
        if (e.lanes === 4) {
          const lane = e.type === "bool" ? -bits : bits;
          return this.#constant({ kind: "lanes", slot: "v128", bits: [lane, lane, lane, lane] });
        }
        return this.#constant({ kind: "number", slot: e.type === "f32" ? "f32" : "i32", value: e.value });
      }
      case "variable":
        return this.#variable(e.name);
      case "load":
        return this.#load(e);
      case "apply":
        return this.#apply(e);
      case "splat":
        return this.#splat(e.value);
      case "vector":
        return this.#vector(e.elements);
      case "lane": {
        const code = e.type === "f32" ? "f32x4.extract_lane" : "i32x4.extract_lane";
        const extracted = this.#combine(code, slotOf(e.type, 1), [this.#lower(e.value)], [e.lane]);
        return e.type === "bool" ? this.#combine("i32.and", "i32", [extracted, this.#constant(number(1))]) : extracted;
      }
      case "shuffle": {
        const bytes = e.pick.flatMap((lane) => [0, 1, 2, 3].map((byte) => lane * 4 + byte));
        return this.#combine("i8x16.shuffle", "v128", [this.#lower(e.first), this.#lower(e.second)], bytes);
      }
      case "builtin":
        return invariant(false, `WebAssembly has no ${e.name}`) as never;
      default:
        return e satisfies never;
    }
  }

  #variable(name: string): Placed {
    const binding = this.#bindings.get(name);
    invariant(binding, `${name} is not in scope`);
    switch (binding.kind) {
      case "polynomial":
        return this.#sum(binding.polynomial);
      case "value":
        return binding.placed;
      case "mutable":
        return this.#here(get(binding.local));
      default:
        return binding satisfies never;
    }
  }

  #load(e: Load): Placed {
    if (e.lanes === 4) return this.#access("v128.load", "v128", e.buffer, e.index, e.type === "bool");
    return this.#access(e.type === "f32" ? "f32.load" : "i32.load", slotOf(e.type, 1), e.buffer, e.index, false);
  }

  /** Memory that the kernel only reads may be read earlier: outside of the loops that do not move the address. */
  #access(code: string, slot: Slot, buffer: string, index: Expression, isMask: boolean): Placed {
    const memory = this.#buffers.get(buffer);
    const { address, region } = this.#address(buffer, index);
    const value: Value = { kind: "operation", slot, code, arguments: [], immediates: [], address };
    let branch: Region = this.#region;
    while (branch.parent !== undefined && !branch.isBranch) branch = branch.parent;
    const earliest = memory?.readOnly ? deeper(region, branch) : this.#region;
    const { pointer, constant: offset } = address;
    const key = memory?.readOnly ? `${code}(${this.#localNumber(pointer)}+${offset}` : undefined;
    const loaded: Placed = { value, region: earliest, key };
    if (!isMask) return loaded;
    return this.#combine("i32x4.ne", "v128", [loaded, this.#lower(constant("bool", 0, 4))]);
  }

  #splat(value: Expression): Placed {
    if (value.kind === "load" && value.type !== "bool")
      return this.#access("v128.load32_splat", "v128", value.buffer, value.index, false);
    const scalar = this.#lower(value);
    if (value.type === "bool")
      return this.#combine("i32x4.splat", "v128", [
        this.#combine("i32.sub", "i32", [this.#constant(number(0)), scalar]),
      ]);
    return this.#combine(value.type === "f32" ? "f32x4.splat" : "i32x4.splat", "v128", [scalar]);
  }

  #vector(elements: readonly Expression[]): Placed {
    const [first, ...rest] = elements;
    invariant(first && rest.length === 3, "a vector has four elements");
    const type = first.type;
    if (elements.every((e) => e.kind === "constant")) {
      const bits = elements.map((e) =>
        e.kind === "constant" ? bitsOf(type, e.value) * (type === "bool" ? -1 : 1) : 0,
      );
      return this.#constant({ kind: "lanes", slot: "v128", bits: [bits[0]!, bits[1]!, bits[2]!, bits[3]!] });
    }
    let vector =
      first.kind === "load" && type !== "bool"
        ? this.#access("v128.load32_zero", "v128", first.buffer, first.index, false)
        : this.#splat(first);
    for (const [k, element] of rest.entries()) vector = this.#replaceLane(vector, element, k + 1);
    return vector;
  }
  #replaceLane(vector: Placed, element: Expression, lane: number): Placed {
    if (element.kind === "load" && element.type !== "bool") {
      const { address } = this.#address(element.buffer, element.index);
      const value: Value = {
        kind: "operation",
        slot: "v128",
        code: "v128.load32_lane",
        arguments: [this.#use(vector)],
        immediates: [lane],
        address,
      };
      return this.#here(value);
    }
    const scalar = this.#lower(element);
    if (element.type !== "bool")
      return this.#combine(
        `${element.type === "f32" ? "f32x4" : "i32x4"}.replace_lane`,
        "v128",
        [vector, scalar],
        [lane],
      );
    const mask = this.#combine("i32.sub", "i32", [this.#constant(number(0)), scalar]);
    return this.#combine("i32x4.replace_lane", "v128", [vector, mask], [lane]);
  }

  #apply(e: Extract<Expression, { kind: "apply" }>): Placed {
    if (this.#relaxed && e.lanes === 4 && e.type === "f32") {
      const fused = this.#fused(e);
      if (fused !== undefined) return fused;
    }
    const rule = wasmRule(
      e.name,
      e.arguments.map((argument) => argument.type),
    );
    const form = e.lanes === 4 ? ((this.#relaxed ? rule.relaxed : undefined) ?? rule.lanes) : rule.scalar;
    invariant(typeof form === "string", `${e.name} is not one instruction`);
    const operands = e.arguments.map((argument, k) => {
      if (e.lanes !== 4 || !rule.uniform?.includes(k)) return argument;
      if (argument.kind === "splat") return argument.value;
      return argument.kind === "constant" ? { ...argument, lanes: 1 as const } : argument;
    });
    const order = rule.order ?? operands.map((_, k) => k);
    const placed = order.map((k) => this.#lower(operands[k]!));
    // The same bits under another type.
    if (form === "nop" && placed[0]) return placed[0];
    return this.#combine(form, resultSlot(form, placed[0]?.value.slot ?? "i32"), placed);
  }

  /** `a * b + c` and `c - a * b` in one instruction and one rounding. */
  #fused(e: Extract<Expression, { kind: "apply" }>): Placed | undefined {
    const [left, right] = e.arguments;
    if (!left || !right || (e.name !== "add" && e.name !== "sub")) return undefined;
    const isProduct = (x: Expression): x is typeof e => x.kind === "apply" && x.name === "mul";
    const product = isProduct(right) ? right : e.name === "add" && isProduct(left) ? left : undefined;
    if (product === undefined) return undefined;
    const code = e.name === "add" ? "f32x4.relaxed_madd" : "f32x4.relaxed_nmadd";
    const addend = product === right ? left : right;
    return this.#combine(
      code,
      "v128",
      [...product.arguments, addend].map((x) => this.#lower(x)),
    );
  }
}

function mayTrap(code: string, divisor: Value | undefined): boolean {
  if (!/^i32\.(div|rem)_/.test(code)) return false;
  return divisor?.kind !== "number" || divisor.value === 0 || divisor.value === -1;
}

const isTrivial = (value: Value): boolean => value.kind === "get" || value.kind === "number";

function isSum(e: Expression): boolean {
  return e.kind === "apply" && (e.name === "add" || e.name === "sub" || e.name === "mul");
}

function heightOf(statements: readonly Statement[]): number {
  let height = 0;
  for (const s of statements) {
    if (s.kind === "for") height = Math.max(height, 1 + heightOf(s.body));
    if (s.kind === "if") height = Math.max(height, heightOf(s.then), heightOf(s.otherwise));
  }
  return height;
}

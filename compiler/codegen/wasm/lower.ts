/** From the loop IR to machine code: instructions chosen, values placed in regions, addresses made pointers. */
import { invariant } from "../../invariant.ts";
import { constant } from "../../kernel/build.ts";
import type { Apply, Expression, For, Kernel, Load, Statement } from "../../kernel/ir.ts";
import { loopsWithin } from "../../kernel/map.ts";
import { bitsOf, isSum, productIn, wasmRule } from "./expand.ts";
import type { Slot } from "./instructions.ts";
import { resultSlot, slotOf } from "./instructions.ts";
import type { Address, Local, Value } from "./machine.ts";
import { type Memory, memory, monomialsOf } from "./memory.ts";
import type { Polynomial } from "./polynomial.ts";
import {
  addPolynomials,
  atomPolynomial,
  constantPolynomial,
  multiplyPolynomials,
  scalePolynomial,
} from "./polynomial.ts";
import type { Atom, Region } from "./region.ts";
import { deeper, get, newRegion, number, operation } from "./region.ts";
import type { Placed } from "./values.ts";
import { isTrivial, Values } from "./values.ts";

type Binding =
  | { readonly kind: "polynomial"; readonly polynomial: Polynomial }
  | { readonly kind: "value"; readonly placed: Placed }
  | { readonly kind: "mutable"; readonly local: Local };

/** The lowering of one kernel; `phases.ts` says what is lowered in which order. */
export class Lowering {
  readonly #relaxed: boolean;
  readonly values = new Values();
  readonly parameters: Local[] = [];
  readonly #bindings = new Map<string, Binding>();
  readonly #buffers = new Map<string, Memory>();
  #atoms = 0;
  /** Whether anything was fused, or would have been. */
  fusible = false;

  constructor(kernel: Kernel, relaxed: boolean) {
    this.#relaxed = relaxed;
    const parameter = (hint: string): Atom => {
      const local: Local = { slot: "i32", hint };
      this.parameters.push(local);
      return this.#atom(local, this.values.root);
    };
    for (const { name, access, type } of kernel.buffers)
      this.#buffers.set(name, memory(parameter(name), access === "read", type));
    for (const name of kernel.scalars)
      this.#bindings.set(name, { kind: "polynomial", polynomial: atomPolynomial(parameter(name)) });
    for (const { name, type } of kernel.locals) this.#buffers.set(name, memory(parameter(name), false, type));
  }

  #atom(local: Local, region: Region): Atom {
    return { id: this.#atoms++, local, region };
  }

  // ---- Statements ---------------------------------------------------------------------------------------------------

  block(statements: readonly Statement[]): void {
    for (const s of statements) this.#statement(s);
  }

  within(region: Region, write: () => void): void {
    const outer = this.values.region;
    this.values.region = region;
    write();
    this.values.region = outer;
  }

  #statement(s: Statement): void {
    switch (s.kind) {
      case "let":
        this.#bindings.set(s.name, this.#bind(s.value, s.name));
        break;
      case "declare": {
        const local: Local = { slot: slotOf(s.value.type, s.value.lanes), hint: s.name };
        this.values.region.code.push({ kind: "set", local, value: this.values.use(this.#lower(s.value)) });
        this.#bindings.set(s.name, { kind: "mutable", local });
        break;
      }
      case "assign": {
        const binding = this.#bindings.get(s.name);
        invariant(binding?.kind === "mutable", `${s.name} is not mutable`);
        this.values.region.code.push({
          kind: "set",
          local: binding.local,
          value: this.values.use(this.#lower(s.value)),
        });
        break;
      }
      case "store":
        this.#store(s.buffer, s.index, s.value);
        break;
      case "for":
        this.loop(s);
        break;
      case "if": {
        const condition = this.values.use(this.#lower(s.condition));
        const [yes, no] = [newRegion(this.values.region, true), newRegion(this.values.region, true)];
        this.within(yes, () => this.block(s.then));
        this.within(no, () => this.block(s.otherwise));
        this.values.region.code.push({ kind: "branch", condition, yes: yes.code, no: no.code });
        break;
      }
      case "barrier":
        invariant(false, "WebAssembly has no barrier");
        break;
      default:
        s satisfies never;
    }
  }

  /** All iterations of a loop, or some `share` of them. */
  loop(s: For, share?: { readonly from: Value; readonly to: Value; readonly trips: Value }): void {
    const [from, end] = share ? [share.from, share.to] : [this.integer(s.from), this.integer(s.to)];
    // Compared after every iteration: so it must be a local.
    const to = isTrivial(end) ? end : this.values.placement.set(this.values.region, end, "end");
    const height = loopsWithin(s.body);
    const region = newRegion(this.values.region);
    const counter: Local = { slot: "i32", hint: s.name };
    const atom = this.#atom(counter, region);
    region.counter = { atom, from, step: s.step, innermost: height === 0, pointers: [] };
    this.#bindings.set(s.name, { kind: "polynomial", polynomial: atomPolynomial(atom) });
    this.within(region, () => this.block(s.body));
    this.values.region.code.push({
      kind: "loop",
      counter,
      from,
      to,
      step: s.step,
      ...(share && { trips: share.trips }),
      pointers: region.counter.pointers,
      body: region.code,
      height,
    });
  }

  #bind(e: Expression, hint: string): Binding {
    if (e.type === "i32" && e.lanes === 1) return { kind: "polynomial", polynomial: this.#polynomial(e) };
    return { kind: "value", placed: this.values.named(this.#lower(e), hint) };
  }

  #store(buffer: string, index: Expression, value: Expression): void {
    const write = (code: string, stored: Value, immediates: readonly number[] = []): void => {
      const { address } = this.#address(buffer, index);
      this.values.region.code.push({ kind: "store", code, address, value: stored, immediates });
    };
    if (value.kind === "lane" && value.type !== "bool") {
      write("v128.store32_lane", this.values.use(this.#lower(value.value)), [value.lane]);
      return;
    }
    const stored = this.values.use(this.#lower(value));
    if (value.lanes === 4)
      write("v128.store", value.type === "bool" ? operation("i32x4.neg", "v128", [stored]) : stored);
    else write(value.type === "f32" ? "f32.store" : "i32.store", stored);
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
        const [left, right] = [this.values.sum(x), this.values.sum(y)];
        return this.#opaque(this.values.combine("i32.mul", "i32", [left, right]));
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
    const named = this.values.named(placed, "integer");
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

  integer(e: Expression): Value {
    return this.values.use(this.values.sum(this.#polynomial(e)));
  }

  #address(buffer: string, index: Expression): { readonly address: Address; readonly region: Region } {
    const memory = this.#buffers.get(buffer);
    invariant(memory, `no buffer ${buffer}`);
    const elements = this.#polynomial(index);
    const constant = Math.imul(elements.constant, 4);
    const monomials = monomialsOf(memory, elements);
    const { region } = this.values.placement.describe(monomials);
    const { pointer, window } = this.values.placement.pointer(monomials, constant);
    return { address: { pointer, window, constant }, region };
  }

  // ---- Values -----------------------------------------------------------------------------------------------------------

  #lower(e: Expression): Placed {
    if (e.type === "i32" && e.lanes === 1 && isSum(e)) {
      return this.values.sum(this.#polynomial(e));
    }
    switch (e.kind) {
      case "constant": {
        const bits = bitsOf(e.type, e.value);
        if (e.lanes === 4) {
          const lane = e.type === "bool" ? -bits : bits;
          return this.values.constant({ kind: "lanes", slot: "v128", bits: [lane, lane, lane, lane] });
        }
        return this.values.constant({ kind: "number", slot: e.type === "f32" ? "f32" : "i32", value: e.value });
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
        const extracted = this.values.combine(code, slotOf(e.type, 1), [this.#lower(e.value)], [e.lane]);
        return e.type === "bool"
          ? this.values.combine("i32.and", "i32", [extracted, this.values.constant(number(1))])
          : extracted;
      }
      case "shuffle": {
        const bytes = e.pick.flatMap((lane) => [0, 1, 2, 3].map((byte) => lane * 4 + byte));
        return this.values.combine("i8x16.shuffle", "v128", [this.#lower(e.first), this.#lower(e.second)], bytes);
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
        return this.values.sum(binding.polynomial);
      case "value":
        return binding.placed;
      case "mutable":
        return this.values.here(get(binding.local));
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
    let branch: Region = this.values.region;
    while (branch.parent !== undefined && !branch.isBranch) branch = branch.parent;
    const earliest = memory?.readOnly ? deeper(region, branch) : this.values.region;
    const { pointer, constant: offset } = address;
    const key = memory?.readOnly ? `${code}(${this.values.localNumber(pointer)}+${offset}` : undefined;
    const loaded: Placed = { value, region: earliest, key };
    if (!isMask) return loaded;
    return this.values.combine("i32x4.ne", "v128", [loaded, this.#lower(constant("bool", 0, 4))]);
  }

  #splat(value: Expression): Placed {
    if (value.kind === "load" && value.type !== "bool")
      return this.#access("v128.load32_splat", "v128", value.buffer, value.index, false);
    const scalar = this.#lower(value);
    if (value.type === "bool")
      return this.values.combine("i32x4.splat", "v128", [
        this.values.combine("i32.sub", "i32", [this.values.constant(number(0)), scalar]),
      ]);
    return this.values.combine(value.type === "f32" ? "f32x4.splat" : "i32x4.splat", "v128", [scalar]);
  }

  #vector(elements: readonly Expression[]): Placed {
    const [first, ...rest] = elements;
    invariant(first && rest.length === 3, "a vector has four elements");
    const type = first.type;
    if (elements.every((e) => e.kind === "constant")) {
      const bits = elements.map((e) =>
        e.kind === "constant" ? bitsOf(type, e.value) * (type === "bool" ? -1 : 1) : 0,
      );
      return this.values.constant({ kind: "lanes", slot: "v128", bits: [bits[0]!, bits[1]!, bits[2]!, bits[3]!] });
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
        arguments: [this.values.use(vector)],
        immediates: [lane],
        address,
      };
      return this.values.here(value);
    }
    const scalar = this.#lower(element);
    if (element.type !== "bool")
      return this.values.combine(
        `${element.type === "f32" ? "f32x4" : "i32x4"}.replace_lane`,
        "v128",
        [vector, scalar],
        [lane],
      );
    const mask = this.values.combine("i32.sub", "i32", [this.values.constant(number(0)), scalar]);
    return this.values.combine("i32x4.replace_lane", "v128", [vector, mask], [lane]);
  }

  #apply(e: Apply): Placed {
    const product = e.lanes === 4 && e.type === "f32" ? productIn(e) : undefined;
    if (product !== undefined) {
      this.fusible = true;
      if (this.#relaxed) return this.#fused(e, product);
    }
    if (e.name === "select" && e.lanes === 4) {
      const kept = this.#orZero(e);
      if (kept !== undefined) return kept;
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
    return this.values.combine(form, resultSlot(form, placed[0]?.value.slot ?? "i32"), placed);
  }

  /** A choice between a value and 0 takes the mask alone, where choosing takes three instructions of the processor. */
  #orZero({ arguments: [condition, yes, no] }: Apply): Placed | undefined {
    if (condition === undefined || yes === undefined || no === undefined) return undefined;
    const isZero = (x: Expression): boolean => x.kind === "constant" && Object.is(x.value, 0);
    if (!isZero(yes) && !isZero(no)) return undefined;
    const [code, kept] = isZero(no) ? ["v128.and", yes] : ["v128.andnot", no];
    return this.values.combine(code!, "v128", [this.#lower(kept as Expression), this.#lower(condition)]);
  }

  /** `a * b + c` and `c - a * b` in one instruction and one rounding. */
  #fused(e: Apply, product: Apply): Placed {
    const code = e.name === "add" ? "f32x4.relaxed_madd" : "f32x4.relaxed_nmadd";
    const addends = e.arguments.filter((x) => x !== product);
    // Twice the same product is one operand of its own sum.
    const addend = addends[0] ?? product;
    return this.values.combine(
      code,
      "v128",
      [...product.arguments, addend].map((x) => this.#lower(x)),
    );
  }
}

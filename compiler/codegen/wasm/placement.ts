/**
 * Regions and the placement of values in them. A region is a function body, a loop body or a branch. A value is computed
 * in the deepest region that one of its operands belongs to, once: that is loop-invariant code motion and the sharing of
 * address arithmetic at the same time. Statements are appended while code is generated, and a nested loop is appended when
 * it is complete, so what an inner region needs of an outer one simply goes to that one's end.
 */
import type { Local, Value, Window } from "./machine.ts";
import { windowSize } from "./machine.ts";
import { textOf } from "./polynomial.ts";
import type { Monomial, Region } from "./region.ts";
import { addValues, deeper, get, multiplyValues, number } from "./region.ts";

interface Sum {
  readonly region: Region;
  readonly key: string;
}

export class Placement {
  readonly root: Region;
  constructor(root: Region) {
    this.root = root;
  }

  /** Computes a value at the end of a region, as it now is, and names it. */
  set(region: Region, value: Value, hint: string): Value {
    const local: Local = { slot: value.slot, hint };
    region.code.push({ kind: "set", local, value });
    return get(local);
  }

  regionOf(monomial: Monomial): Region {
    return monomial.atoms.reduce((region, atom) => deeper(region, atom.region), this.root);
  }

  /** Where a sum of monomials has a value, and the key that equal sums share. */
  describe(monomials: readonly Monomial[]): Sum {
    const known = this.#sums.get(monomials);
    if (known !== undefined) return known;
    const region = monomials.map((m) => this.regionOf(m)).reduce(deeper, this.root);
    const sum = { region, key: textOf(monomials) };
    this.#sums.set(monomials, sum);
    return sum;
  }
  readonly #sums = new WeakMap<readonly Monomial[], Sum>();

  /** The value of a sum of monomials; undefined for the empty sum. */
  sum(monomials: readonly Monomial[]): Value | undefined {
    if (monomials.length === 0) return undefined;
    const { region, key } = this.describe(monomials);
    const known = region.known.get(key);
    if (known !== undefined) return known;
    const here = monomials.filter((m) => this.regionOf(m) === region);
    const outside = this.sum(monomials.filter((m) => this.regionOf(m) !== region));
    const terms = here.map((m) => this.#product(m));
    if (outside !== undefined) terms.push(outside);
    const total = terms.reduce(addValues);
    const value = total.kind === "get" ? total : this.set(region, total, "index");
    region.known.set(key, value);
    return value;
  }

  #product({ coefficient, atoms }: Monomial): Value {
    // Factors from outer regions are multiplied there.
    const region = this.regionOf({ coefficient, atoms });
    const outer = atoms.filter((atom) => atom.region !== region);
    const inner = atoms.filter((atom) => atom.region === region);
    let product: Value | undefined;
    if (outer.length > 0) product = this.sum([{ coefficient, atoms: outer }]);
    for (const atom of inner) {
      const value = get(atom.local);
      product = product === undefined ? value : multiplyValues(product, value);
    }
    const value = product ?? number(1);
    return outer.length > 0 ? value : multiplyValues(value, number(coefficient));
  }

  /** A pointer to memory at `constant` bytes beyond a sum, with the window that it shares with its neighbours. */
  pointer(monomials: readonly Monomial[], constant: number): { readonly pointer: Value; readonly window: Window } {
    const { region, key } = this.describe(monomials);
    const shared = region.windows.get(key) ?? [];
    for (const candidate of shared) {
      const low = Math.min(candidate.window.low, constant);
      const high = Math.max(candidate.window.high, constant);
      if (high - low >= windowSize) continue;
      candidate.window.low = low;
      candidate.window.high = high;
      return candidate;
    }
    const window: Window = { low: constant, high: constant };
    const pointer = this.#moving(region, monomials, window) ?? this.#fixed(region, monomials, window);
    const made = { pointer, window };
    region.windows.set(key, [...shared, made]);
    return made;
  }

  #fixed(region: Region, monomials: readonly Monomial[], window: Window): Value {
    const base = this.sum(monomials);
    return this.set(region, { kind: "lowest", slot: "i32", base, window }, "pointer");
  }

  /** An induction variable: possible where the sum is linear in the counter of an innermost loop. */
  #moving(region: Region, monomials: readonly Monomial[], window: Window): Value | undefined {
    const { counter, parent } = region;
    if (counter === undefined || parent === undefined || !counter.innermost) return undefined;
    const here = monomials.filter((m) => this.regionOf(m) === region);
    const linear = here.every((m) => m.atoms.filter((atom) => atom.region === region).length === 1);
    if (!linear || !here.every((m) => m.atoms.includes(counter.atom))) return undefined;
    const slopes = here.map((m): Monomial => ({ ...m, atoms: m.atoms.filter((atom) => atom !== counter.atom) }));
    const constantSlope = slopes.filter((m) => m.atoms.length === 0).reduce((sum, m) => sum + m.coefficient, 0);
    const variableSlope = this.sum(slopes.filter((m) => m.atoms.length > 0));
    const slope = variableSlope === undefined ? number(constantSlope) : addValues(variableSlope, number(constantSlope));
    const start = this.sum(monomials.filter((m) => this.regionOf(m) !== region));
    const moved = multiplyValues(slope, counter.from);
    const base = start === undefined ? moved : addValues(start, moved);
    const local: Local = { slot: "i32", hint: "pointer" };
    parent.code.push({ kind: "set", local, value: { kind: "lowest", slot: "i32", base, window } });
    const step = multiplyValues(slope, number(counter.step));
    counter.pointers.push({ local, step: step.kind === "number" ? step : this.set(parent, step, "step") });
    return get(local);
  }
}

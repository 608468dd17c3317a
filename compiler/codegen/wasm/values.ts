/**
 * Values while a function is generated: each with the region that it belongs to and a key that equal values share. What is
 * used deeper than it belongs is computed where it belongs, once.
 */
import { invariant } from "../../invariant.ts";
import type { Slot } from "./instructions.ts";
import type { Local, Value } from "./machine.ts";
import { Placement } from "./placement.ts";
import type { Polynomial } from "./polynomial.ts";
import type { Region } from "./region.ts";
import { addValues, deeper, newRegion, number, operation } from "./region.ts";

/** A value and where it may be computed. */
export interface Placed {
  readonly value: Value;
  readonly region: Region;
  /** Equal keys are equal values; undefined where the value depends on when it is computed. */
  readonly key: string | undefined;
}
function mayTrap(code: string, divisor: Value | undefined): boolean {
  if (!/^i32\.(div|rem)_/.test(code)) return false;
  return divisor?.kind !== "number" || divisor.value === 0 || divisor.value === -1;
}

export const isTrivial = (value: Value): boolean => value.kind === "get" || value.kind === "number";

export class Values {
  readonly root = newRegion(undefined);
  readonly placement = new Placement(this.root);
  /** The block that is being written. */
  region: Region = this.root;
  readonly #localNumbers = new Map<Local, number>();

  /** The value where it is used: what belongs to an outer region is computed there. */
  use(placed: Placed): Value {
    if (placed.region === this.region || isTrivial(placed.value)) return placed.value;
    return this.named(placed, "invariant").value;
  }

  /** In a local of its region, computed once. */
  named(placed: Placed, hint: string): Placed {
    const { region, key } = placed;
    // A mutable local has no key: its present value is copied.
    if (placed.value.kind === "number" || (placed.value.kind === "get" && key !== undefined)) return placed;
    const known = key === undefined ? undefined : region.known.get(`value ${key}`);
    const value = known ?? this.placement.set(region, placed.value, hint);
    if (key !== undefined) region.known.set(`value ${key}`, value);
    return { value, region, key: `local ${this.localNumber(value)}` };
  }
  localNumber(value: Value): number {
    invariant(value.kind === "get", "a local");
    let at = this.#localNumbers.get(value.local);
    if (at === undefined) {
      at = this.#localNumbers.size;
      this.#localNumbers.set(value.local, at);
    }
    return at;
  }

  combine(code: string, slot: Slot, operands: readonly Placed[], immediates: readonly number[] = []): Placed {
    const region = operands.map((operand) => operand.region).reduce(deeper, this.root);
    // Operands of outer regions are computed there; four-lane constants outside of every loop.
    const values = operands.map((operand) =>
      operand.region === region || isTrivial(operand.value) ? operand.value : this.named(operand, "invariant").value,
    );
    const keys = operands.map((operand) => operand.key);
    const key = keys.every((k) => k !== undefined) ? `${code} ${immediates.join()}(${keys.join()})` : undefined;
    const value = operation(code, slot, values, immediates);
    // What may trap stays where its guard is.
    return mayTrap(code, values[1]) ? this.here(value) : { value, region, key };
  }

  here(value: Value): Placed {
    return { value, region: this.region, key: undefined };
  }
  constant(value: Value): Placed {
    return { value, region: this.root, key: this.#keyOf(value) };
  }

  sum(polynomial: Polynomial): Placed {
    const monomials = [...polynomial.terms.values()];
    const region = monomials.map((m) => this.placement.regionOf(m)).reduce(deeper, this.root);
    const variable = this.placement.sum(monomials);
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
        return `local ${this.localNumber(value)}`;
      case "operation": {
        if (value.address !== undefined) return undefined;
        const keys = value.arguments.map((argument) => this.#keyOf(argument));
        return `${value.code} ${value.immediates.join()}(${keys.join()})`;
      }
      case "global":
        return value.name;
      case "lowest":
        return undefined;
      default:
        return value satisfies never;
    }
  }
}

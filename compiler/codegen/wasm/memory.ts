/** The buffers of a kernel while it is lowered: where they begin, and which addresses in them have been asked for. */
import type { ScalarType } from "../../types/dtype.ts";
import { addPolynomials, atomPolynomial, type Polynomial, scalePolynomial } from "./polynomial.ts";
import type { Atom, Monomial } from "./region.ts";

export interface Memory {
  readonly base: Polynomial;
  readonly readOnly: boolean;
  readonly type: ScalarType;
  /** Byte addresses in it, by the terms of the element's number: neighbours differ in constants alone. */
  readonly addresses: Map<Polynomial["terms"], readonly Monomial[]>;
}

export function memory(base: Atom, readOnly: boolean, type: ScalarType): Memory {
  return { base: atomPolynomial(base), readOnly, type, addresses: new Map() };
}

export function monomialsOf({ base, addresses }: Memory, elements: Polynomial): readonly Monomial[] {
  const known = addresses.get(elements.terms);
  if (known !== undefined) return known;
  const monomials = [...addPolynomials(base, scalePolynomial(elements, 4)).terms.values()];
  addresses.set(elements.terms, monomials);
  return monomials;
}

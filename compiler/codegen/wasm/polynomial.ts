/**
 * Index arithmetic in normal form: a constant plus coefficients times products of atoms, modulo 2^32. An atom is an i32
 * that is not itself a sum or a product: a parameter, a loop counter, a loaded value.
 */

import type { Atom, Monomial } from "./region.ts";

export interface Polynomial {
  readonly constant: number;
  /** By the ids of the atoms. */
  readonly terms: ReadonlyMap<string, Monomial>;
}

const none: ReadonlyMap<string, Monomial> = new Map();

export function constantPolynomial(constant: number): Polynomial {
  return { constant: constant | 0, terms: none };
}
export function atomPolynomial(atom: Atom): Polynomial {
  return { constant: 0, terms: new Map([[keyOf([atom]), { coefficient: 1, atoms: [atom] }]]) };
}
function keyOf(atoms: readonly Atom[]): string {
  return atoms.map((atom) => atom.id).join("*");
}

export function addPolynomials(a: Polynomial, b: Polynomial): Polynomial {
  if (a.terms.size === 0 || b.terms.size === 0)
    return { constant: (a.constant + b.constant) | 0, terms: a.terms.size === 0 ? b.terms : a.terms };
  const terms = new Map(a.terms);
  for (const [key, monomial] of b.terms) {
    const coefficient = ((terms.get(key)?.coefficient ?? 0) + monomial.coefficient) | 0;
    if (coefficient === 0) terms.delete(key);
    else terms.set(key, { coefficient, atoms: monomial.atoms });
  }
  return { constant: (a.constant + b.constant) | 0, terms };
}

export function scalePolynomial(a: Polynomial, factor: number): Polynomial {
  if (factor === 0) return constantPolynomial(0);
  if (factor === 1) return a;
  const terms = new Map<string, Monomial>();
  for (const [key, { coefficient, atoms }] of a.terms) {
    const scaled = Math.imul(coefficient, factor);
    if (scaled !== 0) terms.set(key, { coefficient: scaled, atoms });
  }
  return { constant: Math.imul(a.constant, factor), terms };
}

/** The product, where it stays small: one factor is a single term. */
export function multiplyPolynomials(a: Polynomial, b: Polynomial): Polynomial | undefined {
  if (a.terms.size === 0) return scalePolynomial(b, a.constant);
  if (b.terms.size === 0) return scalePolynomial(a, b.constant);
  if (a.terms.size !== 1 || a.constant !== 0) {
    if (b.terms.size !== 1 || b.constant !== 0) return undefined;
    return multiplyPolynomials(b, a);
  }
  const [single] = a.terms.values();
  if (single === undefined || b.terms.size > 4) return undefined;
  let product = constantPolynomial(0);
  const multiply = (monomial: Monomial): void => {
    const atoms = [...single.atoms, ...monomial.atoms].sort((x, y) => x.id - y.id);
    const coefficient = Math.imul(single.coefficient, monomial.coefficient);
    if (coefficient !== 0)
      product = addPolynomials(product, { constant: 0, terms: new Map([[keyOf(atoms), { coefficient, atoms }]]) });
  };
  for (const monomial of b.terms.values()) multiply(monomial);
  if (b.constant !== 0) multiply({ coefficient: b.constant, atoms: [] });
  return product;
}

/** Two sums of the same terms have the same text. */
export function textOf(monomials: readonly Monomial[]): string {
  return monomials
    .map(({ coefficient, atoms }) => `${coefficient}*${keyOf(atoms)}`)
    .sort()
    .join("+");
}

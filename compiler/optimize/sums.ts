/**
 * Sums of products (IR rule 6). Factors that no reduction index touches leave the sum; terms that cancel vanish, so the sum
 * of a centred value is 0; the sum of a one-hot select is the value; terms over different indices part where one of them is a
 * contraction; what is left uses exactly its own indices. Equal sums that this uncovers are shared by the pass after it.
 */
import { elementCount, type GraphBuilder } from "../graph/builder.ts";
import type { GenericNode, Graph, Node, Scalar } from "../graph/graph.ts";
import { Keys } from "../graph/keys.ts";
import { everywhere, rebuild } from "../graph/rewrite.ts";
import { apply, constant } from "../graph/scalars.ts";
import { indicesOf, readsOf } from "../graph/traverse.ts";
import type { DefinitionOf } from "./behind-views.ts";
import { Emission } from "./emission.ts";
import { oneHot } from "./one-hot.ts";
import type { Pass } from "./pass.ts";
import { SumSite } from "./sum-signature.ts";
import { isPlain, outside, product, type SumTerm, termsOf, unit as whole } from "./terms.ts";

/** Cancelling coefficients are equal up to the rounding of `K * (1 / K)`. */
const cancellation = 1e-9;
const lookThroughLimit = 4;

interface Group {
  readonly term: SumTerm;
}

/** Terms of equal signature are one; those whose coefficients cancel are none. */
function grouped(terms: readonly SumTerm[], site: SumSite): Group[] {
  const groups = new Map<string, { term: SumTerm; own: number; total: number; size: number }>();
  for (const term of terms) {
    const { coefficient, atoms } = site.signature(term);
    if (coefficient === 0) continue;
    const key = atoms.join(" | ");
    const known = groups.get(key);
    if (known) {
      known.total += coefficient;
      known.size = Math.max(known.size, Math.abs(coefficient));
    } else groups.set(key, { term, own: coefficient, total: coefficient, size: Math.abs(coefficient) });
  }
  return [...groups.values()]
    .filter(({ total, size }) => Math.abs(total) > cancellation * size)
    .map(({ term, own, total }) => ({
      term: own === total ? term : { ...term, coefficient: (term.coefficient * total) / own },
    }));
}

/** The terms with maps looked through: a lone read by its whole body, a factor where something leaves the sum. */
function deepened(term: SumTerm, site: SumSite, depth: number): SumTerm[] {
  if (depth === 0) return [term];
  const outer: SumTerm = { ...term, rest: [] };
  const join = (inner: SumTerm): SumTerm => ({
    coefficient: outer.coefficient * inner.coefficient,
    multipliers: [...outer.multipliers, ...inner.multipliers],
    divisors: [...outer.divisors, ...inner.divisors],
    masks: [...outer.masks, ...inner.masks],
    rest: inner.rest,
  });
  const [only, ...more] = term.rest;
  if (only && more.length === 0) {
    const body = only.kind === "read" ? site.lookThrough(only) : undefined;
    if (!body) return [term];
    return termsOf(body, site.isReduction).flatMap((inner) => deepened(join(inner), site, depth - 1));
  }
  let changed = false;
  let whole: SumTerm = outer;
  for (const factor of term.rest) {
    const body = factor.kind === "read" ? site.lookThrough(factor) : undefined;
    const [inner, ...others] = body ? termsOf(body, site.isReduction) : [];
    const leaves = inner && others.length === 0 && !isPlain(inner);
    if (leaves) changed = true;
    const next: SumTerm = leaves
      ? inner
      : { ...outer, coefficient: 1, multipliers: [], divisors: [], masks: [], rest: [factor] };
    whole = {
      coefficient: whole.coefficient * next.coefficient,
      multipliers: [...whole.multipliers, ...next.multipliers],
      divisors: [...whole.divisors, ...next.divisors],
      masks: [...whole.masks, ...next.masks],
      rest: [...whole.rest, ...next.rest],
    };
  }
  return changed ? deepened(whole, site, depth - 1) : [term];
}

function readCount(rest: readonly Scalar[]): number {
  return new Set(readsOf(...rest).map((read) => read.tensor)).size;
}

/** The best form found: no term, one term, or several that should part; undefined to leave the sum alone. */
function improved(site: SumSite): readonly SumTerm[] | undefined {
  const shallow = termsOf(site.node.body, site.isReduction);
  const deep = shallow.flatMap((term) => deepened(term, site, lookThroughLimit));
  const deepGroups = grouped(deep, site);
  if (deepGroups.length === 0) return [];
  const shallowReads = readCount(shallow.flatMap((term) => term.rest));
  const [survivor] = deepGroups;
  const looked = deep.length !== shallow.length || deep.some((term, k) => term !== shallow[k]);
  if (looked && survivor && deepGroups.length === 1) {
    const cancels = deep.length > 1;
    if (cancels || (!isPlain(survivor.term) && readCount(survivor.term.rest) <= shallowReads)) return [survivor.term];
  }
  const groups = grouped(shallow, site);
  if (groups.length <= 1 || partsWell(groups.map(({ term }) => term))) return groups.map(({ term }) => term);
  return undefined;
}

const subset = (a: ReadonlySet<number>, b: ReadonlySet<number>): boolean => [...a].every((index) => b.has(index));

/** Whether the terms use different indices and one of them is a contraction, which then is a node of its own. */
function partsWell(terms: readonly SumTerm[]): boolean {
  const indices = terms.map((term) => term.rest.map((factor) => indicesOf(factor)));
  const unions = indices.map((sets) => new Set(sets.flatMap((set) => [...set])));
  const differ = unions.some((set) => !subset(set, unions[0]!) || !subset(unions[0]!, set));
  const contraction = indices.some((sets) => sets.some((a) => sets.some((b) => !subset(a, b) && !subset(b, a))));
  return differ && contraction;
}

/** Factors that every term has leave together: `c*a + c*b` is `c * (a + b)`. */
function commonFactor(terms: readonly SumTerm[], site: SumSite): { common: SumTerm; inner: Scalar } | undefined {
  const [first, ...others] = terms;
  if (!first) return undefined;
  /** As multisets: `c*c*a + c*b` has one c in common. */
  const shared = (list: "multipliers" | "divisors" | "masks"): Scalar[] =>
    others.reduce(
      (kept, term) => {
        const left = term[list].map((factor) => site.key(factor));
        return kept.filter((factor) => {
          const found = left.indexOf(site.key(factor));
          if (found >= 0) left.splice(found, 1);
          return found >= 0;
        });
      },
      [...first[list]],
    );
  const common: SumTerm = {
    coefficient: 1,
    multipliers: shared("multipliers"),
    divisors: shared("divisors"),
    masks: shared("masks"),
    rest: [],
  };
  if (isPlain(common)) return undefined;
  const without = (term: SumTerm): Scalar => {
    const left = (list: "multipliers" | "divisors" | "masks"): Scalar[] => {
      const gone = common[list].map((factor) => site.key(factor));
      return term[list].filter((factor) => {
        const found = gone.indexOf(site.key(factor));
        if (found >= 0) gone.splice(found, 1);
        return found < 0;
      });
    };
    const inner: SumTerm = {
      ...term,
      multipliers: left("multipliers"),
      divisors: left("divisors"),
      masks: left("masks"),
    };
    return outside(inner, term.rest.length > 0 ? product(term.rest) : undefined);
  };
  return { common, inner: terms.map(without).reduce((sum, value) => apply("add", sum, value)) };
}

/** What takes the sum's place, or undefined if it stays. */
function rewriteSum(node: GenericNode, builder: GraphBuilder, definition: DefinitionOf, keys: Keys): Node | undefined {
  const site = new SumSite(node, definition, keys);
  const emission = new Emission(node, builder);
  const terms = improved(site);
  if (terms?.length === 0) return emission.map(constant("f32", 0));
  if (!terms) {
    const factored = commonFactor(termsOf(node.body, site.isReduction), site);
    if (!factored && usesEverything(node.body, site)) return undefined;
    const { common, inner } = factored ?? { common: whole, inner: node.body };
    return emission.map(outside({ ...common, coefficient: site.multiplicity([inner]) }, emission.sum(inner)));
  }
  const [only, ...more] = terms;
  if (only && more.length === 0) {
    const hot = oneHot(only.rest, site);
    if (hot) return emission.collapsed(only, hot);
    const sum = product(only.rest);
    const stays = isPlain(only) && only.rest.length > 0 && usesEverything(sum, site);
    if (stays) return keys.scalar(sum) === keys.scalar(node.body) ? undefined : { ...node, body: sum };
  }
  const values = terms.map((term) => {
    const scaled = { ...term, coefficient: term.coefficient * site.multiplicity(term.rest) };
    return outside(scaled, term.rest.length > 0 ? emission.sum(product(term.rest)) : undefined);
  });
  return emission.map(values.reduce((sum, value) => apply("add", sum, value)));
}

function usesEverything(body: Scalar, site: SumSite): boolean {
  return elementCount(site.extents) === 1 || indicesOf(body).size === site.extents.length;
}

export const sumsOfProducts: Pass = {
  name: "sums of products",
  description: "factors leave sums, centred values sum to 0, one-hot selects to the value, contractions stand alone",
  run: everywhere((graph: Graph) => {
    const keys = new Keys();
    return rebuild(graph, (node, { builder, definition }) => {
      if (node.kind !== "generic" || node.combiner !== "sum" || node.body.type !== "f32") return node;
      return rewriteSum(node, builder, definition, keys) ?? node;
    });
  }),
};

/** A product as a halving tree: exact where factors are 0, and differentiable to every order by the rule of `a * b`. */
import { at, fixed, type GraphBuilder, read } from "../graph/builder.ts";
import type { Coordinate, GenericNode, Node, Scalar, Tensor } from "../graph/graph.ts";
import { invariant } from "../invariant.ts";

/** `prod[P | R] body` computed anew, in ceil(log2 |R|) halvings. */
export function productTree(builder: GraphBuilder, node: GenericNode): { nodes: Node[]; product: Tensor } {
  const before = builder.nodes.length;
  const { parallel, reduction, body } = node;
  const [result] = node.results;
  invariant(result, "a product has a result");
  const outer = parallel.map(({ extent }) => extent);
  let count = reduction.reduce((product, { extent }) => product * extent, 1);
  const [factors] = builder.generic({
    hint: `${result.name}.factors`,
    combiner: "map",
    parallel: [...parallel, ...reduction],
    body,
  });
  invariant(factors, "a map has a result");
  let level = reduction.length === 1 ? factors : builder.view(factors, [...outer, count]);
  const here = parallel.map((_, position) => at(position));
  while (count > 1) {
    const half = Math.ceil(count / 2);
    const own: Coordinate = half === 1 ? fixed(0) : at(parallel.length);
    const other: Coordinate = { ...own, offset: half };
    const right = read(level, [...here, other], count % 2 === 0 ? undefined : 1);
    const product: Scalar = {
      kind: "apply",
      type: body.type,
      name: "mul",
      arguments: [read(level, [...here, own]), right],
    };
    const axes = half === 1 ? parallel : [...parallel, { name: "k", extent: half }];
    const [next] = builder.generic({
      hint: `${result.name}.half`,
      combiner: "map",
      parallel: axes,
      body: product,
      shape: [...outer, half],
    });
    invariant(next, "a map has a result");
    level = next;
    count = half;
  }
  const product = builder.view(level, result.type.shape, `${result.name}.tree`);
  return { nodes: builder.nodes.slice(before), product };
}

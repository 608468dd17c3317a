/**
 * A node that reads a map through a merging view (`[14, 2]` as `[28]`) at one plain index cannot take that map in: the index
 * would need a division. It can once its own index is split in two; the view then stands behind it.
 */
import { plainIndex } from "../graph/affine.ts";
import { elementCount, type GraphBuilder } from "../graph/builder.ts";
import type { Axis, Coordinate, GenericNode, Graph, Node, ScalarRead, Tensor } from "../graph/graph.ts";
import { blocksOf } from "../graph/reshape.ts";
import { everywhere, rebuild } from "../graph/rewrite.ts";
import { coordinateValue } from "../graph/scalars.ts";
import { domainOf, readsOf, substituteIndices, type Uses, usesOf } from "../graph/traverse.ts";
import type { DefinitionOf } from "./behind-views.ts";
import type { Pass } from "./pass.ts";

/** An index and the extents that take its place. */
interface Split {
  readonly position: number;
  readonly extents: readonly number[];
}

/** The map behind views that only this reader uses. */
function soleMap(tensor: Tensor, uses: Uses, definition: DefinitionOf): GenericNode | undefined {
  for (let current = tensor; ; ) {
    if (uses.isOutput(current) || uses.of(current).length > 1) return undefined;
    const node = definition(current);
    if (node?.kind === "generic") return node.combiner === "map" ? node : undefined;
    if (node?.kind !== "view") return undefined;
    current = node.source;
  }
}

function splitFor(read: ScalarRead, map: GenericNode, axes: readonly Axis[]): Split | undefined {
  const view = read.tensor.type.shape;
  const source = map.results[0]!.type.shape;
  for (const block of blocksOf(view, source)) {
    const [merged, ...more] = block.view;
    if (merged === undefined || more.length > 0 || block.source.length < 2) continue;
    const position = plainIndex(read.coordinates[merged]!);
    if (position === undefined || axes[position]!.extent !== view[merged]) continue;
    return { position, extents: block.source.map((axis) => source[axis]!) };
  }
  return undefined;
}

function splitNode(node: GenericNode, { position, extents }: Split, builder: GraphBuilder): Node[] | undefined {
  const axes = domainOf(node);
  const old = axes[position]!;
  const parts = extents.map((extent, k): Axis => ({ name: `${old.name}${k}`, extent }));
  const by = (index: number): Coordinate => {
    if (index !== position) {
      const moved = index < position ? index : index + parts.length - 1;
      return { offset: 0, terms: [{ kind: "affine", coefficient: 1, position: moved }] };
    }
    const terms = parts.map((_, k) => ({
      kind: "affine" as const,
      coefficient: elementCount(extents.slice(k + 1)),
      position: position + k,
    }));
    return { offset: 0, terms };
  };
  const body = substituteIndices(node.body, {
    by,
    value: (index) => coordinateValue(by(index)),
    extents: axes.toSpliced(position, 1, ...parts).map((axis) => axis.extent),
  });
  if (!body) return undefined;
  if (position >= node.parallel.length) {
    const reduction = node.reduction.toSpliced(position - node.parallel.length, 1, ...parts);
    return [{ ...node, reduction, body }];
  }
  const results = node.results.map(({ name, type }) => {
    const indexed = [...type.shape.keys()].filter((axis) => type.shape[axis] !== 1);
    return builder.tensor(`${name}.v`, type.dtype, type.shape.toSpliced(indexed[position]!, 1, ...extents));
  });
  const parallel = node.parallel.toSpliced(position, 1, ...parts);
  const views = node.results.map(
    (result, k): Node => ({ kind: "view", results: [result], origin: node.origin, source: results[k]! }),
  );
  return [{ ...node, results, parallel, body }, ...views];
}

function splitOnce(node: GenericNode, uses: Uses, builder: GraphBuilder, definition: DefinitionOf): Node[] | undefined {
  const axes = domainOf(node);
  const points = elementCount(axes.map((axis) => axis.extent));
  for (const read of readsOf(node.body)) {
    if (definition(read.tensor)?.kind !== "view") continue;
    const map = soleMap(read.tensor, uses, definition);
    if (!map || points > elementCount(map.results[0]!.type.shape)) continue;
    const split = splitFor(read, map, axes);
    const nodes = split && splitNode(node, split, builder);
    if (nodes) return nodes;
  }
  return undefined;
}

export const splitIndices: Pass = {
  name: "split indices",
  description: "a reader of a merging view of a map gets the map's own indices, so that the map can become part of it",
  run: everywhere((graph: Graph) => {
    const uses = usesOf(graph);
    return rebuild(graph, (node, { builder, definition }) => {
      let current = node;
      // Views of results made by earlier rounds; they stand behind the node, the innermost first.
      const behind: Node[] = [];
      while (current.kind === "generic") {
        const [next, ...views] = splitOnce(current, uses, builder, definition) ?? [];
        if (!next) break;
        behind.unshift(...views);
        current = next;
      }
      if (behind.length === 0) return current;
      builder.add(current);
      const last = behind.pop()!;
      for (const view of behind) builder.add(view);
      return last;
    });
  }),
};

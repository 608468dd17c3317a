/** What a graph needs before it is scheduled: every persistent output a memory of its own, long moments as sums. */
import { axesOf, constantScalar, GraphBuilder, readHere } from "../graph/builder.ts";
import type {
  Graph,
  GraphOutput,
  InputRole,
  Node,
  OutputRole,
  PersistentRole,
  Scalar,
  Tensor,
} from "../graph/graph.ts";
import { rebuild, reserveNames } from "../graph/rewrite.ts";
import { sourceIn } from "../graph/traverse.ts";
import { isLarge } from "./partials.ts";

/** A persistent tensor and the value that it has after the entry. */
export interface Claim {
  /** The graph's input, or a tensor that only stands for the memory. */
  readonly slot: Tensor;
  readonly role: PersistentRole;
  readonly path: string;
  readonly value: Tensor;
}

export interface Prepared {
  readonly graph: Graph;
  readonly claims: readonly Claim[];
}

export function isPersistent(role: InputRole | OutputRole): role is PersistentRole {
  return role === "parameter" || role === "state" || role === "optimizer" || role === "step" || role === "seed";
}

/** Gives every persistent output a generic node's result of its own, so that it may be computed in place. */
export function claimOutputs(graph: Graph): Prepared {
  const builder = new GraphBuilder();
  reserveNames(graph, builder);
  const nodes: Node[] = [...graph.nodes];
  const source = sourceIn(graph);
  const generic = new Set(graph.nodes.flatMap((node) => (node.kind === "generic" ? node.results : [])));
  const slots = new Map(graph.inputs.map(({ tensor, role, path }) => [`${role} ${path}`, tensor]));
  const updated = new Set<Tensor>();
  for (const { tensor, role, path } of graph.outputs) {
    const slot = slots.get(`${role} ${path}`);
    if (isPersistent(role) && slot !== undefined && slot !== source(tensor)) updated.add(slot);
  }
  const claimed = new Set<Tensor>();
  const claims: Claim[] = [];
  const copy = (tensor: Tensor): Tensor => {
    const made = builder.generic({
      hint: `${tensor.name}.copy`,
      combiner: "map",
      parallel: axesOf(tensor.type.shape),
      body: readHere(tensor),
      shape: tensor.type.shape,
      dtype: tensor.type.dtype,
    })[0]!;
    nodes.push(builder.nodes.at(-1)!);
    return made;
  };
  const outputs = graph.outputs.map((output): GraphOutput => {
    const { tensor, role, path } = output;
    const memory = source(tensor);
    if (!isPersistent(role)) return updated.has(memory) ? { ...output, tensor: copy(tensor) } : output;
    const slot = slots.get(`${role} ${path}`);
    if (slot === memory) return output;
    const value = generic.has(memory) && !claimed.has(memory) ? memory : copy(tensor);
    claimed.add(value);
    const standIn = slot ?? { name: builder.fresh(path), type: tensor.type };
    claims.push({ slot: standIn, role, path, value });
    return value === memory ? output : { ...output, tensor: value };
  });
  return { graph: { ...graph, nodes, outputs }, claims };
}

/** Where threads should share a mean and a centred sum of squares: as sums, which can be cut in parts, one after the other. */
export function expandMoments(graph: Graph): Graph {
  return rebuild(graph, (node, { builder, replace }) => {
    if (node.kind !== "generic" || node.combiner !== "moments" || !isLarge(node)) return node;
    const [mean, squares] = node.results;
    const { parallel, reduction } = node;
    const count = reduction.reduce((product, { extent }) => product * extent, 1);
    const shape = mean!.type.shape;
    const total = builder.generic({
      hint: `${mean!.name}.sum`,
      combiner: "sum",
      parallel,
      reduction,
      body: node.body,
      shape,
    });
    const average = builder.map(
      `${mean!.name}.mean`,
      shape,
      f32("div", readHere(total[0]!), constantScalar("f32", count)),
    );
    const centred = f32("sub", node.body, readHere(average));
    const [spread] = builder.generic({
      hint: `${squares!.name}.sum`,
      combiner: "sum",
      parallel,
      reduction,
      body: f32("mul", centred, centred),
      shape,
    });
    replace(mean!, average);
    replace(squares!, spread!);
    return undefined;
  });
}

function f32(name: string, ...operands: Scalar[]): Scalar {
  return { kind: "apply", type: "f32", name, arguments: operands };
}

/** What a scan's body leaves: the next carries, and values that are stacked, each computed in its place if possible. */
import { axesOf, GraphBuilder, readHere } from "../graph/builder.ts";
import type { Graph, Scalar, Tensor } from "../graph/graph.ts";
import { reserveNames } from "../graph/rewrite.ts";
import { sourceIn } from "../graph/traverse.ts";

export interface BodyOutputs {
  readonly graph: Graph;
  readonly nextCarries: readonly Tensor[];
  /** Each is made by a node of the body, and no two are one: the body may compute it where it is stacked. */
  readonly stacked: readonly Tensor[];
}

/** `carryCount` outputs are the next carries, the others are stacked. */
export function bodyOutputs(body: Graph, carryCount: number): BodyOutputs {
  const builder = new GraphBuilder();
  reserveNames(body, builder);
  const source = sourceIn(body);
  const carries = body.inputs.slice(0, carryCount).map(({ tensor }) => tensor);
  const outputs = body.outputs.map(({ tensor }) => tensor);
  const copyOf = (tensor: Tensor): Tensor =>
    builder.generic({
      hint: `${tensor.name}.now`,
      combiner: "map",
      parallel: axesOf(tensor.type.shape),
      body: readHere(tensor),
      shape: tensor.type.shape,
      dtype: tensor.type.dtype,
    })[0]!;
  // A next carry that is another carry's old value would be overwritten before it is copied.
  const nextCarries = outputs.slice(0, carryCount).map((tensor, k) => {
    const memory = source(tensor);
    if (memory === carries[k]) return memory;
    return carries.includes(memory) ? copyOf(tensor) : tensor;
  });
  const made = new Set(
    body.nodes.flatMap((node) => (node.kind === "constant" || node.kind === "view" ? [] : node.results)),
  );
  const stacked = outputs.slice(carryCount).map((tensor) => {
    const memory = source(tensor);
    const own = made.delete(memory) ? memory : undefined;
    return own ?? copyOf(tensor);
  });
  const graph: Graph = {
    inputs: body.inputs,
    nodes: [...body.nodes, ...builder.nodes],
    outputs: [...nextCarries, ...stacked].map((tensor, k) => ({ tensor, role: "result", path: `${k}` })),
  };
  return { graph, nextCarries, stacked };
}

export function plus(tensor: Tensor, amount: number): Scalar {
  const constant: Scalar = { kind: "constant", type: "i32", value: amount };
  return { kind: "apply", type: "i32", name: "add", arguments: [readHere(tensor), constant] };
}

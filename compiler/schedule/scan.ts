/** What a scan's body leaves: carries that are copied over the old ones, and values that are stacked, in place if possible. */
import { axesOf, GraphBuilder, readHere } from "../graph/builder.ts";
import type { Graph, Scalar, Tensor } from "../graph/graph.ts";
import { reserveNames } from "../graph/rewrite.ts";
import { sourceIn } from "./prepare.ts";

export interface BodyOutputs {
  readonly graph: Graph;
  readonly nextCarries: readonly Tensor[];
  /** `direct`: the body may compute it where it is stacked. */
  readonly stacked: readonly { readonly tensor: Tensor; readonly direct: boolean }[];
}

/** `carryCount` outputs are the next carries, the others are stacked. */
export function bodyOutputs(body: Graph, carryCount: number): BodyOutputs {
  const builder = new GraphBuilder();
  reserveNames(body, builder);
  const source = sourceIn(body);
  const carries = body.inputs.slice(0, carryCount).map(({ tensor }) => tensor);
  const outputs = body.outputs.map(({ tensor }) => tensor);
  // A next carry that is another carry's old value would be overwritten before it is copied.
  const nextCarries = outputs.slice(0, carryCount).map((tensor, k) => {
    const memory = source(tensor);
    if (memory === carries[k]) return memory;
    if (!carries.includes(memory)) return tensor;
    const { shape, dtype } = tensor.type;
    return builder.generic({
      hint: `${tensor.name}.old`,
      combiner: "map",
      parallel: axesOf(shape),
      body: readHere(tensor),
      shape,
      dtype,
    })[0]!;
  });
  const generic = new Set(body.nodes.flatMap((node) => (node.kind === "generic" ? node.results : [])));
  const taken = new Set<Tensor>();
  const stacked = outputs.slice(carryCount).map((tensor) => {
    const memory = source(tensor);
    const direct = generic.has(memory) && !taken.has(memory);
    taken.add(memory);
    return { tensor: direct ? memory : tensor, direct };
  });
  const graph: Graph = {
    inputs: body.inputs,
    nodes: [...body.nodes, ...builder.nodes],
    outputs: [...nextCarries, ...stacked.map(({ tensor }) => tensor)].map((tensor, k) => ({
      tensor,
      role: "result",
      path: `${k}`,
    })),
  };
  return { graph, nextCarries, stacked };
}

export function plus(tensor: Tensor, amount: number): Scalar {
  const constant: Scalar = { kind: "constant", type: "i32", value: amount };
  return { kind: "apply", type: "i32", name: "add", arguments: [readHere(tensor), constant] };
}

/** The ways of making kernels of a group, in the order in which they are tried. */
import type { Dispatch } from "../kernel/ir.ts";
import type { Contraction } from "./contraction/analysis.ts";
import { analyseContraction, analyseOneSided } from "./contraction/analysis.ts";
import { contractionOnCpu as plainContraction } from "./contraction/cpu.ts";
import { contractionGpu } from "./contraction/gpu.ts";
import type { BuildContext, Builder, FusionGroup } from "./group.ts";
import { writeNest } from "./nest.ts";
import { pointwiseGpu } from "./pointwise/gpu.ts";
import type { Placed } from "./program.ts";
import type { RowAnalysis } from "./row/analysis.ts";
import { analyseRow } from "./row/analysis.ts";
import { rowGpu } from "./row/gpu.ts";
import { shareDear } from "./row/share.ts";
import { contractionOnCpu } from "./winograd/ways.ts";

/** A builder with what its analysis found. */
export interface Method {
  readonly name: string;
  cpu(context: BuildContext): readonly Dispatch<Placed>[];
  gpu(context: BuildContext): readonly Dispatch<Placed>[];
}
export interface Candidate {
  readonly name: string;
  match(group: FusionGroup): Method | undefined;
}

function candidate<Analysis>(builder: Builder<Analysis>): Candidate {
  const { name } = builder;
  return {
    name,
    match(group) {
      const analysis = builder.analyse(group);
      if (analysis === undefined) return undefined;
      return {
        name,
        cpu: (context) => builder.cpu(analysis, context),
        gpu: (context) => builder.gpu(analysis, context),
      };
    },
  };
}

/** The most elements that a window may have: its taps are written out. */
const largestWindow = 16;

/** Products summed: panels of both operands are reused from fast memory. */
const contraction: Builder<Contraction> = {
  name: "contraction",
  analyse: analyseContraction,
  cpu: contractionOnCpu,
  gpu: contractionGpu,
};

const reductionSize = ({ reduction }: FusionGroup): number =>
  reduction.reduce((product, { extent }) => product * extent, 1);

/** Small reductions of many points, as in pooling: lanes along the points, the taps written out. */
const window: Builder<RowAnalysis> = {
  name: "window",
  analyse(group) {
    if (group.reduction.length === 0 || reductionSize(group) > largestWindow) return undefined;
    const points = group.parallel.reduce((product, { extent }) => product * extent, 1);
    if (points < 4 * reductionSize(group)) return undefined;
    const analysis = analyseRow(group);
    return analysis.passes.length === 1 ? analysis : undefined;
  },
  cpu: (analysis, context) => [writeNest(analysis, context, { unrolled: largestWindow, reductionsMayFill: false })],
  gpu: rowGpu,
};

/** Products summed of which one factor only is reused: matrix times vector, large windows a channel. */
const oneSided: Builder<Contraction> = {
  name: "one-sided contraction",
  analyse: analyseOneSided,
  cpu: plainContraction,
  gpu: ({ group }, context) => rowGpu(analyseRow(shareDear(group)), context),
};

/** Several passes over the reduction indices. */
const row: Builder<RowAnalysis> = {
  name: "row",
  analyse: (group) => (group.reduction.length > 0 ? analyseRow(shareDear(group)) : undefined),
  cpu: (analysis, context) => [writeNest(analysis, context, { unrolled: 4, reductionsMayFill: true })],
  gpu: rowGpu,
};

const pointwise: Builder<RowAnalysis> = {
  name: "pointwise",
  analyse: (group) => (group.reduction.length === 0 ? analyseRow(group) : undefined),
  cpu: (analysis, context) => [writeNest(analysis, context, { unrolled: 1, reductionsMayFill: false })],
  gpu: pointwiseGpu,
};

const candidates: readonly Candidate[] = [
  candidate(contraction),
  candidate(window),
  candidate(oneSided),
  candidate(row),
  candidate(pointwise),
];

/** The first that takes a group. */
export function methodFor(group: FusionGroup): Method | undefined {
  for (const { match } of candidates) {
    const method = match(group);
    if (method !== undefined) return method;
  }
  return undefined;
}

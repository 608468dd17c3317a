/** All ways of computing a contraction on the CPU: as it is written, and through Winograd's transforms. */
import type { Dispatch } from "../../kernel/ir.ts";
import { chooseScheme } from "../choice.ts";
import type { Contraction } from "../contraction/analysis.ts";
import { contractionBy } from "../contraction/cpu.ts";
import { schemesOf } from "../contraction/planner.ts";
import { nameOfScheme } from "../contraction/scheme.ts";
import type { BuildContext } from "../group.ts";
import type { Placed } from "../program.ts";
import { analyseWeightGradient, costOfGradient, gradientBy, planGradient } from "./adjoint.ts";
import { analyseSliding } from "./analysis.ts";
import { costOf } from "./cost.ts";
import { winogradBy } from "./cpu.ts";
import { planOf } from "./plan.ts";

interface Scheme {
  readonly name: string;
  readonly cost: number;
  readonly build: (context: BuildContext) => readonly Dispatch<Placed>[];
}

export function contractionOnCpu(contraction: Contraction, context: BuildContext): readonly Dispatch<Placed>[] {
  const direct = schemesOf(contraction, context).map(
    (scheme): Scheme => ({
      name: nameOfScheme(scheme),
      cost: scheme.cost,
      build: (trial) => contractionBy(scheme, trial),
    }),
  );
  const schemes = [...direct, ...throughTransforms(contraction, context)];
  const ways = {
    schemes,
    nameOf: ({ name }: Scheme) => name,
    build: ({ build }: Scheme, trial: BuildContext) => build(trial),
  };
  return chooseScheme(contraction.group, context, ways).build(context);
}

function throughTransforms(contraction: Contraction, context: BuildContext): Scheme[] {
  if (!context.options.winograd) return [];
  const gradient = analyseWeightGradient(contraction);
  if (gradient !== undefined) {
    const plan = planGradient(gradient);
    return [{ name: "winograd 3x3", cost: costOfGradient(plan), build: (trial) => gradientBy(plan, trial) }];
  }
  const sliding = analyseSliding(contraction, context);
  if (sliding === undefined) return [];
  return ([2, 4] as const).map((size): Scheme => {
    const plan = planOf(sliding, size);
    return {
      name: `winograd ${size}x${size}`,
      cost: costOf(plan, context),
      build: (trial) => winogradBy(plan, trial),
    };
  });
}

/**
 * `npx tsx examples/pinn/table.ts`: trains both networks on their equations alone and holds them against the known solutions.
 */
import { predict } from "../support/predict.ts";
import { isMain, openExample, table } from "../support/program.ts";

const POINTS = 201;
const TIMES = [0.25, 0.5, 0.75, 1];
const STEPS = 4000;
const CONDUCTIVITY = 0.1;
const VISCOSITY = 0.05;

export const heat = (t: number, x: number) => -Math.exp(-CONDUCTIVITY * Math.PI ** 2 * t) * Math.sin(Math.PI * x);

/** By Cole's and Hopf's transform (1950, 1951) u is a quotient of two integrals; the trapezoidal rule does both. */
function burgers(t: number, x: number): number {
  const reach = 8 * Math.sqrt(2 * VISCOSITY * t);
  let [above, below] = [0, 0];
  for (let k = -1000; k <= 1000; k++) {
    const shift = (reach * k) / 1000;
    const y = Math.PI * (x - shift);
    const weight = Math.exp(-Math.cos(y) / (2 * Math.PI * VISCOSITY) - shift ** 2 / (4 * VISCOSITY * t));
    above -= Math.sin(y) * weight;
    below += weight;
  }
  return above / below;
}

/** Lines of the table: at each time, the largest value, and the errors of the network after so many steps. */
export async function lines(
  model: string,
  block: string,
  exact: (t: number, x: number) => number,
  steps: number,
  set: Readonly<Record<string, number>>,
): Promise<string[][]> {
  const options = { blocks: [block], models: [model], batches: [POINTS], set: { ...set, steps } };
  const example = await openExample(import.meta.url, options);
  await example.session.train[block]?.fit(Array.from({ length: steps }, () => ({})));
  const x = Float32Array.from({ length: POINTS }, (_, k) => (2 * k) / (POINTS - 1) - 1);
  const rows: string[][] = [];
  for (const time of TIMES) {
    const inputs = { t: new Float32Array(POINTS).fill(time), x };
    const found = await predict(example.session, model, inputs);
    const truth = Array.from(x, (place) => exact(time, place));
    const apart = truth.map((u, k) => Math.abs(u - (found[k] ?? Number.NaN)));
    const norm = (values: readonly number[]) => Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
    rows.push([
      `${model}, t = ${time}`,
      Math.max(...truth).toFixed(4),
      Math.max(...apart).toExponential(1),
      `${((100 * norm(apart)) / norm(truth)).toFixed(3)}%`,
    ]);
  }
  example.session.dispose();
  return rows;
}

if (isMain(import.meta.url)) {
  const rows = [
    ...(await lines("Heat", "heat", heat, STEPS, { conductivity: CONDUCTIVITY })),
    ...(await lines("Burgers", "burgers", burgers, STEPS, { viscosity: VISCOSITY })),
  ];
  console.log(table(["solution", "largest u", "largest error", "relative error (L2)"], rows));
}

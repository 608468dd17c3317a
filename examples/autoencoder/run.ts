/**
 * Trains both autoencoders on digits and holds them against principal component analysis.
 *
 *     npx tsx examples/autoencoder/run.ts
 */
import { decodeNumbers, readSafetensors } from "../../runtime/safetensors.ts";
import { digits, PIXELS, SIDE } from "../support/digits.ts";
import { type Example, evaluate, isMain, learn, openExample, rowsOf, table, whole } from "../support/program.ts";
import { angle, covariance, eigen, firstColumns, type Matrix } from "./pca.ts";

const CODE = 8;
const HALF = SIDE / 2;
const SMALL = HALF * HALF;

/** Images of 14 x 14, each pixel the mean of four, less the mean image `centre`. */
function small(
  image: Float32Array,
  centre?: Float64Array,
): { readonly data: Float32Array; readonly centre: Float64Array } {
  const count = image.length / PIXELS;
  const data = new Float32Array(count * SMALL);
  const total = new Float64Array(SMALL);
  for (let k = 0; k < count; k++)
    for (let pixel = 0; pixel < SMALL; pixel++) {
      const corner = k * PIXELS + 2 * Math.floor(pixel / HALF) * SIDE + 2 * (pixel % HALF);
      const four = [corner, corner + 1, corner + SIDE, corner + SIDE + 1];
      const mean = four.reduce((sum, at) => sum + (image[at] ?? 0), 0) / 4;
      data[k * SMALL + pixel] = mean;
      total[pixel] = (total[pixel] ?? 0) + mean / count;
    }
  const away = centre ?? total;
  return { data: data.map((value, k) => value - (away[k % SMALL] ?? 0)), centre: away };
}

/** The decoder's matrix: its columns span what the linear autoencoder can say. */
async function decoderOf({ session }: Example): Promise<Matrix> {
  const tensor = readSafetensors(await session.saveWeights()).tensors.get("Linear.decoder.weight");
  if (!tensor) throw new Error("the model has no decoder");
  return { rows: SMALL, columns: CODE, data: Float64Array.from(decodeNumbers(tensor)) };
}

export interface Result {
  /** Between the linear autoencoder's subspace and that of the first principal components, in degrees. */
  readonly angle: number;
  /** The mean squared error a pixel of held-out digits. */
  readonly errors: { readonly components: number; readonly linear: number; readonly convolutional: number };
  readonly parameters: { readonly linear: number; readonly convolutional: number };
}

export async function compare(steps: { readonly linear: number; readonly convolutional: number }): Promise<Result> {
  const { train, held } = digits();
  const { data, centre } = small(train.image);
  const heldOut = small(held.image, centre).data;
  const images = { rows: train.label.length, columns: SMALL, data: Float64Array.from(data) };
  const components = firstColumns(eigen(covariance(images)).vectors, CODE);
  const rows = rowsOf(train.label.length, { image: data });
  const heldRows = rowsOf(held.label.length, { image: heldOut });
  const error = async (block: "linear" | "convolutional") => {
    const example = await openExample(import.meta.url, { set: { steps: steps[block] }, blocks: [block] });
    await learn(example, block, rows, steps[block]);
    const { loss = Number.NaN } = await evaluate(example, block, heldRows);
    const apart = block === "linear" ? angle(components, await decoderOf(example)) : undefined;
    const { parameters } = example.cost(block === "linear" ? "Linear" : "Convolutional");
    example.session.dispose();
    return { loss, apart, parameters };
  };
  const linear = await error("linear");
  const convolutional = await error("convolutional");
  return {
    angle: linear.apart ?? Number.NaN,
    errors: {
      components: unexplained(heldOut, components),
      linear: linear.loss,
      convolutional: convolutional.loss,
    },
    parameters: { linear: linear.parameters, convolutional: convolutional.parameters },
  };
}

/** The mean square of what orthonormal components leave of the rows. */
function unexplained(data: Float32Array, { rows: size, columns, data: components }: Matrix): number {
  let left = 0;
  for (let row = 0; row < data.length; row += size) {
    for (let i = 0; i < size; i++) left += (data[row + i] ?? 0) ** 2;
    for (let j = 0; j < columns; j++) {
      let dot = 0;
      for (let i = 0; i < size; i++) dot += (data[row + i] ?? 0) * (components[i * columns + j] ?? 0);
      left -= dot * dot;
    }
  }
  return left / data.length;
}

if (isMain(import.meta.url)) {
  const { angle: degrees, errors, parameters } = await compare({ linear: 4000, convolutional: 2000 });
  console.log(
    table(
      ["eight numbers an image", "parameters", "squared error a pixel"],
      [
        ["principal components", "", errors.components.toFixed(5)],
        ["linear autoencoder", whole(parameters.linear), errors.linear.toFixed(5)],
        ["convolutional autoencoder", whole(parameters.convolutional), errors.convolutional.toFixed(5)],
      ],
    ),
  );
  console.log(
    `\nThe linear autoencoder's subspace is ${degrees.toFixed(2)} degrees from that of the principal components.`,
  );
}

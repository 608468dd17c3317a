/**
 * Trains the variational autoencoder on digits, tells its bound, and draws digits that nobody wrote.
 *
 *     npx tsx examples/vae/run.ts
 */
import { digits, PIXELS, SIDE } from "../support/digits.ts";
import { evaluate, isMain, learn, openExample, rowsOf, table } from "../support/program.ts";

export interface Bound {
  readonly steps: number;
  /** In nats an image, on what is held out. */
  readonly elbo: number;
  readonly reconstruction: number;
  readonly divergence: number;
}

export interface Trained {
  readonly bounds: readonly Bound[];
  /** Six images that the decoder makes of standard normal codes. */
  readonly drawn: Float32Array;
}

/** Trains in `rounds` parts of as many steps and judges after each, and before the first. */
export async function train(steps: number, rounds: number): Promise<Trained> {
  const { train: known, held } = digits();
  const example = await openExample(import.meta.url, { set: { steps } });
  const rows = rowsOf(known.label.length, { image: known.image });
  const heldRows = rowsOf(held.label.length, { image: held.image });
  const bounds: Bound[] = [];
  for (let round = 0; round <= rounds; round++) {
    if (round > 0) await learn(example, "vae", rows, steps / rounds);
    const { loss = 0, reconstruction = 0, divergence = 0 } = await evaluate(example, "vae", heldRows);
    bounds.push({ steps: (steps * round) / rounds, elbo: -loss, reconstruction, divergence });
  }
  const drawn = (await example.session.call.drawn?.())?.output;
  example.session.dispose();
  if (!(drawn instanceof Float32Array)) throw new Error("`drawn` answers one tensor");
  return { bounds, drawn };
}

/** Images beside each other, one character for two pixels above one another. */
function show(images: Float32Array): string {
  const shades = " .:-=+*#%@";
  const count = images.length / PIXELS;
  const line = (image: number, row: number) =>
    Array.from({ length: SIDE }, (_, column) => {
      const at = image * PIXELS + row * SIDE + column;
      return shades[Math.min(9, Math.floor(5 * ((images[at] ?? 0) + (images[at + SIDE] ?? 0))))];
    }).join("");
  return Array.from({ length: SIDE / 2 }, (_, half) =>
    Array.from({ length: count }, (_, image) => line(image, 2 * half).slice(4, 24))
      .join("")
      .trimEnd(),
  ).join("\n");
}

if (isMain(import.meta.url)) {
  const { bounds, drawn } = await train(3000, 3);
  console.log(
    table(
      ["steps", "evidence lower bound", "reconstruction", "divergence"],
      bounds.map(({ steps, elbo, reconstruction, divergence }) => [
        String(steps),
        ...[elbo, reconstruction, divergence].map((nats) => nats.toFixed(1)),
      ]),
    ),
  );
  console.log(`\n${show(drawn)}`);
}

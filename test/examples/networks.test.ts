/** The scripts of autoencoders, their core on a few steps. */
import { expect, test } from "vitest";
import { compare as autoencoders } from "../../examples/autoencoder/run.ts";
import { train as trainVAE } from "../../examples/vae/run.ts";

test("autoencoder: the linear one's subspace is that of the principal components, within a degree", async () => {
  const { angle, errors } = await autoencoders({ linear: 2000, convolutional: 1 });
  expect(angle).toBeLessThan(1);
  expect(errors.linear).toBeGreaterThan(0.999 * errors.components);
  expect(errors.linear).toBeLessThan(1.001 * errors.components);
});

test("vae: its bound rises, and what it draws are shades", async () => {
  const { bounds, drawn } = await trainVAE(60, 1);
  expect(bounds[1]?.elbo).toBeGreaterThan((bounds[0]?.elbo ?? 0) + 200);
  expect(drawn.length).toBe(6 * 784);
  expect(drawn.every((shade) => shade >= 0 && shade <= 1)).toBe(true);
});

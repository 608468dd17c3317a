/** The scripts of networks beside each other and of generated data, their core on a few steps. */
import { expect, test } from "vitest";
import { compare as pooledAndStrided } from "../../examples/all_convolutional/run.ts";
import { compare as autoencoders } from "../../examples/autoencoder/run.ts";
import { train as playGo } from "../../examples/go/run.ts";
import { compare as separableAndOrdinary } from "../../examples/separable/run.ts";
import { segment } from "../../examples/unet/run.ts";
import { train as trainVAE } from "../../examples/vae/run.ts";

test("all_convolutional: a stride for a pool costs no weight, a convolution for a pool does", async () => {
  const [pooled, strided, all] = await pooledAndStrided(51, 40);
  expect(strided?.parameters).toBe(pooled?.parameters);
  expect(strided?.flops).toBeLessThan(0.6 * (pooled?.flops ?? 0));
  expect((all?.parameters ?? 0) - (pooled?.parameters ?? 0)).toBe(12 * 12 * 9 + 12 + 24 * 24 * 9 + 24);
});

test("separable: a seventh of the weights and of the operations, and it learns", async () => {
  const [separable, ordinary] = await separableAndOrdinary(60, 200);
  expect(separable?.parameters).toBe(18_826);
  expect(ordinary?.parameters).toBe(135_674);
  expect(separable?.flops).toBeLessThan(0.16 * (ordinary?.flops ?? 0));
  expect(separable?.accuracies[0]).toBeGreaterThan(0.3);
});

test("unet: shapes are told apart from the ground", async () => {
  const { scores, found } = await segment(60, 32);
  expect(scores.accuracy).toBeGreaterThan(0.8);
  expect(new Set(found).size).toBeGreaterThan(1);
});

test("autoencoder: the linear one's subspace is that of the principal components, within a degree", async () => {
  const { angle, errors } = await autoencoders({ linear: 4000, convolutional: 1 });
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

test("go: policy and value learn from positions", async () => {
  const { before, after } = await playGo(60, { train: 400, held: 80 });
  expect(after.accuracy).toBeGreaterThan(before.accuracy ?? 1);
  expect(after.points).toBeLessThan(before.points ?? 0);
});

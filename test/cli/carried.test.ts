/** Programs with several models: trained one after the other into one file, and bundled with what a file has. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { readSafetensors } from "../../runtime/safetensors.ts";
import { temporaryFolder } from "../support/folder.ts";
import { dlx } from "../support/terminal.ts";

const { path: folder, write } = temporaryFolder();
const block = (name: string, model: string) => `train ${name}(batch: int = 8)(x: f32[batch, 2], label: i32[batch]) {
  minimize loss = cross_entropy(${model}(x), label) over ${model}.params using momentum(lr: 0.1)
}
`;
const file = write(
  "two.dlx",
  `import nn
import loss
import optim

export model A(x: f32[N, 2]) -> f32[N, 3] = x |> dense(4) |> relu |> dense(3)
model B(x: f32[N, 2]) -> f32[N, 3] = x |> dense(3)

/// Of both.
export fn both(x: f32[2]) -> f32[1, 3] = A(x[_, :]) + B(x[_, :])

${block("a", "A")}
${block("b", "B")}`,
);
const run = async (...parameters: string[]) => {
  const { code, notes } = await dlx([...parameters, "--json"]);
  expect(code, notes).toBe(0);
  return notes;
};
const train = (name: string, out: string, ...more: string[]) =>
  run(
    "train",
    file,
    "--block",
    name,
    "--data",
    "synthetic:spirals,rows=40",
    "--out",
    `${folder}/${out}`,
    "--device",
    "cpu",
    ...more,
  );
const weights = (out: string) => `${folder}/${out}/weights.safetensors`;
const tensors = (out: string) =>
  Object.fromEntries(
    [...readSafetensors(readFileSync(weights(out))).tensors].map(([name, { bytes }]) => [
      name,
      Buffer.from(bytes).toString("hex"),
    ]),
  );
const ofModel = (name: string, out: string) =>
  Object.entries(tensors(out)).filter(([key]) => key.startsWith(`${name}.`));

test("models trained one after the other come into one file, also by way of a checkpoint", async () => {
  await train("a", "a", "--epochs", "1");
  expect(Object.keys(tensors("a")).every((name) => name.startsWith("A."))).toBe(true);
  const notes = await train("b", "ab", "--epochs", "2", "--weights", weights("a"));
  expect(notes).toBe(`B is not in ${weights("a")}: random weights to begin with\n`);
  expect(ofModel("A", "ab")).toEqual(ofModel("A", "a"));
  expect(ofModel("B", "ab")).toHaveLength(2);
  await train("b", "parts", "--limit", "4", "--weights", weights("a"));
  await train("b", "parts", "--epochs", "2", "--resume");
  expect(tensors("parts")).toEqual(tensors("ab"));
  expect(await run("build", file, "--weights", weights("ab"), "--target", "wasm", "--out", `${folder}/whole`)).toBe("");
});

test("a bundle has what the file has weights for", async () => {
  await train("a", "one", "--epochs", "1");
  const notes = await run("build", file, "--weights", weights("one"), "--target", "wasm", "--out", `${folder}/part`);
  expect(notes).toMatch(
    /^B is not in .*weights\.safetensors, and left out, and so are the functions that read it: both\n$/,
  );
  const { entries } = JSON.parse(readFileSync(`${folder}/part/manifest.json`, "utf8"));
  const names = new Set(entries.map(({ of }: { of: string }) => of));
  expect([names.has("A"), names.has("B"), names.has("both")]).toEqual([true, false, false]);
});

/** A small program with an import beside it, for tests of the commands. */
import { join } from "node:path";
import { temporaryFolder } from "./folder.ts";

const text = `import nn
import loss
import optim
import "./scale.dlx"

model Net(x: f32[N, 2]) -> f32[N, 3] = scaled(x) |> dense(8) |> relu |> dense(3)

train net(batch: int = 16, width: int = 3)(x: f32[batch, 2], label: i32[batch], rate: f32 = 0.1) {
  let logits = Net(x)
  minimize loss = cross_entropy(logits, label) over Net.params using momentum(lr: rate)
  metric accuracy = accuracy(logits, label)
}

/// How much each input moves one score.
export fn slope(x: f32[2], class: i32) -> f32[2] = grad(v => Net(v[_, :])[0, class])(x)
`;

export const cpu = ["--device", "cpu"];

/** The program in a folder that lasts as long as the tests of a file: `file` is its path, `at` a path in the folder. */
export function pointsProgram() {
  const { path: folder, write } = temporaryFolder();
  write("scale.dlx", "fn scaled(x: f32[...S]) -> f32[...S] = 2 * x\n");
  return {
    folder,
    write,
    text,
    file: write("net.dlx", text),
    at: (...names: string[]) => join(folder, ...names),
  };
}

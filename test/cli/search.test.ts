/** `dlx train --search`: which settings win, what is kept, and what is refused. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { temporaryFolder } from "../support/folder.ts";
import { dlx } from "../support/terminal.ts";

const { path: folder, write } = temporaryFolder();
const at = (...names: string[]) => join(folder, ...names);

const file = write(
  "net.dlx",
  `import nn
import loss
import optim

model Net(width: int = 8)(x: f32[N, 4]) -> f32[N, 1] = x |> dense(width) |> relu |> dense(1)

train net(batch: int = 16, decay: float = 0)(x: f32[batch, 4], y: f32[batch, 1], rate: f32 = 0.1) {
  let found = Net(x)
  minimize loss = mse(found, y) + decay * l2(Net.params) over Net.params using sgd(lr: rate)
  metric distance = mean(abs(found - y))
}
`,
);
const train = (out: string, more: string[], options = {}) =>
  dlx(
    [
      "train",
      file,
      "--data",
      "synthetic:linear,rows=100",
      "--out",
      at(out),
      "--device",
      "cpu",
      "--folds",
      "3",
      ...more,
    ],
    options,
  );
interface Line {
  kind: string;
  values: Record<string, string>;
  fold: number;
  results: Record<string, number>;
  mean: Record<string, number>;
}
const journal = (out: string): Line[] =>
  readFileSync(at(out, "trials.jsonl"), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
const foldLines = (out: string) => journal(out).filter(({ kind }) => kind === "fold");

const grid = ["--epochs", "6", "--search", "rate=1e-5,0.1,1e9", "--search", "width=2,8"];

describe("a search", () => {
  test("orders its trials by held-out loss, those that diverge last, and trains with the best", async () => {
    const { code, out, notes } = await train("grid", [...grid, "--json"]);
    expect([code, notes]).toEqual([0, ""]);
    const { search, step, heldOut } = JSON.parse(out);
    expect(search.by).toEqual({ metric: "loss", mode: "min" });
    expect(search.trials).toHaveLength(6);
    const sound = search.trials.filter(({ diverged }: { diverged?: string }) => diverged === undefined);
    expect(sound.map(({ values }: Line) => values.rate)).toEqual(["0.1", "0.1", "1e-5", "1e-5"]);
    for (const { mean, spread, folds } of sound) {
      const losses: number[] = folds.map(({ loss }: { loss: number }) => loss);
      const average = losses.reduce((sum, loss) => sum + loss, 0) / 3;
      expect(mean.loss).toBeCloseTo(average, 12);
      expect(spread.loss).toBeCloseTo(Math.hypot(...losses.map((loss) => loss - average)) / Math.sqrt(2), 12);
      expect(mean).toHaveProperty("distance");
    }
    const means = sound.map(({ mean }: Line) => mean.loss);
    expect([...means].sort((a, b) => a - b)).toEqual(means);
    for (const { values, diverged } of search.trials.slice(4)) {
      expect(values.rate).toBe("1e9");
      expect(diverged).toMatch(/is (NaN|infinite)/);
    }
    // The best is trained on all 90 rows that are not held out to the end.
    expect(search.best).toEqual(sound[0].values);
    expect(step).toBe(30);
    expect(heldOut.loss).toBeGreaterThan(0);
    expect(existsSync(at("grid", "weights.safetensors"))).toBe(true);
    expect(journal("grid").map(({ kind }) => kind)).toContain("trial");
    const page = readFileSync(at("grid", "search.html"), "utf8");
    expect(page).toMatch(/<th>rate<th>width<th>loss<th>distance/);
    expect(page).toMatch(/<td>diverged/);
    expect(page).not.toMatch(/src=|href=|https?:/);
  });
  test("a fold is what training on its rows alone gives, whatever was trained before", async () => {
    await train("one", ["--epochs", "6", "--search", "rate=0.1", "--search-only"]);
    const alone = foldLines("one").map(({ results }) => results);
    await train("two", ["--epochs", "6", "--search", "rate=0.2,0.1", "--search-only"]);
    const after = foldLines("two").flatMap(({ values, results }) => (values.rate === "0.1" ? [results] : []));
    expect(after).toEqual(alone);
  });
  test("by another measure, in text", async () => {
    const more = ["--limit", "4", "--search", "rate=0.01..0.3:log", "--trials", "3", "--by", "distance:max"];
    const { code, out, notes } = await train("text", [...more, "--search-only"]);
    expect(code).toBe(0);
    expect(out).toMatch(/^ +rate +loss +distance\n1 +[\d.]+ +[\d.]+ ± [\d.]+ +[\d.]+ ± [\d.]+\n2 /);
    const distances = [...out.matchAll(/([\d.]+) ± [\d.]+$/gm)].map(([, distance]) => Number(distance));
    expect(distances).toEqual([...distances].sort((a, b) => b - a));
    expect(distances).toHaveLength(3);
    expect(notes).toMatch(/^1\/3 rate=[\d.]+: distance [\d.]+ ± [\d.]+\n/);
    expect(notes).toMatch(/Best: --set rate=/);
    expect(existsSync(at("text", "weights.safetensors"))).toBe(false);
  });
  test("goes on where it was stopped, also within a line, and runs nothing twice", async () => {
    const more = ["--limit", "5", "--search", "rate=0.1,0.2", "--search", "decay=0,0.01", "--search-only", "--json"];
    const whole = JSON.parse((await train("whole", more)).out);
    const onInterrupt = (handler: () => void) => {
      handler();
      return () => {};
    };
    const stopped = await train("parts", more, { onInterrupt });
    expect(stopped.code).toBe(0);
    expect(JSON.parse(stopped.out)).toMatchObject({ interrupted: true, search: { trials: [] } });
    expect(stopped.notes).toMatch(/the same command goes on from there/);
    const text = readFileSync(at("whole", "trials.jsonl"), "utf8");
    writeFileSync(at("parts", "trials.jsonl"), text.slice(0, Math.floor(text.length / 2)));
    const rest = JSON.parse((await train("parts", more)).out);
    expect(rest).toEqual(whole);
    expect(foldLines("parts")).toEqual(foldLines("whole"));
    // Another search in the same folder adds to the file.
    await train("parts", [...more, "--seed", "1"]);
    expect(foldLines("parts").slice(0, 12)).toEqual(foldLines("whole"));
    expect(foldLines("parts")).toHaveLength(24);
  });
  test("begins anew when the rows in a file have changed", async () => {
    const more = ["--limit", "2", "--search", "rate=0.1,0.2", "--search-only", "--json"];
    const table = (shift: number) =>
      `a,b,c,d,y\n${Array.from({ length: 40 }, (_, k) => `${k % 2},${(k % 3) / 3},${(k % 5) / 5},${(k % 7) / 7},${k / 40 + shift}`).join("\n")}\n`;
    const again = async (shift: number) => {
      const { code, out } = await train("rows", [...more, "--data", `csv:${write("rows.csv", table(shift))},label=y`]);
      expect(code, out).toBe(0);
      return foldLines("rows").length;
    };
    expect(await again(0)).toBe(6);
    expect(await again(0)).toBe(6);
    expect(await again(1)).toBe(12);
  });
  test("in which all diverge has no best, and fails", async () => {
    const more = ["--epochs", "6", "--search", "rate=1e9,1e10"];
    const { code, out, notes } = await train("lost", more);
    expect([code, notes]).toEqual([1, expect.stringMatching(/error\[E0806\]: every trial diverged/)]);
    expect(out).toMatch(/1e10 +diverged/);
    const json = await train("lost", [...more, "--json"]);
    expect(json.code).toBe(1);
    expect(JSON.parse(json.out)).toMatchObject({ interrupted: false, error: { code: "E0806" } });
    expect(existsSync(at("lost", "weights.safetensors"))).toBe(false);
  });
});

test.each([
  [["--search", "rat=1,2"], "E0615", /nothing of that name to set; did you mean rate\?/],
  [["--search", "x=1,2"], "E0615", /there is width, batch, decay, rate/],
  [["--search", "rate=2..1"], "E0615", /the range is empty/],
  [["--search", "rate=0..1:log"], "E0615", /begins above 0/],
  [["--search", "width=1.5,2"], "E0615", /1\.5 is no whole number/],
  [["--search", "rate=1,2", "--folds", "1"], "E0615", /90 rows to train on, which make 2 to 90 folds/],
  [["--search", "rate=1,2", "--folds", "91"], "E0615", /90 rows to train on/],
  [["--search", "rate=1,2", "--set", "rate=3"], "E0615", /it is set to 3 as well/],
  [["--search", "batch=8,16", "--batch", "4"], "E0615", /it is set to 4 as well/],
  [["--search", "rate=1,2", "--by", "f1"], "E0615", /reports loss, distance/],
  [["--search", "rate=1,2", "--by", "loss:least"], "E0615", /NAME:min or NAME:max/],
  [["--search", "rate=1,2", "--resume"], "usage", /goes on by itself/],
  [["--search", "rate=1,2", "--plateau", "rate"], "usage", /--plateau is for one training/],
  [[], "usage", /--folds belongs to a search/],
])("%j is refused", async (more, expected, message) => {
  const { code, out } = await train("refused", [...more, "--json"]);
  expect(JSON.parse(out).error).toEqual({ code: expected, message: expect.stringMatching(message) });
  expect(code).toBe(2);
  expect(existsSync(at("refused", "weights.safetensors"))).toBe(false);
});

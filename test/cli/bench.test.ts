import { expect, test } from "vitest";
import { temporaryFolder } from "../support/folder.ts";
import { dlx } from "../support/terminal.ts";

const { write } = temporaryFolder();
const file = write(
  "net.dlx",
  `import nn
import loss
import optim

model Net(x: f32[N, 16]) -> f32[N, 3] = x |> dense(3)

train net(batch: int = 16)(x: f32[batch, 16], label: i32[batch]) {
  minimize loss = cross_entropy(Net(x), label) over Net.params using sgd(lr: 0.1)
}

/// A repeat of kernels.
export fn decay(x: f32[32, 5]) -> f32[5] {
  let (last, _) = scan(zeros([5]), x, (h, a) => (0.5 * h + a, h), axis: 0)
  last
}
`,
);

test("a table for each entry: kernels with their lines, and the whole", async () => {
  const { code, out, notes } = await dlx(["bench", file]);
  expect({ code, notes }).toEqual({ code: 0, notes: "" });
  const entries = [...out.matchAll(/^(\S+)\n\nkernel +ms +share +GFLOP\/s +GB\/s +of peak +line\n/gm)];
  expect(entries.map(([, name]) => name)).toEqual(["Net@1", "net.step", "decay"]);
  expect(out).toMatch(/ \d+\.\d{3} +\d+% +[\d.]+ +[\d.]+ +\d+% +\S*net\.dlx:\d+\n/);
  expect(out.match(/^the whole .* a second$/gm)).toHaveLength(3);
  expect(out).toMatch(/One thread, .*measured peak here is [\d.]+ GFLOP\/s a thread\.\n$/);
});

test("--threads: the same kernels and work", async () => {
  const profiled = async (threads: number) => {
    const { out } = await dlx(["bench", file, "--threads", String(threads), "--model", "Net", "--json"]);
    return JSON.parse(out);
  };
  const [one, two] = [await profiled(1), await profiled(2)];
  expect([one.threads, two.threads]).toEqual([1, 2]);
  const work = ({ entries }: { entries: { kernels: { label: string; flops: number; milliseconds: number }[] }[] }) =>
    entries.map(({ kernels }) => kernels.map(({ label, flops }) => ({ label, flops })));
  expect(work(two)).toEqual(work(one));
  const { out } = await dlx(["bench", file, "--threads", "2", "--model", "Net"]);
  expect(out).toMatch(/\n2 threads, /);
});

test("--json has the same, and what was counted", async () => {
  const { code, out } = await dlx(["bench", file, "--model", "Net", "--batch", "4", "--plain", "--json"]);
  expect(code).toBe(0);
  const { instructions, peakGflopsPerSecond, entries } = JSON.parse(out);
  expect(instructions).toBe("simd128");
  expect(peakGflopsPerSecond).toBeGreaterThan(0);
  expect(entries).toHaveLength(1);
  const [{ entry, kernels, flops, milliseconds, callsPerSecond }] = entries;
  expect(entry).toBe("Net@4");
  expect(callsPerSecond).toBeCloseTo(1000 / milliseconds, 3);
  // A product with its bias; the sums of lanes at the end of rows come on top.
  expect(flops).toBeGreaterThanOrEqual(4 * 3 * (2 * 16 + 1));
  expect(flops).toBeLessThan(2 * 4 * 3 * (2 * 16 + 1));
  for (const kernel of kernels) {
    expect(kernel).toMatchObject({ file, line: expect.any(Number), label: expect.any(String) });
    for (const rate of ["gflopsPerSecond", "gigabytesPerSecond", "ofPeak"])
      expect(kernel[rate]).toBeGreaterThanOrEqual(0);
  }
});

test.each([
  [["--model", "Other"], /there is no model Other/],
  [["--block", "other"], /there is no train block other; there is net/],
  [["--block", "net", "--model", "Net"], /one of them/],
  [["--batch", "0"], /Expected a whole number from 1/],
])("%j is wrong usage", async (flags, message) => {
  const { code, out, notes } = await dlx(["bench", file, ...flags]);
  expect({ code, out }).toEqual({ code: 2, out: "" });
  expect(notes).toMatch(message);
});

import fc from "fast-check";
import { expect, test } from "vitest";
import { interpretKernel } from "../../../compiler/kernel/interpret.ts";
import { printKernel } from "../../../compiler/kernel/print.ts";
import { shareExpressions } from "../../../compiler/kernel/share.ts";
import { verifyKernel } from "../../../compiler/kernel/verify.ts";
import { randomKernel, randomMemory } from "../../kernel/random-kernel.ts";
import { runWasm } from "./run.ts";

const numRuns = process.env.DLX_DEEP ? 5000 : 120;
const seeds = fc.record({ seed: fc.integer({ min: 0, max: 2 ** 31 - 1 }), scalar: fc.integer({ min: 0, max: 5 }) });

test("random kernels compute in WebAssembly what the interpreter computes", async () => {
  await fc.assert(
    fc.asyncProperty(seeds, async ({ seed, scalar }) => {
      const kernel = randomKernel(seed);
      verifyKernel(kernel);
      const memory = randomMemory(kernel, seed);
      const got = await runWasm(kernel, memory, [scalar]);
      interpretKernel(kernel, memory, [scalar]);
      try {
        for (const [k, want] of memory.entries()) expect(got[k]).toEqual(want);
      } catch (error) {
        throw new Error(`${printKernel(kernel)}\n${error}`);
      }
    }),
    { numRuns, endOnFailure: true },
  );
});

test("sharing subexpressions changes nothing", () => {
  fc.assert(
    fc.property(seeds, ({ seed, scalar }) => {
      const kernel = randomKernel(seed);
      const shared = shareExpressions(kernel);
      verifyKernel(shared);
      const [plain, other] = [randomMemory(kernel, seed), randomMemory(kernel, seed)];
      interpretKernel(kernel, plain, [scalar]);
      interpretKernel(shared, other, [scalar]);
      expect(other).toEqual(plain);
    }),
    { numRuns, endOnFailure: true },
  );
});

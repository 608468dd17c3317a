import { defineConfig } from "vitest/config";
import { graphicsEnvironment } from "./test/support/graphics.ts";
import { SlowFirst } from "./test/support/sequence.ts";

export default defineConfig({
  test: {
    setupFiles: ["test/setup.ts"],
    include: ["test/**/*.test.ts"],
    exclude: ["test/bench/**", "node_modules/**"],
    // No test is about time, and cores may be busy.
    testTimeout: 600_000,
    hookTimeout: 600_000,
    maxWorkers: 2,
    sequence: { sequencer: SlowFirst },
    // Forked processes, not threads: LD_LIBRARY_PATH counts only when it is set before a process starts.
    pool: "forks",
    // A file finds the compiler loaded, and optimised, by those that this process ran before: it leaves globals as they were.
    isolate: false,
    env: graphicsEnvironment(),
  },
});

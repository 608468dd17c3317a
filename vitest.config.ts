import { defineConfig } from "vitest/config";
import { graphicsEnvironment } from "./test/support/graphics.ts";

export default defineConfig({
  test: {
    setupFiles: ["test/setup.ts"],
    include: ["test/**/*.test.ts"],
    exclude: ["test/bench/**", "node_modules/**"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
    // Forked processes, not threads: LD_LIBRARY_PATH counts only when it is set before a process starts.
    pool: "forks",
    // A file finds the compiler loaded, and optimised, by those that this process ran before: it leaves globals as they were.
    isolate: false,
    env: graphicsEnvironment(),
  },
});

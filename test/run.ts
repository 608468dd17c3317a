/**
 * `npm test [-- vitest arguments]`: runs vitest with the graphics driver in its environment and ends with one line of
 * counts. What cannot run on this platform is said aloud; with CI=true a skipped test is a failure, because there a
 * green run must mean that everything ran.
 */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { graphicsEnvironment, unsupportedReason } from "./support/graphics.ts";

interface JsonReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly assertionResults: readonly { readonly fullName: string; readonly status: string }[];
  }[];
}

const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const folder = mkdtempSync(join(tmpdir(), "dlx-test-"));
const reportFile = join(folder, "report.json");
const strict = process.env.CI === "true" || process.env.CI === "1";

const code = await new Promise<number>((done) => {
  const child = spawn(
    process.execPath,
    [
      join(root, "node_modules/vitest/vitest.mjs"),
      "run",
      "--reporter=default",
      "--reporter=json",
      `--outputFile=${reportFile}`,
      ...process.argv.slice(2),
    ],
    { cwd: root, stdio: "inherit", env: { ...process.env, ...graphicsEnvironment() } },
  );
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => child.kill(signal));
  child.on("error", (error) => {
    console.error(error.message);
    done(1);
  });
  child.on("exit", (status) => done(status ?? 1));
});

const report = existsSync(reportFile) ? (JSON.parse(readFileSync(reportFile, "utf8")) as JsonReport) : undefined;
rmSync(folder, { recursive: true, force: true });
if (!report) {
  console.error("vitest wrote no report");
  process.exit(code || 1);
}

const skipped = report.numPendingTests + report.numTodoTests;
if (skipped > 0) {
  const reason = unsupportedReason();
  console.log(`\nSKIPPED ${skipped} tests${reason ? ` (no WebGPU and no browser: ${reason})` : ""}:`);
  for (const file of report.testResults) {
    for (const test of file.assertionResults) {
      if (test.status !== "passed" && test.status !== "failed")
        console.log(`  ${file.name.slice(root.length + 1)}: ${test.fullName}`);
    }
  }
}
const brokenFiles = report.testResults.filter(
  (file) => file.status === "failed" && !file.assertionResults.some((test) => test.status === "failed"),
);
for (const file of brokenFiles) console.log(`BROKEN ${file.name.slice(root.length + 1)}: the file itself failed`);
const failed = report.numFailedTests + brokenFiles.length;
console.log(`${report.numPassedTests} passed, ${failed} failed, ${skipped} skipped`);
const skipsFail = strict && skipped > 0;
if (skipsFail) console.log("CI is set: a skipped test counts as a failure");
process.exit(code !== 0 || failed > 0 || skipsFail ? code || 1 : 0);

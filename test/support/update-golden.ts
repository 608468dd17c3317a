/** `npm run golden [-- --update]`: runs the tests that compare with golden texts, or rewrites the texts. */
import { spawnSync } from "node:child_process";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
const update = process.argv.includes("--update");
const { status } = spawnSync(process.execPath, ["node_modules/vitest/vitest.mjs", "run", "golden"], {
  cwd: root,
  stdio: "inherit",
  env: { ...process.env, ...(update && { DLX_UPDATE_GOLDEN: "1" }) },
});
process.exitCode = status ?? 1;

/**
 * How long commands take from the prompt on: `check`, `build` and `build --train` of the examples, each a process of its
 * own, rounds interleaved, medians. Processor time is that of the command's process; it says more than the clock where
 * other programs run beside.
 *
 *     npm run bench:commands
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROUNDS = Number(process.env.ROUNDS ?? 5);
const root = fileURLToPath(new URL("../..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "dlx-bench-"));
const usage = join(folder, "usage.json");

/** Loaded into the command's process: writes down its processor time when it ends. */
const meter = `import{writeFileSync}from"node:fs";process.on("exit",()=>writeFileSync(process.env.DLX_USAGE,JSON.stringify(process.cpuUsage())))`;

interface Sample {
  readonly wall: number;
  readonly user: number;
}

function run(parameters: readonly string[]): Sample {
  const before = performance.now();
  const { status, stderr } = spawnSync(
    process.execPath,
    [`--import=data:text/javascript,${encodeURIComponent(meter)}`, join(root, "compiler/cli/dlx.mjs"), ...parameters],
    { cwd: root, env: { ...process.env, DLX_USAGE: usage }, encoding: "utf8" },
  );
  const wall = performance.now() - before;
  if (status !== 0) throw new Error(`dlx ${parameters.join(" ")} ended with ${status}: ${stderr}`);
  const { user }: NodeJS.CpuUsage = JSON.parse(readFileSync(usage, "utf8"));
  return { wall, user: user / 1000 };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? 0;
}

const commands = ["lenet", "spirals", "resnet20"].flatMap((example) => {
  const file = `examples/${example}/model.dlx`;
  return [`check ${file}`, `build ${file} --out OUT`, `build ${file} --train --out OUT`];
});

try {
  const built = spawnSync(process.execPath, [join(root, "compiler/cli/build.mjs")], { encoding: "utf8" });
  if (built.status !== 0) throw new Error(`the command line does not build: ${built.stderr}`);
  const samples = commands.map((): Sample[] => []);
  for (let round = 0; round < ROUNDS; round++)
    for (const [k, command] of commands.entries())
      samples[k]?.push(run(command.split(" ").map((word) => (word === "OUT" ? join(folder, "out") : word))));
  console.log(`Node ${process.version}, ${ROUNDS} runs, milliseconds\n`);
  console.log("| command | median | least | processor |\n|---|---:|---:|---:|");
  for (const [k, command] of commands.entries()) {
    const walls = (samples[k] ?? []).map(({ wall }) => wall);
    const users = (samples[k] ?? []).map(({ user }) => user);
    const numbers = [median(walls), Math.min(...walls), median(users)].map((value) => value.toFixed(0));
    console.log(`| \`dlx ${command}\` | ${numbers.join(" | ")} |`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

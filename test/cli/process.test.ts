/** The built command line as a process: exit codes, and signals in the middle of training. */
import { spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, test } from "vitest";
import { cpu, pointsProgram } from "../support/points-program.ts";
import { dlx } from "../support/terminal.ts";

const { folder, file, at } = pointsProgram();

describe("as a process of its own", () => {
  const dist = resolve(".cache", "cli-test");
  const launcher = at("dlx.mjs");
  spawnSync(process.execPath, ["compiler/cli/build.mjs", dist], { stdio: "inherit" });
  writeFileSync(
    launcher,
    `import { start } from ${JSON.stringify(pathToFileURL(join(dist, "cli.js")).href)}; await start();`,
  );

  test("the built program has the library in it, and its exit code is the command's", () => {
    const run = (...parameters: string[]) =>
      spawnSync(process.execPath, [launcher, ...parameters], { cwd: folder, encoding: "utf8" });
    expect(run("check", "net.dlx")).toMatchObject({ status: 0, stdout: "", stderr: "no errors in 1 file\n" });
    expect(run("check", "none.dlx")).toMatchObject({ status: 1 });
    expect(run("chekc").status).toBe(2);
  });
  test.each(["SIGINT", "SIGTERM"] as const)(
    "%s finishes the step, and --resume continues bit for bit",
    async (signal) => {
      // One long epoch: nothing but the loop itself gives the signal a chance.
      const rows = "synthetic:spirals,rows=100000";
      const train = [
        "train",
        "net.dlx",
        "--data",
        rows,
        "--limit",
        "5000",
        "--device",
        "cpu",
        "--out",
        at(`signal-${signal}`),
      ];
      const child = spawn(process.execPath, [launcher, ...train], { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
      let notes = "";
      child.stderr.on("data", (text) => {
        notes += text;
      });
      const ended = new Promise<number | null>((done) => child.on("exit", done));
      // A checkpoint is written before the first step.
      while (child.exitCode === null && !existsSync(at(`signal-${signal}`, "checkpoint.safetensors")))
        await new Promise((done) => setTimeout(done, 5));
      await new Promise((done) => setTimeout(done, 50));
      child.kill(signal);
      expect(await ended).toBe(0);
      expect(notes).toMatch(/Stopping after this step \.\.\nStopped after step \d+; .* --resume\./);
      const step = Number(/after step (\d+)/.exec(notes)?.[1]);
      expect(step).toBeLessThan(5000);
      if (signal === "SIGTERM") return;
      const rest = ["--data", rows, "--limit", String(step + 30), ...cpu];
      await dlx(["train", file, ...rest, "--resume", "--out", at(`signal-${signal}`)]);
      await dlx(["train", file, ...rest, "--out", at("unbroken")]);
      const bytes = (out: string) => readFileSync(at(out, "weights.safetensors"));
      expect(bytes(`signal-${signal}`).equals(bytes("unbroken"))).toBe(true);
    },
  );
});

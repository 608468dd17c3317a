#!/usr/bin/env node
// The launcher: npm links it before anything is built, so it must say what to do where there is nothing to load yet.
import { existsSync } from "node:fs";
import module from "node:module";
import v8 from "node:v8";

const program = new URL("../../dist/cli.js", import.meta.url);
if (existsSync(program)) {
  // A command lives for seconds: the optimising compiler would take up to half of its processor time and give little back.
  // What runs for long is optimised as ever, only later. V8 renames its flags and complains of those it does not know.
  const patience = { 20: "--interrupt-budget=1500000", 22: "--invocation-count-for-turbofan=30000" };
  const flag = patience[process.versions.node.split(".")[0]];
  if (flag) v8.setFlagsFromString(flag);
  module.enableCompileCache?.();
  const { start } = await import(program.href);
  await start();
} else {
  process.stderr.write("dlx is not built here: run `npm ci`, or `node compiler/cli/build.mjs`.\n");
  process.exitCode = 2;
}

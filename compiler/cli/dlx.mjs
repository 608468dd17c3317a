#!/usr/bin/env node
// The launcher: npm links it before anything is built, so it must say what to do where there is nothing to load yet.
import { existsSync } from "node:fs";
import module from "node:module";
import v8 from "node:v8";

const program = new URL("../../dist/cli.js", import.meta.url);
if (existsSync(program)) {
  // A command lives for seconds: Node 20's optimising compiler would take half of its processor time and give little back.
  // What runs for long is optimised as ever, only later. V8 names its flags anew from version to version.
  if (process.version.startsWith("v20.")) v8.setFlagsFromString("--interrupt-budget=1500000");
  module.enableCompileCache?.();
  const { start } = await import(program.href);
  await start();
} else {
  process.stderr.write("dlx is not built here: run `npm ci`, or `node compiler/cli/build.mjs`.\n");
  process.exitCode = 2;
}

#!/usr/bin/env node
// The launcher: npm links it before anything is built, so it must say what to do where there is nothing to load yet.
import { existsSync } from "node:fs";
import module from "node:module";

const program = new URL("../../dist/cli.js", import.meta.url);
if (existsSync(program)) {
  module.enableCompileCache?.();
  const { start } = await import(program.href);
  await start();
} else {
  process.stderr.write("dlx is not built here: run `npm ci`, or `node compiler/cli/build.mjs`.\n");
  process.exitCode = 2;
}

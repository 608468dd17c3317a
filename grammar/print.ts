import type { Module } from "./ast.ts";
export function print(module: Module): string {
  return JSON.stringify(module);
}

import { invariant } from "../invariant.ts";
import type { Values } from "./diagnostic.ts";

/** `{name}` is a value, `{name?}` one that may be missing; any other brace is a brace. */
const PLACE = /\{([a-z][A-Za-z0-9]*)(\??)\}/g;

/** The values that a template mentions, each with whether it may be missing, in order of appearance. */
export function placesOf(template: string): ReadonlyMap<string, boolean> {
  const places = new Map<string, boolean>();
  for (const [, name, mark] of template.matchAll(PLACE)) {
    if (name !== undefined) places.set(name, (places.get(name) ?? true) && mark === "?");
  }
  return places;
}

/** Whether all values that a template mentions are known. */
export function isComplete(template: string, values: Values): boolean {
  return [...placesOf(template).keys()].every((name) => values[name] !== undefined);
}

/** The template with its values put in; a missing optional value leaves nothing. */
export function fill(template: string, values: Values): string {
  return template.replace(PLACE, (_, name: string, mark: string) => {
    const value = values[name];
    invariant(value !== undefined || mark === "?", `the template "${template}" lacks a value for ${name}`);
    return value === undefined ? "" : String(value);
  });
}

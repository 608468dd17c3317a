import type { TargetPlan } from "./plan.ts";

export function decodeBase64(text: string): Uint8Array<ArrayBuffer> {
  const binary = atob(text);
  return Uint8Array.from({ length: binary.length }, (_, k) => binary.charCodeAt(k));
}

/** The bytes of a constant of a plan: a single element stands for as many as fill its place. */
export function constantBytes({ at, data }: TargetPlan["constants"][number]): Uint8Array<ArrayBuffer> {
  const given = decodeBase64(data);
  if (given.length >= at.bytes) return given;
  const [element = 0] = new Uint32Array(given.buffer);
  return new Uint8Array(new Uint32Array(at.bytes / 4).fill(element).buffer);
}

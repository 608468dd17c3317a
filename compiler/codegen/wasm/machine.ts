/**
 * Functions on their way to bytes: structured statements over locals, values that are instructions, and addresses whose
 * constant part is an immediate of the access.
 */
import { unusedBytes } from "../../../runtime/plan.ts";
import type { Slot } from "./instructions.ts";

/** A local variable or parameter. Identity is the object. */
export interface Local {
  readonly slot: Slot;
  readonly hint: string;
}

/**
 * Accesses that share the variable part of their address. The pointer holds the lowest of their constants, the others'
 * distance from it is an immediate; it stays below `windowSize`, so that no pointer falls under address 0.
 */
export interface Window {
  low: number;
  high: number;
}
/** Immediates are smaller than the unused memory at address 0 is large. */
export const windowSize = unusedBytes;

export interface Address {
  readonly pointer: Value;
  readonly window: Window;
  /** In bytes. The immediate is `constant - window.low`. */
  readonly constant: number;
}

export type Value =
  | { readonly kind: "number"; readonly slot: "i32" | "f32"; readonly value: number }
  /** Four 32-bit patterns. */
  | { readonly kind: "lanes"; readonly slot: "v128"; readonly bits: readonly [number, number, number, number] }
  | { readonly kind: "get"; readonly slot: Slot; readonly local: Local }
  /** Which thread this is. */
  | { readonly kind: "global"; readonly slot: "i32"; readonly name: "thread" }
  /** `base + window.low`, where the window may still grow. */
  | { readonly kind: "lowest"; readonly slot: "i32"; readonly base: Value | undefined; readonly window: Window }
  | {
      readonly kind: "operation";
      readonly slot: Slot;
      readonly code: string;
      readonly arguments: readonly Value[];
      /** Lane numbers, shuffle bytes. */
      readonly immediates: readonly number[];
      /** For loads: the argument before the others is this address. */
      readonly address: Address | undefined;
    };

export type Code = Set | Store | Loop | Branch | Call | Barrier | Claims;

export interface Set {
  readonly kind: "set";
  readonly local: Local;
  readonly value: Value;
}
export interface Store {
  readonly kind: "store";
  readonly code: string;
  readonly address: Address;
  readonly value: Value;
  readonly immediates: readonly number[];
}
/** `counter = from; while (counter < to) { body; counter += step; pointers += their steps }` */
export interface Loop {
  readonly kind: "loop";
  readonly counter: Local;
  readonly from: Value;
  readonly to: Value;
  readonly step: number;
  /** How often it runs, where that is a value. */
  readonly trips?: Value;
  readonly pointers: readonly { readonly local: Local; readonly step: Value }[];
  readonly body: readonly Code[];
  /** How many loops are nested in it, at the deepest. */
  readonly height: number;
}
export interface Branch {
  readonly kind: "branch";
  readonly condition: Value;
  readonly yes: readonly Code[];
  readonly no: readonly Code[];
}
export interface Call {
  readonly kind: "call";
  readonly callee: MachineFunction;
  readonly arguments: readonly Value[];
}

/** Threads wait for each other. */
export interface Barrier {
  readonly kind: "barrier";
}
/** Of `count` iterations that threads share, one range after another that this thread takes: `trips` from `first` on. */
export interface Claims {
  readonly kind: "claims";
  readonly count: Value;
  readonly first: Local;
  readonly trips: Local;
  readonly body: readonly Code[];
}

export interface MachineFunction {
  readonly name: string;
  /** All threads call it; otherwise one does. */
  readonly split?: boolean;
  readonly parameters: readonly Local[];
  readonly body: readonly Code[];
}

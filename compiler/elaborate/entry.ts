/** One graph under elaboration. */
import type { Graph, Origin, OutputRole } from "../graph/graph.ts";
import { constant } from "../types/dims.ts";
import type { Entry } from "./context.ts";
import type { Handle } from "./element.ts";
import { GraphDomain } from "./graph-domain.ts";
import { handle, ShapesDomain } from "./shapes-domain.ts";
import { stored } from "./tensors.ts";
import type { Slot, TensorValue } from "./values.ts";

export class GraphEntry implements Entry {
  readonly domain = new GraphDomain();
  readonly kind: Entry["kind"];
  readonly current = new Map<Slot, TensorValue>();
  readonly history = new Map<Slot, TensorValue[]>();
  /** The train block whose steps are counted. */
  readonly block: string | undefined;
  readonly inputs = new Map<Slot, Handle>();
  #seed: Handle | undefined;
  #step: Handle | undefined;
  readonly #outputs: { handle: Handle; role: OutputRole; path: string }[] = [];

  constructor(kind: Entry["kind"], block?: string) {
    this.kind = kind;
    this.block = block;
  }
  slotInput(slot: Slot): TensorValue {
    const input = this.domain.input(slot.path, slot.dtype, slot.shape, slot.role, slot.path);
    this.inputs.set(slot, input);
    return stored(input);
  }
  seed(): Handle {
    this.#seed ??= this.domain.input("seed", "u32", [constant(2)], "seed", "seed");
    return this.#seed;
  }
  get usesSeed(): boolean {
    return this.#seed !== undefined;
  }
  step(): Handle | undefined {
    if (this.block === undefined || this.kind === "initialize") return undefined;
    this.#step ??= this.domain.input("step", "i32", [], "step", `${this.block}.step`);
    return this.#step;
  }
  output(value: Handle, role: OutputRole, path: string): void {
    this.#outputs.push({ handle: value, role, path });
  }
  get outputs(): readonly { readonly handle: Handle; readonly role: OutputRole; readonly path: string }[] {
    return this.#outputs;
  }
  finish(): Graph {
    return this.domain.finish(this.#outputs);
  }
}

/** Checking: shapes alone. */
export class ShapesEntry implements Entry {
  readonly domain: ShapesDomain;
  readonly kind: Entry["kind"];
  readonly current = new Map<Slot, TensorValue>();
  readonly history = new Map<Slot, TensorValue[]>();
  readonly #counted: boolean;
  constructor(kind: Entry["kind"], counted: boolean, origin: () => Origin | undefined) {
    this.kind = kind;
    this.domain = new ShapesDomain(kind === "initialize", origin);
    this.#counted = counted;
  }
  slotInput(slot: Slot): TensorValue {
    return stored(handle(slot.dtype, slot.shape, slot.path));
  }
  seed(): Handle {
    return handle("u32", [constant(2)]);
  }
  step(): Handle | undefined {
    return this.#counted ? handle("i32", []) : undefined;
  }
}

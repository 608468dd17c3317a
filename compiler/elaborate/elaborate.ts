/** From modules to a program: every entry that the host can run, as a graph in normal form. */
import type { Declaration, FunctionDeclaration, ModelDeclaration, TwoListDeclaration } from "../../grammar/ast.ts";
import type { InputSlot, PersistentSlot } from "../../runtime/plan.ts";
import type { Diagnostic } from "../diagnostics/index.ts";
import type { Graph } from "../graph/graph.ts";
import { constant } from "../types/dims.ts";
import { concreteShape } from "../types/shape.ts";
import { finishResult, prepareWhere, runWhere } from "./arguments.ts";
import { inputBounds } from "./bounds.ts";
import { configure, scopeOfInstance } from "./configuration.ts";
import { AlreadyReported, Failure, placeOf, type Setting } from "./context.ts";
import { GraphEntry } from "./entry.ts";
import { applyInstance } from "./layers.ts";
import { type Linked, link } from "./link.ts";
import { Evaluator } from "./machine.ts";
import type { Loaded } from "./modules.ts";
import type { Program, ProgramEntry } from "./program.ts";
import { addOutput, firstDimension, graphInputs, resultOutputs, type SizeOf } from "./signature.ts";
import { Slots } from "./slots.ts";
import { handleOf, stored } from "./tensors.ts";
import { splitTotals } from "./totals.ts";
import { ownInstance, runMetric, runMinimize, type TrainRun } from "./train.ts";
import { type Instance, type Place, Scope, type Slot, type Value } from "./values.ts";

export interface ElaborateOptions {
  /** Configuration of train blocks by name; texts are read as literals. */
  readonly set?: Readonly<Record<string, Setting>>;
  /** Values of the batch that models are built for; 1 is always among them. */
  readonly batches?: readonly number[];
  /** Values of other open dimensions. */
  readonly sizes?: Readonly<Record<string, number>>;
  /** Models to build, "main": the main one, if there is one; default all of the file. */
  readonly models?: readonly string[] | "main";
  /** Train blocks to build; default all of the file. */
  readonly blocks?: readonly string[];
  /** The `export fn`s to build; default all of the file. */
  readonly calls?: readonly string[];
  /** Whether train blocks' steps are built beside their evaluations; default true. */
  readonly steps?: boolean;
}
export interface Elaborated {
  /** Undefined where something is wrong. */
  readonly program: Program | undefined;
  readonly diagnostics: readonly Diagnostic[];
}

export function elaborate(loaded: Loaded, options: ElaborateOptions = {}): Elaborated {
  return new Elaboration(loaded, options).run();
}

class Elaboration {
  readonly #loaded: Loaded;
  readonly #options: ElaborateOptions;
  readonly #diagnostics: Diagnostic[] = [];
  readonly #evaluator: Evaluator;
  readonly #linked: Linked;
  readonly #initial = new GraphEntry("initialize");
  readonly #blockInitials = new Map<string, GraphEntry>();
  readonly #entries: ProgramEntry[] = [];
  #usesSeed = false;

  constructor(loaded: Loaded, options: ElaborateOptions) {
    this.#loaded = loaded;
    this.#options = options;
    const slots = new Slots();
    slots.entries = {
      layers: this.#initial,
      block: (name) => {
        const entry = this.#blockInitials.get(name) ?? new GraphEntry("initialize", name);
        this.#blockInitials.set(name, entry);
        return entry;
      },
    };
    const build = (_: Evaluator, instance: Instance) => this.#build(instance);
    this.#evaluator = new Evaluator(new GraphEntry("check"), build, slots, options.set);
    this.#linked = link(loaded, this.#evaluator);
  }

  run(): Elaborated {
    const declarations = this.#loaded.root.files.flatMap((file) =>
      file.declarations.map((declaration) => ({ declaration, file })),
    );
    const wanted = (names: readonly string[] | undefined, { name }: Declaration) => names?.includes(name.text) ?? true;
    const models = declarations.flatMap(({ declaration }) => (declaration.kind === "model" ? [declaration] : []));
    const named = this.#options.models;
    const main = mainModel(named === "main" ? models : models.filter((declaration) => wanted(named, declaration)));
    const asked = named !== "main" ? named : main === undefined ? [] : [main];
    for (const declaration of models) this.#attempt(() => this.#model(declaration, wanted(asked, declaration)));
    for (const { declaration, file } of declarations) {
      const scope = this.#linked.scopeOf(file);
      if (declaration.kind === "fn" && declaration.exported && wanted(this.#options.calls, declaration))
        this.#attempt(() => this.#call(declaration, scope));
      else if (declaration.kind === "train" && wanted(this.#options.blocks, declaration))
        this.#attempt(() => this.#train(declaration, scope));
    }
    this.#initialEntries();
    const diagnostics = [...this.#diagnostics, ...this.#evaluator.warnings];
    const failed = diagnostics.some(({ severity }) => severity === "error");
    return { program: failed ? undefined : this.#program(main), diagnostics };
  }

  #attempt(run: () => void): void {
    this.#evaluator.restart();
    try {
      run();
    } catch (error) {
      if (error instanceof Failure) this.#report(error.diagnostic);
      else if (error instanceof RangeError) this.#deep(this.#evaluator.deepest, error);
      else if (!(error instanceof AlreadyReported)) throw error;
    }
  }
  #report(diagnostic: Diagnostic): void {
    const same = (one: Diagnostic) =>
      one.code === diagnostic.code && one.source === diagnostic.source && one.span.start === diagnostic.span.start;
    if (!this.#diagnostics.some(same)) this.#diagnostics.push(diagnostic);
  }
  /** The stack of the machine that compiles ended before our own limit. */
  #deep(place: Place | undefined, error: RangeError): void {
    if (!place) throw error;
    this.#attempt(() => this.#evaluator.raise("E0510", place, { limit: "the compiler's stack" }));
  }
  // ---- Models ---------------------------------------------------------------------------------------------------------------

  /** Sizes by name; the batch is the open first dimension of the first input. */
  #sizes(batch: number, batchName: string | undefined, what: string): SizeOf {
    return (name, place) => {
      const given = this.#options.sizes?.[name] ?? (name === batchName ? batch : undefined);
      return constant(given ?? this.#evaluator.raise("E0318", place, { name, what }));
    };
  }

  /** Applies a model once in a graph that is thrown away, so that its instances and parameters exist. */
  #build(instance: Instance): void {
    const { declaration } = instance;
    if (declaration.kind !== "model") return;
    const entry = new GraphEntry("predict");
    this.#evaluator.inEntry(entry, () => {
      const configured = scopeOfInstance(this.#evaluator, instance);
      const scope = new Scope(configured.source, configured);
      prepareWhere(declaration, scope, this.#evaluator);
      this.#applyModel(
        entry,
        instance,
        declaration,
        scope,
        this.#sizes(1, batchName(declaration), declaration.name.text),
      );
    });
  }

  /** The values of the batch that something is built for. */
  #batches(name: string | undefined): readonly number[] {
    const given = name === undefined ? 1 : this.#options.sizes?.[name];
    return given === undefined ? [...new Set([1, ...(this.#options.batches ?? [])])] : [given];
  }

  #applyModel(
    entry: GraphEntry,
    instance: Instance,
    declaration: ModelDeclaration,
    scope: Scope,
    sizeOf: SizeOf,
  ): { inputs: InputSlot[]; result: Value } {
    const { parameters } = declaration;
    const inputs = graphInputs(this.#evaluator, entry, parameters, scope, sizeOf, batchName(declaration));
    const args = inputs.map(({ name }) => {
      const binding = scope.own(name);
      const value: Value = binding?.kind === "value" ? binding.value : { kind: "tuple", elements: [] };
      return { name, value, place: placeOf(scope, declaration.name) };
    });
    const result = applyInstance(this.#evaluator, instance, args, placeOf(scope, declaration.name));
    return { inputs, result };
  }

  #model(declaration: ModelDeclaration, wanted: boolean): void {
    const instance = this.#linked.instanceOf(declaration);
    if (!instance) return;
    const name = declaration.name.text;
    const batch = batchName(declaration);
    for (const size of wanted ? this.#batches(batch) : [1]) {
      const entry = new GraphEntry("predict");
      this.#evaluator.inEntry(entry, () => {
        const configured = scopeOfInstance(this.#evaluator, instance);
        const scope = new Scope(configured.source, configured);
        prepareWhere(declaration, scope, this.#evaluator);
        const { inputs, result } = this.#applyModel(
          entry,
          instance,
          declaration,
          scope,
          this.#sizes(size, batch, name),
        );
        const place = placeOf(scope, declaration.body);
        for (const one of resultOutputs(this.#evaluator, result, place))
          addOutput(this.#evaluator, entry, "result", one.name, one.value, place);
        if (!wanted) return;
        const title = batch === undefined ? name : `${name}@${size}`;
        this.#add(
          entry,
          { name: title, kind: "predict", of: name, ...(batch !== undefined && { batch: size }) },
          inputs,
        );
      });
    }
  }

  #call(declaration: FunctionDeclaration, outer: Scope): void {
    for (const size of this.#batches(batchName(declaration))) this.#callOf(declaration, outer, size);
  }
  #callOf(declaration: FunctionDeclaration, outer: Scope, size: number): void {
    const name = declaration.name.text;
    const batch = batchName(declaration);
    const entry = new GraphEntry("call");
    const evaluator = this.#evaluator;
    evaluator.inEntry(entry, () => {
      const scope = new Scope(outer.source, outer);
      prepareWhere(declaration, scope, evaluator);
      const sizeOf = this.#sizes(size, batch, name);
      const inputs = graphInputs(evaluator, entry, declaration.parameters, scope, sizeOf, batch);
      const place = placeOf(scope, declaration.body);
      runWhere(evaluator, declaration.where, scope, placeOf(scope, declaration.name));
      const value = evaluator.evaluate(declaration.body, scope);
      const result = finishResult(evaluator, value, declaration.result, declaration.body, scope, name, place, []);
      for (const one of resultOutputs(evaluator, result, place))
        addOutput(evaluator, entry, "result", one.name, one.value, place);
      const title = batch === undefined ? name : `${name}@${size}`;
      this.#add(entry, { name: title, kind: "call", of: name, ...(batch !== undefined && { batch: size }) }, inputs);
    });
  }

  // ---- Train blocks ---------------------------------------------------------------------------------------------------------

  #train(declaration: TwoListDeclaration, outer: Scope): void {
    const instances = new Map<string, Instance>();
    if (this.#options.steps !== false) {
      this.#trainEntry(declaration, outer, true, instances);
      this.#evaluator.restart();
    }
    this.#trainEntry(declaration, outer, false, instances);
  }

  #trainEntry(declaration: TwoListDeclaration, outer: Scope, updates: boolean, instances: Map<string, Instance>): void {
    const evaluator = this.#evaluator;
    const name = declaration.name.text;
    const entry = new GraphEntry(updates ? "step" : "evaluate", name);
    const run: TrainRun = { block: name, updates, instances, outputs: [] };
    evaluator.inEntry(entry, () => {
      const configured = new Scope(outer.source, outer);
      configure(evaluator, declaration, configured);
      const scope = new Scope(outer.source, configured);
      prepareWhere(declaration, scope, evaluator);
      const batch = configured.find("batch");
      const size = batch?.kind === "value" && batch.value.kind === "int" ? batch.value.value : undefined;
      const count = size && concreteShape([size])?.[0];
      const sizeOf = this.#sizes(1, undefined, name);
      const inputs = graphInputs(evaluator, entry, declaration.parameters, scope, sizeOf, count ? "batch" : undefined);
      runWhere(evaluator, declaration.where, scope, placeOf(scope, declaration.name));
      runTrainBody(evaluator, declaration, scope, run);
      const place = placeOf(scope, declaration.name);
      for (const one of run.outputs) addOutput(evaluator, entry, one.role, one.name, one.value, place);
      if (updates) this.#nextValues(entry, place);
      const title = `${name}.${updates ? "step" : "evaluate"}`;
      this.#add(
        entry,
        { name: title, kind: updates ? "step" : "evaluate", of: name, ...(count && { batch: count }) },
        inputs,
      );
    });
  }
  /** Every slot that changed, and the step counter. */
  #nextValues(entry: GraphEntry, place: Place): void {
    for (const [slot, value] of entry.current) {
      const handle = handleOf(value, this.#evaluator, slot.path, place);
      if (handle !== entry.inputs.get(slot)) entry.output(handle, slot.role, slot.path);
    }
    const step = entry.step();
    if (!step) return;
    const next = this.#evaluator.plusOne(stored(step), place);
    entry.output(handleOf(next, this.#evaluator, "step", place), "step", `${entry.block}.step`);
  }

  // ---- Initial values and the whole -----------------------------------------------------------------------------------------

  /** Of what is used: a file may have models that were not asked for. */
  #initialEntries(): void {
    const { initials } = this.#evaluator.slots;
    const roots = this.#usedRoots(() => true);
    const add = (entry: GraphEntry, name: string, of: string) => {
      const own = initials.filter(({ slot }) =>
        slot.block === undefined ? entry === this.#initial && roots.has(rootOf(slot)) : entry.block === slot.block,
      );
      for (const { slot, handle } of own) entry.output(handle, slot.role, slot.path);
      if (own.length > 0) this.#add(entry, { name, kind: "initialize", of }, []);
    };
    add(this.#initial, "initialize", "");
    for (const [block, entry] of this.#blockInitials) add(entry, `${block}.initialize`, block);
  }

  #add(
    entry: GraphEntry,
    head: Pick<ProgramEntry, "name" | "kind" | "of" | "batch">,
    inputs: readonly InputSlot[],
  ): void {
    if (entry.usesSeed) this.#usesSeed = true;
    const whole = entry.finish();
    const split = splitTotals(whole, entry.domain.totals);
    const graph = split?.evaluation ?? whole;
    this.#entries.push({ ...head, inputs: withBounds(inputs, graph), graph });
    if (split) this.#entries.push({ name: `${head.of}.closing`, kind: "closing", of: head.of, ...split.closing });
  }

  /** The models of which some entry has weights or state. */
  #usedRoots(wanted: (entry: ProgramEntry) => boolean): ReadonlySet<string> {
    const slots = this.#entries
      .filter(wanted)
      .flatMap(({ graph }) => [...graph.inputs, ...graph.outputs])
      .filter(({ role }) => role === "parameter" || role === "state");
    return new Set(slots.map(rootOf));
  }

  #program(main: string | undefined): Program {
    // Of a model of which a train block trains a part, the rest is kept too: its files are those of the whole model.
    const whole = this.#usedRoots(({ kind }) => kind === "step");
    const used = new Set(
      this.#entries.flatMap(({ graph }) => [
        ...graph.inputs.map(({ path }) => path),
        ...graph.outputs.map(({ path }) => path),
      ]),
    );
    const persistent = [...this.#evaluator.slots.all.values()]
      .filter((slot) => used.has(slot.path) || (isLayers(slot) && whole.has(rootOf(slot))))
      .map(persistentSlot);
    const steps = this.#entries.flatMap(({ kind, of }): PersistentSlot[] =>
      kind === "step" ? [{ path: `${of}.step`, role: "step", block: of, dtype: "i32", shape: [], fill: 0 }] : [],
    );
    const seed: PersistentSlot[] = this.#usesSeed ? [{ path: "seed", role: "seed", dtype: "u32", shape: [2] }] : [];
    return {
      main: main ?? null,
      persistent: [...persistent, ...steps, ...seed],
      entries: this.#entries,
    };
  }
}

/** The model that is meant where none is named: of those built the one marked `export`, or the only one. */
function mainModel(models: readonly ModelDeclaration[]): string | undefined {
  const exported = models.filter((model) => model.exported);
  const [main, ...others] = exported.length > 0 ? exported : models;
  return others.length === 0 ? main?.name.text : undefined;
}

const rootOf = ({ path }: { readonly path: string }) => path.split(".", 1)[0] ?? path;
const isLayers = ({ block, role }: Slot) => block === undefined && (role === "parameter" || role === "state");

function withBounds(inputs: readonly InputSlot[], graph: Graph): InputSlot[] {
  const bounds = inputBounds(graph);
  return inputs.map((slot) => {
    const tensor = graph.inputs.find(
      ({ role, path }) => path === slot.name && (role === "argument" || role === "knob"),
    );
    const range = tensor && bounds.get(tensor.tensor);
    return range ? { ...slot, bounds: range } : slot;
  });
}
function persistentSlot(slot: Slot): PersistentSlot {
  return {
    path: slot.path,
    role: slot.role,
    ...(slot.block !== undefined && { block: slot.block }),
    dtype: slot.dtype,
    shape: concreteShape(slot.shape) ?? [],
    ...(slot.fill !== undefined && { fill: slot.fill }),
  };
}

/** The name of the open first dimension of the first input: the batch. */
export function batchName({ parameters, where }: ModelDeclaration | FunctionDeclaration): string | undefined {
  const [first] = parameters;
  const name = first && firstDimension(first);
  return where.some((item) => item.kind === "definition" && item.name.text === name) ? undefined : name;
}

/** The statements of a train block, with its own states under its name. */
export function runTrainBody(evaluator: Evaluator, declaration: TwoListDeclaration, scope: Scope, run: TrainRun): void {
  const instance = ownInstance(run, run.block, { declaration, scope });
  const owner = { instance, prefix: [], counters: new Map<string, number>(), taken: new Set<string>() };
  evaluator.train = (statement, inner) => {
    if (statement.kind === "metric") runMetric(evaluator, statement, inner, run);
    else runMinimize(evaluator, statement, inner, run);
  };
  try {
    evaluator.within({ owner, training: run.updates }, () => evaluator.evaluate(declaration.body, scope));
  } finally {
    evaluator.train = undefined;
  }
}

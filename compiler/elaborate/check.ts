/** `dlx check`: every declaration of a file over the domain of shapes, sizes left open. */
import type {
  Declaration,
  FunctionDeclaration,
  ModelDeclaration,
  Parameter,
  TwoListDeclaration,
} from "../../grammar/ast.ts";
import { checkDefinitions } from "../check/definitions.ts";
import type { Diagnostic } from "../diagnostics/index.ts";
import { constant, type Dim } from "../types/dims.ts";
import { finishResult, prepareWhere, runWhere } from "./arguments.ts";
import { scopeOfInstance, settingValue } from "./configuration.ts";
import { AlreadyReported, type Entry, Failure, placeOf, type Setting, Undecided } from "./context.ts";
import { shapeOfType } from "./convert.ts";
import { batchName, runTrainBody } from "./elaborate.ts";
import { ShapesEntry } from "./entry.ts";
import { applyInstance } from "./layers.ts";
import { type Linked, link } from "./link.ts";
import { Evaluator } from "./machine.ts";
import type { Loaded } from "./modules.ts";
import { argument } from "./shapes-domain.ts";
import { symbol } from "./signature.ts";
import { Slots } from "./slots.ts";
import { stored } from "./tensors.ts";
import type { TrainRun } from "./train.ts";
import { type ArgumentValue, type Instance, Scope, type Value } from "./values.ts";

export interface CheckOptions {
  readonly set?: Readonly<Record<string, Setting>>;
  readonly sizes?: Readonly<Record<string, number>>;
}

/** Everything that is wrong with the root file, and warnings. Parsing problems are in `loaded` already. */
export function check(loaded: Loaded, options: CheckOptions = {}): readonly Diagnostic[] {
  return new Checking(loaded, options).run();
}

/** A declaration that cannot be called without arguments that only its users know. */
class NotCheckable extends Error {}

/** How the names that a declaration leaves open are filled in. */
interface Filling {
  readonly dimension: (name: string) => Dim;
  /** How many axes a run `...S` has. */
  readonly run: number;
}

class Checking {
  readonly #loaded: Loaded;
  readonly #options: CheckOptions;
  readonly #diagnostics: Diagnostic[] = [];
  #evaluator: Evaluator;
  #linked: Linked;

  constructor(loaded: Loaded, options: CheckOptions) {
    this.#loaded = loaded;
    this.#options = options;
    this.#evaluator = this.#fresh();
    this.#linked = link(loaded, this.#evaluator);
  }
  #fresh(): Evaluator {
    const slots = new Slots();
    const initial = this.#entry("initialize");
    slots.entries = { layers: initial, block: () => initial };
    const build = (evaluator: Evaluator, instance: Instance) => this.#build(evaluator, instance);
    return new Evaluator(this.#entry("check"), build, slots, this.#options.set);
  }

  #entry(kind: Entry["kind"], counted = false): ShapesEntry {
    return new ShapesEntry(kind, counted, () => this.#evaluator.origin);
  }

  run(): readonly Diagnostic[] {
    const files = this.#loaded.root.files;
    for (const file of files) {
      const known = this.#linked.namesOf(file);
      for (const one of checkDefinitions(file, known)) this.#report(one);
    }
    const declarations = files.flatMap((file) => file.declarations.map((declaration) => ({ declaration, file })));
    // Models and what trains them first: their errors are about sizes the user chose.
    const order: Declaration["kind"][] = ["model", "train", "fn", "layer", "optimizer"];
    for (const kind of order)
      for (const { declaration, file } of declarations)
        if (declaration.kind === kind) this.#declaration(declaration, this.#linked.scopeOf(file));
    for (const warning of this.#evaluator.warnings) this.#report(warning);
    return this.#diagnostics.toSorted((a, b) => a.span.start - b.span.start);
  }

  #report(diagnostic: Diagnostic): void {
    const same = (one: Diagnostic) =>
      one.code === diagnostic.code &&
      one.source.file === diagnostic.source.file &&
      one.span.start === diagnostic.span.start;
    if (!this.#diagnostics.some(same)) this.#diagnostics.push(diagnostic);
  }

  #declaration(declaration: Declaration, scope: Scope): void {
    switch (declaration.kind) {
      case "model": {
        const instance = this.#linked.instanceOf(declaration);
        if (!instance) return;
        const batch = batchName(declaration);
        // What cannot be decided for any N is looked at for one.
        this.#tryEach([undefined, 2], (size) => {
          const dimension = (name: string) => this.#size(name, name === batch ? size : undefined);
          this.#model(this.#evaluator, instance, declaration, { dimension, run: 1 }, true);
        });
        return;
      }
      case "train":
        for (const updates of [true, false])
          this.#tryEach([undefined, 2], (size) => this.#train(declaration, scope, updates, size));
        return;
      case "fn":
      case "layer":
      case "optimizer":
        this.#alone(declaration, scope);
        return;
      default:
        declaration satisfies never;
    }
  }
  #size(name: string, fallback: number | undefined): Dim {
    const known = this.#options.sizes?.[name] ?? fallback;
    return known === undefined ? symbol(name) : constant(known);
  }

  /** Runs with each size in turn until nothing is left undecided. */
  #tryEach(sizes: readonly (number | undefined)[], run: (size: number | undefined) => void): void {
    for (const size of sizes) {
      try {
        this.#evaluator.restart();
        run(size);
        return;
      } catch (error) {
        if (error instanceof Failure) {
          this.#report(error.diagnostic);
          return;
        }
        if (error instanceof AlreadyReported || error instanceof NotCheckable) return;
        if (!(error instanceof Undecided) && !(error instanceof RangeError)) throw error;
        if (error instanceof RangeError) {
          this.#tooDeep();
          return;
        }
      }
    }
  }
  #tooDeep(): void {
    const place = this.#evaluator.deepest;
    if (place)
      this.#tryEach([undefined], () => this.#evaluator.raise("E0510", place, { limit: "the compiler's stack" }));
  }

  // ---- Models and train blocks ----------------------------------------------------------------------------------------------

  /** A model whose parts another declaration asks for. */
  #build(evaluator: Evaluator, instance: Instance): void {
    const { declaration } = instance;
    if (declaration.kind !== "model") return;
    const filling: Filling = { dimension: (name) => this.#size(name, undefined), run: 1 };
    evaluator.inEntry(this.#entry("predict"), () => this.#model(evaluator, instance, declaration, filling, false));
  }

  #model(
    evaluator: Evaluator,
    instance: Instance,
    declaration: ModelDeclaration,
    filling: Filling,
    recover: boolean,
  ): void {
    const configured = scopeOfInstance(evaluator, instance);
    const scope = new Scope(configured.source, configured);
    prepareWhere(declaration, scope, evaluator);
    const args = this.#inputs(declaration.parameters, scope, filling);
    const run = () => applyInstance(evaluator, instance, args, placeOf(scope, declaration.name));
    evaluator.inEntry(this.#entry("predict"), () => {
      if (recover) evaluator.recovering(declaration.body, (failure) => this.#report(failure.diagnostic), run);
      else run();
    });
  }

  #train(declaration: TwoListDeclaration, outer: Scope, updates: boolean, size: number | undefined): void {
    const evaluator = this.#evaluator;
    const run: TrainRun = { block: declaration.name.text, updates, instances: new Map(), outputs: [] };
    evaluator.inEntry(this.#entry(updates ? "step" : "evaluate", true), () => {
      const configured = new Scope(outer.source, outer);
      this.#configuration(declaration.configuration, configured, size, this.#options.set);
      const scope = new Scope(outer.source, configured);
      prepareWhere(declaration, scope, evaluator);
      this.#inputs(declaration.parameters, scope, { dimension: (name) => this.#size(name, size), run: 1 });
      runWhere(evaluator, declaration.where, scope, placeOf(scope, declaration.name));
      evaluator.recovering(
        declaration.body,
        (failure) => this.#report(failure.diagnostic),
        () => runTrainBody(evaluator, declaration, scope, run),
      );
    });
  }

  // ---- Declarations that nothing calls --------------------------------------------------------------------------------------

  /** With sizes of its own. Only what fails for every length of its runs is an error. */
  #alone(declaration: FunctionDeclaration | TwoListDeclaration, outer: Scope): void {
    let first: Failure | undefined;
    const lengths = usesRuns(declaration) ? [1, 2, 0, 3, 4] : [1];
    for (const run of lengths) {
      try {
        this.#evaluator.restart();
        const kind = declaration.kind === "fn" && declaration.exported ? "call" : "check";
        this.#evaluator.inEntry(this.#entry(kind, declaration.kind === "optimizer"), () =>
          this.#apply(declaration, outer, run),
        );
        return;
      } catch (error) {
        if (error instanceof Failure) first ??= error;
        else if (error instanceof RangeError) {
          this.#tooDeep();
          return;
        } else if (error instanceof AlreadyReported || error instanceof NotCheckable || error instanceof Undecided)
          return;
        else throw error;
      }
    }
    if (first) this.#report(first.diagnostic);
  }

  #apply(declaration: FunctionDeclaration | TwoListDeclaration, outer: Scope, run: number): void {
    const evaluator = this.#evaluator;
    const configured = new Scope(outer.source, outer);
    const filling: Filling = { dimension: (name) => this.#size(name, undefined), run };
    if (declaration.kind !== "fn") this.#configuration(declaration.configuration, configured, undefined);
    const scope = new Scope(outer.source, configured);
    prepareWhere(declaration, scope, evaluator);
    const args = this.#inputs(declaration.parameters, scope, filling);
    const place = placeOf(scope, declaration.name);
    if (declaration.kind === "layer") {
      const instance = aloneInstance(declaration, configured);
      applyInstance(evaluator, instance, args, place);
      return;
    }
    const body = () => {
      runWhere(evaluator, declaration.where, scope, place);
      const value = evaluator.evaluate(declaration.body, scope);
      finishResult(evaluator, value, declaration.result, declaration.body, scope, declaration.name.text, place, []);
    };
    if (declaration.kind === "fn") {
      body();
      return;
    }
    const owner = {
      instance: aloneInstance(declaration, configured),
      prefix: [],
      counters: new Map(),
      taken: new Set<string>(),
    };
    evaluator.within({ owner, training: true }, body);
  }

  #configuration(
    parameters: readonly Parameter[],
    scope: Scope,
    size: number | undefined,
    settings: CheckOptions["set"] = {},
  ): void {
    for (const parameter of parameters) {
      const name = parameter.name.text;
      const place = placeOf(scope, parameter);
      const setting = settings[name];
      const value =
        setting !== undefined
          ? settingValue(setting)
          : parameter.default
            ? this.#evaluator.evaluate(parameter.default, scope)
            : this.#open(parameter, scope, size);
      const what = `${name}`;
      scope.bind(
        name,
        parameter.type && value ? this.#evaluator.convert(value, parameter.type, scope, what, place) : value,
      );
    }
  }
  /** A configuration value that only users choose. */
  #open({ name, type }: Parameter, scope: Scope, size: number | undefined): Value {
    if (type?.kind === "simple-type" && type.name === "int") return { kind: "int", value: this.#size(name.text, size) };
    if (type?.kind === "simple-type" && type.name === "float") return { kind: "float", value: undefined };
    if (type?.kind === "tensor-type" && type.dtype === "bool" && !type.axes) return { kind: "bool", value: undefined };
    if (type?.kind === "tensor-type")
      return stored(
        argument(
          type.dtype,
          shapeOfType(this.#evaluator, type, scope, (one) => this.#size(one, undefined)),
          name.text,
        ),
      );
    throw new NotCheckable();
  }

  /** Binds parameters as inputs would be, and gives them as arguments. */
  #inputs(parameters: readonly Parameter[], scope: Scope, filling: Filling): ArgumentValue[] {
    return parameters.map((parameter) => {
      const { type } = parameter;
      const name = parameter.name.text;
      const place = placeOf(scope, parameter);
      if (type?.kind === "tensor-type") {
        this.#runsOf(parameter, scope, filling);
        const shape = shapeOfType(this.#evaluator, type, scope, filling.dimension);
        const value = { ...stored(argument(type.dtype, shape, name)), from: { what: `the input ${name}`, place } };
        scope.bind(name, value);
        return { name, value, place };
      }
      const value = parameter.default
        ? this.#evaluator.evaluate(parameter.default, scope)
        : this.#open(parameter, scope, undefined);
      scope.bind(name, value);
      return { name, value, place };
    });
  }
  #runsOf({ type }: Parameter, scope: Scope, { dimension, run }: Filling): void {
    if (type?.kind !== "tensor-type") return;
    for (const axis of type.axes ?? []) {
      if (axis.kind !== "spread" || scope.findLocal(axis.name.text)) continue;
      const elements = Array.from(
        { length: run },
        (_, k): Value => ({ kind: "int", value: dimension(`${axis.name.text}${k + 1}`) }),
      );
      scope.bind(axis.name.text, { kind: "list", elements });
    }
  }
}

function usesRuns({ parameters }: FunctionDeclaration | TwoListDeclaration): boolean {
  return parameters.some(
    ({ type }) => type?.kind === "tensor-type" && type.axes?.some((axis) => axis.kind === "spread"),
  );
}
function aloneInstance(declaration: TwoListDeclaration, scope: Scope): Instance {
  return {
    path: declaration.name.text,
    declaration,
    scope,
    parent: undefined,
    children: new Map(),
    slots: new Map(),
    order: [],
    applied: undefined,
  };
}

/**
 * The TypeScript host of a program: what users import, typed by the model, with the plan as data and every dispatch
 * commented by the line of the source it comes from. Printed through ts-morph; esbuild makes `index.js` of it.
 */
import { createRequire } from "node:module";
import type { SourceFile } from "ts-morph";
import type { Manifest } from "../../../runtime/plan.ts";
import { type Data, literal, nameOf } from "./literal.ts";
import { inputsType, outputsType, variants } from "./signature.ts";

// Imported, its megabytes of CommonJS would first be searched for the names of exports.
const library: typeof import("ts-morph") = createRequire(import.meta.url)("ts-morph");
const { IndentationText, Project, StructureKind, VariableDeclarationKind } = library;

/** The module that `index.ts` imports the run-time parts from: a file of the bundle, so that `index.ts` can be used too. */
export const RUNTIME = "./runtime.js";

/** `runtime.d.ts`: as much of it as `index.ts` uses. */
export const RUNTIME_TYPES = `/** What every dlx program runs on. */
export declare class DlxError extends Error {
  readonly code: string;
}
type Read = (file: string, signal?: AbortSignal) => Promise<Uint8Array>;
export type Manifest = unknown;
export declare function readFile(url: URL, signal?: AbortSignal): Promise<Uint8Array>;
export declare function openWasm(manifest: Manifest, read: Read, options: object, url?: string): Promise<object>;
export declare function serveDevice(open: (options: object) => Promise<object>): void;
export declare function openWebGpu(manifest: Manifest, read: Read, options: object): Promise<object>;
export declare function openSession<Net>(
  program: {
    readonly manifest: Manifest;
    readonly read: Read;
    readonly open: {
      readonly cpu?: (options: object) => Promise<object>;
      readonly draw?: (options: object) => Promise<object>;
      readonly webgpu?: (options: object) => Promise<object>;
    };
  },
  options: object,
): Promise<Net>;
`;

export interface HostOptions {
  /** What each entry launches, in order, one line a dispatch: `conv2d_1, relu (model.dlx:9)`. */
  readonly notes: { readonly wasm: readonly (readonly string[])[]; readonly webgpu: readonly (readonly string[])[] };
  /** `--single-file`: contents of every file the manifest names, as base64. */
  readonly inline?: Readonly<Record<string, string>>;
}

export interface HostSources {
  /** index.ts */
  readonly implementation: string;
  /** index.d.ts */
  readonly declarations: string;
}

export function printHost(manifest: Manifest, options: HostOptions): HostSources {
  const project = new Project({
    useInMemoryFileSystem: true,
    manipulationSettings: { indentationText: IndentationText.TwoSpaces },
  });
  const implementation = project.createSourceFile("index.ts");
  addImplementationImports(implementation, manifest);
  addInterfaces(implementation, manifest);
  addProgram(implementation);
  addLoad(implementation, manifest, options);

  const declarations = project.createSourceFile("index.d.ts");
  addInterfaces(declarations, manifest);
  declarations.addClass({
    name: "DlxError",
    isExported: true,
    hasDeclareKeyword: true,
    extends: "Error",
    docs: ["Everything that rejects does so with one of these; `npx dlx explain CODE` says more."],
    properties: [{ name: "code", type: "string", isReadonly: true }],
  });
  declarations.addFunction({
    name: "load",
    isExported: true,
    hasDeclareKeyword: true,
    docs: [loadDoc],
    parameters: [{ name: "options", type: "LoadOptions", hasQuestionToken: true }],
    returnType: "Promise<Net>",
  });
  for (const file of [implementation, declarations]) {
    file.insertStatements(0, header(manifest));
    file.formatText({ indentSize: 2 });
  }
  const data = {
    manifest: literal(JSON.parse(JSON.stringify(manifest)) as Data, commentsOf(manifest, options)),
    ...(options.inline && { files: literal(options.inline) }),
  };
  return { implementation: withData(implementation, data), declarations: declarations.getFullText() };
}

/** Data is laid out already and megabytes long, so ts-morph, which reads what it prints, prints the declarations without. */
function withData(file: SourceFile, data: Readonly<Record<string, string>>): string {
  const text = file.getFullText();
  const parts: string[] = [];
  let at = 0;
  for (const declaration of file.getVariableDeclarations()) {
    const initializer = declaration.getInitializerOrThrow();
    parts.push(text.slice(at, initializer.getStart()), data[declaration.getName()] ?? initializer.getText());
    at = initializer.getEnd();
  }
  return parts.join("") + text.slice(at);
}

const loadDoc = "Compiles the program for a device, reads its weights and is ready to run. Rejects with a `DlxError`.";

const header = (manifest: Manifest) =>
  `// Made by dlx ${manifest.compiler} from ${manifest.source.file}. Changes here are lost when it is built again.\n`;

function addImplementationImports(file: SourceFile, manifest: Manifest): void {
  const devices = [
    ...(manifest.wasm ? ["openWasm"] : []),
    ...(manifest.webgpu ? ["openWebGpu"] : []),
    ...(runs(manifest) ? ["serveDevice"] : []),
  ];
  file.addImportDeclaration({
    moduleSpecifier: RUNTIME,
    namedImports: ["DlxError", "openSession", "readFile", ...devices],
  });
  file.addExportDeclaration({ namedExports: ["DlxError"] });
}

/** Everything a user's editor shows. Only `Net`'s calls depend on the program. */
function addInterfaces(file: SourceFile, manifest: Manifest): void {
  file.addInterface({
    name: "Shaped",
    isExported: true,
    typeParameters: ["T"],
    docs: ["An array with its shape, for calls in which more than one dimension is free."],
    properties: [
      { name: "data", type: "T", isReadonly: true },
      { name: "shape", type: "readonly number[]", isReadonly: true },
    ],
  });
  file.addInterface({
    name: "LoadOptions",
    isExported: true,
    properties: [
      {
        name: "device",
        type: `"auto" | "webgpu" | "cpu"`,
        docs: [`"auto" (the default) takes WebGPU where there is one.`],
      },
      {
        name: "weights",
        type: `URL | Uint8Array | ArrayBuffer | "random"`,
        docs: ["A safetensors file. Default: the shipped weights, or random ones where none are shipped."],
      },
      {
        name: "seed",
        type: "number",
        docs: ["A non-negative integer from which everything random follows; default 0."],
      },
      {
        name: "threads",
        type: "number",
        docs: ["CPU threads, up to 64; more than one need shared memory: in pages, the headers COOP and COEP."],
      },
      {
        name: "worker",
        type: "boolean",
        docs: ["Run the CPU's part in a worker, made of this very file: the calling thread never waits for it."],
      },
      {
        name: "relaxedSimd",
        type: "boolean",
        docs: ["Use fused multiply-add on the CPU; on Node 20 that sets a flag of V8."],
      },
      { name: "signal", type: "AbortSignal" },
      { name: "onProgress", type: "(progress: { readonly message: string }) => void" },
    ].map((property) => ({ ...property, isReadonly: true, hasQuestionToken: true })),
  });
  file.addInterface({
    name: "FitOptions",
    isExported: true,
    typeParameters: ["Results"],
    properties: [
      { name: "epochs", type: "number", docs: ["Passes over the data; default 1."] },
      { name: "limit", type: "number", docs: ["Steps at most."] },
      {
        name: "onStep",
        type: "(event: { readonly step: number; readonly epoch: number; readonly results: Results }) => unknown",
        docs: ["Called after each step, and waited for."],
      },
      { name: "signal", type: "AbortSignal" },
    ].map((property) => ({ ...property, isReadonly: true, hasQuestionToken: true })),
  });
  file.addTypeAlias({
    name: "Batches",
    isExported: true,
    typeParameters: ["Inputs"],
    type: "Iterable<Inputs> | AsyncIterable<Inputs>",
  });
  file.addInterface({
    name: "TrainBlock",
    isExported: true,
    typeParameters: ["Inputs", "Results"],
    properties: [{ name: "batch", type: "number | undefined", isReadonly: true, docs: ["Rows that a step takes."] }],
    methods: [
      {
        name: "step",
        parameters: [{ name: "inputs", type: "Inputs" }],
        returnType: "Promise<Results>",
        docs: ["One step on exactly the built batch."],
      },
      {
        name: "fit",
        returnType: "Promise<Results>",
        docs: ["Steps over batches; a short last batch is dropped. Answers the last step's results."],
        parameters: [
          { name: "batches", type: "Batches<Inputs> | ((epoch: number) => Batches<Inputs>)" },
          { name: "options", type: "FitOptions<Results>", hasQuestionToken: true },
        ],
      },
      {
        name: "evaluate",
        parameters: [{ name: "data", type: "Inputs | Batches<Inputs>" }],
        returnType: "Promise<Results>",
        docs: ["Loss and metrics without training, weighted by rows."],
      },
      { name: "stepsDone", returnType: "Promise<number>" },
    ],
  });
  addNet(file, manifest);
}

function addNet(file: SourceFile, manifest: Manifest): void {
  const models = variants(manifest, "predict");
  const calls = variants(manifest, "call");
  const blocks = variants(manifest, "step");
  const callType = (call: (typeof models)[number]) => `(inputs: ${inputsType(call)}) => Promise<${outputsType(call)}>`;
  const blockType = (call: (typeof models)[number]) => `TrainBlock<${inputsType(call)}, ${outputsType(call)}>`;
  const main = models.find(({ of }) => of === manifest.main);
  const only = blocks.length === 1 ? blocks[0] : undefined;
  file.addInterface({
    name: "Net",
    isExported: true,
    docs: [`The program of ${manifest.source.file}.`],
    properties: [
      { name: "device", type: `"cpu" | "webgpu"`, docs: ["What it runs on."] },
      {
        name: "signature",
        type: "Readonly<Record<string, { readonly inputs: readonly Slot[]; readonly outputs: readonly Slot[] }>>",
        docs: ["Names, dtypes and shapes of everything that can be called."],
      },
      ...(main ? [{ name: "predict", type: callType(main), docs: [`The model ${main.of}.`] }] : []),
      {
        name: "models",
        type: `{ ${models.map((call) => `readonly ${nameOf(call.of)}: { readonly predict: ${callType(call)} }`).join("; ")} }`,
      },
      {
        name: "call",
        type: `{ ${calls.map((call) => `readonly ${nameOf(call.of)}: ${callType(call)}`).join("; ")} }`,
        docs: ["Every `export fn`."],
      },
      {
        name: "train",
        type: `{ ${blocks.map((call) => `readonly ${nameOf(call.of)}: ${blockType(call)}`).join("; ")} }`,
        docs: ["Every train block that was built in."],
      },
      ...(only
        ? [
            { name: "trainStep", type: `${blockType(only)}["step"]`, docs: [`A step of ${only.of}.`] },
            { name: "evaluate", type: `${blockType(only)}["evaluate"]` },
          ]
        : []),
    ].map((property) => ({ ...property, isReadonly: true })),
    methods: [
      { name: "parameters", returnType: "{ path: string; dtype: string; shape: readonly number[] }[]" },
      { name: "saveWeights", returnType: "Promise<Uint8Array>", docs: ["Parameters and layer state, as safetensors."] },
      {
        name: "loadWeights",
        returnType: "Promise<{ loaded: string[]; missing: string[]; unexpected: string[] }>",
        parameters: [
          { name: "bytes", type: "Uint8Array | ArrayBuffer" },
          { name: "options", type: "{ partial?: boolean }", hasQuestionToken: true },
        ],
      },
      {
        name: "saveState",
        returnType: "Promise<Uint8Array>",
        docs: ["Weights, optimizer, step and seed: training resumes exactly."],
      },
      {
        name: "loadState",
        returnType: "Promise<unknown>",
        parameters: [{ name: "bytes", type: "Uint8Array | ArrayBuffer" }],
      },
      { name: "dispose", returnType: "void", docs: ["Frees the device's memory; later calls reject."] },
    ],
  });
  file.addInterface({
    name: "Slot",
    isExported: true,
    properties: ["name", "dtype"]
      .map((name) => ({ name, type: "string", isReadonly: true }))
      .concat({ name: "shape", type: "readonly number[]", isReadonly: true }),
  });
}

function commentsOf({ entries }: Manifest, { notes }: HostOptions): (path: string) => readonly string[] {
  return (path) => {
    const entry = /^(wasm|webgpu)\.plan\.entries\.(\d+)$/.exec(path);
    if (entry) {
      const [, target, index] = entry;
      const name = entries[Number(index)]?.name ?? "";
      return [name, ...(target === "wasm" ? (notes.wasm[Number(index)] ?? []).map((note) => `  ${note}`) : [])];
    }
    const dispatch = /^webgpu\.plan\.entries\.(\d+)\.dispatches\.(\d+)$/.exec(path);
    const note = dispatch && notes.webgpu[Number(dispatch[1])]?.[Number(dispatch[2])];
    return note ? [note] : [];
  };
}

function addProgram(file: SourceFile): void {
  file.addVariableStatement({
    declarationKind: VariableDeclarationKind.Const,
    docs: ["Memory and launches: slots that outlive calls, and for each entry where its tensors lie."],
    declarations: [{ name: "manifest", type: `import("${RUNTIME}").Manifest`, initializer: "{}" }],
  });
}

/** Whether WebAssembly carries more than the drawing of initial values. */
function runs({ wasm, entries }: Manifest): boolean {
  return wasm?.plan.entries.some((plan, k) => plan && entries[k]?.kind !== "initialize") ?? false;
}

function addLoad(file: SourceFile, manifest: Manifest, { inline }: HostOptions): void {
  if (inline) {
    file.addVariableStatement({
      declarationKind: VariableDeclarationKind.Const,
      docs: ["Base64."],
      declarations: [{ name: "files", type: "Readonly<Record<string, string>>", initializer: "{}" }],
    });
  }
  const read = inline
    ? `const read = async (file: string) => Uint8Array.from(atob(files[file] ?? ""), (character) => character.charCodeAt(0));`
    : `const read = (file: string, signal?: AbortSignal) => readFile(new URL(file, import.meta.url), signal);`;
  const url = runs(manifest) ? ", import.meta.url" : "";
  const open = [
    ...(manifest.wasm ? [`${url ? "cpu" : "draw"}: (wanted) => openWasm(manifest, read, wanted${url})`] : []),
    ...(manifest.webgpu ? [`webgpu: (wanted) => openWebGpu(manifest, read, wanted)`] : []),
  ];
  file.addStatements(read);
  file.addFunction({
    kind: StructureKind.Function,
    name: "load",
    isExported: true,
    isAsync: true,
    docs: [loadDoc],
    parameters: [{ name: "options", type: "LoadOptions", initializer: "{}" }],
    returnType: "Promise<Net>",
    statements: [`return openSession<Net>({ manifest, read, open: { ${open.join(", ")} } }, options);`],
  });
  if (runs(manifest))
    file.addStatements([
      "// In a worker that `load` made of this file.",
      "serveDevice((wanted) => openWasm(manifest, read, wanted, import.meta.url));",
    ]);
}

/** What lies in a bundle's folder: how large it is, what it reaches for, how it is typed. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { beforeAll, describe, expect, test } from "vitest";
import type { Session } from "../../runtime/session.ts";
import { bundleFiles, compileSource, exampleSource, filesOf, importBundle, writeBundle } from "../support/bundle.ts";
import { temporaryFolder } from "../support/folder.ts";

const folder = temporaryFolder();
const lenet = compileSource(exampleSource("lenet"), { batches: [1, 32], evaluations: [1], version: "0.0.0" });
let files = new Map<string, Uint8Array>();
let net: Session;
const text = (name: string) => new TextDecoder().decode(files.get(name));
const images = (count: number) => Float32Array.from({ length: count * 784 }, (_, k) => Math.abs(Math.sin(k * 0.37)));

beforeAll(async () => {
  const first = writeBundle(join(folder.path, "first"), await filesOf(lenet));
  const drawn = await (await importBundle(first)).load({ device: "cpu", seed: 3 });
  files = await filesOf(lenet, { weights: await drawn.saveWeights() });
  net = await (await importBundle(writeBundle(join(folder.path, "lenet"), files))).load({ device: "cpu" });
});

describe("LeNet's bundle, with training", () => {
  test("has the files that are promised", () => {
    expect([...files.keys()].sort()).toEqual([
      "index.d.ts",
      "index.js",
      "index.ts",
      "kernels.relaxed.wasm",
      "kernels.wasm",
      "kernels.wgsl",
      "manifest.json",
      "runtime.d.ts",
      "runtime.js",
      "weights.safetensors",
    ]);
  });

  const compressed = (...names: string[]) =>
    names.reduce((sum, name) => sum + gzipSync(files.get(name) ?? new Uint8Array(), { level: 9 }).length, 0);
  const budgets: [what: string, names: string[], kilobytes: number][] = [
    ["the module", ["index.js"], 25],
    ["all that the CPU needs", ["index.js", "manifest.json", "kernels.wasm"], 60],
    ["all that a CPU with fused multiply-add needs", ["index.js", "manifest.json", "kernels.relaxed.wasm"], 60],
    ["all that WebGPU needs", ["index.js", "manifest.json", "kernels.wgsl"], 60],
  ];
  test.each(budgets)("%s is small", (_, names, kilobytes) => {
    expect(compressed(...names)).toBeLessThan(kilobytes * 1000);
  });

  test.each([
    ["training", {}, 25],
    ["prediction alone", { blocks: [] }, 12],
  ])("kernels for %s are small", (_, blocks, kilobytes) => {
    const { wasm, relaxed } = compileSource(exampleSource("lenet"), { ...blocks, targets: ["wasm"], evaluations: [1] });
    for (const module of [wasm, relaxed])
      expect(gzipSync(module!, { level: 9 }).length).toBeLessThanOrEqual(kilobytes * 1024);
  });

  test("the manifest tells sizes, hashes, shapes and versions", () => {
    const manifest = JSON.parse(text("manifest.json"));
    for (const [name, { bytes, sha256 }] of Object.entries<{ bytes: number; sha256: string }>(manifest.files)) {
      expect(bytes).toBe(files.get(name)?.length);
      expect(sha256).toBe(createHash("sha256").update(files.get(name)!).digest("hex"));
    }
    expect(Object.keys(manifest.files)).toContain("weights.safetensors");
    const { sha256 } = manifest.source;
    expect(sha256).toBe(createHash("sha256").update(exampleSource("lenet").text).digest("hex"));
    expect(manifest).toMatchObject({ compiler: "0.0.0", main: "LeNet", separable: ["LeNet"] });
    expect(manifest.entries.find(({ name }: { name: string }) => name === "LeNet@32")).toMatchObject({
      inputs: [{ name: "image", dtype: "f32", shape: [32, 1, 28, 28], batched: true }],
      outputs: [{ name: "output", dtype: "f32", shape: [32, 10] }],
    });
    expect(manifest.memory.wasm.persistentBytes).toBeGreaterThan(4 * 61706);
  });

  test("the module imports nothing and evaluates no text", async () => {
    for (const name of ["index.js", "runtime.js"]) {
      const { metafile } = await build({
        stdin: { contents: text(name), loader: "js" },
        bundle: true,
        write: false,
        metafile: true,
        platform: "neutral",
        format: "esm",
        external: ["*"],
      });
      expect(Object.values(metafile.inputs).flatMap((input) => input.imports)).toEqual([]);
      expect(text(name)).not.toMatch(/\beval\b|\bFunction\(|document\.|importScripts/);
    }
  });

  test("the source that it was built from says where each launch comes from", () => {
    const source = text("index.ts");
    expect(source.slice(0, 60)).toBe("// Made by dlx 0.0.0 from examples/lenet/model.dlx. Changes ");
    const lines = exampleSource("lenet").text.split("\n");
    for (const part of ["conv2d(6", "dense(10)", "using momentum"]) {
      const line = lines.findIndex((content) => content.includes(part)) + 1;
      expect([part, source.includes(`(examples/lenet/model.dlx:${line})`)]).toEqual([part, true]);
    }
    expect(source.split("\n").filter((line) => line.trim() === "// lenet.step")).toHaveLength(2);
  });
  test("and runs itself, beside runtime.js", async () => {
    const built = await build({
      stdin: { contents: text("index.ts"), loader: "ts", resolveDir: join(folder.path, "lenet") },
      bundle: true,
      write: false,
      format: "esm",
    });
    const only = new Map([...files].filter(([name]) => /wasm$|safetensors$/.test(name)));
    const path = writeBundle(join(folder.path, "again"), only.set("index.js", built.outputFiles[0]!.contents));
    const own = await (await importBundle(path)).load({ device: "cpu" });
    expect(await own.predict({ image: images(2) })).toEqual(await net.predict({ image: images(2) }));
    own.dispose();
  });

  test("predicts any number of images", async () => {
    const whole = (await net.predict({ image: images(100) })).output as Float32Array;
    expect(whole).toHaveLength(1000);
    for (const count of [1, 3, 32, 33, 64]) {
      const { output } = await net.predict({ image: images(count) });
      expect(output).toHaveLength(10 * count);
      const apart = (output as Float32Array).map((value, k) => Math.abs(value - whole[k]!));
      expect(Math.max(...apart)).toBeLessThan(1e-5);
    }
  });

  test("in one file", async () => {
    const weights = await net.saveWeights();
    const single = await filesOf(lenet, { weights, singleFile: true });
    expect([...single.keys()].sort()).toEqual([
      "index.d.ts",
      "index.js",
      "index.ts",
      "manifest.json",
      "runtime.d.ts",
      "runtime.js",
    ]);
    const alone = new Map([["index.js", single.get("index.js")!]]);
    const own = await (await importBundle(writeBundle(join(folder.path, "single"), alone))).load({ device: "cpu" });
    expect(await own.predict({ image: images(3) })).toEqual(await net.predict({ image: images(3) }));
    own.dispose();
  });
});

describe("targets", () => {
  const source = "import nn\nimport loss\nimport optim\nmodel M(x: f32[N, 2]) -> f32[N, 2] = x |> dense(2)";
  test("WebAssembly only", async () => {
    const only = await bundleFiles(source, { targets: ["wasm"] });
    expect([...only.keys()].filter((name) => name.startsWith("kernels"))).toEqual([
      "kernels.wasm",
      "kernels.relaxed.wasm",
    ]);
    expect(new TextDecoder().decode(only.get("index.js"))).not.toContain("requestAdapter");
    const { load } = await importBundle(writeBundle(join(folder.path, "wasm"), only));
    expect((await load()).device).toBe("cpu");
    await expect(load({ device: "webgpu" })).rejects.toThrow(/not built for WebGPU/);
  });
  test("WebGPU only: WebAssembly draws the weights and nothing else", async () => {
    const only = await bundleFiles(source, { targets: ["webgpu"] });
    expect([...only.keys()].filter((name) => name.startsWith("kernels"))).toEqual(["kernels.wasm", "kernels.wgsl"]);
    const { load } = await importBundle(writeBundle(join(folder.path, "webgpu"), only));
    await expect(load({ device: "cpu" })).rejects.toThrow(/not built for the CPU/);
    await expect(load()).rejects.toThrow(/no WebGPU here/);
    const nothingToDraw = "export fn f(x: f32[3]) -> f32 = sum(x)";
    expect([...(await bundleFiles(nothingToDraw, { targets: ["webgpu"] })).keys()]).not.toContain("kernels.wasm");
  });
});

describe("types, in a project that knows nothing of dlx", () => {
  const typescript = dirname(createRequire(import.meta.url).resolve("typescript/package.json"));
  const settings = {
    compilerOptions: {
      strict: true,
      noUncheckedIndexedAccess: true,
      exactOptionalPropertyTypes: true,
      noUnusedLocals: true,
      noEmit: true,
      target: "ES2022",
      module: "ESNext",
      moduleResolution: "bundler",
      lib: ["ES2022", "DOM", "DOM.Iterable"],
      types: [],
      skipLibCheck: false,
    },
    include: ["*.ts"],
  };
  function problems(name: string, contents: Readonly<Record<string, Uint8Array | string>>): string {
    const path = join(folder.path, name);
    mkdirSync(path, { recursive: true });
    const encoder = new TextEncoder();
    const bytes = Object.entries({ "tsconfig.json": JSON.stringify(settings), ...contents }).map(
      ([file, content]) => [file, typeof content === "string" ? encoder.encode(content) : content] as const,
    );
    writeBundle(path, new Map(bytes));
    const { bin } = JSON.parse(readFileSync(join(typescript, "package.json"), "utf8"));
    try {
      return execFileSync(process.execPath, [join(typescript, bin.tsc), "-p", path], { encoding: "utf8", cwd: path });
    } catch (error) {
      return (error as { stdout: string }).stdout;
    }
  }
  const use = (body: string) => `import { load, DlxError, type Net } from "./index.js";
    const image = new Float32Array(784);
    const label = new Int32Array(64);
    export async function use(signal: AbortSignal): Promise<Net> {
      const net = await load({ device: "auto", weights: new URL("https://example.org/w"), seed: 0, signal, onProgress: ({ message }) => void message.length });
      ${body}
      return net;
    }
    export const isOurs = (error: unknown) => error instanceof DlxError && error.code === "E0605";
    void image; void label;`;
  const typed = (body: string) => ({
    "index.js": files.get("index.js")!,
    "index.d.ts": files.get("index.d.ts")!,
    "use.ts": use(body),
  });

  test("the declarations hold for what one does with a net", () => {
    const body = `
      const device: "cpu" | "webgpu" = net.device;
      const { output }: { output: Float32Array } = await net.predict({ image });
      const same = await net.models.LeNet.predict({ image: { data: image, shape: [1, 1, 28, 28] } });
      const map: Float32Array = (await net.call.saliency({ image, class: 3 })).output;
      const { loss, accuracy }: { loss: number; accuracy: number } = await net.train.lenet.step({ image, label, peak: 0.01 });
      const { loss: again } = await net.trainStep({ image, label });
      await net.train.lenet.fit([{ image, label }], { epochs: 2, signal, onStep: ({ step, results }) => step * results.loss });
      await net.train.lenet.fit(async function* () { yield { image, label }; });
      const { accuracy: held } = await net.evaluate({ image, label });
      const paths: string[] = net.parameters().map(({ path }) => path);
      const report = await net.loadWeights(await net.saveWeights(), { partial: true });
      await net.loadState(await net.saveState());
      const shape: readonly number[] | undefined = net.signature["LeNet@1"]?.inputs[0]?.shape;
      net.dispose();
      console.log(device, output, same.output, map, loss, accuracy, again, held, paths, report.missing, shape);`;
    expect(problems("well", typed(body))).toBe("");
  });
  test("the printed source type-checks", () => {
    const { "index.js": _, "index.d.ts": __, ...rest } = typed("");
    const own = {
      "index.ts": text("index.ts"),
      "runtime.js": text("runtime.js"),
      "runtime.d.ts": text("runtime.d.ts"),
    };
    expect(problems("source", { ...rest, ...own })).toBe("");
  });
  test("misuse does not type-check", () => {
    const misuses: [body: string, message: RegExp][] = [
      ["await net.predict({ img: image });", /'img' does not exist/],
      ["await net.predict({ image: [1, 2] });", /not assignable/],
      ["await net.predict({ image: label });", /not assignable/],
      ["await net.trainStep({ image });", /'label' is missing/],
      ["await net.train.lenets.step({ image, label });", /'lenets' does not exist/],
      ["await net.call.saliency({ image, class: '3' });", /not assignable/],
      ["(await net.predict({ image })).logits;", /'logits' does not exist/],
      ["await load({ device: 'gpu' });", /not assignable/],
    ];
    const found = problems("ill", {
      ...typed(""),
      ...Object.fromEntries(misuses.map(([body], k) => [`misuse${k}.ts`, use(body)])),
    });
    for (const [k, [, message]] of misuses.entries()) {
      const lines = found.split("\n").filter((line) => line.startsWith(`misuse${k}.ts`));
      expect(lines).toHaveLength(1);
      expect(lines[0]).toMatch(message);
    }
    expect(found.split("\n").filter((line) => line.startsWith("use.ts"))).toEqual([]);
  });
});

test("a constant of one value is stored as one", async () => {
  const files = await bundleFiles("export fn large(x: f32[2]) = (fill([300, 1000], 0.5), x)", { targets: ["wasm"] });
  const index = files.get("index.js");
  expect(index?.length).toBeLessThan(100_000);
});

/** Threads of the CPU: the same bits for every number of them, and what happens when one is lost. */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { openCompiled } from "../../compiler/cli/toolchain.ts";
import type { Compiled } from "../../compiler/compile.ts";
import type { Outputs } from "../../runtime/call.ts";
import { threadWords } from "../../runtime/plan.ts";
import type { LoadOptions, Session } from "../../runtime/session.ts";
import { allocate, elementCount } from "../../runtime/tensor.ts";
import { threadName } from "../../runtime/wasm/threads.ts";
import { generator } from "../scalar/sampling.ts";
import type { BundleModule } from "../support/bundle.ts";
import { compileSource, exampleSource, filesOf, importBundle, writeBundle } from "../support/bundle.ts";
import { temporaryFolder } from "../support/folder.ts";

const temporary = temporaryFolder();

const training = (name: string, batch: number, models?: readonly string[]): Compiled =>
  compileSource(exampleSource(name), { set: { batch }, targets: ["wasm"], calls: [], ...(models && { models }) });

/** The same inputs for the same step of every session. */
async function step(session: Session, { manifest }: Compiled, number: number): Promise<Outputs> {
  const { inputs } = manifest.entries.find(({ kind }) => kind === "step")!;
  const random = generator(`step ${number}`);
  const drawn = inputs.map((input) => {
    if (input.default !== undefined) return [input.name, input.default] as const;
    const { min = 0, max = 9 } = input.bounds ?? {};
    const draw = () => (input.dtype === "f32" ? random() * 2 - 1 : min + Math.floor(random() * (max - min + 1)));
    if (input.shape.length === 0) return [input.name, input.dtype === "f32" ? 0.05 : draw()] as const;
    return [input.name, allocate(input.dtype, elementCount(input.shape)).map(draw)] as const;
  });
  return session.trainStep(Object.fromEntries(drawn));
}

/** Stands for bytes: megabytes compared one by one take seconds. */
const digest = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

async function trained(compiled: Compiled, threads: number, steps: number, from?: Uint8Array, first = 0) {
  const session = await openCompiled(compiled, { device: "cpu", threads, weights: "random", seed: 3 });
  if (from) await session.loadState(from);
  const losses: unknown[] = [];
  for (let k = first; k < steps; k++) losses.push((await step(session, compiled, k)).loss);
  const state = await session.saveState();
  session.dispose();
  return { state, end: { losses, digest: digest(state) } };
}

describe("training on several threads", () => {
  test("LeNet has the same weights after 200 steps on 1 and 2, and resumed on 3", async () => {
    const compiled = training("lenet", 8, []);
    const { end } = await trained(compiled, 1, 200);
    expect((await trained(compiled, 2, 200)).end).toEqual(end);
    const start = await trained(compiled, 2, 180);
    const rest = await trained(compiled, 3, 200, start.state, 180);
    expect({ ...rest.end, losses: [...start.end.losses, ...rest.end.losses] }).toEqual(end);
  });

  // Three threads on two busy cores wait for each other much longer than they compute.
  test("ResNet-20 has the same weights on 1, 2 and 3", async () => {
    const compiled = training("resnet20", 2, []);
    const { end } = await trained(compiled, 1, 2);
    for (const threads of [2, 3]) expect((await trained(compiled, threads, 2)).end).toEqual(end);
  });
});

describe("a bundle on several threads", () => {
  let compiled: Compiled;
  let folder: string;
  let module: BundleModule;
  beforeAll(async () => {
    compiled = training("lenet", 16);
    folder = writeBundle(join(temporary.path, "threads"), await filesOf(compiled));
    module = await importBundle(folder);
  });

  /** Node's workers of this process, and what is done with each as it is made. */
  const node = process.getBuiltinModule("node:worker_threads");
  const { Worker: OwnWorker } = node;
  const made: InstanceType<typeof OwnWorker>[] = [];
  const replaceWorkers = (code?: (given: string) => string) => {
    node.Worker = class extends OwnWorker {
      constructor(file: string | URL, options?: ConstructorParameters<typeof OwnWorker>[1]) {
        if (code) {
          const other = join(temporary.path, `worker${made.length}.mjs`);
          writeFileSync(other, code(readFileSync(file, "utf8")));
          super(other, options);
        } else super(file, options);
        made.push(this);
      }
    };
  };
  afterEach(() => {
    node.Worker = OwnWorker;
    made.length = 0;
    said.length = 0;
  });
  const said: string[] = [];
  const open = (options: LoadOptions) =>
    module.load({ device: "cpu", seed: 1, onProgress: ({ message }) => said.push(message), ...options });

  test("here or in a worker it trains to the same bits", async () => {
    const states: string[] = [];
    for (const options of [{ threads: 1 }, { threads: 3 }, { threads: 2, worker: true }]) {
      const session = await open(options);
      for (let k = 0; k < 5; k++) await step(session, compiled, k);
      states.push(digest(await session.saveState()));
      session.dispose();
    }
    expect(said).toEqual([]);
    expect(states[1]).toEqual(states[0]);
    expect(states[2]).toEqual(states[0]);
  });

  test("a thread that ends takes the session with it, and disposing ends all threads", async () => {
    replaceWorkers();
    const session = await open({ threads: 3 });
    expect(made).toHaveLength(2);
    await made[0]!.terminate();
    await expect(step(session, compiled, 0)).rejects.toThrow(/^E0802: a thread failed/);
    const ended = new Promise((resolve) => made[1]!.once("exit", resolve));
    session.dispose();
    await ended;
    await expect(step(session, compiled, 0)).rejects.toThrow();
  });

  /** What a thread runs that fails as soon as a call has begun: earlier, its error may overtake the message that it is ready. */
  const failing = `(() => {
    const { memory } = process.getBuiltinModule("node:worker_threads").workerData["${threadName}"];
    // It is not counted among the sleepers, so nobody wakes it.
    while (Atomics.wait(new Int32Array(memory.buffer), ${threadWords.command / 4}, 0, 5) === "timed-out");
    throw new Error("in the middle");
  })()`;

  test("a thread that fails in the middle of a call makes it fail", async () => {
    replaceWorkers((code) => code.replace(/\w+\.serve\(\)/, failing));
    await expect(open({ threads: 2 })).rejects.toThrow(/^E0802: the other threads do not answer/);
  });

  test("where threads cannot be had there is one, and a message", async () => {
    replaceWorkers(() => "throw new Error('none here')");
    const session = await open({ threads: 2 });
    expect(said).toEqual(["Running on one thread, not on 2: E0801: the WebAssembly module does not load: none here"]);
    await step(session, compiled, 0);
    session.dispose();
  });

  test("Node ends by itself when nothing is left to do", async () => {
    const url = pathToFileURL(join(folder, "index.js")).href;
    const program = `
      import { load } from ${JSON.stringify(url)};
      const net = await load({ device: "cpu", threads: 3 });
      console.log((await net.predict({ image: new Float32Array(784) })).output.length);`;
    const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", program]);
    expect(stdout).toBe("10\n");
  });
});

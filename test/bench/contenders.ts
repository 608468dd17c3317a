/** Contenders as processes, their rounds interleaved: while one is measured the others wait for their turn. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface, type Interface } from "node:readline";
import type { Readable } from "node:stream";
import { peakFlops } from "../../compiler/cli/peak.ts";
import { type Peak, type PeerName, peaks, type Variant, type Workload } from "./workloads.ts";

const here = import.meta.dirname;
const install = "npm ci --prefix test/bench --ignore-scripts";

interface Contestant {
  /** The file of `peers/`. */
  readonly peer: string;
  readonly variant: object;
  /** Packages of `test/bench`, from which its version is read. */
  readonly package?: string;
}

type Name = PeerName | Variant | Peak;

export const contestants: Readonly<Record<Name, Contestant>> = {
  dlx: { peer: "dlx", variant: { bundle: "bundle", load: { relaxedSimd: true } } },
  "dlx plain": { peer: "dlx", variant: { bundle: "bundle", load: {} } },
  "dlx 2 threads": { peer: "dlx", variant: { bundle: "bundle", load: { relaxedSimd: true, threads: 2 } } },
  "dlx winograd": { peer: "dlx", variant: { bundle: "bundle-winograd", load: { relaxedSimd: true } } },
  "dlx winograd plain": { peer: "dlx", variant: { bundle: "bundle-winograd", load: {} } },
  PyTorch: { peer: "pytorch", variant: {} },
  "onnxruntime-node": { peer: "onnxruntime", variant: { native: true }, package: "onnxruntime-node" },
  "onnxruntime-web": { peer: "onnxruntime", variant: { native: false }, package: "onnxruntime-web" },
  "TensorFlow.js": { peer: "tensorflow", variant: { backend: "wasm" }, package: "@tensorflow/tfjs-backend-wasm" },
  "TensorFlow.js cpu": { peer: "tensorflow", variant: { backend: "cpu" }, package: "@tensorflow/tfjs" },
  peak: { peer: "peak", variant: { relaxed: true } },
  "peak plain": { peer: "peak", variant: { relaxed: false } },
  "jax-js": { peer: "jax", variant: {}, package: "@jax-js/jax" },
};

/** The first Python that has PyTorch. */
const python = (() => {
  let found: string | null | undefined;
  return () => {
    found ??=
      ["python3", "/usr/bin/python3"].find((name) => spawnSync(name, ["-c", "import torch"]).status === 0) ?? null;
    return found;
  };
})();

/** The version of a contender, or what to do so that it can take part. */
export function versionOf(name: PeerName | Variant): { readonly version?: string; readonly missing?: string } {
  const { peer, package: needed } = contestants[name];
  if (peer === "dlx") return {};
  if (peer === "pytorch") {
    const found = python();
    if (!found) return { missing: "apt-get install python3-torch" };
    return { version: spawnSync(found, ["-c", "import torch; print(torch.__version__)"]).stdout.toString().trim() };
  }
  const path = join(here, "node_modules", needed ?? "", "package.json");
  if (!existsSync(path)) return { missing: install };
  const { version } = JSON.parse(readFileSync(path, "utf8"));
  return { version };
}

/** Python has one program for both, which takes a further word. */
function commandOf(name: Name, folder: string, script: "contender.mjs" | "start.mjs"): string[] {
  const { peer, variant } = contestants[name];
  if (peer === "pytorch")
    return [python() ?? "python3", join(here, "peers/pytorch.py"), folder, ...(script === "start.mjs" ? ["once"] : [])];
  return [process.execPath, join(here, script), peer, folder, JSON.stringify(variant)];
}

const oneThread = () => ({ ...process.env, OMP_NUM_THREADS: "1", OPENBLAS_NUM_THREADS: "1", MKL_NUM_THREADS: "1" });

/** No answer after so long: the contender is left out. */
const patience = 60_000;

class Contender {
  readonly name: Name;
  readonly #process: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #reader: Interface;
  #errors = "";
  /** Milliseconds of a step, about. */
  step = 0;
  failure: string | undefined;
  losses: readonly number[] | undefined;
  output: Float32Array | undefined;
  readonly times: number[] = [];

  constructor(name: Name, folder: string) {
    this.name = name;
    const [command = "", ...parameters] = commandOf(name, folder, "contender.mjs");
    this.#process = spawn(command, parameters, { stdio: ["pipe", "ignore", "pipe", "pipe"], env: oneThread() });
    this.#process.stderr?.on("data", (chunk) => {
      this.#errors = `${this.#errors}${chunk}`.slice(-2000);
    });
    this.#reader = createInterface({ input: this.#process.stdio[3] as Readable });
    this.#lines = this.#reader[Symbol.asyncIterator]();
  }

  async #answer(): Promise<Record<string, unknown>> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<string>((resolve) => {
      timer = setTimeout(() => resolve(`{"error": "no answer within ${patience / 1000} s"}`), patience);
    });
    const next = this.#lines.next().then(({ value, done }): string => {
      return done ? JSON.stringify({ error: this.#errors || "the process ended" }) : value;
    });
    const answer = JSON.parse(await Promise.race([next, late]));
    clearTimeout(timer);
    if (answer.error !== undefined) throw new Error(answer.error);
    return answer;
  }

  async #ask(question: object): Promise<Record<string, unknown>> {
    this.#process.stdin?.write(`${JSON.stringify(question)}\n`);
    return this.#answer();
  }

  /** Runs `work`; a contender that fails is out. */
  async attempt(work: () => Promise<void>): Promise<void> {
    if (this.failure !== undefined) return;
    try {
      await work();
    } catch (error) {
      this.failure = error instanceof Error ? error.message : String(error);
      this.end();
    }
  }

  async open(): Promise<void> {
    await this.#answer();
  }

  async check(steps: number): Promise<void> {
    const { milliseconds, losses, file } = await this.#ask({ check: steps });
    this.step = Number(milliseconds);
    if (Array.isArray(losses)) this.losses = losses.map(Number);
    if (typeof file === "string") {
      const { buffer } = new Uint8Array(readFileSync(file));
      this.output = new Float32Array(buffer);
    }
  }

  /** At least 25 steps and half a second; one or two where they are slow. */
  async warmUp(): Promise<void> {
    const slow = this.step > 100;
    const steps = slow ? 1 : Math.max(5, Math.ceil(100 / Math.max(this.step, 0.01)));
    const { times } = await this.#ask({ samples: slow ? (this.step > 1000 ? 1 : 2) : 5, steps });
    if (Array.isArray(times)) this.step = Math.min(...times);
  }

  /** Samples of at least `least` milliseconds each, for so many milliseconds; one sample at least. */
  async round(milliseconds: number, least = 1): Promise<void> {
    const steps = Math.max(1, Math.ceil(least / this.step));
    const samples = Math.max(1, Math.round(milliseconds / (steps * this.step)));
    const { times } = await this.#ask({ samples, steps });
    if (Array.isArray(times)) this.times.push(...times);
  }

  end(): void {
    this.#reader.close();
    this.#process.kill();
  }
}

export interface Measured {
  readonly name: PeerName | Variant | "empty Node";
  readonly version?: string;
  readonly failure?: string;
  /** Milliseconds of a step, or of a process. */
  readonly median?: number;
  readonly minimum?: number;
  readonly samples?: number;
  /** The largest difference from `dlx plain`, relative to the largest value or the loss. */
  readonly apart?: number;
}

/** How far losses of the first steps and predictions may be apart, relative to the largest. */
export const tolerance = 1e-3;
const checkedSteps = 3;

function apart(a: Contender, b: Contender): number {
  const [one, two] = [a.losses ?? a.output ?? [], b.losses ?? b.output ?? []];
  if (one.length !== two.length || one.length === 0) return Number.POSITIVE_INFINITY;
  let largest = 0;
  let difference = 0;
  for (let k = 0; k < one.length; k++) {
    largest = Math.max(largest, Math.abs(two[k] ?? 0));
    const here = Math.abs((one[k] ?? 0) - (two[k] ?? 0));
    if (!(here <= difference)) difference = here;
  }
  return difference / largest;
}

export const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

export interface Effort {
  readonly rounds: number;
  /** Of one contender's round. */
  readonly milliseconds: number;
}

/** Milliseconds of whole processes that make one step, rounds interleaved; the first of all is one that does nothing. */
export function startUp(workload: Workload, folder: string, rounds: number): Measured[] {
  const names = [...workload.variants, ...workload.peers];
  const commands = new Map<Measured["name"], string[]>([["empty Node", [process.execPath, "-e", "0"]]]);
  for (const name of names)
    if (versionOf(name).missing === undefined) commands.set(name, commandOf(name, folder, "start.mjs"));
  const times = new Map([...commands.keys()].map((name) => [name, [] as number[]]));
  const failures = new Map<Measured["name"], string>();
  for (let round = -1; round < rounds; round++)
    for (const [name, [command = "", ...parameters]] of commands) {
      const start = performance.now();
      const { status, stderr } = spawnSync(command, parameters, { env: oneThread(), encoding: "utf8" });
      // The first round fills the caches of the file system.
      if (round >= 0) times.get(name)?.push(performance.now() - start);
      if (status !== 0) failures.set(name, stderr.trim().split("\n").at(-1) ?? `status ${status}`);
    }
  return ["empty Node" as const, ...names].map((name): Measured => {
    const { version, missing } = name === "empty Node" ? { version: process.version } : versionOf(name);
    const known = version === undefined ? {} : { version };
    const list = times.get(name);
    const failure = list ? failures.get(name) : `not installed: ${missing}`;
    if (!list || failure !== undefined) return { name, ...known, failure: failure ?? "" };
    return { name, ...known, median: median(list), minimum: Math.min(...list), samples: list.length };
  });
}

/** GFLOP/s, of the median and the least time. */
export interface Speed {
  readonly median: number;
  readonly best: number;
}
export interface Competition {
  readonly contenders: readonly Measured[];
  /** Of one core meanwhile, in samples that last as long as a step; `relaxed` where there is fused multiply-add. */
  readonly peak: { readonly plain: Speed; readonly relaxed?: Speed };
}

const speedOf = ({ times }: Contender): Speed => ({
  median: peakFlops / median(times) / 1e6,
  best: peakFlops / Math.min(...times) / 1e6,
});

/** Measures a prepared workload with everybody who is here. */
export async function compete(workload: Workload, folder: string, effort: Effort): Promise<Competition> {
  const names = [...workload.variants, ...workload.peers];
  const present = names.filter((name) => versionOf(name).missing === undefined);
  const contenders: Contender[] = [];
  const measures: Contender[] = [];
  try {
    for (const name of peaks) {
      const measure = new Contender(name, folder);
      measures.push(measure);
      await measure.attempt(async () => {
        await measure.open();
        measure.step = 0.1;
        await measure.warmUp();
      });
    }
    for (const name of present) {
      const contender = new Contender(name, folder);
      contenders.push(contender);
      await contender.attempt(async () => {
        await contender.open();
        await contender.check(checkedSteps);
        await contender.warmUp();
      });
    }
    const ours = contenders.find(({ name }) => name === "dlx plain")?.step ?? 1;
    for (let round = 0; round < effort.rounds; round++) {
      for (const measure of measures)
        await measure.attempt(() => measure.round(effort.milliseconds, Math.max(1, ours)));
      // What takes a second needs fewer rounds to tell as much.
      for (const contender of contenders)
        if (round < (contender.step > 1000 ? 2 : 3) || contender.step * 3 < effort.milliseconds * effort.rounds)
          await contender.attempt(() => contender.round(effort.milliseconds));
    }
  } finally {
    for (const contender of [...contenders, ...measures]) contender.end();
  }
  const reference = contenders.find(({ name, failure }) => name === "dlx plain" && failure === undefined);
  const results = names.map((name): Measured => {
    const { version, missing } = versionOf(name);
    const known = version === undefined ? {} : { version };
    const contender = contenders.find((each) => each.name === name);
    if (!contender) return { name, ...known, failure: `not installed: ${missing}` };
    if (contender.failure !== undefined) return { name, ...known, failure: contender.failure };
    const difference = reference ? apart(contender, reference) : Number.NaN;
    const disagrees = !(difference <= tolerance);
    return {
      name,
      ...known,
      ...(disagrees ? { failure: `results differ by ${difference.toExponential(1)}` } : {}),
      median: median(contender.times),
      minimum: Math.min(...contender.times),
      samples: contender.times.length,
      apart: difference,
    };
  });
  const [relaxed, plain] = measures;
  if (!plain || plain.failure !== undefined) throw new Error(`no peak: ${plain?.failure}`);
  const fused = relaxed && relaxed.failure === undefined ? { relaxed: speedOf(relaxed) } : {};
  return { contenders: results, peak: { plain: speedOf(plain), ...fused } };
}

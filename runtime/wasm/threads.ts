/**
 * Threads of the CPU. The first is whoever calls an entry; each of the others has an instance of the module over the same
 * memory, in a worker that waits inside of WebAssembly and does its share of every entry.
 */
import { threadWords } from "../plan.ts";

/** By this name the bundle's file knows what it is in a worker for. */
export const threadName = "dlx thread";

/** What is shared by all threads. */
export interface Team {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  readonly threads: number;
}
type Member = Team & { readonly thread: number };

export const nodeWorkers = () =>
  typeof process === "object" ? process.getBuiltinModule?.("node:worker_threads") : undefined;

/** Why threads cannot share memory here, if they cannot. */
export function noSharedMemory(): string | undefined {
  const isolated = Reflect.get(globalThis, "crossOriginIsolated") !== false;
  if (typeof SharedArrayBuffer === "function" && isolated) return undefined;
  return "there is no SharedArrayBuffer: the page is not cross-origin isolated (headers COOP and COEP)";
}

function work({ module, memory, thread, threads }: Member, ready: () => void): void {
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  Object.assign(exports.thread as WebAssembly.Global, { value: thread });
  Object.assign(exports.threads as WebAssembly.Global, { value: threads });
  ready();
  try {
    (exports.serve as () => void)();
  } finally {
    const words = new Int32Array(memory.buffer);
    Atomics.store(words, threadWords.failed / 4, 1);
    Atomics.notify(words, threadWords.phase / 4);
  }
}

/** In a worker that was made for a thread: takes the task, and never returns from it. */
export function serveThread(): boolean {
  const node = nodeWorkers();
  if (node) {
    const member: Member | undefined = node.workerData?.[threadName];
    if (member) work(member, () => node.parentPort?.postMessage("ready"));
    return member !== undefined;
  }
  if (Reflect.get(globalThis, "name") !== threadName) return false;
  globalThis.addEventListener("message", ({ data }: MessageEvent<Member>) =>
    work(data, () => globalThis.postMessage("ready")),
  );
  return true;
}

/** Starts all threads but the first, in workers of a file that calls `serveThread`. `failed` is called if one ends by itself; the result ends them. */
export async function startThreads(
  team: Team,
  url: string | undefined,
  failed: (what: string) => void,
): Promise<() => void> {
  const ends: (() => void)[] = [];
  let ended = false;
  const end = () => {
    ended = true;
    for (const each of ends) each();
  };
  const start = (thread: number) =>
    new Promise<void>((ready, reject) => {
      const member: Member = { ...team, thread };
      const fail = (what: string) => {
        if (ended) return;
        reject(new Error(what));
        failed(what);
      };
      if (url === undefined) throw new Error("there is no file to make workers of");
      const node = nodeWorkers();
      if (node) {
        const worker = new node.Worker(new URL(url), { execArgv: [], workerData: { [threadName]: member } });
        ends.push(() => void worker.terminate());
        worker.on("error", ({ message }) => fail(message));
        worker.on("exit", () => fail("it ended"));
        worker.once("message", () => {
          // Node ends by itself while nothing else is to be done.
          worker.unref();
          ready();
        });
        return;
      }
      const worker = new Worker(url, { type: "module", name: threadName });
      ends.push(() => worker.terminate());
      worker.onerror = ({ message }) => fail(message || "the page's policy may not allow it (worker-src)");
      worker.onmessage = () => ready();
      worker.postMessage(member);
    });
  try {
    await Promise.all(Array.from({ length: team.threads - 1 }, (_, k) => start(k + 1)));
  } catch (error) {
    end();
    throw error;
  }
  return end;
}

/** A file for threads where there is no bundle whose own file they could load: it does what `serveThread` does. */
import { threadWords } from "../plan.ts";
import { threadName } from "../wasm/threads.ts";

const source = `
import { parentPort, workerData } from "node:worker_threads";
const { module, memory, thread, threads } = workerData[${JSON.stringify(threadName)}];
const { exports } = new WebAssembly.Instance(module, { env: { memory } });
exports.thread.value = thread;
exports.threads.value = threads;
parentPort.postMessage("ready");
try {
  exports.serve();
} finally {
  const words = new Int32Array(memory.buffer);
  Atomics.store(words, ${threadWords.failed / 4}, 1);
  Atomics.notify(words, ${threadWords.phase / 4});
}`;

export const threadFile = `data:text/javascript,${encodeURIComponent(source)}`;

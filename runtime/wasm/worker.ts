/**
 * The CPU device in a worker, so that the thread that asked for it never waits for a kernel. The worker loads the bundle's
 * own file, which serves a device instead of loading a program when it finds itself in such a worker.
 */
import type { Device, Elements } from "../device.ts";
import { DlxError } from "../errors.ts";
import type { Manifest } from "../plan.ts";
import { nodeWorkers, serveThread } from "./threads.ts";

/** By this name the bundle's file knows what it is in the worker for. */
const workerName = "dlx device";

export interface WorkerOptions {
  readonly relaxedSimd: boolean;
  readonly threads: number;
}
type Request =
  | ({ readonly do: "open" } & WorkerOptions)
  | { readonly do: "write"; readonly slot: number; readonly values: Elements }
  | { readonly do: "read"; readonly slot: number }
  | { readonly do: "run"; readonly entry: number; readonly inputs: readonly Elements[] };
interface Asked {
  readonly id: number;
  readonly request: Request;
}
/** One without a number answers nothing: progress, or the loss of the device. */
interface Answer {
  readonly id?: number;
  readonly progress?: string;
  readonly value?: unknown;
  readonly failed?: { readonly code: string; readonly message: string };
}

/** One side of a worker, in browsers and in Node. */
interface Port<Heard> {
  post(message: object, transfer: ArrayBuffer[]): void;
  listen(hear: (message: Heard) => void): void;
}

const buffersOf = (arrays: readonly Elements[]): ArrayBuffer[] =>
  arrays.flatMap(({ buffer }) => (buffer instanceof ArrayBuffer ? [buffer] : []));

// ---- Inside the worker ----------------------------------------------------------------------------------------------------

/** The way out, if this is a worker that was made for a device. */
function ownPort(): Port<Asked> | undefined {
  const node = nodeWorkers();
  const parent = node?.workerData === workerName ? node.parentPort : undefined;
  if (parent) {
    return {
      post: (message, transfer) => parent.postMessage(message, transfer),
      listen: (hear) => parent.on("message", hear),
    };
  }
  if (node || Reflect.get(globalThis, "name") !== workerName) return undefined;
  return {
    post: (message, transfer) => globalThis.postMessage(message, { transfer }),
    listen: (hear) => globalThis.addEventListener("message", ({ data }) => hear(data)),
  };
}

type Progress = (progress: { readonly message: string }) => void;

/** Answers requests one after the other, or works as a thread; does nothing outside of such workers. */
export function serveDevice(open: (options: WorkerOptions & { onProgress: Progress }) => Promise<Device>): void {
  const port = serveThread() ? undefined : ownPort();
  if (!port) return;
  let opened: Promise<Device> | undefined;
  const perform = async (request: Request): Promise<{ value: unknown; transfer?: ArrayBuffer[] }> => {
    if (request.do === "open") {
      opened = open({ ...request, onProgress: ({ message }) => port.post({ progress: message }, []) });
      const { details, lost } = await opened;
      lost.catch((error) => port.post({ failed: failedBy(error) }, []));
      return { value: details };
    }
    const device = await opened;
    switch (request.do) {
      case "write":
        return { value: device?.writeSlot(request.slot, request.values) };
      case "read": {
        const value = await device?.readSlot(request.slot);
        return { value, transfer: value ? buffersOf([value]) : [] };
      }
      case "run": {
        const value = await device?.run(request.entry, request.inputs);
        return { value, transfer: buffersOf(value ?? []) };
      }
      default:
        return request satisfies never;
    }
  };
  let last: Promise<void> = Promise.resolve();
  port.listen(({ id, request }) => {
    last = last.then(async () => {
      try {
        const { value, transfer = [] } = await perform(request);
        port.post({ id, value }, transfer);
      } catch (error) {
        port.post({ id, failed: failedBy(error) }, []);
      }
    });
  });
}

const failedBy = (error: unknown): Answer["failed"] => ({
  code: error instanceof DlxError ? error.code : "E0801",
  message: error instanceof Error ? error.message : String(error),
});

// ---- Outside --------------------------------------------------------------------------------------------------------------

interface Started extends Port<Answer> {
  /** Node ends by itself while nothing waits for the worker. */
  hold(held: boolean): void;
  end(): void;
}

function start(url: string, failed: (what: string) => void): Started {
  const node = nodeWorkers();
  if (node) {
    const worker = new node.Worker(new URL(url), { workerData: workerName });
    worker.on("error", ({ message }) => failed(message));
    worker.on("exit", () => failed("it ended"));
    return {
      post: (message) => worker.postMessage(message),
      listen: (hear) => worker.on("message", hear),
      hold: (held) => (held ? worker.ref() : worker.unref()),
      end: () => void worker.terminate(),
    };
  }
  const worker = new Worker(url, { type: "module", name: workerName });
  worker.onerror = ({ message }) => failed(message || "the page's policy may not allow it (worker-src)");
  return {
    post: (message) => worker.postMessage(message),
    listen: (hear) => worker.addEventListener("message", ({ data }) => hear(data)),
    hold: () => {},
    end: () => worker.terminate(),
  };
}

/** A device in a worker made of the bundle's file at `url`. Rejects where there can be no worker. */
export async function openWorkerDevice(
  url: string,
  manifest: Manifest,
  options: WorkerOptions,
  onProgress: Progress = () => {},
): Promise<Device> {
  let failure: DlxError | undefined;
  let lose: (error: DlxError) => void = () => {};
  const lost = new Promise<never>((_, reject) => {
    lose = reject;
  });
  lost.catch(() => {});
  const waiting = new Map<number, { resolve(value: unknown): void; reject(error: DlxError): void }>();
  const fail = (error: DlxError) => {
    failure ??= error;
    lose(failure);
    for (const { reject } of waiting.values()) reject(failure);
    waiting.clear();
  };
  const worker = start(url, (what) => fail(new DlxError("E0802", `the worker failed: ${what}`)));
  worker.listen(({ id, value, failed, progress }) => {
    const error = failed && Object.assign(new DlxError(failed.code, ""), { message: failed.message });
    if (id === undefined) {
      if (progress !== undefined) onProgress({ message: progress });
      if (error) fail(error);
      return;
    }
    const call = waiting.get(id);
    waiting.delete(id);
    if (waiting.size === 0) worker.hold(false);
    if (error) call?.reject(error);
    else call?.resolve(value);
  });
  let count = 0;
  const ask = <T>(request: Request): Promise<T> =>
    new Promise<T>((resolve, reject) => {
      if (failure) throw failure;
      const id = count++;
      waiting.set(id, { resolve: (value) => resolve(value as T), reject });
      worker.hold(true);
      worker.post({ id, request }, []);
    });

  const details = await ask<string | undefined>({ do: "open", ...options }).catch((error) => {
    worker.end();
    throw error;
  });
  return {
    name: "cpu",
    ...(details !== undefined && { details }),
    manifest,
    lost,
    writeSlot: (slot, values) => {
      if (failure) throw failure;
      ask({ do: "write", slot, values }).catch(fail);
    },
    readSlot: (slot) => ask({ do: "read", slot }),
    run: (entry, inputs) => ask({ do: "run", entry, inputs }),
    dispose: () => {
      fail(new DlxError("E0804", "this program was disposed of"));
      worker.end();
    },
  };
}

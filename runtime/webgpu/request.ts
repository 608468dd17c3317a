import { DlxError } from "../errors.ts";
import type { Location, TargetPlan } from "../plan.ts";

/** A device with the limits that the plan needs, or a DlxError that says which one the adapter lacks. */
export async function requestDevice(gpu: GPU, plan: TargetPlan): Promise<GPUDevice> {
  const adapter = await gpu.requestAdapter({ powerPreference: "high-performance" });
  if (!adapter) throw new DlxError("E0801", "there is no WebGPU adapter here");
  const dispatches = [...plan.prepare, ...plan.entries].flatMap((steps) => steps?.dispatches ?? []);
  const bindings = dispatches.flatMap((dispatch) => dispatch.buffers);
  const most = (values: readonly number[]) => values.reduce((a, b) => Math.max(a, b), 0);
  // Defaults of the specification: asking for less than a default gives the default.
  const needed = {
    maxBufferSize: most([...plan.persistent, ...plan.arena]) + 16,
    maxStorageBufferBindingSize: most(bindings.map((at: Location) => at.bytes)),
    maxStorageBuffersPerShaderStage: most(dispatches.map((dispatch) => dispatch.buffers.length)),
  };
  const requiredLimits: Record<string, number> = {};
  for (const name of ["maxBufferSize", "maxStorageBufferBindingSize", "maxStorageBuffersPerShaderStage"] as const) {
    const offered = adapter.limits[name];
    if (needed[name] > offered)
      throw new DlxError("E0801", `the GPU's ${name} is ${offered}, this program needs ${needed[name]}`);
    if (needed[name] > defaults[name]) requiredLimits[name] = needed[name];
  }
  return adapter.requestDevice({ requiredLimits });
}

const defaults = {
  maxBufferSize: 256 * 2 ** 20,
  maxStorageBufferBindingSize: 128 * 2 ** 20,
  maxStorageBuffersPerShaderStage: 8,
};

const disposal = () => new DlxError("E0804", "this program was disposed of");

/** Turns the loss of a device and errors of the GPU into rejections. */
export function watch(device: GPUDevice) {
  let disposed = false;
  let failure: DlxError | undefined;
  let reject: (error: DlxError) => void = () => {};
  const lost = new Promise<never>((_, fail) => {
    reject = fail;
  });
  // Whoever wants to know attaches a handler; nobody has to.
  lost.catch(() => {});
  const waiting = new Set<(error: DlxError) => void>();
  const fail = (error: DlxError) => {
    failure ??= error;
    reject(failure);
    for (const stop of waiting) stop(failure);
    waiting.clear();
  };
  device.lost.then(({ reason, message }) => {
    if (disposed) fail(disposal());
    else fail(new DlxError("E0802", `the GPU was lost (${reason}): ${message}`));
  });
  device.addEventListener("uncapturederror", (event) => {
    if (!disposed) fail(new DlxError("E0802", `the GPU failed: ${event.error.message}`));
  });
  return {
    lost,
    /** What `work` gives, unless the device is lost first: then `work` may never settle, and this rejects. */
    orLost<T>(work: Promise<T>): Promise<T> {
      // Not Promise.race: a promise that lives as long as the device would keep every step's reaction.
      return new Promise((resolve, stop) => {
        if (failure) return stop(failure);
        waiting.add(stop);
        work.then(resolve, (error: unknown) => {
          if (error instanceof DlxError) return stop(error);
          // A mapping is aborted before the loss of the device is announced, which says why.
          if (disposed) return stop(disposal());
          setTimeout(() => stop(failure ?? new DlxError("E0802", "the GPU failed", { cause: error })), 100);
        });
        const done = () => waiting.delete(stop);
        work.then(done, done);
      });
    },
    check(): void {
      if (disposed) throw disposal();
      if (failure) throw failure;
    },
    dispose(): void {
      if (disposed) return;
      disposed = true;
      device.destroy();
    },
  };
}

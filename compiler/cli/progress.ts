/** A progress bar on a terminal; nothing where there is none. */
import type { SingleBar } from "cli-progress";
import type { Terminal } from "./terminal.ts";

export interface Progress {
  update(done: number, total: number, values: Readonly<Record<string, number>>): void;
  stop(): void;
}

/** `unit` is what is counted; without it there is no bar. */
export function progressBar(terminal: Terminal, unit: string | undefined): Progress {
  if (!terminal.interactive || unit === undefined) return { update: () => {}, stop: () => {} };
  let bar: SingleBar | undefined;
  let first: { done: number; time: number } | undefined;
  let stopped = false;
  // Loaded beside the first steps, so that they do not wait for it.
  const loading = import("cli-progress").then(({ default: library }) => {
    if (stopped) return;
    bar = new library.SingleBar(
      {
        format: `{bar} {value}/{total} ${unit} | {rate} ${unit}/s | {eta_formatted} left | {values}`,
        barsize: 24,
        stream: process.stderr,
        hideCursor: true,
        clearOnComplete: false,
        etaBuffer: 100,
        fps: 10,
      },
      library.Presets.shades_classic,
    );
  });
  loading.catch(() => {});
  let started = false;
  return {
    update(done, total, values) {
      const now = performance.now();
      first ??= { done, time: now };
      if (!bar || stopped) return;
      const rate = now > first.time ? ((done - first.done) / (now - first.time)) * 1000 : 0;
      const payload = {
        rate: rate.toFixed(rate < 10 ? 1 : 0),
        values: Object.entries(values)
          .map(([name, value]) => `${name} ${Number(value.toPrecision(4))}`)
          .join(" "),
      };
      if (!started) bar.start(total, done, payload);
      started = true;
      bar.update(done, payload);
    },
    stop() {
      if (!stopped && started) bar?.stop();
      stopped = true;
    },
  };
}

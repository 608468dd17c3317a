import { relaxedSimd } from "../../../runtime/bundle.ts";
import { type ExitCode, UsageError } from "../failure.ts";
import { measuredPeak } from "../peak.ts";
import { type EntryProfile, type KernelProfile, type Measurement, profile } from "../profile.ts";
import { progressBar } from "../progress.ts";
import { table } from "../summary-table.ts";
import { type Terminal, toJsonText } from "../terminal.ts";
import { elaborateFile, hasBatch, type ProgramFlags, settingsWith } from "../toolchain.ts";

interface Flags extends ProgramFlags {
  readonly batch?: number;
  readonly plain?: boolean;
  readonly threads?: number;
}

const gigaflops = ({ flops, milliseconds }: Measurement) => flops / milliseconds / 1e6;
const gigabytes = ({ bytes, milliseconds }: Measurement) => bytes / milliseconds / 1e6;

export async function run(terminal: Terminal, [file = ""]: string[], flags: Flags): Promise<ExitCode> {
  const { batch, block, model, threads = 1 } = flags;
  if (block !== undefined && model !== undefined) throw new UsageError("--block and --model: one of them");
  const set = (await hasBatch(file)) && model === undefined ? settingsWith(flags.set, batch) : flags.set;
  const train = model !== undefined ? "none" : block === undefined ? "all" : "block";
  const whole = await elaborateFile(
    file,
    { ...flags, ...(set && { set }), ...(batch !== undefined && { batches: [batch] }), train },
    terminal,
  );
  // A model at the batch asked for; every step; of `export fn`s what the file has.
  const entries = whole.entries.filter((entry) => {
    if (entry.kind === "step") return model === undefined;
    if (block !== undefined || (entry.kind !== "predict" && entry.kind !== "call")) return false;
    return (model === undefined || entry.of === model) && (entry.batch === undefined || entry.batch === (batch ?? 1));
  });
  if (entries.length === 0) throw new UsageError(`there is no ${model === undefined ? "entry" : `model ${model}`}`);
  const relaxed = flags.plain !== true && relaxedSimd(true);
  const machine: Machine = { relaxed, threads, peak: measuredPeak(relaxed) };
  const progress = progressBar(terminal, flags.json ? undefined : "kernels");
  const entryProfiles = await profile(
    { ...whole, entries },
    {
      relaxed,
      threads,
      ...(flags.winograd !== undefined && { winograd: flags.winograd }),
      onProgress: (done, total) => progress.update(done, total, {}),
    },
  );
  progress.stop();
  if (flags.json) terminal.out(toJsonText(asJson(entryProfiles, machine)));
  else terminal.out(asText(entryProfiles, machine));
  return 0;
}

/** What it ran on; the peak is that of one thread, in GFLOP/s. */
interface Machine {
  readonly relaxed: boolean;
  readonly threads: number;
  readonly peak: number;
}

function asJson(entries: readonly EntryProfile[], { relaxed, threads, peak }: Machine) {
  const rates = (each: Measurement) => ({
    gflopsPerSecond: gigaflops(each),
    gigabytesPerSecond: gigabytes(each),
    ofPeak: gigaflops(each) / (peak * threads),
  });
  return {
    threads,
    instructions: relaxed ? "relaxed-simd" : "simd128",
    peakGflopsPerSecond: peak,
    entries: entries.map(({ kernels, ...entry }) => ({
      ...entry,
      ...rates(entry),
      callsPerSecond: 1000 / entry.milliseconds,
      kernels: kernels.map((kernel) => ({ ...kernel, ...rates(kernel) })),
    })),
  };
}

function asText(entries: readonly EntryProfile[], { relaxed, threads, peak }: Machine): string {
  const one = (value: number) => value.toFixed(1);
  const percent = (share: number) => `${(100 * share).toFixed(0)}%`;
  const rates = (each: Measurement) => [
    one(gigaflops(each)),
    one(gigabytes(each)),
    percent(gigaflops(each) / (peak * threads)),
  ];
  const place = ({ file, line }: KernelProfile) => (file === null ? "" : `${file}:${line}`);
  const texts = entries.map((entry) => {
    const { kernels, milliseconds } = entry;
    const together = kernels.reduce((sum, kernel) => sum + kernel.milliseconds, 0);
    const lines = kernels
      .toSorted((a, b) => b.milliseconds - a.milliseconds)
      .map((kernel) => [
        kernel.label,
        kernel.milliseconds.toFixed(3),
        percent(kernel.milliseconds / together),
        ...rates(kernel),
        place(kernel),
      ]);
    const last = ["the whole", milliseconds.toFixed(3), "", ...rates(entry), `${one(1000 / milliseconds)} a second`];
    const head = ["kernel", "ms", "share", "GFLOP/s", "GB/s", "of peak", "line"];
    return `${entry.entry}\n\n${table([head, ...lines, last])}`;
  });
  const instructions = relaxed ? "relaxed SIMD" : "SIMD128";
  const count = threads === 1 ? "One thread" : `${threads} threads`;
  return `${texts.join("\n")}\n${count}, ${instructions}; the measured peak here is ${one(peak)} GFLOP/s a thread.\n`;
}

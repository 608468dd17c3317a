/** The best of a run's evaluations so far, and how many came since. */
export class Best {
  readonly metric: string;
  readonly mode: "min" | "max";
  readonly #threshold: number;
  value: number | undefined;
  /** Evaluations since the best one. */
  waited = 0;

  /** What is better by a smaller share of the best than `threshold` counts as no better. */
  constructor(metric: string, mode: "min" | "max", threshold = 0) {
    this.metric = metric;
    this.mode = mode;
    this.#threshold = threshold;
  }

  /** Takes an evaluation in; answers whether it is the best. What is not finite never is. */
  see(values: Readonly<Record<string, number>>): boolean {
    const { metric, mode, value: best } = this;
    const value = values[metric] ?? Number.NaN;
    const gain = best === undefined ? Number.POSITIVE_INFINITY : mode === "min" ? best - value : value - best;
    if (gain > this.#threshold * Math.abs(best ?? 0) && Number.isFinite(value)) {
      this.value = value;
      this.waited = 0;
      return true;
    }
    this.waited++;
    return false;
  }

  /** As text, for a checkpoint. */
  save(): string {
    return `${this.value ?? ""} ${this.waited}`;
  }
  load(text: string): void {
    const [best = "", waited = ""] = text.split(" ");
    this.value = best === "" ? undefined : Number(best);
    this.waited = Number(waited);
  }
}

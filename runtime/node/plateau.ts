/**
 * Scales a knob down when what is measured on held-out rows has stopped getting better: the rule of PyTorch's
 * ReduceLROnPlateau, with a relative threshold.
 */
export interface PlateauOptions {
  /** The knob, and what it is at the start. */
  readonly knob: string;
  readonly start: number;
  /** The loss or metric that is watched. */
  readonly metric: string;
  /** Whether smaller or larger is better. */
  readonly mode: "min" | "max";
  readonly factor: number;
  /** So many evaluations in a row may fail to be better before the knob is scaled. */
  readonly patience: number;
  /** The knob goes no lower. */
  readonly lowest: number;
}

/** What is better by less counts as no better. */
const threshold = 1e-4;

export class Plateau {
  readonly options: PlateauOptions;
  #value: number;
  #best: number | undefined;
  #waited = 0;

  constructor(options: PlateauOptions) {
    this.options = options;
    this.#value = options.start;
  }

  /** The knob's value now. */
  get knobs(): Readonly<Record<string, number>> {
    return { [this.options.knob]: this.#value };
  }

  /** Takes an evaluation in; answers whether the knob changed. What is not finite is never better. */
  see(values: Readonly<Record<string, number>>): boolean {
    const { metric, mode, factor, patience, lowest } = this.options;
    const value = values[metric] ?? Number.NaN;
    const gain =
      this.#best === undefined ? Number.POSITIVE_INFINITY : mode === "min" ? this.#best - value : value - this.#best;
    if (gain > threshold * Math.abs(this.#best ?? 0) && Number.isFinite(value)) {
      this.#best = value;
      this.#waited = 0;
      return false;
    }
    if (++this.#waited <= patience) return false;
    this.#waited = 0;
    const before = this.#value;
    this.#value = Math.max(before * factor, Math.min(before, lowest));
    return this.#value !== before;
  }

  /** As text, for a checkpoint. */
  save(): string {
    return [this.#value, this.#best ?? "", this.#waited].join(" ");
  }
  load(text: string): void {
    const [value = "", best = "", waited = ""] = text.split(" ");
    this.#value = Number(value);
    this.#best = best === "" ? undefined : Number(best);
    this.#waited = Number(waited);
  }
}

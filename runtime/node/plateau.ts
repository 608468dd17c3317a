import { Best } from "./best.ts";

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

/** What is better by less, relatively, counts as no better. */
const threshold = 1e-4;

export class Plateau {
  readonly options: PlateauOptions;
  #value: number;
  readonly #best: Best;

  constructor(options: PlateauOptions) {
    this.options = options;
    this.#value = options.start;
    this.#best = new Best(options.metric, options.mode, threshold);
  }

  /** The knob's value now. */
  get knobs(): Readonly<Record<string, number>> {
    return { [this.options.knob]: this.#value };
  }

  /** Takes an evaluation in; answers whether the knob changed. */
  see(values: Readonly<Record<string, number>>): boolean {
    const { factor, patience, lowest } = this.options;
    if (this.#best.see(values) || this.#best.waited <= patience) return false;
    this.#best.waited = 0;
    const before = this.#value;
    this.#value = Math.max(before * factor, Math.min(before, lowest));
    return this.#value !== before;
  }

  /** As text, for a checkpoint. */
  save(): string {
    return `${this.#value} ${this.#best.save()}`;
  }
  load(text: string): void {
    const space = text.indexOf(" ");
    this.#value = Number(text.slice(0, space));
    this.#best.load(text.slice(space + 1));
  }
}

import type { TargetPlan } from "./plan.ts";

/** Which preparations have to run: all of them at first, then those that read a slot that was written. */
export class Prepared {
  readonly #plan: TargetPlan;
  readonly #stale: boolean[];
  /** The preparations that each slot, and each entry by what it writes, makes stale. */
  readonly #bySlot: readonly (readonly number[])[];
  readonly #byEntry: readonly (readonly number[])[];

  constructor(plan: TargetPlan) {
    const readers = (slots: readonly number[]): number[] =>
      plan.prepare.flatMap(({ reads }, k) => (reads.some((slot) => slots.includes(slot)) ? [k] : []));
    this.#plan = plan;
    this.#stale = plan.prepare.map(() => true);
    this.#bySlot = plan.slots.map((_, slot) => readers([slot]));
    this.#byEntry = plan.entries.map((entry) => readers(entry?.writes ?? []));
  }

  slotWritten(slot: number): void {
    for (const preparation of this.#bySlot[slot] ?? []) this.#stale[preparation] = true;
  }

  /**
   * Runs what an entry needs, and remembers what the entry will change. It comes before the entry's inputs are written: they
   * lie in the arena, which preparations use too.
   */
  enter(entry: number, run: (preparation: number) => void): void {
    for (const preparation of this.#plan.entries[entry]?.prepare ?? []) {
      if (!this.#stale[preparation]) continue;
      run(preparation);
      this.#stale[preparation] = false;
    }
    for (const preparation of this.#byEntry[entry] ?? []) this.#stale[preparation] = true;
  }
}

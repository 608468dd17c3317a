/** Where a command's words go: results to `out`, everything meant for people to `note`. */
export interface Terminal {
  /** Standard output: results, and only those. */
  out(text: string): void;
  /** Standard error. */
  note(text: string): void;
  /** Whether standard error is a terminal: then progress bars and colours. */
  readonly interactive: boolean;
  readonly color: boolean;
  /** Standard input, read to its end. */
  input(): Promise<string>;
  /** Called when the user asks to stop. */
  onInterrupt(handler: () => void): () => void;
}

export function processTerminal(): Terminal {
  const interactive = process.stderr.isTTY === true;
  return {
    out: (text) => void process.stdout.write(text),
    note: (text) => void process.stderr.write(text),
    interactive,
    color: interactive && process.env.NO_COLOR === undefined && process.env.TERM !== "dumb",
    async input() {
      const chunks: Uint8Array[] = [];
      for await (const chunk of process.stdin) chunks.push(chunk);
      return Buffer.concat(chunks).toString("utf8");
    },
    onInterrupt(handler) {
      const signals = ["SIGINT", "SIGTERM"] as const;
      let asked = false;
      const listener = () => {
        if (asked) process.exit(130);
        asked = true;
        handler();
      };
      for (const signal of signals) process.on(signal, listener);
      return () => {
        for (const signal of signals) process.off(signal, listener);
      };
    },
  };
}

/** JSON for machines: typed arrays as arrays, what JSON lacks (NaN, infinities) as text. */
export function toJsonText(value: unknown): string {
  return `${JSON.stringify(value, (_, item) => {
    if (ArrayBuffer.isView(item) && !(item instanceof DataView)) return Array.from(item as Float32Array);
    return typeof item === "number" && !Number.isFinite(item) ? String(item) : item;
  })}\n`;
}

/** A signal that the user's asking to stop aborts, once the step at hand is done; `release` ends the listening. */
export function stopSignal(terminal: Terminal): { readonly signal: AbortSignal; readonly release: () => void } {
  const controller = new AbortController();
  const release = terminal.onInterrupt(() => {
    terminal.note("\nStopping after this step ..\n");
    controller.abort();
  });
  return { signal: controller.signal, release };
}

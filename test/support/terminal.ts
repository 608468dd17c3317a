import { main } from "../../compiler/cli/main.ts";
import type { Terminal } from "../../compiler/cli/terminal.ts";

/** Runs a command in this process. */
export async function dlx(
  parameters: string[],
  { input = "", onInterrupt = undefined as Terminal["onInterrupt"] | undefined } = {},
) {
  let out = "";
  let notes = "";
  const terminal: Terminal = {
    out: (text) => {
      out += text;
    },
    note: (text) => {
      notes += text;
    },
    interactive: false,
    color: false,
    input: async () => input,
    onInterrupt: onInterrupt ?? (() => () => {}),
  };
  const code = await main(parameters, terminal);
  return { code, out, notes };
}

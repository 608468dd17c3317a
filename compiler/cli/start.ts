/** What the launcher calls. */
import { main } from "./main.ts";
import { processTerminal } from "./terminal.ts";

export async function start(): Promise<void> {
  // A reader that has seen enough (`dlx ir .. | head`) is not an error.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(0);
    throw error;
  });
  const code = await main(process.argv.slice(2), processTerminal());
  process.exitCode = code;
  // A GPU that was opened keeps Node alive until it happens to be collected.
  for (const stream of [process.stdout, process.stderr]) await new Promise((resolve) => stream.write("", resolve));
  process.exit(code);
}

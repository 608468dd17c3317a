/** A schedule in words: one line a kernel, what it leaves in memory and what it reads. For people and golden tests. */
import type { Dispatch } from "../kernel/ir.ts";
import type { Placed, Schedule, Step } from "./program.ts";

export function describeSchedule({ steps }: Schedule): string {
  const lines: string[] = [];
  let count = 0;
  const walk = (list: readonly Step[], indent: string): void => {
    for (const step of list) {
      if (step.kind === "repeat") {
        lines.push(`${indent}${step.length} times:`);
        walk(step.steps, `${indent}  `);
      } else {
        count++;
        lines.push(`${indent}${describeDispatch(step.dispatch)}`);
      }
    }
  };
  walk(steps, "");
  return `${count} kernels\n${lines.join("\n")}\n`;
}

function describeDispatch({ kernel, buffers, label }: Dispatch<Placed>): string {
  const named = (access: string): string[] => {
    const names = kernel.buffers.flatMap((parameter, k) => {
      const place = buffers[k];
      return place?.kind === "tensor" && parameter.access === access ? [place.tensor.name] : [];
    });
    return [...new Set(names)].sort();
  };
  const [read, updated] = [named("read"), named("read_write")];
  return [
    label,
    ...(read.length > 0 ? [`reads ${read.join(", ")}`] : []),
    ...(updated.length > 0 ? [`in place ${updated.join(", ")}`] : []),
  ].join("; ");
}

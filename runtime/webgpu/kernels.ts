/**
 * `kernels.wgsl` holds every kernel as a module of its own behind a line `//// NAME`: a driver lowers a whole module for
 * each of its entry points, so one module with all kernels would take time quadratic in their number.
 */
const marker = "//// ";

export function splitKernels(text: string): ReadonlyMap<string, string> {
  const kernels = new Map<string, string>();
  for (const section of `\n${text}`.split(`\n${marker}`).slice(1)) {
    const end = section.indexOf("\n");
    kernels.set(section.slice(0, end).trim(), section.slice(end + 1));
  }
  return kernels;
}

export function joinKernels(kernels: Iterable<readonly [name: string, code: string]>): string {
  return [...kernels].map(([name, code]) => `${marker}${name}\n${code}\n`).join("");
}

/** Random contractions as texts, and values for what goes into them. */
import { elementCount } from "../../compiler/graph/builder.ts";
import type { Graph } from "../../compiler/graph/graph.ts";

class Random {
  #state: number;
  constructor(seed: number) {
    this.#state = (seed ^ 0x9e3779b9) >>> 0;
  }
  below(count: number): number {
    this.#state = (Math.imul(this.#state ^ (this.#state >>> 15), 0x2c1b3c6d) + 0x6d2b79f5) >>> 0;
    return (this.#state >>> 3) % count;
  }
  chance(percent: number): boolean {
    return this.below(100) < percent;
  }
  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!;
  }
  shuffled<T>(items: readonly T[]): T[] {
    const rest = [...items];
    return items.map(() => rest.splice(this.below(rest.length), 1)[0]!);
  }
}

interface Index {
  readonly name: string;
  readonly extent: number;
}
interface Axis {
  readonly extent: number;
  readonly coordinate: string;
}

/** A factor's axes: its indices in any order, some of them pairs of a window. Coordinates may leave the tensor. */
function axesOf(random: Random, own: readonly Index[], summed: readonly Index[]): { axes: Axis[]; guarded: boolean } {
  const partners = random.shuffled(summed);
  let guarded = false;
  const axes = own.map(({ name, extent }): Axis => {
    const partner = partners.length > 0 && random.chance(40) ? partners.pop() : undefined;
    if (partner === undefined) {
      const step = random.chance(15) ? 2 : 1;
      return {
        extent: step * (extent - 1) + 1 + random.below(2),
        coordinate: `${step === 1 ? "" : `${step}*`}${name}`,
      };
    }
    const [stride, dilation] = [1 + random.below(2), 1 + random.below(2)];
    const reach = stride * (extent - 1) + dilation * (partner.extent - 1);
    const backwards = random.chance(25);
    const padding = random.below(3);
    if (padding > 0) guarded = true;
    const shift = (backwards ? dilation * (partner.extent - 1) : 0) - padding;
    const sign = backwards ? "-" : "+";
    const offset = shift === 0 ? "" : ` ${shift < 0 ? "-" : "+"} ${Math.abs(shift)}`;
    return {
      extent: Math.max(1, reach + 1 - 2 * padding + random.below(2)),
      coordinate: `${stride}*${name} ${sign} ${dilation}*${partner.name}${offset}`,
    };
  });
  for (const { name, extent } of partners) axes.push({ extent, coordinate: name });
  return { axes: random.shuffled(axes), guarded: guarded || axes.some(({ extent }) => extent === 1) };
}

/** A contraction of at most so many points, as text: layouts, windows, strides, prologues, epilogues and batches drawn by the seed. */
export function contractionText(seed: number, points = 30000): string {
  const random = new Random(seed);
  const sizes = [2, 3, 4, 5, 6, 7, 8, 9, 11, 13, 16, 20];
  let budget = points;
  const indices = (prefix: string, count: number): Index[] =>
    Array.from({ length: count }, (_, k) => {
      const extent = Math.max(2, Math.min(random.pick(sizes), Math.floor(budget / 64)));
      budget /= extent;
      return { name: `${prefix}${k}`, extent };
    });
  const rows = indices("m", 1 + random.below(3));
  // Without columns of their own, one factor alone is reused.
  const columns = indices("n", random.below(7) === 0 ? 0 : 1 + random.below(2));
  const summed = indices("k", 1 + random.below(3));
  const batch = indices("b", random.chance(30) ? 1 + random.below(2) : 0);
  const domain = random.shuffled([...batch, ...rows, ...columns]);
  const left = axesOf(random, [...batch, ...rows], summed);
  const right = axesOf(random, [...batch, ...columns], summed);
  const lines: string[] = [];
  const input = (name: string, axes: readonly { extent: number }[], dtype = "f32"): void => {
    lines.push(`input %${name}: ${dtype}[${axes.map(({ extent }) => extent).join(",")}] argument ${name}`);
  };
  input("a", left.axes);
  input("b", right.axes);
  const read = (name: string, { axes, guarded }: typeof left): string =>
    `%${name}[${axes.map(({ coordinate }) => coordinate).join(", ")}${guarded ? ` else ${random.pick([0, 0, 1])}` : ""}]`;
  const factors = [read("a", left), read("b", right)];
  if (random.chance(25)) {
    input("c", left.axes);
    factors[0] = `select(${read("c", left)} > 0, ${factors[0]}, 0)`;
  }
  if (random.chance(15)) factors[1] = `exp(${factors[1]})`;
  if (random.chance(10)) factors[0] = `(${factors[0]} * to_f32(${random.pick([...rows, ...summed]).name}))`;
  if (random.chance(50)) factors.reverse();
  const list = (some: readonly Index[]): string => some.map(({ name, extent }) => `${name}<${extent}`).join(", ");
  const shape = domain.map(({ extent }) => extent).join(",");
  const here = domain.map(({ name }) => name).join(", ");
  lines.push(`%p: f32[${shape}] = sum[${list(domain)} | ${list(summed)}] ${factors.join(" * ")}`);
  if (!random.chance(30)) {
    const some = domain.filter(() => random.chance(50));
    const bias = some.length > 0 ? some : [domain[0]!];
    input("bias", bias);
    input("residual", domain);
    let body = `%p[${here}] + %bias[${bias.map(({ name }) => name).join(", ")}]`;
    if (random.chance(40)) body = `max(${body}, 0)`;
    if (random.chance(40)) body = `${body} + %residual[${here}]`;
    if (random.chance(30)) body = `select(%residual[${here}] > 0, ${body}, %p[${here}] * 2)`;
    if (random.chance(20)) body = `${body} + to_f32(${random.pick(domain).name})`;
    lines.push(`%y: f32[${shape}] = map[${list(domain)}] ${body}`);
    if (random.chance(30)) {
      lines.push(`%z: bool[${shape}] = map[${list(domain)}] %y[${here}] > 1`);
      lines.push("output %z result z");
    }
    lines.push("output %y result y");
    if (random.chance(30)) lines.push("output %p result p");
  } else lines.push("output %p result p");
  lines.sort((x, y) => Number(y.startsWith("input")) - Number(x.startsWith("input")));
  lines.sort((x, y) => Number(x.startsWith("output")) - Number(y.startsWith("output")));
  return lines.join("\n");
}

/** Sixteenths between -2 and 2; small integers for what addresses. */
export function valuesFor(graph: Graph): number[][] {
  const random = new Random(7);
  return graph.inputs.map(({ tensor: { type } }) =>
    Array.from({ length: elementCount(type.shape) }, () =>
      type.dtype === "f32" ? (random.below(65) - 32) / 16 : random.below(5),
    ),
  );
}

/** Curves as SVG, the vertical axis in powers of ten. */
export interface Curve {
  readonly name: string;
  /** One value a step, from step 0. */
  readonly values: readonly number[];
}

const WIDTH = 640;
const HEIGHT = 360;
const LEFT = 56;
const RIGHT = 100;
const TOP = 32;
const BOTTOM = 40;
const COLOURS = ["#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd", "#8c564b", "#e377c2", "#7f7f7f"];

/** `steps`: how far the horizontal axis goes; `low` and `high`: the powers of ten between which values are drawn. */
export function chart(title: string, curves: readonly Curve[], steps: number, low: number, high: number): string {
  const across = (step: number) => LEFT + (step / steps) * (WIDTH - LEFT - RIGHT);
  const down = (power: number) => TOP + ((high - power) / (high - low)) * (HEIGHT - TOP - BOTTOM);
  const text = (x: number, y: number, words: string, more = "") =>
    `<text x="${x.toFixed(0)}" y="${y.toFixed(0)}"${more}>${words}</text>`;
  const lines: string[] = [];
  for (let power = low; power <= high; power += 2) {
    const y = down(power).toFixed(1);
    lines.push(`<path d="M${LEFT} ${y}H${WIDTH - RIGHT}" stroke="#ddd"/>`);
    lines.push(text(LEFT - 6, down(power) + 4, `1e${power}`, ' text-anchor="end"'));
  }
  for (let k = 0; k <= 4; k++) {
    const step = (k * steps) / 4;
    lines.push(text(across(step), HEIGHT - BOTTOM + 18, String(step), ' text-anchor="middle"'));
  }
  for (const [k, { name, values }] of curves.entries()) {
    const colour = COLOURS[k % COLOURS.length];
    const shown = values.slice(0, steps + 1);
    const end = shown.findLastIndex((value) => !(value < 10 ** low)) + 2;
    const points = shown.slice(0, end).map((value, step) => {
      const power = Math.min(Math.max(Math.log10(Math.max(value, 1e-300)), low), high);
      return `${across(step).toFixed(1)},${down(power).toFixed(1)}`;
    });
    lines.push(`<polyline points="${points.join(" ")}" fill="none" stroke="${colour}" stroke-width="1.5"/>`);
    lines.push(text(WIDTH - RIGHT + 8, TOP + 8 + 18 * k, name, ` fill="${colour}"`));
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">
<title>${title}</title>
<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>
${text(LEFT, 18, title, ' font-size="14"')}
${lines.join("\n")}
</svg>
`;
}

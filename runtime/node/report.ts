/** `report.html`: the curves of a run as SVG, in one file that needs nothing else. */
import type { MetricLine } from "./metrics.ts";

export interface ReportFacts {
  readonly title: string;
  /** Shown as a table: device, seed, batch and the like. */
  readonly facts: readonly (readonly [name: string, value: string])[];
}

const escapes: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};
export const escapeHtml = (text: string) => text.replace(/[&<>"']/g, (character) => escapes[character] ?? character);
const round = (value: number) => String(Number(value.toPrecision(4)));

type Point = readonly [x: number, y: number];

/** At most `most` points: means of equal stretches. */
function thin(points: readonly Point[], most: number): Point[] {
  const stretch = Math.max(1, Math.ceil(points.length / most));
  const thinned: Point[] = [];
  for (let begin = 0; begin < points.length; begin += stretch) {
    const part = points.slice(begin, begin + stretch);
    const mean = (axis: 0 | 1) => part.reduce((sum, point) => sum + point[axis], 0) / part.length;
    thinned.push([mean(0), mean(1)]);
  }
  return thinned;
}

/** Round numbers that divide a range into about four. */
function ticks(low: number, high: number): number[] {
  const span = high - low || Math.abs(high) || 1;
  const rough = span / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough) ?? rough;
  const marks: number[] = [];
  for (let k = Math.ceil(low / step); k * step <= high + 1e-9 * span; k++) marks.push(k * step);
  return marks;
}

const [width, height, left, bottom, top, right] = [640, 260, 56, 28, 12, 12];

function chart(name: string, training: readonly Point[], held: readonly Point[]): string {
  const shown = thin(training, 300);
  const all = [...shown, ...held];
  const lastStep = Math.max(1, ...all.map(([x]) => x));
  const values = all.map(([, y]) => y);
  let [low, high] = [Math.min(...values), Math.max(...values)];
  if (low === high) [low, high] = [low - 0.5, high + 0.5];
  const across = (x: number) => left + (x / lastStep) * (width - left - right);
  const up = (y: number) => height - bottom - ((y - low) / (high - low)) * (height - bottom - top);
  const place = ([x, y]: Point) => `${across(x).toFixed(1)},${up(y).toFixed(1)}`;
  const grid = [
    ...ticks(low, high).map(
      (y) =>
        `<line class="grid" x1="${left}" x2="${width - right}" y1="${up(y).toFixed(1)}" y2="${up(y).toFixed(1)}"/><text x="${left - 6}" y="${(up(y) + 4).toFixed(1)}" text-anchor="end">${round(y)}</text>`,
    ),
    ...ticks(0, lastStep).map(
      (x) => `<text x="${across(x).toFixed(1)}" y="${height - 8}" text-anchor="middle">${round(x)}</text>`,
    ),
  ];
  const circles = held.map((point) => {
    const [cx, cy] = place(point).split(",");
    return `<circle class="held" cx="${cx}" cy="${cy}" r="3"><title>step ${point[0]}: ${round(point[1])}</title></circle>`;
  });
  return `<figure><figcaption>${escapeHtml(name)}</figcaption>
<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeHtml(name)} by step">${grid.join("")}
<polyline class="training" points="${shown.map(place).join(" ")}"/>
<polyline class="held" points="${held.map(place).join(" ")}"/>${circles.join("")}</svg></figure>`;
}

const style = `:root{color-scheme:light dark;--training:#2563eb;--held:#d97706}
body{font:15px/1.5 system-ui,sans-serif;max-width:720px;margin:2rem auto;padding:0 1rem}
figure{margin:1.5rem 0}figcaption{font-weight:600}svg{width:100%;height:auto}
svg text{font-size:11px;fill:currentColor;opacity:.7}.grid{stroke:currentColor;opacity:.15}
polyline{fill:none;stroke-width:1.5}.training{stroke:var(--training)}polyline.held{stroke:var(--held)}circle.held{fill:var(--held)}
.key::before{content:"";display:inline-block;width:1em;height:.25em;margin:0 .4em;vertical-align:middle;background:var(--colour)}
table{border-collapse:collapse}th,td{text-align:left;padding:.15rem 1rem .15rem 0}th{font-weight:normal;opacity:.7}`;

export function formatReport({ title, facts }: ReportFacts, lines: readonly MetricLine[]): string {
  const names = [...new Set(lines.flatMap((line) => Object.keys(line.values)))];
  const points = (kind: MetricLine["kind"], name: string): Point[] =>
    lines.flatMap((line): Point[] => {
      const value = line.values[name];
      return line.kind === kind && value !== undefined && Number.isFinite(value) ? [[line.step, value]] : [];
    });
  const charts = names.flatMap((name) => {
    const [training, held] = [points("step", name), points("evaluation", name)];
    return training.length + held.length > 0 ? [chart(name, training, held)] : [];
  });
  const last = lines.findLast((line) => line.kind === "evaluation");
  const rows = [
    ...facts,
    ...Object.entries(last?.values ?? {}).map(([name, value]) => [`held-out ${name}`, round(value)] as const),
  ];
  return formatPage(
    title,
    `<table>${rows.map(([name, value]) => `<tr><th>${escapeHtml(name)}<td>${escapeHtml(value)}`).join("")}</table>
<p><span class="key" style="--colour:var(--training)">training</span> <span class="key" style="--colour:var(--held)">held out</span>, by step</p>
${charts.join("\n")}`,
  );
}

/** A page in the style of a report. */
export function formatPage(title: string, body: string): string {
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escapeHtml(title)}</title>
<style>${style}</style>
<h1>${escapeHtml(title)}</h1>
${body}
</html>
`;
}

/** `report.html`: the curves of a run as SVG, in one file that needs nothing else. */
import { colours, escapeHtml, lineChart, type Point, round } from "./chart.ts";
import type { MetricLine } from "./metrics.ts";

export interface ReportFacts {
  readonly title: string;
  /** Shown as a table: device, seed, batch and the like. */
  readonly facts: readonly (readonly [name: string, value: string])[];
}

const [trainingColour, heldColour] = colours;

function figure(name: string, training: readonly Point[], held: readonly Point[]): string {
  const series = [
    { name: "training", points: training },
    { name: "held out", points: held, marked: true },
  ];
  return `<figure><figcaption>${escapeHtml(name)}</figcaption>\n${lineChart(name, series)}</figure>`;
}

const style = `:root{color-scheme:light dark;--training:${trainingColour};--held:${heldColour}}
body{font:15px/1.5 system-ui,sans-serif;max-width:720px;margin:2rem auto;padding:0 1rem}
figure{margin:1.5rem 0}figcaption{font-weight:600}svg{width:100%;height:auto}
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
    return training.length + held.length > 0 ? [figure(name, training, held)] : [];
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

/** Line charts as SVG that needs nothing else: one series a line. */

export type Point = readonly [x: number, y: number];
export interface Series {
  readonly name: string;
  readonly points: readonly Point[];
  /** Each point is a circle with its value. */
  readonly marked?: boolean;
}
export interface ChartOptions {
  /** Powers of ten at equal distances; what is not positive is left out. */
  readonly logarithmic?: boolean;
  /** What x counts. */
  readonly x?: string;
}

const escapes: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};
export const escapeHtml = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => escapes[character] ?? character);
export const round = (value: number): string => String(Number(value.toPrecision(4)));

/** Told apart on light and dark ground, and by those who do not see red. */
export const colours = [
  "#2563eb",
  "#d97706",
  "#059669",
  "#9333ea",
  "#dc2626",
  "#0891b2",
  "#65a30d",
  "#be185d",
  "#64748b",
];

const most = 300;
/** At most `most` points: means of equal stretches. */
function thin(points: readonly Point[]): Point[] {
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

/** Values that are no numbers are left out. */
export function lineChart(
  title: string,
  series: readonly Series[],
  { logarithmic, x: unit = "step" }: ChartOptions = {},
): string {
  const scale = (y: number) => (logarithmic ? Math.log10(y) : y);
  const shown = series.map((one) => {
    const finite = one.points.flatMap(([x, y]): Point[] => (Number.isFinite(scale(y)) ? [[x, scale(y)]] : []));
    return { ...one, points: one.marked ? finite : thin(finite) };
  });
  const all = shown.flatMap(({ points }) => points);
  const lastX = Math.max(1, ...all.map(([x]) => x));
  const values = all.map(([, y]) => y);
  let [low, high] = [Math.min(...values), Math.max(...values)];
  if (!(low < high)) [low, high] = values.length > 0 ? [low - 0.5, high + 0.5] : [0, 1];
  const across = (x: number) => left + (x / lastX) * (width - left - right);
  const up = (y: number) => height - bottom - ((y - low) / (high - low)) * (height - bottom - top);
  const place = ([x, y]: Point) => `${across(x).toFixed(1)},${up(y).toFixed(1)}`;
  const label = (y: number) => (logarithmic ? `1e${round(y)}` : round(y));
  const text = 'font-size="11" fill="currentColor" opacity=".7"';
  const grid = [
    ...ticks(low, high).map(
      (y) =>
        `<line stroke="currentColor" opacity=".15" x1="${left}" x2="${width - right}" y1="${up(y).toFixed(1)}" y2="${up(y).toFixed(1)}"/><text ${text} x="${left - 6}" y="${(up(y) + 4).toFixed(1)}" text-anchor="end">${label(y)}</text>`,
    ),
    ...ticks(0, lastX).map(
      (x) => `<text ${text} x="${across(x).toFixed(1)}" y="${height - 8}" text-anchor="middle">${round(x)}</text>`,
    ),
  ];
  const lines = shown.map(({ name, points, marked }, k) => {
    const colour = colours[k % colours.length];
    const circles = (marked ? points : []).map((point) => {
      const [cx, cy] = place(point).split(",");
      const value = logarithmic ? 10 ** point[1] : point[1];
      return `<circle cx="${cx}" cy="${cy}" r="3" fill="${colour}"><title>${escapeHtml(unit)} ${round(point[0])}: ${round(value)}</title></circle>`;
    });
    return `<polyline fill="none" stroke="${colour}" stroke-width="1.5" points="${points.map(place).join(" ")}"><title>${escapeHtml(name)}</title></polyline>${circles.join("")}`;
  });
  return `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeHtml(title)} by ${escapeHtml(unit)}" font-family="system-ui,sans-serif">${grid.join("")}
${lines.join("\n")}</svg>`;
}

/** A chart as a file of its own: with its title and the names of its series, on a white ground. */
export function chartFile(title: string, series: readonly Series[], options: ChartOptions = {}): string {
  const chart = lineChart(title, series, options);
  const rows = Math.ceil(series.length / 3);
  const keys = series.map(({ name }, k) => {
    const [x, y] = [left + (k % 3) * 190, 40 + 16 * Math.floor(k / 3)];
    return `<rect x="${x}" y="${y - 5}" width="14" height="3" fill="${colours[k % colours.length]}"/><text x="${x + 20}" y="${y}" font-size="11">${escapeHtml(name)}</text>`;
  });
  const head = 34 + 16 * rows;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height + head}" font-family="system-ui,sans-serif" color="#111">
<title>${escapeHtml(title)}</title><rect width="100%" height="100%" fill="#fff"/><text x="${left}" y="20" font-size="13" font-weight="600">${escapeHtml(title)}</text>
${keys.join("")}
${chart.replace("<svg ", `<svg x="0" y="${head}" width="${width}" height="${height}" `)}
</svg>
`;
}

/** Steps in index notation: random affine coordinates, windows, contractions, gathers, masks. */
import type { Choices } from "../support/random-body.ts";
import { fits, type Step } from "./sketch.ts";

const names = ["i", "j", "k", "l"];

/** An index with the extent written down, and the coordinate it makes: `2*i - 1` of an axis. */
interface Address {
  readonly binder: string;
  readonly coordinate: string;
  readonly extent: number;
  readonly leaves: boolean;
}

function affine(choices: Choices, name: string, axis: number): Address {
  const extent = choices.between(1, axis + 2);
  const scale = choices.of([1, 1, 1, 2, 3, -1, -2]);
  const offset = scale < 0 ? choices.between(axis - 2, axis) : choices.between(-2, 1);
  const ends = [offset, offset + scale * (extent - 1)];
  const leaves = Math.min(...ends) < 0 || Math.max(...ends) >= axis;
  const factor = scale === 1 ? name : scale === -1 ? `-${name}` : `${scale}*${name}`;
  const coordinate = scale < 0 ? `${offset} - ${factor.slice(1)}` : `${factor} + ${offset}`.replace("+ -", "- ");
  return { binder: `${name} < ${extent}`, coordinate, extent, leaves };
}

const whole = (name: string, axis: number): Address => ({
  binder: name,
  coordinate: name,
  extent: axis,
  leaves: false,
});

function divided(choices: Choices, name: string, axis: number): Address {
  const by = choices.of([2, 3]);
  return choices.chance(50)
    ? { binder: `${name} < ${by * axis}`, coordinate: `${name} / ${by}`, extent: by * axis, leaves: false }
    : { binder: `${name} < ${axis + by}`, coordinate: `${name} % ${axis}`, extent: axis + by, leaves: false };
}

function folded(choices: Choices, name: string, axis: number): Address {
  const extent = axis + 2;
  const coordinate = choices.of([
    `clamp(${name} - 1, 0, ${axis - 1})`,
    `abs(${name} - 1)`,
    `min(${name}, ${axis + 1} - ${name})`,
  ]);
  return { binder: `${name} < ${extent}`, coordinate, extent, leaves: axis < 3 || coordinate.startsWith("abs") };
}

const otherwise = (choices: Choices, addresses: readonly { leaves: boolean }[]) =>
  addresses.some(({ leaves }) => leaves) ? ` else ${choices.of(["0", "0", "1.5", "-1"])}` : "";

/** y[n, i..] = x[n, affine(i)..]. */
const moved: Step = (sketch, x) => {
  const { choices } = sketch;
  const addresses = x.shape.map((axis, k) => {
    const make = choices.of([
      (_: Choices, name: string, size: number) => whole(name, size),
      affine,
      affine,
      divided,
      folded,
    ]);
    return make(choices, names[k]!, axis);
  });
  const shape = addresses.map(({ extent }) => extent);
  if (addresses.length === 0 || !fits(shape)) return undefined;
  const coordinates = ["n", ...addresses.map(({ coordinate }) => coordinate)].join(", ");
  return sketch.define(
    addresses.map(({ binder }) => binder),
    `${x.name}[${coordinates}${otherwise(choices, addresses)}]`,
    shape,
  );
};

/** The axes in another order. */
const transposed: Step = (sketch, x) => {
  if (x.shape.length < 2) return undefined;
  const turn = sketch.choices.between(1, x.shape.length - 1);
  const order = x.shape.map((_, k) => (k + turn) % x.shape.length);
  const coordinates = ["n", ...x.shape.map((_, k) => names[k])].join(", ");
  return sketch.define(
    order.map((k) => names[k]!),
    `${x.name}[${coordinates}]`,
    order.map((k) => x.shape[k]!),
  );
};

/** A reduction over windows of one axis, or of two. */
const windowed: Step = (sketch, x) => {
  const { choices } = sketch;
  if (x.shape.length === 0) return undefined;
  const reduced = x.shape.map((_, k) => k >= x.shape.length - 2 && choices.chance(60));
  if (!reduced.includes(true)) return undefined;
  const inner: string[] = [];
  const addresses = x.shape.map((axis, k): Address => {
    const name = names[k]!;
    if (!reduced[k]) return whole(name, axis);
    const window = `p${k}`;
    const width = choices.between(2, 3);
    inner.push(`${window} < ${width}`);
    const [stride, dilation] = [choices.of([1, 1, 2, 3]), choices.of([1, 1, 2])];
    const padding = choices.between(0, 2);
    const extent = choices.between(1, axis + 1);
    return {
      binder: `${name} < ${extent}`,
      coordinate: `${name}*${stride} + ${window}*${dilation} - ${padding}`,
      extent,
      leaves: true,
    };
  });
  const shape = addresses.map(({ extent }) => extent);
  if (!fits(shape)) return undefined;
  const reduction = choices.of(["sum", "mean", "max", "min", "prod", "sum"]);
  const coordinates = ["n", ...addresses.map(({ coordinate }) => coordinate)].join(", ");
  const value = reduction === "prod" ? "1" : choices.of(["0", "0.5", ...(reduction === "max" ? ["-inf"] : [])]);
  const read = `${x.name}[${coordinates} else ${value}]`;
  // A window that lies outside altogether is -inf: nothing further can be said of it.
  const factor = choices.chance(30) && value !== "-inf" ? ` * ${x.name}[${zeros(x.shape.length)}]` : "";
  const total = `${reduction}[${inner.join(", ")}] ${reduction === "prod" ? `sin(${read})` : `${read}${factor}`}`;
  return sketch.define(
    addresses.map(({ binder }) => binder),
    value === "-inf" ? `max(${total}, -2)` : total,
    shape,
  );
};
const zeros = (rank: number) => ["n", ...Array.from({ length: rank }, () => "0")].join(", ");

/** Inner products of rows with rows. */
const gram: Step = (sketch, x) => {
  if (x.shape.length !== 2) return undefined;
  const [rows, columns] = x.shape as [number, number];
  if (!fits([rows, rows])) return undefined;
  const text = `(sum[k] ${x.name}[n, i, k] * ${x.name}[n, j, k]) / ${columns}`;
  return sketch.define(["i", "j"], text, [rows, rows]);
};

/** A causal or dilated convolution along the first axis, with its own weight. */
const filtered: Step = (sketch, x) => {
  if (x.shape.length !== 2) return undefined;
  const [length, features] = x.shape as [number, number];
  const { choices } = sketch;
  const [width, out, dilation] = [choices.between(1, 4), choices.of([1, 2, 4, 5]), choices.of([1, 1, 2])];
  if (!fits([length, out])) return undefined;
  const weight = sketch.parameter([width, features, out], "normal(_, std: 0.5)");
  const text = `sum[p, d] ${x.name}[n, i - ${dilation}*p else 0] * ${weight}[p, d, o]`.replace(
    " else 0]",
    ", d else 0]",
  );
  return sketch.define([`i < ${length}`, "o"], text, [length, out]);
};

/** Rows picked by numbers that are computed. */
const gathered: Step = (sketch, x) => {
  const [axis, ...rest] = x.shape;
  if (axis === undefined) return undefined;
  const { choices } = sketch;
  const count = choices.between(1, 5);
  if (!fits([count, ...rest])) return undefined;
  const id = sketch.fresh("id");
  sketch.lines.push(`let ${id}[i < ${count}] = (i * ${choices.of([2, 3, 7])} + 1) % ${axis}`);
  const others = rest.map((_, k) => names[k + 1]!);
  return sketch.define(["i", ...others], `${x.name}[${["n", `${id}[i]`, ...others].join(", ")}]`, [count, ...rest]);
};

/** A learnt table, read at ids that the data chooses. */
const looked: Step = (sketch, x) => {
  if (x.shape.length !== 1) return undefined;
  const [count] = x.shape as [number];
  const features = sketch.choices.of([1, 2, 3]);
  if (!fits([count, features])) return undefined;
  const id = sketch.fresh("id");
  const found = sketch.fresh("v");
  sketch.lines.push(`let ${id} = i32(clamp(floor(2 * stop_gradient(${x.name}) + 2.3), 0, 4))`);
  sketch.lines.push(`let ${found} = embedding(5, ${features}, init: normal(_, std: 0.5))(${id})`);
  return sketch.define(["i", "d"], `${found}[n, i, d] * (1 + ${x.name}[n, i])`, [count, features]);
};

const masked: Step = (sketch, x) => {
  if (x.shape.length < 2) return undefined;
  const binders = x.shape.map((_, k) => names[k]!);
  const read = `${x.name}[${["n", ...binders].join(", ")}]`;
  const text = sketch.choices.of([
    `select(j > i, 0, ${read})`,
    `select(i % 2 == 0 and j != 1, ${read}, -${read})`,
    `${read} * f32(i + 1) / ${x.shape[0]}`,
    `select(i == j, ${read}, 0.1)`,
  ]);
  return sketch.define(binders, text, x.shape);
};

/** An axis reduced to a number, and taken from all. */
const centred: Step = (sketch, x) => {
  if (x.shape.length === 0) return undefined;
  const binders = x.shape.map((_, k) => names[k]!);
  const reduction = sketch.choices.of(["mean", "max", "min", "sum"]);
  const last = binders.at(-1)!;
  const most = sketch.define(
    binders.slice(0, -1),
    `${reduction}[${last}] ${x.name}[${["n", ...binders].join(", ")}]`,
    x.shape.slice(0, -1),
  );
  const [all, outer] = [
    ["n", ...binders],
    ["n", ...binders.slice(0, -1)],
  ];
  return sketch.define(binders, `${x.name}[${all.join(", ")}] - ${most.name}[${outer.join(", ")}]`, x.shape);
};

/** Where an axis is greatest, as numbers without a gradient. */
const greatest: Step = (sketch, x) => {
  if (x.shape.length === 0) return undefined;
  const binders = x.shape.slice(0, -1).map((_, k) => names[k]!);
  const reduction = sketch.choices.of(["argmax", "argmin"]);
  const found = sketch.fresh("at");
  sketch.lines.push(
    `let ${found}[${["n", ...binders].join(", ")}] = ${reduction}[z] ${x.name}[${["n", ...binders, "z"].join(", ")}]`,
  );
  const text = `${x.name}[${["n", ...binders, `${found}[${["n", ...binders].join(", ")}]`].join(", ")}]`;
  return sketch.define(binders, text, x.shape.slice(0, -1));
};

export const notationSteps: readonly Step[] = [
  moved,
  moved,
  moved,
  transposed,
  windowed,
  windowed,
  gram,
  filtered,
  gathered,
  looked,
  masked,
  centred,
  greatest,
];

/**
 * Milliseconds and GB/s of what is no contraction, on one thread: chains of maps, rows, statistics, pooling, updates,
 * permutations. `npx tsx test/bench/wasm-rows.ts [filter] [--relaxed]`
 */
import { filter, measure, measureModel, relaxed } from "./wasm-measure.ts";

/** `bytes` is what must at least be read and written. */
const rows: { name: string; bytes: number; run: () => number }[] = [];
const row = (name: string, bytes: number, ...lines: string[]): void =>
  void rows.push({ name, bytes, run: () => measure(lines.join("\n")) });
/** One function or layer of the standard library, or an expression in `x`. */
const model = (name: string, shape: string, body = `x |> ${name}`): void => {
  const elements = shape.split(", ").reduce((product, extent) => product * Number(extent), 1);
  rows.push({ name: `${name} [${shape}]`, bytes: 8 * elements, run: () => measureModel(shape, shape, body) });
};
const input = (name: string, shape: string, role = "argument"): string =>
  `input %${name}: f32[${shape}] ${role} ${name}`;

const million = 2 ** 20;
row(
  "chain of 6, 4M floats",
  8 * 4 * million,
  input("x", `${4 * million}`),
  `%y: f32[${4 * million}] = map[i<${4 * million}] abs(max(%x[i] * 1.5 + 0.25, 0) - 0.5) * 0.75`,
  "output %y result y",
);
for (const body of ["exp(x)", "log(x)", "tanh(x)", "sigmoid(x)", "erf(x)", "expm1(x)", "log1p(x)", "sin(x)", "gelu(x)"])
  model(body, "65536", body);
model("softmax", "4096, 1000");
model("softmax", "1024, 128");
model("softmax", "64, 10");
model("log_softmax", "4096, 1000");
model("layer_norm", "4096, 1024");
model("layer_norm", "1024, 128");

for (const [n, c, h] of [
  [32, 16, 32],
  [32, 32, 16],
  [32, 64, 8],
] as const) {
  const count = n * h * h;
  row(
    `batch_norm statistics [${n},${c},${h},${h}]`,
    4 * count * c,
    input("x", `${n},${c},${h},${h}`),
    `%s: f32[${c}] = sum[c<${c} | n<${n}, i<${h}, j<${h}] %x[n,c,i,j]`,
    `%m: f32[${c}] = map[c<${c}] %s[c] * ${1 / count}`,
    `%v: f32[${c}] = sum[c<${c} | n<${n}, i<${h}, j<${h}] (%x[n,c,i,j] - %m[c]) * (%x[n,c,i,j] - %m[c])`,
    "output %m result m",
    "output %v result v",
  );
}
row(
  "bias gradient [64,512]",
  4 * 64 * 512,
  input("x", "64,512"),
  "%y: f32[512] = sum[j<512 | i<64] %x[i,j]",
  "output %y result y",
);

const pooled = (n: number, c: number, h: number, k: number, s: number): void => {
  const out = Math.floor((h - k) / s) + 1;
  const at = (i: string, p: string): string => `${s}*${i} + ${p}`;
  row(
    `max_pool ${k}x${k} s${s} [${n},${c},${h},${h}]`,
    4 * n * c * (h * h + out * out),
    input("x", `${n},${c},${h},${h}`),
    `%y, %w: f32[${n},${c},${out},${out}], i32[${n},${c},${out},${out}] = max_first[n<${n}, c<${c}, i<${out}, j<${out} | p<${k}, q<${k}] %x[n, c, ${at("i", "p")}, ${at("j", "q")}]`,
    "output %y result y",
  );
  row(
    `max_pool ${k}x${k} s${s} with positions`,
    4 * n * c * (h * h + 2 * out * out),
    input("x", `${n},${c},${h},${h}`),
    `%y, %w: f32[${n},${c},${out},${out}], i32[${n},${c},${out},${out}] = max_first[n<${n}, c<${c}, i<${out}, j<${out} | p<${k}, q<${k}] %x[n, c, ${at("i", "p")}, ${at("j", "q")}]`,
    "output %y result y",
    "output %w result w",
  );
};
pooled(32, 16, 32, 2, 2);
pooled(8, 64, 112, 3, 2);
row(
  "max_pool 2x2 gradient [32,16,32,32]",
  4 * 32 * 16 * (1024 + 2 * 256),
  input("d", "32,16,16,16"),
  "input %w: i32[32,16,16,16] argument w",
  "%y: f32[32,16,16,2,16,2] = map[n<32, c<16, i<16, p<2, j<16, q<2] select(%w[n,c,i,j] == 2 * p + q, %d[n,c,i,j], 0)",
  "output %y result y",
);
row(
  "avg_pool 2x2 [32,16,32,32]",
  4 * 32 * 16 * (1024 + 256),
  input("x", "32,16,32,32"),
  "%y: f32[32,16,16,16] = sum[n<32, c<16, i<16, j<16 | p<2, q<2] %x[n,c,2*i + p,2*j + q] * 0.25",
  "output %y result y",
);
row(
  "global avg_pool [32,64,8,8]",
  4 * 32 * 64 * 64,
  input("x", "32,64,8,8"),
  "%y: f32[32,64] = sum[n<32, c<64 | i<8, j<8] %x[n,c,i,j] * 0.015625",
  "output %y result y",
);

const size = 272474;
row(
  "momentum update, 272k parameters",
  4 * 5 * size,
  input("w", `${size}`, "parameter"),
  input("v", `${size}`, "state"),
  input("g", `${size}`),
  `%u: f32[${size}] = map[i<${size}] 0.9 * %v[i] + %g[i]`,
  `%n: f32[${size}] = map[i<${size}] %w[i] - 0.1 * %u[i]`,
  "output %n parameter w",
  "output %u state v",
);
row(
  "adam update, 272k parameters",
  4 * 7 * size,
  input("w", `${size}`, "parameter"),
  input("m", `${size}`, "state"),
  input("v", `${size}`, "state"),
  input("g", `${size}`),
  `%a: f32[${size}] = map[i<${size}] 0.9 * %m[i] + 0.1 * %g[i]`,
  `%b: f32[${size}] = map[i<${size}] 0.999 * %v[i] + 0.001 * %g[i] * %g[i]`,
  `%n: f32[${size}] = map[i<${size}] %w[i] - 0.001 * %a[i] / (sqrt(%b[i]) + 0.00000001)`,
  "output %n parameter w",
  "output %a state m",
  "output %b state v",
);
row(
  "sum of squares, 1M floats",
  4 * million,
  input("x", `${million}`),
  `%y: f32[] = sum[| i<${million}] %x[i] * %x[i]`,
  "output %y result y",
);
row(
  "transpose [1024,1024]",
  8 * million,
  input("x", "1024,1024"),
  "%y: f32[1024,1024] = map[i<1024, j<1024] %x[j,i]",
  "output %y result y",
);
row(
  "permute [32,64,16,16] to channels last",
  8 * 32 * 64 * 256,
  input("x", "32,64,16,16"),
  "%y: f32[32,16,16,64] = map[n<32, i<16, j<16, c<64] %x[n,c,i,j]",
  "output %y result y",
);
row(
  "permute [8,128,4,32] heads",
  8 * 8 * 128 * 128,
  input("x", "8,128,4,32"),
  "%y: f32[8,4,128,32] = map[b<8, h<4, t<128, d<32] %x[b,t,h,d]",
  "output %y result y",
);
row(
  "broadcast bias and relu [32,16,32,32]",
  8 * 32 * 16 * 1024,
  input("x", "32,16,32,32"),
  input("b", "16"),
  "%y: f32[32,16,32,32] = map[n<32, c<16, i<32, j<32] max(%x[n,c,i,j] + %b[c], 0)",
  "output %y result y",
);

console.log(relaxed ? "with fused multiply and add" : "plain");
for (const { name, bytes, run } of rows) {
  if (!name.includes(filter)) continue;
  const time = run();
  console.log(
    `${name.padEnd(44)} ${time.toFixed(4).padStart(9)} ms ${(bytes / time / 1e6).toFixed(1).padStart(6)} GB/s`,
  );
}

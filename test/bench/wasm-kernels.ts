/**
 * GFLOP/s of contractions on one thread, beside the peak of multiply and add on this machine. Each row is the best of many
 * short rounds, so that other work on the machine shows less. `npx tsx test/bench/wasm-kernels.ts [filter] [--relaxed]`
 */
import { measuredPeak } from "../../compiler/cli/peak.ts";
import { filter, measure, relaxed } from "./wasm-measure.ts";

const conv = (n: number, c: number, size: number, o: number, k: number, pad: number, stride = 1) => {
  const out = Math.floor((size + 2 * pad - k) / stride) + 1;
  const at = (i: string, p: string): string =>
    `${stride === 1 ? "" : `${stride}*`}${i} + ${p}${pad ? ` - ${pad}` : ""}`;
  const other = pad ? " else 0" : "";
  const c_ = c === 1 ? "0" : "c";
  const channels = c === 1 ? "" : `c<${c}, `;
  const read = `%x[n, ${c_}, ${at("i", "p")}, ${at("j", "q")}${other}]`;
  const flops = 2 * n * o * out * out * c * k * k;
  const inputs = `input %x: f32[${n},${c},${size},${size}] argument x\ninput %w: f32[${o},${c},${k},${k}] parameter w\ninput %d: f32[${n},${o},${out},${out}] argument d\n`;
  const back = k - 1 - pad;
  return {
    flops,
    forward: `${inputs}%y: f32[${n},${o},${out},${out}] = sum[n<${n}, o<${o}, i<${out}, j<${out} | ${channels}p<${k}, q<${k}] ${read} * %w[o, ${c_}, p, q]\noutput %y result y`,
    weights: `${inputs}%g: f32[${o},${c},${k},${k}] = sum[o<${o}, ${channels}p<${k}, q<${k} | n<${n}, i<${out}, j<${out}] %d[n, o, i, j] * ${read}\noutput %g result g`,
    data: `${inputs}%e: f32[${n},${c},${size},${size}] = sum[n<${n}, ${channels}h<${size}, v<${size} | o<${o}, p<${k}, q<${k}] %d[n, o, h - p + ${pad}, v - q + ${pad} else 0] * %w[o, ${c_}, p, q]\noutput %e result e`,
    back,
  };
};
const gemm = (m: number, n: number, k: number, a: string, b: string): { flops: number; text: string } => {
  const extent: Record<string, number> = { i: m, j: n, k };
  const shape = (names: string): string =>
    names
      .split(",")
      .map((name) => extent[name])
      .join(",");
  return {
    flops: 2 * m * n * k,
    text: `input %a: f32[${shape(a)}] argument a\ninput %b: f32[${shape(b)}] argument b\n%y: f32[${m},${n}] = sum[i<${m}, j<${n} | k<${k}] %a[${a}] * %b[${b}]\noutput %y result y`,
  };
};

const rows: { name: string; flops: number; text: string }[] = [];
const addConv = (
  name: string,
  c: ReturnType<typeof conv>,
  parts: readonly ("forward" | "weights" | "data")[],
): void => {
  for (const part of parts) rows.push({ name: `${name} ${part}`, flops: c.flops, text: c[part] });
};
addConv("lenet conv1 5x5 1->6 b64", conv(64, 1, 28, 6, 5, 2), ["forward", "weights"]);
addConv("lenet conv2 5x5 6->16 b64", conv(64, 6, 14, 16, 5, 0), ["forward", "weights", "data"]);
const dense = (name: string, n: number, i: number, o: number): void => {
  rows.push({ name: `${name} forward`, ...gemm(n, o, i, "i,k", "j,k") });
  rows.push({ name: `${name} weights`, ...gemm(o, i, n, "k,i", "k,j") });
  rows.push({ name: `${name} data`, ...gemm(n, i, o, "i,k", "k,j") });
};
dense("lenet fc1 400->120 b64", 64, 400, 120);
dense("lenet fc2 120->84 b64", 64, 120, 84);
dense("lenet fc3 84->10 b64", 64, 84, 10);
addConv("resnet 16->16 @32 b32", conv(32, 16, 32, 16, 3, 1), ["forward", "weights", "data"]);
addConv("resnet 32->32 @16 b32", conv(32, 32, 16, 32, 3, 1), ["forward", "weights", "data"]);
addConv("resnet 64->64 @8 b32", conv(32, 64, 8, 64, 3, 1), ["forward", "weights", "data"]);
addConv("resnet 16->32 s2 @32 b32", conv(32, 16, 32, 32, 3, 1, 2), ["forward", "weights"]);
addConv("imagenet 7x7 s2 3->64 @224 b1", conv(1, 3, 224, 64, 7, 3, 2), ["forward"]);
addConv("imagenet 64->64 @56 b1", conv(1, 64, 56, 64, 3, 1), ["forward"]);
addConv("imagenet 256->256 @14 b1", conv(1, 256, 14, 256, 3, 1), ["forward"]);
addConv("imagenet 512->512 @7 b1", conv(1, 512, 7, 512, 3, 1), ["forward"]);
addConv("1x1 64->256 @28 b4", conv(4, 64, 28, 256, 1, 0), ["forward", "weights"]);
dense("mlp 784->512 b64", 64, 784, 512);
rows.push({ name: "gemm 256^3", ...gemm(256, 256, 256, "i,k", "k,j") });
rows.push({ name: "gemm 128x512x1024", ...gemm(128, 512, 1024, "i,k", "k,j") });
rows.push({ name: "gemm 1024^3", ...gemm(1024, 1024, 1024, "i,k", "k,j") });
rows.push({ name: "gemm 500x333x700 ^T", ...gemm(500, 333, 700, "k,i", "j,k") });

const attention = (b: number, h: number, t: number, d: number): void => {
  const inputs = ["q", "k", "v"].map((name) => `input %${name}: f32[${b},${t},${h},${d}] argument ${name}`).join("\n");
  const flops = 2 * b * h * t * t * d;
  const name = `attention b${b} h${h} t${t} d${d}`;
  const domain = `b<${b}, h<${h}, i<${t}`;
  const scores = `%s: f32[${b},${h},${t},${t}] = sum[${domain}, j<${t} | d<${d}] %q[b,i,h,d] * %k[b,j,h,d]`;
  rows.push({ name: `${name} scores`, flops, text: `${inputs}\n${scores}\noutput %s result s` });
  const given = `input %s: f32[${b},${h},${t},${t}] argument s\n${inputs}`;
  const value = `%o: f32[${b},${t},${h},${d}] = sum[b<${b}, i<${t}, h<${h}, d<${d} | j<${t}] %s[b,h,i,j] * %v[b,j,h,d]`;
  rows.push({ name: `${name} values`, flops, text: `${given}\n${value}\noutput %o result o` });
  const back = `%g: f32[${b},${t},${h},${d}] = sum[b<${b}, j<${t}, h<${h}, d<${d} | i<${t}] %s[b,h,i,j] * %q[b,i,h,d]`;
  rows.push({ name: `${name} back`, flops, text: `${given}\n${back}\noutput %g result g` });
};
attention(8, 4, 128, 32);
attention(2, 2, 17, 5);
dense("gpt mlp 128->512 b1024", 1024, 128, 512);
dense("gpt logits 128->5000 b256", 256, 128, 5000);
dense("rnn step 64->256 b32", 32, 64, 256);
dense("tiny 3->5 b7", 7, 3, 5);
dense("two classes 200->2 b64", 64, 200, 2);
dense("one row 2 512->512", 2, 512, 512);
{
  const [n, g, c, o, size] = [8, 4, 8, 8, 28];
  rows.push({
    name: "grouped conv 4x(8->8) @28 b8",
    flops: 2 * n * g * o * size * size * c * 9,
    text: `input %x: f32[${n},${g},${c},${size},${size}] argument x\ninput %w: f32[${g},${o},${c},3,3] argument w\n%y: f32[${n},${g},${o},${size},${size}] = sum[n<${n}, g<${g}, o<${o}, i<${size}, j<${size} | c<${c}, p<3, q<3] %x[n,g,c,i + p - 1,j + q - 1 else 0] * %w[g,o,c,p,q]\noutput %y result y`,
  });
  rows.push({
    name: "conv1d 16->32 k9 t1000 b8",
    flops: 2 * 8 * 32 * 1000 * 16 * 9,
    text: `input %x: f32[8,16,1000] argument x\ninput %w: f32[32,16,9] argument w\n%y: f32[8,32,1000] = sum[n<8, o<32, i<1000 | c<16, p<9] %x[n,c,i + p - 4 else 0] * %w[o,c,p]\noutput %y result y`,
  });
  rows.push({
    name: "conv1d 16->32 k9 t1000 b8 weights",
    flops: 2 * 8 * 32 * 1000 * 16 * 9,
    text: `input %x: f32[8,16,1000] argument x\ninput %d: f32[8,32,1000] argument d\n%y: f32[32,16,9] = sum[o<32, c<16, p<9 | n<8, i<1000] %x[n,c,i + p - 4 else 0] * %d[n,o,i]\noutput %y result y`,
  });
  rows.push({
    name: "conv 5x5 3->1 @64 b8",
    flops: 2 * 8 * 64 * 64 * 75,
    text: `input %x: f32[8,3,64,64] argument x\ninput %w: f32[1,3,5,5] argument w\n%y: f32[8,1,64,64] = sum[n<8, i<64, j<64 | c<3, p<5, q<5] %x[n,c,i + p - 2,j + q - 2 else 0] * %w[0,c,p,q]\noutput %y result y`,
  });
}

const other = (name: string, flops: number, text: string): void =>
  void rows.push({ name: `other ${name}`, flops, text });
for (const k of [3, 5])
  other(
    `depthwise ${k}x${k} c32 @28 b8`,
    2 * 8 * 32 * 784 * k * k,
    `input %x: f32[8,32,28,28] argument x\ninput %w: f32[32,${k},${k}] argument w\n%y: f32[8,32,28,28] = sum[n<8, c<32, i<28, j<28 | p<${k}, q<${k}] %x[n,c,i + p - ${k >> 1},j + q - ${k >> 1} else 0] * %w[c,p,q]\noutput %y result y`,
  );
other(
  "depthwise 3x3 weights",
  2 * 8 * 32 * 784 * 9,
  `input %x: f32[8,32,28,28] argument x\ninput %d: f32[8,32,28,28] argument d\n%y: f32[32,3,3] = sum[c<32, p<3, q<3 | n<8, i<28, j<28] %x[n,c,i + p - 1,j + q - 1 else 0] * %d[n,c,i,j]\noutput %y result y`,
);
other(
  "gemv 512x784",
  2 * 512 * 784,
  `input %a: f32[512,784] argument a\ninput %x: f32[784] argument x\n%y: f32[512] = sum[i<512 | k<784] %a[i,k] * %x[k]\noutput %y result y`,
);
other(
  "gemv transposed 784x512",
  2 * 512 * 784,
  `input %a: f32[784,512] argument a\ninput %x: f32[784] argument x\n%y: f32[512] = sum[i<512 | k<784] %a[k,i] * %x[k]\noutput %y result y`,
);
other(
  "dot 100000",
  200000,
  `input %a: f32[100000] argument a\ninput %x: f32[100000] argument x\n%y: f32[] = sum[| k<100000] %a[k] * %x[k]\noutput %y result y`,
);
other(
  "one-image 5x5 conv 1->1 @64",
  2 * 4096 * 25,
  `input %x: f32[64,64] argument x\ninput %w: f32[5,5] argument w\n%y: f32[64,64] = sum[i<64, j<64 | p<5, q<5] %x[i + p - 2,j + q - 2 else 0] * %w[p,q]\noutput %y result y`,
);

const peak = measuredPeak(relaxed);
console.log(`peak of multiply and add${relaxed ? " (fused)" : ""}: ${peak.toFixed(1)} GFLOP/s`);
let total = 0;
for (const { name, flops, text } of rows) {
  if (!name.includes(filter)) continue;
  const time = measure(text);
  if (name.startsWith("lenet")) total += time;
  const speed = flops / time / 1e6;
  console.log(
    `${name.padEnd(40)} ${time.toFixed(3).padStart(9)} ms ${speed.toFixed(1).padStart(7)} GFLOP/s ${((100 * speed) / peak).toFixed(0).padStart(4)}%`,
  );
}
if (total > 0) console.log(`LeNet's contractions: ${total.toFixed(2)} ms`);

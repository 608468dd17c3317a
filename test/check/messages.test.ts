/** What mistakes are told as: code, line, words. A new row is a new test. */
import { describe, expect, test } from "vitest";
import { positionAt } from "../../grammar/span.ts";
import { checkText } from "../elaborate/support.ts";

interface Row {
  readonly name: string;
  readonly text: string;
  readonly code: string;
  readonly line: number;
  /** Parts of message or help. */
  readonly says: readonly string[];
}

const rows: readonly Row[] = [
  {
    name: "the caller's line and both shapes",
    text: "import nn\nimport loss\nimport optim\nmodel M(x: f32[N, 1, 28, 28]) -> f32[N, 10] = x |> flatten |> dense(10)\ntrain t()(image: f32[8, 28, 28], label: i32[8]) {\n  minimize loss = cross_entropy(image, label) over M.params using sgd(lr: 1)\n}",
    code: "E0301",
    line: 6,
    says: ["label of cross_entropy expects i32[...S]", "i32[8]", "1 axis where 2 are expected, ...S being [8, 28]"],
  },
  {
    name: "how an image becomes a row",
    text: "import nn\nfn norm(x: f32[N, D]) -> f32[N] { let y[n] = sum[d] x[n, d]^2; y }\nmodel M(x: f32[N, 28, 28]) -> f32[N] =\n  norm(x)",
    code: "E0301",
    line: 4,
    says: ["f32[N, D]", "f32[N, 28, 28]", "3 axes where 2 are expected", "add `|> flatten`"],
  },
  {
    name: "a list of another length",
    text: "import loss\nexport fn f(x: f32[4, 3], label: i32[4]) -> f32 =\n  cross_entropy(x, label, weight: [1, 0.5])",
    code: "E0301",
    line: 3,
    says: ["weight of cross_entropy expects f32[3]; got f32[2]"],
  },
  {
    name: "a list whose rows differ in length",
    text: "fn f(m: f32[A, B]) -> f32 = sum(m)\nexport fn g() -> f32 =\n  f([[1, 2], [3]])",
    code: "E0205",
    line: 3,
    says: ["m of f has to be f32[A, B]; got list of 2"],
  },
  {
    name: "a list of fractions for whole numbers",
    text: "fn f(m: i32[A]) -> i32 = sum(m)\nexport fn g() -> i32 = f([1, 2.5])",
    code: "E0205",
    line: 2,
    says: ["m of f has to be i32[A]; got list of 2"],
  },
  {
    name: "a list of numbers beyond the element type",
    text: "fn f(m: u8[A]) -> i32 = sum(i32(m))\nexport fn g() -> i32 = f([1, 256])",
    code: "E0205",
    line: 2,
    says: ["m of f has to be u8[A]; got list of 2"],
  },
  {
    name: "where a value came from",
    text: "import nn\nmodel M(x: f32[N, 8]) -> f32[N, 10] {\n  let y = x |> dense(9)\n  y\n}",
    code: "E0301",
    line: 4,
    says: ["f32[N, 10]", "f32[N, 9] from dense at line 3", "axis 2 (10) is 9 where 10 is expected"],
  },
  {
    name: "a library's condition at the user's call",
    text: "import nn\nmodel M(x: f32[N, 3, 8, 8]) -> f32[N, 4, 6, 6] =\n  x |> conv2d(4, groups: 2)",
    code: "E0307",
    line: 3,
    says: ["groups (2) must divide the 3 input channels"],
  },
  {
    name: "symbolic dimensions in words",
    text: "fn half(x: f32[N]) -> f32[N / 2] { let y[i < N / 2] = x[2 * i]; y }\nmodel M(x: f32[2 * K + 3]) -> f32[K] = half(x)",
    code: "E0301",
    line: 2,
    says: ["f32[K]", "f32[K + 1]"],
  },
  {
    name: "elementwise shapes, with the index form",
    text: "fn f(x: f32[N, C], b: f32[C]) -> f32[N, C] = x * b",
    code: "E0302",
    line: 1,
    says: ["f32[N, C]", "f32[C]", "let y[i, j] = a[i, j] * b[j]"],
  },
  {
    name: "two extents of an index",
    text: "fn f(a: f32[3, 4], b: f32[5, 2]) -> f32[3, 2] {\n  let y[i, j] = sum[k] a[i, k] * b[k, j]\n  y\n}",
    code: "E0304",
    line: 2,
    says: ["`k` runs over 4 in f32[3, 4] and over 5 in f32[5, 2]"],
  },
  {
    name: "an index without an extent",
    text: "fn f(a: f32[8]) -> f32[4] {\n  let y[i] = a[2*i] + a[2*i + 1]\n  y\n}",
    code: "E0303",
    line: 2,
    says: ["`i`", "i < .."],
  },
  {
    name: "out of range with a symbolic extent",
    text: "fn f(a: f32[N]) -> f32[N] {\n  let y[i < N] = a[i + 1]\n  y\n}",
    code: "E0305",
    line: 2,
    says: ["else"],
  },
  {
    name: "a misspelt argument",
    text: "import nn\nmodel M(x: f32[N, 3, 8, 8]) -> f32[N, 4, 4, 4] = x |> conv2d(4, strid: 2, padding: 1)",
    code: "E0204",
    line: 2,
    says: ["did you mean `stride`?"],
  },
  {
    name: "a misspelt name in a text",
    text: 'fn f(x: f32[N]) -> f32[N]\nwhere N > 1 else "{M} is too small"\n= x',
    code: "E0201",
    line: 2,
    says: ["`M`"],
  },
  {
    name: "configuration that is missing",
    text: "import nn\nmodel M(x: f32[N, 8]) -> f32[N, 4] = x |> dense",
    code: "E0202",
    line: 2,
    says: ["dense needs `features`: int"],
  },
  {
    name: "a member that is not there",
    text: "import nn\nmodel M(x: f32[N, 8]) -> f32[N, 4] {\n  let head = dense(4)\n  x |> head\n}\nexport fn f(x: f32[2, 8]) -> f32[2, 4] = M.haed(x)",
    code: "E0213",
    line: 6,
    says: ["did you mean `head`?"],
  },
  {
    name: "weights shared by different sizes",
    text: "import nn\nmodel M(x: f32[N, 8]) -> f32[N, 4] {\n  let d = dense(4)\n  d(d(x))\n}",
    code: "E0312",
    line: 4,
    says: ["M.d.weight is f32[4, 8]", "f32[4, 4]"],
  },
  {
    name: "integers and floats are not mixed unseen",
    text: "fn f(x: f32[N], n: i32[N]) -> f32[N] = x + n",
    code: "E0309",
    line: 1,
    says: ["f32[N] and i32[N]", "f32(..)"],
  },
  {
    name: "a run-time condition",
    text: "fn f(x: f32[N]) -> f32[N] {\n  let big = sum(x) > 1\n  if big then x else -x\n}",
    code: "E0214",
    line: 3,
    says: ["select(mask, a, b)"],
  },
  {
    name: "a param in a function",
    text: "fn f(x: f32[N]) -> f32[N] {\n  param w: f32 = 1\n  x * w\n}",
    code: "E0206",
    line: 2,
    says: ["param", "a layer or a model"],
  },
  {
    name: "a tuple of the wrong length",
    text: "fn f(x: f32[N]) -> f32[N] {\n  let (a, b) = (x, x, x)\n  a\n}",
    code: "E0217",
    line: 2,
    says: ["a tuple of 2"],
  },
  {
    name: "reshape counts",
    text: "fn f(x: f32[N, 12]) -> f32[N, 3, 5] = reshape(x, [N, 3, 5])",
    code: "E0317",
    line: 1,
    says: ["f32[N, 12] has 12*N elements", "[N, 3, 5] has 15*N"],
  },
  {
    name: "modules that clash, used with the qualified name",
    text: "import nn\nmodel M(x: f32[N, 8]) -> f32[N, 4] = x |> nn.dnse(4)",
    code: "E0213",
    line: 2,
    says: ["did you mean `dense`?"],
  },
];

describe("messages", () => {
  test.each(rows.map((row) => [row.name, row] as const))("%s", (_, { text, code, line, says }) => {
    const found = checkText(text).filter((one) => one.severity === "error");
    const [first] = found;
    expect(found.map((one) => one.code)).toEqual([code]);
    expect(first && positionAt(text, first.span.start).line).toBe(line);
    const words = `${first?.message} ${first?.help}`;
    for (const part of says) expect(words).toContain(part);
  });

  test("several errors in one run; what follows from one is not told", () => {
    const found = checkText(
      "import nn\nmodel M(x: f32[N, 8]) -> f32[N, 4] {\n  let a = x |> conv2d(4)\n  let b = a |> relu\n  let c = x + zeros([9, 9, 9])\n  let d = c |> dense(3)\n  x |> dense(4)\n}",
    );
    expect(found.map(({ code, source, span }) => `${code} ${positionAt(source.text, span.start).line}`)).toEqual([
      "E0301 3",
      "E0302 5",
    ]);
  });

  test("a library's error tells the library's line too", () => {
    const [error] = checkText('import nn\nexport fn f(x: f32[4]) -> f32[4] = normal([4], std: "wide") + x');
    expect(error?.source.file).toBe("model.dlx");
    const [warning] = checkText("import schedule\nexport fn g(s: i32) -> f32 = cosine(s, 0.1, steps: 5, warmup: 9)");
    expect(warning?.related.map(({ source }) => source.file)).toEqual(["stdlib/schedule/schedule.dlx"]);
  });

  const craft: readonly (readonly [name: string, layers: string, says: string])[] = [
    ["a bias in front of batch_norm", "dense(3) |> batch_norm", "use bias: false"],
    ["no bias in front of batch_norm", "dense(3, bias: false) |> batch_norm", ""],
    ["Xavier in front of relu", "dense(3, init: xavier_uniform) |> relu", "kaiming_normal"],
    ["Xavier in front of tanh", "dense(3, init: xavier_uniform) |> tanh", ""],
    ["sigmoids in a row", "sigmoid |> sigmoid |> dense(3) |> sigmoid |> dense(3) |> sigmoid", "4 sigmoids in a row"],
    ["three of them", "sigmoid |> sigmoid |> dense(3) |> sigmoid", ""],
    ["sigmoids of one's own layers", "own |> own |> own |> own", "4 sigmoids in a row"],
    ["sigmoids of one's own functions", "act |> dense(3) |> act |> act |> own", "4 sigmoids in a row"],
    ["sigmoids in a list", "sequential([sigmoid, own, sigmoid, act])", "4 sigmoids in a row"],
    ["what goes past each of them", "residual(act) |> residual(act) |> residual(act) |> residual(act)", ""],
    ["a bias in one's own layer", "affine |> batch_norm", "use bias: false"],
    ["Xavier in one's own layer", "affine |> (y => relu(y))", "kaiming_normal"],
  ];
  const own =
    "fn act(x: f32[...S]) = sigmoid(x)\nlayer own()(x: f32[N, D]) {\n  let y = x |> dense(D)\n  act(y)\n}\nlayer affine()(x: f32[N, D]) = x |> dense(3, init: xavier_normal)\n";
  test.each(craft)("the field's craft: %s", (_, layers, says) => {
    const [warning] = checkText(`import nn\n${own}model M(x: f32[N, 3]) -> f32[N, 3] = x |> ${layers}`);
    expect(warning?.message ?? "").toContain(says);
    expect(warning === undefined).toBe(says === "");
  });
  test("softmax fed into cross_entropy, through a model", () => {
    const found = checkText(
      "import nn\nimport loss\nmodel M(x: f32[N, 3]) -> f32[N, 3] = x |> dense(3) |> softmax\nexport fn f(x: f32[4, 3], label: i32[4]) -> f32 = cross_entropy(M(x), label)",
    );
    expect(found.map(({ code }) => code)).toEqual(["W0110"]);
  });

  test("a warning does not stop anything", () => {
    const found = checkText(
      "import nn\nmodel M(x: f32[N, 1, 8, 8]) -> f32[N, 1, 3, 3] = x |> conv2d(1, kernel: 3, stride: 2)",
    );
    expect(found.map(({ code, severity }) => `${code} ${severity}`)).toEqual(["W0110 warning"]);
  });
});

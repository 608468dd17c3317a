import { gzipSync } from "node:zlib";
import { zipSync } from "fflate";
import { describe, expect, test } from "vitest";
import { bindRows } from "../../runtime/node/data/column.ts";
import { formatNpy } from "../../runtime/node/data/npy.ts";
import { openData } from "../../runtime/node/data/open.ts";
import type { DTypeName, InputSlot } from "../../runtime/plan.ts";
import { writeSafetensors } from "../../runtime/safetensors.ts";
import { temporaryFolder } from "../support/folder.ts";
import { png } from "../support/png.ts";

const { path: folder, write } = temporaryFolder();
const error = (code: string, message: RegExp) =>
  expect.objectContaining({ code, message: expect.stringMatching(message) });

function idx(shape: number[], bytes: ArrayLike<number>, head = [0, 0, 8, shape.length]): Uint8Array {
  const file = new Uint8Array(4 + 4 * shape.length + bytes.length);
  file.set(head);
  const view = new DataView(file.buffer);
  for (const [k, extent] of shape.entries()) view.setUint32(4 + 4 * k, extent);
  file.set(Uint8Array.from(bytes), 4 + 4 * shape.length);
  return file;
}
const slot = (name: string, dtype: DTypeName, shape: number[], bounds?: InputSlot["bounds"]): InputSlot => ({
  name,
  dtype,
  shape,
  ...(bounds ? { bounds } : {}),
});
const readAll = async (spec: string, slots: InputSlot[], part: "train" | "held" = "train") => {
  const data = await openData(spec);
  const rows = bindRows(data[part], slots, data.mapping);
  return rows.read(Uint32Array.from({ length: rows.count }, (_, k) => k));
};

// A folder of each kind that reads well.
const digits = `${folder}/digits`;
write("digits/train-images-idx3-ubyte", idx([3, 2, 2], [0, 51, 102, 255, 1, 2, 3, 4, 5, 6, 7, 8]));
write("digits/train-labels.idx1-ubyte.gz", gzipSync(idx([3], [7, 8, 9])));
write("digits/t10k-images-idx3-ubyte.gz", gzipSync(idx([1, 2, 2], [9, 9, 9, 9])));
write("digits/t10k-labels-idx1-ubyte", idx([1], [4]));
write("pictures/cat/b.png", png(3, [255, 0, 0, 0, 255, 0, 0, 0, 255, 10, 20, 30]));
write("pictures/cat/a.png", png(1, [1, 2, 3, 4]));
write("pictures/dog/a.PNG", png(4, [9, 9, 9, 0, 8, 8, 8, 1, 7, 7, 7, 2, 6, 6, 6, 3]));
write("pictures/notes.txt", "not an image");
write("pictures/.thumbnails/a.png", png(1, [1, 2, 3, 4], 4, 1));
write("pictures/cat/._a.png", "left by a file manager");
const iris = write("iris.csv", "\ufeffa,b,species\n1,2,setosa\n3,4.5,virginica\n5,6,setosa\n");
const plain = write("plain.csv", "1,2,0\n3,4,1\n");
const separated = (name: string, separator: string) =>
  write(name, '"a, b; c"|label\r\n1|0\r\n3|1\r\n'.replaceAll("|", separator));
const numbered = write("numbered.csv", ",0,1,label\n0,5,6,1\n1,7,8,0\n");
const x = write("x.npy", formatNpy(Float32Array.of(1, 2, 3, 4), [2, 2]));
const y = write("y.npy", formatNpy(Int32Array.of(5, 6), [2]));
const npz = write(
  "all.npz",
  zipSync({
    "x_train.npy": formatNpy(Uint8Array.of(255, 0, 0, 51), [1, 2, 2]),
    "x_test.npy": formatNpy(Uint8Array.of(1, 2, 3, 4), [1, 2, 2]),
  }),
);
const tensors = write(
  "data.safetensors",
  writeSafetensors([["z", { dtype: "f32", shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) }]]),
);
const story = write("story.txt", "abcdefghij");
const ending = write("b.txt", "klmnopq");

const rows: [spec: string, slots: InputSlot[], inputs: Record<string, number[]>, part?: "held"][] = [
  [
    `idx:${digits}`,
    [slot("image", "u8", [9, 1, 2, 2]), slot("label", "i32", [9])],
    { image: [0, 51, 102, 255, 1, 2, 3, 4, 5, 6, 7, 8], label: [7, 8, 9] },
  ],
  [`idx:${digits}`, [slot("image", "u8", [9, 4])], { image: [9, 9, 9, 9] }, "held"],
  [`idx:${digits},image=x`, [slot("x", "u8", [9, 2, 2])], { x: [9, 9, 9, 9] }, "held"],
  [`idx:${digits},split=1`, [slot("label", "i32", [9])], { label: [7, 8, 9] }, "held"],
  [
    `idx:${digits},split=0`,
    [slot("image", "u8", [9, 3, 2, 2])],
    {
      image: [
        0, 51, 102, 255, 0, 51, 102, 255, 0, 51, 102, 255, 1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3, 4, 5, 6, 7, 8, 5, 6, 7, 8,
        5, 6, 7, 8,
      ],
    },
  ],
  [
    `images:${folder}/pictures,split=0`,
    [slot("image", "u8", [9, 1, 2, 2]), slot("label", "i32", [9])],
    { image: [1, 2, 3, 4, 76, 150, 29, 18, 9, 8, 7, 6], label: [0, 0, 1] },
  ],
  [
    `images:${folder}/pictures,split=0`,
    [slot("image", "u8", [9, 4, 2, 2])],
    {
      image: [
        1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3, 4, 255, 255, 255, 255, 255, 0, 0, 10, 0, 255, 0, 20, 0, 0, 255, 30, 255, 255,
        255, 255, 9, 8, 7, 6, 9, 8, 7, 6, 9, 8, 7, 6, 0, 1, 2, 3,
      ],
    },
  ],
  [
    `csv:${iris},label=species,split=0`,
    [slot("x", "f32", [9, 2]), slot("label", "i32", [9]), slot("b", "f32", [9])],
    { x: [1, 2, 3, 4.5, 5, 6], label: [0, 1, 0], b: [2, 4.5, 6] },
  ],
  [`csv:${iris},label=3,split=0,x=image`, [slot("image", "f32", [9, 1, 1, 2])], { image: [1, 2, 3, 4.5, 5, 6] }],
  [
    `csv:${plain},label=3,split=0`,
    [slot("x", "f32", [9, 2]), slot("label", "i32", [9])],
    { x: [1, 2, 3, 4], label: [0, 1] },
  ],
  ...[";", "\t", ","].map((separator, k): (typeof rows)[number] => [
    `csv:${separated(`separated${k}.csv`, separator)},split=0`,
    [slot("x", "f32", [9, 1]), slot("label", "i32", [9])],
    { x: [1, 3], label: [0, 1] },
  ]),
  [
    `csv:${numbered},split=0`,
    [slot("x", "f32", [9, 3]), slot("label", "i32", [9])],
    { x: [0, 5, 6, 1, 7, 8], label: [1, 0] },
  ],
  [
    `csv:${write("words-below.csv", "\n1;2;kind\n3;4;cat\n5;6;ant\n")},label=kind,split=0`,
    [slot("x", "f32", [9, 2]), slot("label", "i32", [9])],
    { x: [3, 4, 5, 6], label: [1, 0] },
  ],
  [`csv:${iris},label=species,split=0`, [slot("species", "i32", [9])], { species: [0, 1, 0] }],
  [`csv:${plain},split=0`, [slot("x", "f32", [9, 3])], { x: [1, 2, 0, 3, 4, 1] }],
  [`npy:${x},${y},split=0`, [slot("x", "f32", [9, 2]), slot("label", "i32", [9])], { x: [1, 2, 3, 4], label: [5, 6] }],
  [`npz:${npz}`, [slot("x", "u8", [9, 2, 2])], { x: [255, 0, 0, 51] }],
  [`npz:${npz}`, [slot("x", "u8", [9, 2, 2])], { x: [1, 2, 3, 4] }, "held"],
  [`safetensors:${tensors},split=0,z=x`, [slot("x", "f32", [9, 3])], { x: [1, 2, 3, 4, 5, 6] }],
  [
    `text:${story},context=3,split=0`,
    [slot("id", "i32", [9, 3]), slot("target", "i32", [9, 3])],
    { id: [..."abcdefghi"].map((c) => c.charCodeAt(0)), target: [..."bcdefghij"].map((c) => c.charCodeAt(0)) },
  ],
  [
    `text:${story},context=4,stride=3,split=0`,
    [slot("id", "i32", [9, 4])],
    { id: [..."abcddefg"].map((c) => c.charCodeAt(0)) },
  ],
  [
    `text:${story},${ending},context=3,stride=1`,
    [slot("target", "i32", [9, 3])],
    { target: [..."lmnopq"].map((c) => c.charCodeAt(0)) },
    "held",
  ],
  [
    `text:${ending},${story},context=6,stride=1`,
    [slot("id", "i32", [9, 6])],
    { id: [..."klmnop"].map((c) => c.charCodeAt(0)) },
  ],
];
describe("data sets", () => {
  test.each(rows)("%s %j", async (spec, slots, inputs, part = undefined) => {
    const found = await readAll(spec, slots, part);
    expect(
      Object.fromEntries(Object.entries(found).map(([name, data]) => [name, [...(data as Float32Array)]])),
    ).toEqual(inputs);
  });
  test("float inputs receive pixels divided by 255", async () => {
    const { image } = await readAll(`idx:${digits}`, [slot("image", "f32", [9, 1, 2, 2])]);
    expect([...(image as Float32Array)].slice(0, 4)).toEqual([0, 51 / 255, 102 / 255, 1].map(Math.fround));
    const { x } = await readAll(`npz:${npz}`, [slot("x", "f32", [9, 2, 2])]);
    expect(x).toEqual(Float32Array.of(1, 0, 0, 51 / 255));
  });
  test("what is held out is the same every time, and apart", async () => {
    const [data, again] = [
      await openData("synthetic:moons,rows=50,split=0.3"),
      await openData("synthetic:moons,rows=50,split=0.3"),
    ];
    expect(again.held.rows).toEqual(data.held.rows);
    expect(data.held.rows).toHaveLength(15);
    expect([...data.held.rows, ...data.train.rows].sort((a, b) => a - b)).toEqual(
      Array.from({ length: 50 }, (_, k) => k),
    );
  });
  test.each(["spirals", "moons", "circles", "blobs", "xor", "sine", "linear", "bars", "parity"])(
    "synthetic:%s",
    async (name) => {
      const { train, held } = await openData(`synthetic:${name},rows=40`);
      expect([train.rows.length, held.rows.length]).toEqual([36, 4]);
      for (const column of train.columns) {
        expect(column.rows).toBe(40);
        expect([...column.row(39)].every(Number.isFinite)).toBe(true);
      }
      const other = await openData(`synthetic:${name},rows=40,seed=1`);
      expect(other.train.columns[0]!.row(0)).not.toEqual(train.columns[0]!.row(0));
    },
  );
});

const image = [slot("image", "f32", [9, 1, 2, 2])];
const bad: [what: string, spec: string, slots: InputSlot[], code: string, message: RegExp][] = [
  ["no kind", "digits", image, "E0611", /begin with one of idx:/],
  ["unknown kind", "idy:a", image, "E0611", /begin with one of/],
  ["inherited kind", "toString:a", image, "E0611", /begin with one of/],
  ["no path", "idx:", image, "E0611", /expected one path/],
  ["two paths", "idx:a,b", image, "E0611", /expected one path/],
  ["three arrays", "npy:a,b,c", image, "E0611", /one or two files/],
  ["empty option", "idx:a,=3", image, "E0611", /`=3` is not a new option/],
  ["repeated option", `idx:${digits},split=1,split=2`, image, "E0611", /`split=2` is not a new option/],
  [
    "unknown option",
    `idx:${digits},spilt=0.1`,
    image,
    "E0611",
    /`spilt` is neither an option of idx: nor one of its columns \(image, label\)/,
  ],
  ["wrong split", `idx:${digits},split=2`, image, "E0611", /split=2 is not a share/],
  ["empty split", `idx:${digits},split=`, image, "E0611", /split= is not a share/],
  ["no folder", `idx:${folder}/none`, image, "E0614", /has no train-images-idx3-ubyte/],
  ["half a data set", `idx:${folder}/half`, image, "E0614", /half has no train-labels/],
  [
    "idx magic",
    `idx:${folder}/magic`,
    image,
    "E0612",
    /train-images-idx3-ubyte is not a well-formed IDX file: it begins with 1 0 8 3/,
  ],
  ["idx cut", `idx:${folder}/cut`, image, "E0612", /2 x 2 x 2 elements take 24 bytes, but it has 20 \(cut short\?\)/],
  ["idx short header", `idx:${folder}/header`, image, "E0612", /ends inside of its header/],
  ["idx empty", `idx:${folder}/empty`, image, "E0612", /has 0 bytes/],
  ["not gzip", `idx:${folder}/gzip`, image, "E0612", /not a well-formed gzip file/],
  ["unequal rows", `idx:${folder}/unequal`, image, "E0613", /labels.* has 3 rows, but .*images.* has 2/],
  [
    "wrong size",
    `idx:${digits}`,
    [slot("image", "f32", [9, 1, 4, 4])],
    "E0613",
    /`image` takes f32\[N, 1, 4, 4\], but .*train-images.* has 2 x 2 pixels: resize the images, or change the program's input to f32\[N, 1, 2, 2\]/,
  ],
  [
    "no column",
    `idx:${digits}`,
    [slot("picture", "f32", [9, 1, 2, 2])],
    "E0613",
    /nothing named `picture`; it has image, label. Name it with ,COLUMN=picture/,
  ],
  [
    "label out of bounds",
    `idx:${digits}`,
    [slot("label", "i32", [9], { min: 0, max: 8 })],
    "E0613",
    /train-labels.*, row 3: 9 is not what input `label` takes \(integers from 0 to 8\)/,
  ],
  ["no images", `images:${folder}/digits`, image, "E0612", /no folders with PNG or JPEG/],
  ["images missing", `images:${folder}/none`, image, "E0614", /cannot read .*none: there is no such file/],
  ["broken png", `images:${folder}/broken`, image, "E0612", /a.png is not an image that dlx can read/],
  ["text as png", `images:${folder}/fake`, image, "E0612", /neither PNG nor JPEG/],
  [
    "images of two sizes",
    `images:${folder}/sizes`,
    image,
    "E0613",
    /b.png has 1 x 4 pixels, but .*a.png has 2 x 2: resize/,
  ],
  ["csv missing", `csv:${folder}/none.csv`, image, "E0614", /cannot read .*none.csv: there is no such file/],
  ["csv is a folder", `csv:${folder}`, image, "E0614", /it is a folder/],
  ["csv empty", `csv:${write("empty.csv", "")}`, image, "E0612", /is empty/],
  ["csv headings only", `csv:${write("headings.csv", "a,b\n")}`, image, "E0612", /no rows/],
  ["csv ragged", `csv:${write("ragged.csv", "1,2\n3\n")}`, image, "E0612", /ragged.csv is not a well-formed CSV/],
  [
    "csv not UTF-8",
    `csv:${write("latin.csv", Uint8Array.of(0xe9, 0x0a))}`,
    image,
    "E0612",
    /not a well-formed CSV file in UTF-8/,
  ],
  [
    "csv words",
    `csv:${write("words.csv", "a,b\n1,2\n3,x\n")}`,
    image,
    "E0612",
    /words.csv, row 3, column `b`: "x" is not a number/,
  ],
  [
    "csv without headings, a value missing in the first row",
    `csv:${write("missing.csv", "5,?,0\n4,3,1\n")},label=3`,
    image,
    "E0612",
    /missing.csv, row 1, column `2`: "\?" is not a number/,
  ],
  ["csv gap", `csv:${write("gap.csv", "a,b\n1,\n")}`, image, "E0612", /row 2, column `b`: "" is not a number/],
  [
    "csv label missing",
    `csv:${write("unlabelled.csv", "a,label\n1,x\n2,\n")}`,
    image,
    "E0612",
    /row 3, column `label`: the label is missing/,
  ],
  [
    "npy scalars",
    `npy:${y}`,
    [slot("x", "f32", [9, 2])],
    "E0613",
    /`x` takes f32\[N, 2\], but .*y.npy has rows of one number/,
  ],
  ["csv label", `csv:${iris},label=kind`, image, "E0611", /no column `kind`; it has a, b, species/],
  [
    "csv width",
    `csv:${iris},label=species`,
    [slot("x", "f32", [9, 3])],
    "E0613",
    /`x` takes f32\[N, 3\], but .*iris.csv \(x\) has rows of \[2\]/,
  ],
  [
    "fractional label",
    `csv:${write("half.csv", "x,label\n1,0.5\n")},split=0`,
    [slot("label", "i32", [9])],
    "E0613",
    /row 1: 0.5 is not what input `label` takes/,
  ],
  ["npy magic", `npy:${write("a.npy", "nothing of the kind")}`, image, "E0612", /first bytes are not NumPy's/],
  ["npz not a zip", `npz:${write("a.npz", "nothing of the kind")}`, image, "E0612", /not a well-formed .npz/],
  ["npz without arrays", `npz:${write("b.npz", zipSync({ "a.txt": new Uint8Array(1) }))}`, image, "E0612", /no arrays/],
  ["safetensors", `safetensors:${write("a.safetensors", "x")}`, image, "E0701", /a.safetensors is not a well-formed/],
  ["text too short", `text:${story},context=10`, image, "E0613", /has 10 bytes, too few/],
  ["text thrice", `text:${story},${story},${story}`, image, "E0611", /one or two files \(to train on, then held out\)/],
  ["text held out", `text:${story},${ending},context=7`, image, "E0613", /b.txt has 7 bytes, too few/],
  ["text context", `text:${story},context=0`, image, "E0611", /context=0 is not a positive integer/],
  ["synthetic name", "synthetic:toString", image, "E0611", /expected one of spirals/],
  ["synthetic rows", "synthetic:moons,rows=1.5", image, "E0611", /rows=1.5 is not a positive integer/],
];
write("half/train-images-idx3-ubyte", idx([2, 2, 2], new Uint8Array(8)));
for (const [name, images] of [
  ["magic", idx([2, 2, 2], new Uint8Array(8), [1, 0, 8, 3])],
  ["cut", idx([2, 2, 2], new Uint8Array(4))],
  ["header", Uint8Array.of(0, 0, 8, 3, 0)],
  ["empty", new Uint8Array(0)],
  ["unequal", idx([2, 2, 2], new Uint8Array(8))],
] as const) {
  write(`${name}/train-images-idx3-ubyte`, images);
  write(`${name}/train-labels-idx1-ubyte`, idx([3], [0, 1, 2]));
}
write("gzip/train-images-idx3-ubyte.gz", "no");
write("gzip/train-labels-idx1-ubyte", idx([1], [0]));
write("broken/a/a.png", png(1, [1, 2, 3, 4]).slice(0, 40));
write("fake/a/a.png", "no");
write("sizes/a/a.png", png(1, [1, 2, 3, 4]));
write("sizes/a/b.png", png(1, [1, 2, 3, 4], 4, 1));
describe("data that is refused", () => {
  test.each(bad)("%s", async (_, spec, slots, code, message) => {
    await expect(readAll(spec, slots)).rejects.toThrow(error(code, message));
  });
});

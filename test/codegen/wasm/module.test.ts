import { expect, test } from "vitest";
import { Bytes } from "../../../compiler/codegen/wasm/encode.ts";
import type { ModuleSpec } from "../../../compiler/codegen/wasm/module.ts";
import { encodeModule, memoryPages } from "../../../compiler/codegen/wasm/module.ts";
import { add, f32, i32, KernelBuilder, load, mul, splat } from "../../../compiler/kernel/build.ts";
import type { Kernel } from "../../../compiler/kernel/ir.ts";
import { disassemble, enableRelaxed, validate } from "./run.ts";

const base = 65536;

async function instantiate(spec: Omit<ModuleSpec, "memoryBytes" | "relaxed">, relaxed = false) {
  const { bytes, memoryFlags } = encodeModule({ ...spec, memoryBytes: 2 * base, relaxed });
  validate(bytes);
  const memory = new WebAssembly.Memory({ initial: memoryPages(2 * base), maximum: 65536 });
  const instance = await WebAssembly.instantiate(await WebAssembly.compile(Buffer.from(bytes)), { env: { memory } });
  const run = (k: number): void => {
    const entry = instance.exports[`entry${k}`];
    if (typeof entry !== "function") throw new Error(`no entry${k}`);
    entry();
  };
  return { bytes, memoryFlags, run, floats: new Float32Array(memory.buffer, base, 16) };
}

/** `y[at] += amount` */
function increment(name: string, amount = 1): Kernel {
  const k = new KernelBuilder(name, "cpu");
  const y = k.buffer(`${name}_y`, "f32", "read_write");
  const at = k.scalar("at");
  k.store(y, at, add(load(y, "f32", at), f32(amount)));
  return k.finish();
}

test("an entry makes its calls in order, repeats with moving arguments", async () => {
  const kernel = increment("one");
  const { run, floats } = await instantiate({
    entries: [
      { name: "first", steps: [{ kind: "call", kernel, args: [base, 3] }] },
      {
        name: "second",
        steps: [
          {
            kind: "repeat",
            length: 3,
            steps: [
              {
                kind: "repeat",
                length: 2,
                steps: [
                  {
                    kind: "call",
                    kernel,
                    args: [
                      { base, advance: [4, 0] },
                      { base: 0, advance: [0, 8] },
                    ],
                  },
                ],
              },
            ],
          },
        ],
      },
    ],
  });
  run(0);
  expect([...floats.subarray(0, 5)]).toEqual([0, 0, 0, 1, 0]);
  run(1);
  expect([...floats.subarray(0, 12)]).toEqual([1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1, 0]);
});

test("equal kernels are one function", async () => {
  const size = async (kernels: readonly Kernel[]): Promise<number> => {
    const steps = kernels.map((kernel) => ({ kind: "call" as const, kernel, args: [base, 0] }));
    return (await instantiate({ entries: [{ name: "e", steps }] })).bytes.length;
  };
  const one = await size([increment("a"), increment("a")]);
  expect(await size([increment("a"), increment("b")])).toBe(one);
  expect(await size([increment("a"), increment("b", 2)])).toBeGreaterThan(one);
});

test("data is in memory from the start, and the memory import's flags are where they are said to be", async () => {
  const bytes = new Uint8Array(Float32Array.of(1.5, -2).buffer);
  const made = await instantiate({ entries: [], data: [{ address: base + 8, bytes }] });
  expect([...made.floats.subarray(0, 4)]).toEqual([0, 0, 1.5, -2]);
  expect(made.bytes[made.memoryFlags]).toBe(1);
  const shared = made.bytes.slice();
  shared[made.memoryFlags] = 3;
  expect(WebAssembly.validate(shared)).toBe(true);
});

function multiplyAdd(): Kernel {
  const k = new KernelBuilder("fma", "cpu");
  const y = k.buffer("y", "f32", "read_write");
  k.forLoop("i", 0, 8, 4, (i) => k.store(y, i, add(mul(load(y, "f32", i, 4), splat(f32(3))), load(y, "f32", i, 4))));
  return k.finish();
}

test("relaxed SIMD fuses multiply and add", async () => {
  const steps = [{ kind: "call" as const, kernel: multiplyAdd(), args: [base] }];
  const plain = encodeModule({ entries: [{ name: "e", steps }], memoryBytes: 2 * base, relaxed: false });
  expect(disassemble(plain.bytes)).not.toContain("relaxed");
  const relaxed = encodeModule({ entries: [{ name: "e", steps }], memoryBytes: 2 * base, relaxed: true });
  expect(disassemble(relaxed.bytes)).toContain("f32x4.relaxed_madd");
  if (!enableRelaxed()) return;
  const { run, floats } = await instantiate({ entries: [{ name: "e", steps }] }, true);
  floats.fill(2);
  run(0);
  expect([...floats.subarray(0, 9)]).toEqual([8, 8, 8, 8, 8, 8, 8, 8, 2]);
});

test("address arithmetic leaves the loop: a pointer moves, and offsets are immediates", () => {
  const k = new KernelBuilder("sum", "cpu");
  const x = k.buffer("x", "f32", "read");
  const y = k.buffer("y", "f32", "write");
  k.forLoop("i", 0, 100, 1, (i) => k.store(y, i, add(load(x, "f32", add(i, 7)), load(x, "f32", add(i, 9)))));
  const steps = [{ kind: "call" as const, kernel: k.finish(), args: [base, base] }];
  const whole = disassemble(
    encodeModule({ entries: [{ name: "e", steps }], memoryBytes: 2 * base, relaxed: false, names: true }).bytes,
  );
  const text = whole.slice(whole.indexOf("(func $sum"));
  const loop = text.slice(text.indexOf("loop"), text.indexOf("br_if"));
  expect(loop).toContain("f32.load offset=8");
  expect(loop).not.toMatch(/i32\.(mul|shl)/);
  expect(loop.match(/i32\.add/g)).toHaveLength(2);
});

test("integers in LEB128", () => {
  const signed = (value: number): number[] => {
    const bytes = new Bytes();
    bytes.i32(value);
    return [...bytes.finish()];
  };
  expect(signed(0)).toEqual([0]);
  expect(signed(63)).toEqual([63]);
  expect(signed(64)).toEqual([0xc0, 0]);
  expect(signed(-1)).toEqual([0x7f]);
  expect(signed(-(2 ** 31))).toEqual([0x80, 0x80, 0x80, 0x80, 0x78]);
  const unsigned = new Bytes();
  unsigned.u32(2 ** 32 - 1);
  expect([...unsigned.finish()]).toEqual([0xff, 0xff, 0xff, 0xff, 0x0f]);
  expect(i32(2 ** 31).value).toBe(-(2 ** 31));
});

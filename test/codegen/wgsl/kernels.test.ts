/** Kernels on a GPU against the interpreter of the loop IR: what the scalar table does not cover. */
import { expect, test } from "vitest";
import {
  add,
  and,
  apply,
  builtin,
  f32,
  i32,
  KernelBuilder,
  lane,
  load,
  lt,
  mul,
  ne,
  select,
  shuffle,
  splat,
  u32,
  vector,
} from "../../../compiler/kernel/build.ts";
import { interpretKernel } from "../../../compiler/kernel/interpret.ts";
import type { Dispatch, Kernel } from "../../../compiler/kernel/ir.ts";
import { verifyKernel } from "../../../compiler/kernel/verify.ts";
import type { Elements } from "../../../runtime/device.ts";
import type { Location } from "../../../runtime/plan.ts";
import { describeWebGPU } from "../../support/dawn.ts";
import { dtypeOf, manifestOf, runKernel, withDevice } from "../../support/run-webgpu.ts";

const counting = (length: number, from = 0): Float32Array => Float32Array.from({ length }, (_, k) => k + from);

interface Case {
  readonly kernel: Kernel;
  readonly buffers: readonly Elements[];
  readonly scalars?: readonly number[];
  readonly workgroups?: readonly [number, number, number];
}

const cases: Record<string, () => Case> = {
  "whole vectors": () => {
    const k = new KernelBuilder("copy", "gpu", [4, 1, 1]);
    const [x, y] = [k.buffer("x", "f32", "read"), k.buffer("y", "f32", "write")];
    const at = k.letIn("at", mul(builtin("global", 0), 4));
    k.store(y, at, mul(load(x, "f32", at, 4), splat(f32(2))));
    return { kernel: k.finish(), buffers: [counting(32), new Float32Array(32)], workgroups: [2, 1, 1] };
  },
  "vectors at any place": () => {
    const k = new KernelBuilder("shift", "gpu", [1, 1, 1]);
    const [x, y] = [k.buffer("x", "f32", "read"), k.buffer("y", "f32", "write")];
    const offset = k.scalar("offset");
    k.store(y, add(offset, 2), load(x, "f32", add(mul(offset, 2), 1), 4));
    return { kernel: k.finish(), buffers: [counting(16), new Float32Array(16)], scalars: [3] };
  },
  "whole and single accesses to one buffer": () => {
    const k = new KernelBuilder("mixed", "gpu", [1, 1, 1]);
    const [x, y] = [k.buffer("x", "i32", "read"), k.buffer("y", "i32", "write")];
    k.store(y, 4, load(x, "i32", 0, 4));
    k.store(y, 1, load(x, "i32", 3));
    return { kernel: k.finish(), buffers: [Int32Array.of(5, -6, 7, 8), new Int32Array(8)] };
  },
  "lanes, shuffles and vectors of scalars": () => {
    const k = new KernelBuilder("lanes", "gpu", [1, 1, 1]);
    const [x, y] = [k.buffer("x", "f32", "read"), k.buffer("y", "f32", "write")];
    const a = load(x, "f32", 0, 4);
    const b = load(x, "f32", 4, 4);
    k.store(y, 0, shuffle(a, b, [7, 0, 2, 5]));
    k.store(y, 4, vector([lane(a, 3), lane(b, 1), f32(0.5), f32(-1)]));
    return { kernel: k.finish(), buffers: [counting(8), new Float32Array(8)] };
  },
  "bool in memory and in vectors": () => {
    const k = new KernelBuilder("truth", "gpu", [1, 1, 1]);
    const [x, y, z] = [k.buffer("x", "bool", "read"), k.buffer("y", "bool", "write"), k.buffer("z", "bool", "write")];
    const a = load(x, "bool", 0, 4);
    k.store(y, 0, apply("not", "bool", a));
    k.store(z, 1, and(load(x, "bool", 0), load(x, "bool", 2)));
    return { kernel: k.finish(), buffers: [Uint32Array.of(1, 0, 1, 1), new Uint32Array(4), new Uint32Array(2)] };
  },
  "loops, branches, mutable locals and register memory": () => {
    const k = new KernelBuilder("control", "gpu", [2, 1, 1]);
    const [x, y] = [k.buffer("x", "f32", "read"), k.buffer("y", "f32", "write")];
    const own = k.local("own", "f32", "register", 4);
    k.forLoop("i", 0, 4, 1, (i) => k.store(own, i, load(x, "f32", add(i, builtin("local", 0)))));
    const sum = k.declare("sum", f32(0));
    k.forLoop("j", 3, 8, 2, (j) => {
      k.ifThen(
        lt(j, 6),
        () => k.assign(sum, add(sum, load(own, "f32", apply("bit_and", "i32", j, i32(3))))),
        () => k.assign(sum, mul(sum, f32(10))),
      );
    });
    k.store(y, builtin("local", 0), sum);
    return { kernel: k.finish(), buffers: [counting(8, 1), new Float32Array(2)] };
  },
  "workgroup memory and barriers": () => {
    const k = new KernelBuilder("reverse", "gpu", [64, 1, 1]);
    const [x, y] = [k.buffer("x", "u32", "read"), k.buffer("y", "u32", "write")];
    const tile = k.local("tile", "u32", "workgroup", 64);
    k.store(tile, builtin("local", 0), load(x, "u32", builtin("global", 0)));
    k.barrier();
    const other = apply("sub", "i32", i32(63), builtin("local", 0));
    k.store(y, builtin("global", 0), add(load(tile, "u32", other), u32(1)));
    const words = Uint32Array.from({ length: 128 }, (_, j) => j * 3);
    return { kernel: k.finish(), buffers: [words, new Uint32Array(128)], workgroups: [2, 1, 1] };
  },
  "a shared subexpression is computed once, and expansions of it": () => {
    const k = new KernelBuilder("shared", "gpu", [1, 1, 1]);
    const [x, y] = [k.buffer("x", "i32", "read"), k.buffer("y", "i32", "write")];
    let e = load(x, "i32", 0);
    for (let depth = 0; depth < 12; depth++) e = add(e, e);
    k.store(y, 0, e);
    k.store(y, 1, apply("rem", "i32", load(x, "i32", 1), load(x, "i32", 2)));
    return { kernel: k.finish(), buffers: [Int32Array.of(3, -7, 4), new Int32Array(2)] };
  },
  "names that WGSL knows": () => {
    const k = new KernelBuilder("array", "gpu", [1, 1, 1]);
    const [x, y] = [k.buffer("uniform", "f32", "read"), k.buffer("workgroup", "f32", "write")];
    const value = k.letIn("select", load(x, "f32", 0));
    const vec4 = k.declare("vec4", apply("exp", "f32", value));
    k.assign(vec4, select(ne(value, f32(0)), vec4, value));
    k.store(y, 0, apply("max", "f32", vec4, k.letIn("max", add(value, f32(1)))));
    return { kernel: k.finish(), buffers: [Float32Array.of(0), new Float32Array(1)] };
  },
};

describeWebGPU("kernels: WGSL = interpreter", (context) => {
  test.each(Object.keys(cases))("%s", async (name) => {
    const { kernel, buffers, scalars = [], workgroups = [1, 1, 1] } = cases[name]!();
    verifyKernel(kernel);
    const want = buffers.map((values) => values.slice());
    interpretKernel(kernel, want, scalars, workgroups);
    const got = await runKernel(context().gpu, { kernel, buffers, scalars, workgroups });
    expect(got.map((values) => [...values])).toEqual(want.map((values) => [...values]));
  });

  /** y = x * 2 elementwise, four at a time; where the buffers lie is the test. */
  const doubled = (x: Location, y: Location, n = 16): Dispatch<Location> => {
    const k = new KernelBuilder("twice", "gpu", [4, 1, 1]);
    const [from, to] = [k.buffer("x", "f32", "read"), k.buffer("y", "f32", "write")];
    const at = k.letIn("at", mul(builtin("global", 0), 4));
    k.store(to, at, mul(load(from, "f32", at, 4), splat(f32(2))));
    const kernel = k.finish();
    return { kernel, buffers: [x, y], scalars: [], workgroups: [n / 16, 1, 1], origin: undefined, label: "twice" };
  };
  test.each([
    ["in place", 0, 0],
    ["neighbours in one block of 256 bytes", 64, 0],
    ["at places that are no multiple of a vector", 4, 96],
  ])("buffers %s", async (_, x, y) => {
    const place = (offset: number): Location => ({ space: "arena", chunk: 0, offset, bytes: 64 });
    const values = counting(16, 1);
    const tensor = (name: string, offset: number) => ({
      name,
      dtype: dtypeOf(values),
      shape: [16],
      at: place(offset),
    });
    const program = manifestOf({
      arena: [512],
      inputs: [tensor("x", x)],
      outputs: [tensor("y", y)],
      dispatches: [doubled(place(x), place(y))],
    });
    const [got] = await withDevice(context().gpu, program, (device) => device.run(0, [values]));
    expect([...got!]).toEqual([...values].map((value) => value * 2));
  });
});

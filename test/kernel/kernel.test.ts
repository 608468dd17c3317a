import { describe, expect, test } from "vitest";
import {
  add,
  and,
  bool,
  builtin,
  constant,
  div,
  f32,
  i32,
  KernelBuilder,
  lane,
  load,
  lt,
  max,
  mul,
  not,
  quotient,
  select,
  splat,
  sub,
  variable,
  vector,
} from "../../compiler/kernel/build.ts";
import { interpretKernel } from "../../compiler/kernel/interpret.ts";
import type { Expression, Kernel } from "../../compiler/kernel/ir.ts";
import { printExpression, printKernel, structureOf } from "../../compiler/kernel/print.ts";
import { shareExpressions } from "../../compiler/kernel/share.ts";
import { verifyKernel } from "../../compiler/kernel/verify.ts";

const i = variable("i");
const j = variable("j");

describe("index arithmetic folds", () => {
  const cases: readonly [Expression, string][] = [
    [add(i32(2), 3), "5"],
    [add(i, 0), "i"],
    [add(add(i, 2), 3), "(i + 5)"],
    [add(add(i, 2), add(j, -2)), "(i + j)"],
    [sub(add(i, 5), add(i, 2)), "3"],
    [mul(add(i, 2), 3), "((i * 3) + 6)"],
    [mul(mul(i, 2), 3), "(i * 6)"],
    [mul(i, 1), "i"],
    [mul(i, 0), "0"],
    [div(i32(-7), 2), "-4"],
    [quotient(i, 1), "i"],
    [quotient(i, 8), "raw_div(i, 8)"],
    [max(i32(2), i32(3)), "3"],
    [lt(i32(2), i32(3)), "true"],
    [and(bool(true), lt(i, 3)), "(i < 3)"],
    [not(bool(true)), "false"],
    [select(bool(false), f32(1), f32(2)), "2.0"],
    [add(i32(2 ** 31 - 1), 1), "-2147483648"],
    [lane(splat(i), 2), "i"],
    [lane(vector([i, j, i, j]), 1), "j"],
    [vector([0, 0, 0, 0].map(f32)), "0.0x4"],
    [add(f32(1), f32(2)), "(1.0 + 2.0)"],
    [add(variable("x", "f32"), f32(0)), "(x + 0.0)"],
  ];
  for (const [e, text] of cases) test(text, () => expect(printExpression(e)).toBe(text));
});

function kernel(write: (k: KernelBuilder) => void, target: Kernel["target"] = "cpu"): Kernel {
  const k = new KernelBuilder("k", target, target === "gpu" ? [4, 1, 1] : undefined);
  write(k);
  return k.finish();
}

describe("the verifier refuses", () => {
  const cases: Readonly<Record<string, (k: KernelBuilder) => void>> = {
    "a name out of scope": (k) => {
      const y = k.buffer("y", "i32", "write");
      k.forLoop("i", 0, 5, 1, () => k.letIn("t", add(variable("s"), 1)));
      k.store(y, 0, variable("t"));
    },
    "another type than the buffer's": (k) => k.store(k.buffer("y", "i32", "write"), 0, f32(1)),
    "a store to what is read only": (k) => k.store(k.buffer("y", "f32", "read"), 0, f32(1)),
    "a load of what is written only": (k) => k.letIn("t", load(k.buffer("y", "f32", "write"), "f32", 0)),
    "an index of floats": (k) => k.letIn("t", load(k.buffer("y", "f32", "read"), "f32", f32(0))),
    "assignment to what is not mutable": (k) => {
      const t = k.letIn("t", load(k.buffer("x", "f32", "read"), "f32", 0));
      if (t.kind === "variable") k.assign(t, f32(0));
    },
    "an overload that does not exist": (k) =>
      k.letIn("t", { kind: "apply", name: "exp", type: "i32", lanes: 1, arguments: [i32(1)] }),
    "a barrier on the cpu": (k) => k.barrier(),
    "a place on the cpu": (k) => k.letIn("t", builtin("local", 0)),
    "workgroup memory on the cpu": (k) => k.local("w", "f32", "workgroup", 4),
    "a result that every iteration of a split loop writes": (k) => {
      const y = k.buffer("y", "i32", "write");
      k.forLoop("i", 0, 8, 1, (at) => k.store(y, 0, at), { outer: true });
    },
    "a sum that a split loop carries": (k) => {
      const sum = k.declare("sum", i32(0));
      k.forLoop("i", 0, 8, 1, (at) => k.assign(sum, add(sum, at)), { outer: true });
    },
    "what one thread counted, in a split loop": (k) => {
      const y = k.buffer("y", "i32", "write");
      const count = k.declare("count", i32(3));
      k.forLoop("i", 0, 8, 1, (at) => k.store(y, at, count), { outer: true });
    },
    "scratch of a thread's own, read by others": (k) => {
      const y = k.buffer("y", "i32", "write");
      const own = k.ownScratch("own", "i32", 8);
      k.forLoop("i", 0, 8, 1, (at) => k.store(own, at, at), { outer: true });
      k.forLoop("i", 0, 8, 1, (at) => k.store(y, at, load(own, "i32", at)), { outer: true });
    },
    "scratch of a thread's own, written by all and read by the first": (k) => {
      const y = k.buffer("y", "i32", "write");
      const own = k.ownScratch("own", "i32", 8);
      k.forLoop("i", 0, 8, 1, (at) => k.store(own, at, at), { outer: true });
      k.store(y, 0, load(own, "i32", 7));
    },
    "a vector as a condition": (k) => k.ifThen(lt(splat(variable("s")), splat(i32(2))), () => k.barrier()),
  };
  for (const [name, write] of Object.entries(cases))
    test(name, () => {
      const made = kernel((k) => {
        k.scalar("s");
        write(k);
      });
      expect(() => verifyKernel(made)).toThrow();
    });
});

test("the interpreter runs workgroups from barrier to barrier", () => {
  const reverse = kernel((k) => {
    const x = k.buffer("x", "f32", "read");
    const y = k.buffer("y", "f32", "write");
    const shared = k.local("shared", "f32", "workgroup", 4);
    const local = builtin("local", 0);
    k.store(shared, local, load(x, "f32", builtin("global", 0)));
    k.barrier();
    k.store(y, builtin("global", 0), load(shared, "f32", sub(3, local)));
  }, "gpu");
  verifyKernel(reverse);
  const y = new Float32Array(8);
  interpretKernel(reverse, [Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8), y], [], [2, 1, 1]);
  expect([...y]).toEqual([4, 3, 2, 1, 8, 7, 6, 5]);
});

test("the interpreter refuses what is out of range", () => {
  const made = kernel((k) => k.store(k.buffer("y", "f32", "write"), 2, constant("f32", 1, 4)));
  expect(() => interpretKernel(made, [new Float32Array(5)])).toThrow(/y\[2 :4\] of 5/);
});

test("a load is shared until its buffer is written", () => {
  const made = kernel((k) => {
    const y = k.buffer("y", "f32", "read_write");
    const twice = (): Expression => add(load(y, "f32", 0), load(y, "f32", 0));
    k.store(y, 1, twice());
    k.store(y, 0, twice());
  });
  expect(printKernel(shareExpressions(made))).toBe(
    `cpu kernel k(read_write y: f32[]) {
  let shared0 = y[0]
  y[1] = (shared0 + shared0)
  let shared1 = y[0]
  y[0] = (shared1 + shared1)
}
`,
  );
});

test("kernels that differ in names alone have one structure", () => {
  const made = (name: string): Kernel =>
    kernel((k) => {
      const y = k.buffer(name, "f32", "write");
      k.forLoop(`${name}_index`, 0, 4, 1, (at) => k.store(y, at, f32(1)));
    });
  expect(structureOf(made("a"))).toBe(structureOf(made("b")));
  expect(printKernel(made("a"))).not.toBe(printKernel(made("b")));
});

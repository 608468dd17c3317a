import { expect, test } from "vitest";
import { WgslProgram } from "../../../compiler/codegen/wgsl/module.ts";
import { apply, builtin, f32, KernelBuilder, load, mul, select, u32 } from "../../../compiler/kernel/build.ts";
import type { Dispatch, Lanes } from "../../../compiler/kernel/ir.ts";
import { verifyKernel } from "../../../compiler/kernel/verify.ts";
import { evaluate } from "../../../compiler/scalar/numbers.ts";
import type { ScalarRow } from "../../../compiler/scalar/row.ts";
import { scalarRows } from "../../../compiler/scalar/table.ts";
import type { ScalarType } from "../../../compiler/types/dtype.ts";
import type { Elements } from "../../../runtime/device.ts";
import type { DTypeName, Location } from "../../../runtime/plan.ts";
import { generator } from "../../scalar/sampling.ts";
import { describeWebGPU } from "../../support/dawn.ts";
import { Arena, manifestOf, type PlacedTensor, runKernel, withDevice } from "../../support/run-webgpu.ts";

const count = 256;
const integers = [0, 1, 2, 3, 5, 7, 31, 100, 0x7fffffff];

function samples(type: ScalarType, domain: readonly [number, number], random: () => number): number[] {
  const draw = (): number => {
    switch (type) {
      case "f32":
        return Math.fround(domain[0] + (domain[1] - domain[0]) * random());
      case "i32":
        return random() < 0.3
          ? integers[Math.floor(random() * 9)]! * (random() < 0.5 ? -1 : 1)
          : (random() * 2 ** 32) | 0;
      case "u32":
        return random() < 0.3 ? integers[Math.floor(random() * 9)]! : (random() * 2 ** 32) >>> 0;
      case "bool":
        return random() < 0.5 ? 0 : 1;
      default:
        return type satisfies never;
    }
  };
  return Array.from({ length: count }, draw);
}
const elements = (type: ScalarType, values: readonly number[]): Elements =>
  type === "f32" ? Float32Array.from(values) : type === "i32" ? Int32Array.from(values) : Uint32Array.from(values);
const dtypeOf = (type: ScalarType): DTypeName => (type === "bool" ? "u32" : type);

interface Case {
  readonly row: ScalarRow;
  readonly types: readonly ScalarType[];
  readonly result: ScalarType;
  readonly lanes: Lanes;
  readonly inputs: readonly (readonly number[])[];
}

function casesOf(row: ScalarRow): Case[] {
  return Object.entries(row.signatures).flatMap(([key, signature]) => {
    if (!signature) return [];
    const random = generator(`${row.name} ${key}`);
    let floats = 0;
    const inputs = signature.arguments.map((type) =>
      samples(type, type === "f32" ? (row.domain[floats++] ?? [-4, 4]) : [0, 0], random),
    );
    const types = signature.arguments;
    return ([1, 4] as const).map((lanes): Case => ({ row, types, result: signature.result, lanes, inputs }));
  });
}

function kernelOf({ row, types, result, lanes }: Case): Dispatch<undefined>["kernel"] {
  const k = new KernelBuilder(`${row.name}_${types.at(-1)}_${lanes}`, "gpu", [64, 1, 1]);
  const names = types.map((type, at) => k.buffer(`x${at}`, type, "read"));
  const y = k.buffer("y", result, "write");
  const at = k.letIn("at", mul(builtin("global", 0), lanes));
  k.store(y, at, apply(row.name, result, ...types.map((type, n) => load(names[n]!, type, at, lanes))));
  const kernel = k.finish();
  verifyKernel(kernel);
  return kernel;
}

/** Inputs for which a building block promises nothing. */
function undefinedInput(name: string, args: readonly number[]): boolean {
  return name === "raw_div" && (args[1] === 0 || args[1] === -1);
}

describeWebGPU("rows of the scalar table as WGSL", (context) => {
  const cases = scalarRows.flatMap(casesOf);
  let results: Promise<readonly Elements[]> | undefined;

  // One program for all rows: hundreds of devices would take long.
  const run = () => {
    results ??= (async () => {
      const arena = new Arena();
      const inputs: PlacedTensor[] = [];
      const outputs: PlacedTensor[] = [];
      const values: Elements[] = [];
      const dispatches = cases.map((c, n): Dispatch<Location> => {
        const place = (list: PlacedTensor[], name: string, type: ScalarType) => {
          const at = arena.place(count);
          list.push({ name, dtype: dtypeOf(type), shape: [count], at });
          return at;
        };
        const read = c.types.map((type, k) => {
          values.push(elements(type, c.inputs[k] ?? []));
          return place(inputs, `x${n}_${k}`, type);
        });
        const written = place(outputs, `y${n}`, c.result);
        return {
          kernel: kernelOf(c),
          buffers: [...read, written],
          scalars: [],
          workgroups: [count / 64 / c.lanes, 1, 1],
          origin: undefined,
          label: c.row.name,
        };
      });
      const program = manifestOf({ arena: [arena.bytes], inputs, outputs, dispatches });
      return withDevice(context().gpu, program, (device) => device.run(0, values));
    })();
    return results;
  };

  test.each(scalarRows)("$name", async (row) => {
    const all = await run();
    cases.forEach((c, n) => {
      if (c.row !== row) return;
      const got = all[n]!;
      for (let k = 0; k < count; k++) {
        const args = c.inputs.map((list) => list[k]!);
        if (undefinedInput(row.name, args)) continue;
        const want = evaluate(row.name, c.types, args);
        if (Number.isNaN(want) || Math.abs(want) > 3.4e38) continue;
        const { relative, absolute } = row.tolerance.wgsl;
        const allowed = c.result === "f32" ? absolute + (relative + 2 ** -24) * Math.abs(want) : 0;
        const error = Math.abs(got[k]! - want);
        if (!(error <= allowed))
          expect.fail(
            `${row.name}(${args.join(", ")}) x${c.lanes}: got ${got[k]}, want ${want}, error ${error} > ${allowed}`,
          );
      }
    });
  });
});

describeWebGPU("constants in WGSL", (context) => {
  test("infinities, not-a-number and constant expressions that WGSL refuses to fold", async () => {
    const k = new KernelBuilder("constants", "gpu", [1, 1, 1]);
    const x = k.buffer("x", "f32", "read");
    const y = k.buffer("y", "f32", "write");
    const bits = k.buffer("bits", "u32", "write");
    const negative = apply("lt", "bool", load(x, "f32", 0), f32(0));
    k.store(y, 0, select(negative, f32(-Infinity), f32(Infinity)));
    k.store(y, 1, f32(-Infinity));
    k.store(y, 2, apply("exp", "f32", f32(1000)));
    k.store(y, 3, apply("log", "f32", f32(0)));
    k.store(y, 4, f32(3.4028234663852886e38));
    k.store(y, 5, f32(1e-40));
    k.store(bits, 0, apply("bitcast_u32", "u32", apply("bitcast_i32", "i32", f32(Number.NaN))));
    k.store(bits, 1, apply("shift_left", "u32", u32(1), u32(35)));
    k.store(bits, 2, apply("div", "u32", u32(1), u32(0)));
    const kernel = k.finish();
    verifyKernel(kernel);
    const buffers = [Float32Array.of(-1), new Float32Array(6), new Uint32Array(3)];
    const [, values, words] = await runKernel(context().gpu, { kernel, buffers, scalars: [], workgroups: [1, 1, 1] });
    expect([...values!.slice(0, 5)]).toEqual([-Infinity, -Infinity, Infinity, -Infinity, 3.4028234663852886e38]);
    expect((words![0]! & 0x7f800000) >>> 0).toBe(0x7f800000);
    expect([...words!.slice(1)]).toEqual([8, 0]);
  });
});

test("equal kernels are written once, whatever they are called", () => {
  const make = (name: string, operand: string) => {
    const k = new KernelBuilder(name, "gpu", [64, 1, 1]);
    const x = k.buffer(operand, "f32", "read");
    const y = k.buffer("y", "f32", "write");
    k.store(y, builtin("global", 0), load(x, "f32", builtin("global", 0)));
    return k.finish();
  };
  const program = new WgslProgram();
  const at = (offset: number): Location => ({ space: "arena", chunk: 0, offset, bytes: 256 });
  const launch = (name: string, operand: string, first: number): Dispatch<Location> => ({
    kernel: make(name, operand),
    buffers: [at(first), at(first + 256)],
    scalars: [],
    workgroups: [1, 1, 1],
    origin: undefined,
    label: name,
  });
  expect(program.add(launch("a", "x", 0)).kernel).toBe("a");
  expect(program.add(launch("b", "another", 1024)).kernel).toBe("a");
});

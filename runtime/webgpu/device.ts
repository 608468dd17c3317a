/**
 * Runs a program on WebGPU. The plan is static: buffers, pipelines and bind groups are made once at load; a call writes
 * its inputs, encodes the entry's launches, copies the results to a staging buffer and submits once.
 *
 * Every storage binding is `read_write`: one buffer bound for reading and for writing in the same launch is an error of
 * WebGPU even where the ranges are disjoint, and most tensors share the arena.
 */
import { constantBytes } from "../base64.ts";
import type { Device, Elements } from "../device.ts";
import { DlxError } from "../errors.ts";
import type { DispatchPlan, DTypeName, Location, Manifest } from "../plan.ts";
import { Prepared } from "../prepared.ts";
import { allocate, elementCount } from "../tensor.ts";
import { splitKernels } from "./kernels.ts";
import { requestDevice, watch } from "./request.ts";
import { packScalars } from "./scalars.ts";

// The flags of WebGPU's specification by value: Dawn for Node has no globals of these names.
const MAP_READ = 0x0001;
const COPY_SRC = 0x0004;
const COPY_DST = 0x0008;
const UNIFORM = 0x0040;
const STORAGE = 0x0080;
const COMPUTE_STAGE = 4;
const READ_MODE = 1;

interface Launch {
  readonly pipeline: GPUComputePipeline;
  readonly bindGroup: GPUBindGroup;
  readonly workgroups: readonly [number, number, number];
}
interface Program {
  readonly launches: readonly Launch[];
  /** Where each output stands in `staging`. */
  readonly offsets: readonly number[];
  readonly bytes: number;
  readonly staging: GPUBuffer | undefined;
}

/** Loads a program. `wgsl` is the text of `manifest.webgpu.file`; `gpu` is `navigator.gpu` or what stands in for it. */
export async function createWebGPUDevice(gpu: GPU, manifest: Manifest, wgsl: string): Promise<Device> {
  if (!manifest.webgpu) throw new DlxError("E0801", "this program was built without WebGPU");
  const plan = manifest.webgpu.plan;
  const device = await requestDevice(gpu, plan);
  const watched = watch(device);
  try {
    return await watched.orLost(load(device));
  } catch (error) {
    watched.dispose();
    throw error;
  }

  async function load(device: GPUDevice): Promise<Device> {
    device.pushErrorScope("out-of-memory");
    device.pushErrorScope("validation");
    const make = (usage: number) => (bytes: number) => device.createBuffer({ size: padded(bytes), usage });
    const chunks = {
      persistent: plan.persistent.map(make(STORAGE | COPY_SRC | COPY_DST)),
      arena: plan.arena.map(make(STORAGE | COPY_SRC | COPY_DST)),
    };
    const bufferAt = (at: Location): GPUBuffer => {
      const buffer = chunks[at.space][at.chunk];
      if (!buffer) throw new DlxError("E0801", `the plan has no ${at.space} buffer ${at.chunk}`);
      return buffer;
    };
    const write = (at: Location, bytes: Uint8Array<ArrayBuffer>) =>
      device.queue.writeBuffer(bufferAt(at), at.offset, bytes, 0, Math.min(bytes.byteLength, at.bytes));

    for (const constant of plan.constants) write(constant.at, constantBytes(constant));

    const dispatches = [...plan.prepare, ...plan.entries].flatMap((steps) => steps?.dispatches ?? []);
    const scalars = packScalars(dispatches, device.limits.minUniformBufferOffsetAlignment);
    const uniforms = device.createBuffer({ size: scalars.words.byteLength, usage: UNIFORM | COPY_DST });
    device.queue.writeBuffer(uniforms, 0, scalars.words);

    const layouts = new Map<number, GPUBindGroupLayout>();
    const layoutOf = (buffers: number): GPUBindGroupLayout => {
      let layout = layouts.get(buffers);
      if (!layout) {
        const entry = (binding: number, type: GPUBufferBindingType) => ({
          binding,
          visibility: COMPUTE_STAGE,
          buffer: { type },
        });
        const storage = Array.from({ length: buffers }, (_, k) => entry(k + 1, "storage"));
        layout = device.createBindGroupLayout({ entries: [entry(0, "uniform"), ...storage] });
        layouts.set(buffers, layout);
      }
      return layout;
    };

    const pipelines = await compile(device, splitKernels(wgsl), dispatches, layoutOf);
    const bindGroups = new Map<string, GPUBindGroup>();
    const launch = (dispatch: DispatchPlan): Launch => {
      const at = scalars.offsetOf(dispatch);
      const key = JSON.stringify([at, dispatch.buffers]);
      let bindGroup = bindGroups.get(key);
      if (!bindGroup) {
        const storage = dispatch.buffers.map((location, k) => ({
          binding: k + 1,
          resource: { buffer: bufferAt(location), offset: location.offset, size: location.bytes },
        }));
        bindGroup = device.createBindGroup({
          layout: layoutOf(dispatch.buffers.length),
          entries: [
            { binding: 0, resource: { buffer: uniforms, offset: at, size: scalars.bytesOf(dispatch) } },
            ...storage,
          ],
        });
        bindGroups.set(key, bindGroup);
      }
      const pipeline = pipelines.get(dispatch.kernel);
      if (!pipeline) throw new DlxError("E0801", `${manifest.webgpu?.file} has no kernel ${dispatch.kernel}`);
      return { pipeline, bindGroup, workgroups: dispatch.workgroups };
    };

    const programs = plan.entries.map((entry): Program | undefined => {
      if (!entry) return undefined;
      const offsets: number[] = [];
      let bytes = 0;
      for (const output of entry.outputs) {
        offsets.push(bytes);
        bytes += output.bytes;
      }
      const staging = bytes > 0 ? device.createBuffer({ size: bytes, usage: MAP_READ | COPY_DST }) : undefined;
      return { launches: entry.dispatches.map(launch), offsets, bytes, staging };
    });
    const preparations = plan.prepare.map((steps) => steps.dispatches.map(launch));
    const prepared = new Prepared(plan);
    const prepare = (k: number) => {
      const encoder = device.createCommandEncoder();
      const pass = encoder.beginComputePass();
      encode(pass, preparations[k]!);
      pass.end();
      device.queue.submit([encoder.finish()]);
    };
    const invalid = await device.popErrorScope();
    const tooLarge = await device.popErrorScope();
    if (tooLarge) throw new DlxError("E0801", `the GPU has not enough memory for this program: ${tooLarge.message}`);
    if (invalid) throw new DlxError("E0801", `the GPU refuses this program: ${invalid.message}`);

    /** The mapped bytes of `staging`, copied out in pieces of the given types. */
    async function download(
      staging: GPUBuffer,
      bytes: number,
      pieces: readonly { dtype: DTypeName; count: number; offset: number }[],
    ): Promise<Elements[]> {
      await watched.orLost(staging.mapAsync(READ_MODE, 0, bytes));
      const mapped = staging.getMappedRange(0, bytes);
      const values = pieces.map(({ dtype, count, offset }) => {
        const target = allocate(dtype, count);
        new Uint8Array(target.buffer).set(new Uint8Array(mapped, offset, count * 4));
        return target;
      });
      staging.unmap();
      return values;
    }

    return {
      name: "webgpu",
      manifest,
      lost: watched.lost,
      writeSlot(slot, values) {
        watched.check();
        write(locationOfSlot(slot), bytesOf(values));
        prepared.slotWritten(slot);
      },
      async readSlot(slot) {
        watched.check();
        const at = locationOfSlot(slot);
        const description = manifest.persistent[slot];
        if (!description) throw new DlxError("E0804", `there is no slot ${slot}`);
        const staging = device.createBuffer({ size: at.bytes, usage: MAP_READ | COPY_DST });
        try {
          const encoder = device.createCommandEncoder();
          encoder.copyBufferToBuffer(bufferAt(at), at.offset, staging, 0, at.bytes);
          device.queue.submit([encoder.finish()]);
          const piece = { dtype: description.dtype, count: elementCount(description.shape), offset: 0 };
          return (await download(staging, at.bytes, [piece]))[0]!;
        } finally {
          staging.destroy();
        }
      },
      async run(entry, inputs) {
        watched.check();
        const program = programs[entry];
        const locations = plan.entries[entry];
        const signature = manifest.entries[entry];
        if (!program || !locations || !signature)
          throw new DlxError("E0801", `this program was built without entry ${entry} for WebGPU`);
        prepared.enter(entry, prepare);
        locations.inputs.forEach((at, k) => {
          const values = inputs[k];
          if (!values) throw new DlxError("E0601", `input \`${signature.inputs[k]?.name}\` is missing`);
          write(at, bytesOf(values));
        });
        const encoder = device.createCommandEncoder();
        const pass = encoder.beginComputePass();
        encode(pass, program.launches);
        pass.end();
        locations.outputs.forEach((at, k) => {
          if (program.staging && at.bytes > 0)
            encoder.copyBufferToBuffer(bufferAt(at), at.offset, program.staging, program.offsets[k] ?? 0, at.bytes);
        });
        device.queue.submit([encoder.finish()]);
        if (!program.staging) {
          await watched.orLost(device.queue.onSubmittedWorkDone());
          return [];
        }
        const pieces = signature.outputs.map((output, k) => ({
          dtype: output.dtype,
          count: elementCount(output.shape),
          offset: program.offsets[k] ?? 0,
        }));
        return download(program.staging, program.bytes, pieces);
      },
      dispose: watched.dispose,
    };

    function locationOfSlot(slot: number): Location {
      const at = plan.slots[slot];
      if (!at) throw new DlxError("E0804", `there is no slot ${slot}`);
      return at;
    }
  }
}

function encode(pass: GPUComputePassEncoder, launches: readonly Launch[]): void {
  let current: GPUComputePipeline | undefined;
  for (const { pipeline, bindGroup, workgroups } of launches) {
    if (pipeline !== current) pass.setPipeline(pipeline);
    current = pipeline;
    pass.setBindGroup(0, bindGroup);
    pass.dispatchWorkgroups(workgroups[0], workgroups[1], workgroups[2]);
  }
}

/** All pipelines at once: browsers compile them in parallel and off the main thread. */
async function compile(
  device: GPUDevice,
  sources: ReadonlyMap<string, string>,
  dispatches: readonly DispatchPlan[],
  layoutOf: (buffers: number) => GPUBindGroupLayout,
): Promise<Map<string, GPUComputePipeline>> {
  const needed = new Map(dispatches.map((dispatch) => [dispatch.kernel, dispatch.buffers.length]));
  const compiled = await Promise.all(
    [...needed].map(async ([name, buffers]): Promise<[string, GPUComputePipeline][]> => {
      const code = sources.get(name);
      if (code === undefined) return [];
      const module = device.createShaderModule({ code, label: name });
      try {
        const pipeline = await device.createComputePipelineAsync({
          label: name,
          layout: device.createPipelineLayout({ bindGroupLayouts: [layoutOf(buffers)] }),
          compute: { module },
        });
        return [[name, pipeline]];
      } catch (error) {
        const { messages } = await module.getCompilationInfo();
        const details = messages.map(({ lineNum, linePos, message }) => `${name}:${lineNum}:${linePos}: ${message}`);
        const reason = error instanceof Error ? error.message : String(error);
        throw new DlxError("E0801", `the GPU refuses kernel ${name}: ${[reason, ...details].join("\n")}`, {
          cause: error,
        });
      }
    }),
  );
  return new Map(compiled.flat());
}

/** Buffers end on a multiple of 16 bytes, so that a kernel may see their end as whole vectors. */
const padded = (bytes: number) => Math.max(16, Math.ceil(bytes / 16) * 16);

function bytesOf(values: Elements): Uint8Array<ArrayBuffer> {
  const { buffer, byteOffset, byteLength } = values;
  return buffer instanceof ArrayBuffer
    ? new Uint8Array(buffer, byteOffset, byteLength)
    : Uint8Array.from(new Uint8Array(buffer, byteOffset, byteLength));
}

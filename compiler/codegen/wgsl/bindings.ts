/**
 * Which ranges of which GPU buffers a launch binds. A kernel's buffers become bindings one to one, except where WebGPU
 * forbids it: bindings begin at a multiple of 256 bytes, two that can be written may not overlap (a result in the place
 * of an operand), and there are no more than eight. There, buffers share a binding that covers them all and the kernel
 * adds an offset; any launch can be expressed so, since every buffer lies in one of a few chunks of memory.
 */
import type { Location } from "../../../runtime/plan.ts";
import { invariant } from "../../invariant.ts";
import type { BufferParameter } from "../../kernel/ir.ts";

/** The least that every WebGPU device offers (minStorageBufferOffsetAlignment, maxStorageBuffersPerShaderStage). */
const offsetAlignment = 256;
const maximumBindings = 8;
/** Whole vectors. */
const sizeAlignment = 16;

export type StorageType = "f32" | "i32" | "u32";

/** How a kernel reaches one of its buffers. */
export interface BufferBinding {
  /** Position in the launch's list of bindings. */
  readonly binding: number;
  /** Position of this buffer's element offset among the launch's added scalars; undefined: it begins the binding. */
  readonly offset: number | undefined;
  /** The offset is a multiple of four elements. */
  readonly aligned: boolean;
}
export interface Bindings {
  /** One for each of the kernel's buffers. */
  readonly buffers: readonly BufferBinding[];
  /** Element type of each binding: u32 where buffers of several types share it. */
  readonly types: readonly StorageType[];
  /** What the launch binds. */
  readonly ranges: readonly Location[];
  /** Element offsets, to be appended to the launch's scalars. */
  readonly offsets: readonly number[];
}

interface Range {
  readonly space: Location["space"];
  readonly chunk: number;
  start: number;
  end: number;
  readonly members: number[];
}

export function storageType(type: BufferParameter["type"]): StorageType {
  return type === "bool" ? "u32" : type;
}

export function bindBuffers(parameters: readonly BufferParameter[], locations: readonly Location[]): Bindings {
  invariant(parameters.length === locations.length, "a launch places every buffer of its kernel");
  let ranges = locations.map(
    (at, k): Range => ({
      space: at.space,
      chunk: at.chunk,
      start: Math.floor(at.offset / offsetAlignment) * offsetAlignment,
      end: Math.ceil((at.offset + at.bytes) / sizeAlignment) * sizeAlignment,
      members: [k],
    }),
  );
  ranges = mergeWhile(ranges, (gap) => gap < 0);
  while (ranges.length > maximumBindings) {
    const before = ranges.length;
    const least = Math.min(...gaps(ranges).map(({ gap }) => gap));
    ranges = mergeWhile(ranges, (gap) => gap <= least, 1);
    invariant(ranges.length < before, "memory has fewer chunks than a launch may bind buffers");
  }
  // The order of first use, so that equal kernels have equal text wherever their buffers lie.
  ranges.sort((a, b) => Math.min(...a.members) - Math.min(...b.members));

  const offsets: number[] = [];
  const buffers = locations.map((at, k): BufferBinding => {
    const binding = ranges.findIndex((range) => range.members.includes(k));
    const range = ranges[binding];
    invariant(range, "every buffer is in a range");
    const elements = (at.offset - range.start) / 4;
    if (elements === 0) return { binding, offset: undefined, aligned: true };
    return { binding, offset: offsets.push(elements) - 1, aligned: elements % 4 === 0 };
  });
  const types = ranges.map((range): StorageType => {
    const used = new Set(range.members.map((k) => storageType(parameters[k]!.type)));
    const [only] = used;
    return used.size === 1 && only ? only : "u32";
  });
  return {
    buffers,
    types,
    ranges: ranges.map(({ space, chunk, start, end }) => ({ space, chunk, offset: start, bytes: end - start })),
    offsets,
  };
}

/** Neighbours in memory and the bytes between them (negative: they overlap). */
function gaps(ranges: readonly Range[]): { first: Range; second: Range; gap: number }[] {
  const sorted = [...ranges].sort(
    (a, b) => a.space.localeCompare(b.space) || a.chunk - b.chunk || a.start - b.start || a.end - b.end,
  );
  return sorted.slice(1).flatMap((second, k) => {
    const first = sorted[k]!;
    const together = first.space === second.space && first.chunk === second.chunk;
    return together ? [{ first, second, gap: second.start - first.end }] : [];
  });
}

function mergeWhile(ranges: readonly Range[], near: (gap: number) => boolean, most = Infinity): Range[] {
  const left = new Set(ranges);
  for (let merged = 0; merged < most; merged++) {
    const found = gaps([...left]).find(({ gap }) => near(gap));
    if (!found) break;
    const { first, second } = found;
    left.delete(first);
    left.delete(second);
    left.add({
      space: first.space,
      chunk: first.chunk,
      start: first.start,
      end: Math.max(first.end, second.end),
      members: [...first.members, ...second.members],
    });
  }
  return [...left];
}

/** The binary format of WebAssembly modules (Core Specification 2.0, section 5): bytes, numbers, sections. */

import type { Slot } from "./instructions.ts";
import { opcode, slotCode } from "./instructions.ts";

export class Bytes {
  #data = new Uint8Array(256);
  #length = 0;

  get length(): number {
    return this.#length;
  }
  #reserve(count: number): void {
    if (this.#length + count <= this.#data.length) return;
    const larger = new Uint8Array(Math.max(this.#data.length * 2, this.#length + count));
    larger.set(this.#data.subarray(0, this.#length));
    this.#data = larger;
  }
  byte(...values: readonly number[]): void {
    for (const value of values) this.#push(value);
  }
  append(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#data.set(bytes, this.#length);
    this.#length += bytes.length;
  }
  #push(value: number): void {
    if (this.#length === this.#data.length) this.#reserve(1);
    this.#data[this.#length++] = value;
  }
  /** LEB128, unsigned. */
  u32(value: number): void {
    let rest = value >>> 0;
    for (; rest > 0x7f; rest >>>= 7) this.#push((rest & 0x7f) | 0x80);
    this.#push(rest);
  }
  /** LEB128, signed. */
  i32(value: number): void {
    let rest = value | 0;
    for (;;) {
      const low = rest & 0x7f;
      rest >>= 7;
      if ((rest === 0 && (low & 0x40) === 0) || (rest === -1 && (low & 0x40) !== 0)) {
        this.#push(low);
        return;
      }
      this.#push(low | 0x80);
    }
  }
  f32(value: number): void {
    this.append(new Uint8Array(new Float32Array([value]).buffer));
  }
  text(value: string): void {
    const bytes = new TextEncoder().encode(value);
    this.u32(bytes.length);
    this.append(bytes);
  }
  instruction(name: string): void {
    for (const byte of opcode(name)) this.#push(byte);
  }
  finish(): Uint8Array {
    return this.#data.slice(0, this.#length);
  }
}

export interface FunctionType {
  readonly parameters: readonly Slot[];
}
/** A function without results: local variables by slot, instructions without the final `end`. */
export interface FunctionCode {
  readonly type: FunctionType;
  readonly locals: readonly Slot[];
  readonly instructions: Uint8Array;
}
export interface ModuleParts {
  /** Bounds of the imported memory `env.memory`, in pages of 64 KiB. `maximum` is needed where memory is shared. */
  readonly memory: { readonly minimum: number; readonly maximum: number; readonly shared: boolean };
  readonly functions: readonly FunctionCode[];
  /** Mutable i32 globals, exported by name: their first values. */
  readonly globals: readonly { readonly name: string; readonly value: number }[];
  readonly exports: readonly { readonly name: string; readonly function: number }[];
  /** Written to memory when the module is instantiated. */
  readonly data: readonly { readonly address: number; readonly bytes: Uint8Array }[];
  /** Function names for profiles and disassembly; empty: none. */
  readonly names: readonly string[];
}

export interface EncodedModule {
  readonly bytes: Uint8Array;
  /** Where the flags of the memory import stand: 1 = has a maximum, 3 = shared. A loader may change it before compiling. */
  readonly memoryFlags: number;
}

export function encodeParts(parts: ModuleParts): EncodedModule {
  const out = new Bytes();
  out.byte(0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00);

  const types = new Map<string, number>();
  const typeList: FunctionType[] = [];
  const typeIndex = (type: FunctionType): number => {
    const key = type.parameters.join();
    let at = types.get(key);
    if (at === undefined) {
      at = typeList.push(type) - 1;
      types.set(key, at);
    }
    return at;
  };
  const indices = parts.functions.map((f) => typeIndex(f.type));

  section(out, 1, (s) => {
    s.u32(typeList.length);
    for (const type of typeList) {
      s.byte(0x60);
      s.u32(type.parameters.length);
      for (const slot of type.parameters) s.byte(slotCode[slot]);
      s.u32(0);
    }
  });

  const imports = new Bytes();
  imports.u32(1);
  imports.text("env");
  imports.text("memory");
  imports.byte(0x02);
  const flagsWithin = imports.length;
  imports.byte(parts.memory.shared ? 0x03 : 0x01);
  imports.u32(parts.memory.minimum);
  imports.u32(parts.memory.maximum);
  out.byte(2);
  out.u32(imports.length);
  const memoryFlags = out.length + flagsWithin;
  out.append(imports.finish());

  section(out, 3, (s) => {
    s.u32(indices.length);
    for (const at of indices) s.u32(at);
  });
  section(out, 6, (s) => {
    s.u32(parts.globals.length);
    for (const { value } of parts.globals) {
      s.byte(slotCode.i32, 0x01, 0x41);
      s.i32(value);
      s.byte(0x0b);
    }
  });
  section(out, 7, (s) => {
    s.u32(parts.globals.length + parts.exports.length);
    for (const [at, { name }] of parts.globals.entries()) {
      s.text(name);
      s.byte(0x03);
      s.u32(at);
    }
    for (const { name, function: at } of parts.exports) {
      s.text(name);
      s.byte(0x00);
      s.u32(at);
    }
  });
  section(out, 10, (s) => {
    s.u32(parts.functions.length);
    for (const f of parts.functions) {
      const body = encodeBody(f);
      s.u32(body.length);
      s.append(body);
    }
  });
  if (parts.data.length > 0)
    section(out, 11, (s) => {
      s.u32(parts.data.length);
      for (const { address, bytes } of parts.data) {
        s.u32(0);
        s.byte(0x41);
        s.i32(address);
        s.byte(0x0b);
        s.u32(bytes.length);
        s.append(bytes);
      }
    });
  if (parts.names.length > 0)
    section(out, 0, (s) => {
      s.text("name");
      section(s, 1, (list) => {
        list.u32(parts.names.length);
        for (const [at, name] of parts.names.entries()) {
          list.u32(at);
          list.text(name);
        }
      });
    });
  return { bytes: out.finish(), memoryFlags };
}

function section(out: Bytes, id: number, write: (s: Bytes) => void): void {
  const content = new Bytes();
  write(content);
  out.byte(id);
  out.u32(content.length);
  out.append(content.finish());
}

function encodeBody(f: FunctionCode): Uint8Array {
  const body = new Bytes();
  const runs: { slot: Slot; count: number }[] = [];
  for (const slot of f.locals) {
    const last = runs.at(-1);
    if (last?.slot === slot) last.count++;
    else runs.push({ slot, count: 1 });
  }
  body.u32(runs.length);
  for (const { slot, count } of runs) {
    body.u32(count);
    body.byte(slotCode[slot]);
  }
  body.append(f.instructions);
  body.byte(0x0b);
  return body.finish();
}

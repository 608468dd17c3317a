/**
 * The networks as ONNX files. Just enough of protocol buffers to write them: a message is its fields one after another, each
 * with a tag of number and wire type (https://protobuf.dev/programming-guides/encoding; field numbers from onnx.proto3).
 */
import type { Operation } from "./networks.ts";

class Message {
  readonly #parts: Uint8Array[] = [];

  static #varint(value: number): number[] {
    const bytes: number[] = [];
    let left = value;
    for (; left > 127; left = Math.floor(left / 128)) bytes.push((left % 128) | 128);
    return [...bytes, left];
  }
  integer(field: number, value: number): this {
    this.#parts.push(Uint8Array.from([...Message.#varint(field * 8), ...Message.#varint(value)]));
    return this;
  }
  float(field: number, value: number): this {
    this.#parts.push(Uint8Array.from(Message.#varint(field * 8 + 5)), new Uint8Array(Float32Array.of(value).buffer));
    return this;
  }
  bytes(field: number, value: Uint8Array): this {
    this.#parts.push(Uint8Array.from([...Message.#varint(field * 8 + 2), ...Message.#varint(value.length)]), value);
    return this;
  }
  text(field: number, value: string): this {
    return this.bytes(field, new TextEncoder().encode(value));
  }
  message(field: number, value: Message): this {
    return this.bytes(field, value.finish());
  }
  finish(): Uint8Array {
    return Uint8Array.from(Buffer.concat(this.#parts));
  }
}

export interface OnnxTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: Float32Array;
}
type Attribute = number | readonly number[] | { readonly float: number };

const FLOAT = 1;

function attribute(name: string, value: Attribute): Message {
  const message = new Message().text(1, name);
  if (typeof value === "number") return message.integer(3, value).integer(20, 2);
  if ("float" in value) return message.float(2, value.float).integer(20, 1);
  for (const each of value) message.integer(8, each);
  return message.integer(20, 7);
}

function node(
  type: string,
  inputs: readonly string[],
  output: string,
  attributes: Readonly<Record<string, Attribute>> = {},
): Message {
  const message = new Message();
  for (const input of inputs) message.text(1, input);
  message.text(2, output).text(4, type);
  for (const [name, value] of Object.entries(attributes)) message.message(5, attribute(name, value));
  return message;
}

function valueInfo(name: string, shape: readonly number[]): Message {
  const dimensions = new Message();
  for (const extent of shape) dimensions.message(1, new Message().integer(1, extent));
  const type = new Message().message(1, new Message().integer(1, FLOAT).message(2, dimensions));
  return new Message().text(1, name).message(2, type);
}

function tensor({ name, shape, data }: OnnxTensor): Message {
  const message = new Message();
  for (const extent of shape) message.integer(1, extent);
  return message
    .integer(2, FLOAT)
    .text(8, name)
    .bytes(9, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
}

function model(
  nodes: readonly Message[],
  inputs: readonly Omit<OnnxTensor, "data">[],
  constants: readonly OnnxTensor[],
  shape: readonly number[],
): Uint8Array {
  const graph = new Message();
  for (const each of nodes) graph.message(1, each);
  graph.text(2, "graph");
  for (const constant of constants) graph.message(5, tensor(constant));
  for (const input of inputs) graph.message(11, valueInfo(input.name, input.shape));
  graph.message(12, valueInfo("output", shape));
  // IR version 8 and operator set 17 belong together.
  const operators = new Message().text(1, "").integer(2, 17);
  return new Message().integer(1, 8).message(7, graph).message(8, operators).finish();
}

function operationNode(operation: Operation, k: number, output: string, weights: readonly OnnxTensor[]): Message {
  const value = (index: number) => (index === 0 ? "image" : `v${index}`);
  const inputs = [value(operation.x)];
  const name = (index: number) => weights[index]?.name ?? "";
  switch (operation.op) {
    case "conv2d": {
      const { padding, stride, weight, bias } = operation;
      const parameters = [name(weight), ...(bias === undefined ? [] : [name(bias)])];
      const attributes = { pads: new Array(4).fill(padding), strides: [stride, stride] };
      return node("Conv", [...inputs, ...parameters], output, attributes);
    }
    case "batch_norm": {
      const parameters = [0, 1, 2, 3].map((offset) => name(operation.weight + offset));
      return node("BatchNormalization", [...inputs, ...parameters], output, { epsilon: { float: 1e-5 } });
    }
    case "dense":
      return node("Gemm", [...inputs, name(operation.weight), name(operation.bias)], output, { transB: 1 });
    case "relu":
      return node("Relu", inputs, output);
    case "flatten":
      return node("Flatten", inputs, output, { axis: 1 });
    case "global_avg_pool":
      return node("ReduceMean", inputs, output, { axes: [2, 3], keepdims: 0 });
    case "max_pool": {
      const { kernel, stride, padding } = operation;
      const attributes = {
        kernel_shape: [kernel, kernel],
        strides: [stride, stride],
        pads: new Array(4).fill(padding),
      };
      return node("MaxPool", inputs, output, attributes);
    }
    case "add":
      return node("Add", [...inputs, value(operation.y)], output);
    default:
      return (operation satisfies never) ?? k;
  }
}

export function networkModel(
  operations: readonly Operation[],
  image: readonly number[],
  weights: readonly OnnxTensor[],
  classes: number,
): Uint8Array {
  const last = operations.length - 1;
  const nodes = operations.map((operation, k) =>
    operationNode(operation, k, k === last ? "output" : `v${k + 1}`, weights),
  );
  return model(nodes, [{ name: "image", shape: image }], weights, [image[0] ?? 1, classes]);
}

const scalar = (name: string, value: number): OnnxTensor => ({ name, shape: [], data: Float32Array.of(value) });

/** The single operations. */
export function kernelModel(
  kernel: string,
  inputs: readonly Omit<OnnxTensor, "data">[],
  shape: readonly number[],
): Uint8Array {
  const names = inputs.map(({ name }) => name);
  const [x = ""] = names;
  switch (kernel) {
    case "matmul":
      return model([node("MatMul", names, "output")], inputs, [], shape);
    case "chain": {
      const constants = [scalar("three_halves", 1.5), scalar("quarter", 0.25), scalar("half", 0.5)];
      const nodes = [
        node("Mul", [x, "three_halves"], "a"),
        node("Add", ["a", "quarter"], "b"),
        node("Relu", ["b"], "c"),
        node("Mul", ["c", x], "d"),
        node("Sub", ["d", x], "e"),
        node("Mul", ["e", "half"], "output"),
      ];
      return model(nodes, inputs, constants, shape);
    }
    case "softmax":
      return model([node("Softmax", names, "output")], inputs, [], shape);
    case "layer_norm": {
      const attributes = { axis: 1, epsilon: { float: 1e-5 } };
      return model([node("LayerNormalization", names, "output", attributes)], inputs, [], shape);
    }
    default:
      throw new Error(`no kernel ${kernel}`);
  }
}

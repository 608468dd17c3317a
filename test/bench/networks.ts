/**
 * The networks as lists of operations, from which every peer builds its own. Weights are numbered in the order in which the
 * `.dlx` file of the network declares them; values are numbered too, the input being 0.
 */
export type Operation =
  | {
      readonly op: "conv2d";
      readonly x: number;
      readonly weight: number;
      readonly bias?: number;
      readonly stride: number;
      readonly padding: number;
    }
  /** `weight` is gamma; beta, running mean and running variance follow it. */
  | { readonly op: "batch_norm"; readonly x: number; readonly weight: number }
  | { readonly op: "dense"; readonly x: number; readonly weight: number; readonly bias: number }
  | { readonly op: "relu" | "flatten" | "global_avg_pool"; readonly x: number }
  | {
      readonly op: "max_pool";
      readonly x: number;
      readonly kernel: number;
      readonly stride: number;
      readonly padding: number;
    }
  | { readonly op: "add"; readonly x: number; readonly y: number };

class Network {
  readonly operations: Operation[] = [];
  #weights = 0;

  #add(operation: Operation): number {
    return this.operations.push(operation);
  }
  conv2d(x: number, kernel: { bias: boolean; stride?: number; padding?: number }): number {
    const weight = this.#weights++;
    const bias = kernel.bias ? { bias: this.#weights++ } : {};
    return this.#add({ op: "conv2d", x, weight, ...bias, stride: kernel.stride ?? 1, padding: kernel.padding ?? 0 });
  }
  batchNorm(x: number): number {
    this.#weights += 4;
    return this.#add({ op: "batch_norm", x, weight: this.#weights - 4 });
  }
  dense(x: number): number {
    this.#weights += 2;
    return this.#add({ op: "dense", x, weight: this.#weights - 2, bias: this.#weights - 1 });
  }
  unary(op: "relu" | "flatten" | "global_avg_pool", x: number): number {
    return this.#add({ op, x });
  }
  maxPool(x: number, kernel: number, stride = kernel, padding = 0): number {
    return this.#add({ op: "max_pool", x, kernel, stride, padding });
  }
  relu(x: number): number {
    return this.unary("relu", x);
  }
  /** Two 3 x 3 convolutions beside a shortcut, which is a 1 x 1 convolution where the shape changes. */
  block(x: number, stride: number, projects: boolean): number {
    const inner = this.relu(this.batchNorm(this.conv2d(x, { bias: false, stride, padding: 1 })));
    const main = this.batchNorm(this.conv2d(inner, { bias: false, padding: 1 }));
    const skip = projects ? this.batchNorm(this.conv2d(x, { bias: false, stride })) : x;
    return this.relu(this.#add({ op: "add", x: main, y: skip }));
  }
}

function mlp(): readonly Operation[] {
  const network = new Network();
  network.dense(network.relu(network.dense(network.relu(network.dense(0)))));
  return network.operations;
}

function lenet(): readonly Operation[] {
  const network = new Network();
  let h = network.maxPool(network.relu(network.conv2d(0, { bias: true, padding: 2 })), 2);
  h = network.maxPool(network.relu(network.conv2d(h, { bias: true })), 2);
  h = network.relu(network.dense(network.unary("flatten", h)));
  network.dense(network.relu(network.dense(h)));
  return network.operations;
}

/** The stages of a residual network behind its stem; the first block of each stage but the first halves the image. */
function residual(network: Network, stem: number, stages: number, blocks: number): readonly Operation[] {
  let h = stem;
  for (let stage = 0; stage < stages; stage++)
    for (let block = 0; block < blocks; block++) {
      const halves = stage > 0 && block === 0;
      h = network.block(h, halves ? 2 : 1, halves);
    }
  network.dense(network.unary("global_avg_pool", h));
  return network.operations;
}

function resnet20(): readonly Operation[] {
  const network = new Network();
  return residual(network, network.relu(network.batchNorm(network.conv2d(0, { bias: false, padding: 1 }))), 3, 3);
}

function resnet18(): readonly Operation[] {
  const network = new Network();
  const stem = network.relu(network.batchNorm(network.conv2d(0, { bias: false, stride: 2, padding: 3 })));
  return residual(network, network.maxPool(stem, 3, 2, 1), 4, 2);
}

export const networks = { mlp: mlp(), lenet: lenet(), resnet20: resnet20(), resnet18: resnet18() };

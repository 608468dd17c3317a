/** Sizes at which an example's gradients are checked and its code is made in tests: whole networks take too long there. */
export const sizes: Readonly<
  Record<string, { readonly set?: Readonly<Record<string, number>>; readonly model?: string; readonly block?: string }>
> = {
  all_convolutional: { set: { batch: 2 } },
  autoencoder: { set: { batch: 3, code: 2, width: 2 } },
  compress: { set: { batch: 2, first: 2, second: 2, third: 3, fourth: 3 } },
  char_rnn: { set: { width: 3, batch: 2 } },
  dnn_vs_cnn: { set: { batch: 2 } },
  fashion: { set: { width: 2, batch: 2 } },
  go: { set: { width: 3, depth: 2, batch: 2 } },
  googlenet: { set: { width: 4, classes: 5, size: 32, batch: 2 }, model: "GoogLeNet", block: "googlenet" },
  gpt: { set: { width: 4, heads: 2, depth: 1, batch: 2 } },
  lenet: { set: { batch: 2 } },
  optimizers: {},
  overfitting: { set: { width: 4, batch: 2 } },
  pinn: { set: { width: 4, batch: 4 } },
  rates: { set: { batch: 2 } },
  resnet20: { set: { batch: 2 } },
  resnet: { set: { width: 1, classes: 6, batch: 1 }, model: "ResNet18", block: "resnet18" },
  separable: { set: { batch: 2 } },
  signal: { set: { depth: 3, width: 5, batch: 2 } },
  spirals: { set: { batch: 4 } },
  unet: { set: { width: 2, batch: 2 } },
  vae: { set: { batch: 2, width: 4 } },
  vgg: { set: { width: 2, classes: 5, size: 32, batch: 2 } },
  xor: {},
};

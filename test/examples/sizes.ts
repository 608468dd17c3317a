/** Sizes at which an example's gradients are checked and its code is made in tests: whole networks take too long there. */
export const sizes: Readonly<
  Record<string, { readonly set?: Readonly<Record<string, number>>; readonly model?: string; readonly block?: string }>
> = {
  lenet: { set: { batch: 2 } },
  resnet: { set: { width: 1, classes: 6, batch: 1 }, model: "ResNet18", block: "resnet18" },
  resnet20: { set: { batch: 2 } },
  spirals: { set: { batch: 4 } },
};

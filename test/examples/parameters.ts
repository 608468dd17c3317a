/** What the literature says of the parameters of the models in `examples/`: folder, model, count. */
export const published: readonly (readonly [folder: string, model: string, parameters: number])[] = [
  ["resnet", "ResNet18", 11_689_512],
  ["resnet", "ResNet34", 21_797_672],
  ["resnet", "ResNet50", 25_557_032],
  ["resnet", "ResNet101", 44_549_160],
  ["resnet", "ResNet152", 60_192_808],
  ["resnet20", "ResNet20", 272_474],
  ["lenet", "LeNet", 61_706],
  ["compress", "LeNet", 61_706],
  ["vgg", "VGG11", 132_863_336],
  ["googlenet", "GoogLeNet", 7_005_832],
  ["googlenet", "GoogLeNet3x3", 6_624_904],
];

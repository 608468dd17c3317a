"""Gives a program the weights of a torchvision network, and compares what the two say of one image.

    python3 examples/support/from_torchvision.py FILE MODEL NETWORK FOLDER [WEIGHTS]

as in `examples/resnet/model.dlx ResNet18 resnet18 .cache/resnet18`, from the repository's root. WEIGHTS are what torchvision can
download (IMAGENET1K_V1) or a file that torch.save wrote; without them everything, running statistics too, is random. FOLDER gets
weights.safetensors under the names of the program, and one image with torchvision's scores of it.

Names differ: torchvision's layer1.0.bn1.weight is ResNet18.features.0.0.basic_1.main.batch_norm_1.gamma here. But both list their
tensors in the order in which the network is written, so that the k-th is the k-th, but for the numbers of batches that
torchvision counts.
"""
import json
import os
import subprocess
import sys

import numpy
import torch
import torchvision


def network(name, weights):
    build = getattr(torchvision.models, name)
    if weights is not None and not os.path.exists(weights):
        net = build(weights=weights)
        net.transform_input = False  # GoogLeNet's own change of the image, which belongs in front of either network
        return net.eval()
    torch.manual_seed(0)
    net = build(**({"init_weights": False, "aux_logits": False} if name == "googlenet" else {}))
    if weights is not None:
        net.load_state_dict(torch.load(weights, map_location="cpu"))
        return net.eval()
    for layer in net.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(layer.weight, 0.2, 0.6)
            torch.nn.init.normal_(layer.bias, std=0.1)
            layer.running_mean.normal_(std=0.1)
            layer.running_var.uniform_(0.5, 1.5)
    return net.eval()


def write_safetensors(path, tensors):
    """8 bytes with the header's length, the header, the numbers: https://github.com/huggingface/safetensors#format"""
    header, end = {}, 0
    for name, tensor in tensors.items():
        begin, end = end, end + 4 * tensor.numel()
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [begin, end]}
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for tensor in tensors.values():
            file.write(tensor.detach().contiguous().numpy().astype("<f4").tobytes())


def main(file, model, name, folder, weights=None):
    os.makedirs(folder, exist_ok=True)
    at = lambda part: os.path.join(folder, part)
    dlx = lambda *words: subprocess.run(["npx", "dlx", *words], check=True, stdout=subprocess.PIPE).stdout
    torch.set_num_threads(1)
    net = network(name, weights)

    wanted = json.loads(dlx("summary", file, "--model", model, "--json"))["models"][0]["weights"]
    theirs = [(k, t) for k, t in net.state_dict().items() if not k.endswith(".num_batches_tracked")]
    assert len(wanted) == len(theirs), f"{model} has {len(wanted)} tensors, {name} {len(theirs)}"
    for slot, (key, tensor) in zip(wanted, theirs):
        assert slot["shape"] == list(tensor.shape), f"{slot['path']} is {slot['shape']}, {key} {list(tensor.shape)}"
    write_safetensors(at("weights.safetensors"), {slot["path"]: tensor for slot, (_, tensor) in zip(wanted, theirs)})

    image = torch.randn(1, 3, 224, 224, generator=torch.Generator().manual_seed(1))
    numpy.save(at("image.npy"), image.numpy())
    with torch.no_grad():
        expected = net(image).numpy()
    numpy.save(at("expected.npy"), expected)
    dlx("predict", file, "--model", model, "--weights", at("weights.safetensors"), "--input", at("image.npy"),
        "--output", at("scores.npy"), "--batch", "1", "--device", "cpu")
    scores = numpy.load(at("scores.npy"))
    apart = abs(scores - expected).max() / abs(expected).max()
    print(f"{model}: {len(wanted)} tensors; {name} scores from {expected.min():.3f} to {expected.max():.3f}, "
          f"dlx within {apart:.1e} of the largest")
    assert apart < 1e-4


if __name__ == "__main__":
    main(*sys.argv[1:])

"""PyTorch on one core, in the protocol of contender.mjs: pytorch.py FOLDER. With `once` behind it: one step and no word."""

import json
import os
import sys
import time

import torch
import torch.nn.functional as F

torch.set_num_threads(1)
folder = sys.argv[1]
with open(os.path.join(folder, "job.json"), encoding="utf8") as file:
    job = json.load(file)
with open(os.path.join(folder, "data.bin"), "rb") as file:
    data = bytearray(file.read())


def tensor(slot):
    count = 1
    for extent in slot["shape"]:
        count *= extent
    dtype = torch.int32 if slot["dtype"] == "i32" else torch.float32
    return torch.frombuffer(data, dtype=dtype, count=count, offset=slot["offset"]).reshape(slot["shape"])


def network(p, h, training):
    values = [h]
    for o in job["operations"]:
        x = values[o["x"]]
        w = o.get("weight")
        bias = p[o["bias"]] if "bias" in o else None
        if o["op"] == "conv2d":
            y = F.conv2d(x, p[w], bias, o["stride"], o["padding"])
        elif o["op"] == "batch_norm":
            y = F.batch_norm(x, p[w + 2], p[w + 3], p[w], p[w + 1], training)
        elif o["op"] == "dense":
            y = F.linear(x, p[w], bias)
        elif o["op"] == "relu":
            y = F.relu(x)
        elif o["op"] == "flatten":
            y = torch.flatten(x, 1)
        elif o["op"] == "global_avg_pool":
            y = x.mean((2, 3))
        elif o["op"] == "max_pool":
            y = F.max_pool2d(x, o["kernel"], o["stride"], o["padding"])
        else:
            y = x + values[o["y"]]
        values.append(y)
    return values[-1]


def chain(x):
    return ((x * 1.5).add_(0.25).relu_().mul_(x).sub_(x)).mul_(0.5)


kernels = {
    "matmul": torch.matmul,
    "chain": chain,
    "softmax": lambda x: torch.softmax(x, -1),
    "layer_norm": lambda x, gamma, beta: F.layer_norm(x, x.shape[-1:], gamma, beta),
}
inputs = [tensor(slot) for slot in job["inputs"]]
weights = [tensor(slot).clone() for slot in job["weights"]]

if job["mode"] == "train":
    image, label = inputs[0], inputs[1].long()
    frozen = {o["weight"] + k for o in job["operations"] if o["op"] == "batch_norm" for k in (2, 3)}
    trained = [w.requires_grad_() for k, w in enumerate(weights) if k not in frozen]
    optimizer = (
        torch.optim.SGD(trained, lr=0.01, momentum=0.9)
        if job["optimizer"] == "momentum"
        else torch.optim.Adam(trained, lr=0.001)
    )

    def step():
        optimizer.zero_grad()
        loss = F.cross_entropy(network(weights, image, True), label)
        loss.backward()
        optimizer.step()
        return loss.item()

elif job["mode"] == "predict":

    @torch.inference_mode()
    def step():
        return network(weights, inputs[0], False)

else:

    @torch.inference_mode()
    def step():
        return kernels[job["kernel"]](*inputs)


if "once" in sys.argv:
    step()
    sys.exit(0)


def answer(value):
    os.write(3, (json.dumps(value) + "\n").encode())


answer({"version": torch.__version__})
for line in sys.stdin:
    command = json.loads(line)
    if "check" in command:
        losses = []
        for _ in range(command["check"]):
            start = time.perf_counter()
            last = step()
            milliseconds = (time.perf_counter() - start) * 1000
            losses.append(last)
        if job["mode"] == "train":
            answer({"milliseconds": milliseconds, "losses": losses})
        else:
            path = os.path.join(folder, f"output-{os.getpid()}.bin")
            with open(path, "wb") as file:
                file.write(last.contiguous().numpy().tobytes())
            answer({"milliseconds": milliseconds, "file": path})
    else:
        times = []
        for _ in range(command["samples"]):
            start = time.perf_counter()
            for _ in range(command["steps"]):
                step()
            times.append((time.perf_counter() - start) * 1000 / command["steps"])
        answer({"times": times})

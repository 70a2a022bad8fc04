# %% [markdown]
# # 24. Train the features that ship
#
# Style transfer needs a network that has learnt to see: its features decide what counts as a stroke and what
# as a colour. The usual one is VGG, half a gigabyte trained on a million photographs. The one in the package,
# `minigan/style/shipped.npz`, is trained by this script, from a seed, on pictures it paints itself.
#
# Two tasks pull in two directions, and both are needed:
#
# * **name the texture**: 31 families, 3 scales, 4 orientations. It makes features see strokes, but as
#   palettes are random it teaches colour blindness;
# * **give the picture back**: at every block a 1x1 convolution must return the (pooled) picture in RGB, so
#   colours stay readable at every depth.
#
# The names are asked for at *every* block, from the mean and the root mean square of its channels. Those are
# what the style loss compares later on, so each block learns statistics that tell textures apart.
# Convolutions reflect at the border (zeros would teach a frame), and batch norm, which makes the training
# quick, is folded into the convolutions at the end: what ships is convolutions and ReLU.
#
# Run it: `python examples/24_train_style_features.py` (forty minutes; the site shows `--quick`).

# %%
import argparse
import time

import numpy as np

from minigan import Tensor, nn, no_grad, ops, optim
from minigan.data.arrays import write_npz
from minigan.data.textures import NAMES, ORIENTATIONS, SCALES, paint_textures
from minigan.style.features import KIND
from minigan.viz import lesson

parser = argparse.ArgumentParser(description="Train the shipped style features")
parser.add_argument("--steps", type=int, default=6000, help="of 16 pictures each")
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--out", default="features.npz", help="minigan/style/shipped.npz to replace what ships")
TASKS = ("family", "scale", "orientation")
CLASSES = (len(NAMES), len(SCALES), len(ORIENTATIONS))
WEIGHTS = (1.0, 1.0, 0.5)  # of naming family, scale, orientation
BACK = 0.5  # of giving the picture back, in units of the pictures' variance
VARIANCE = 0.06  # of pixels in [0, 1]

# %% [markdown]
# ## The net
#
# Blocks of two 3x3 convolutions, average pooling between them: a small VGG.


# %%
class Net(nn.Module):
    """(N, 3, H, W) in [0, 1] -> the last features of each block."""

    def __init__(self, widths, generator):
        super().__init__()
        self.widths = widths
        self.convs, self.norms = nn.ModuleList(), nn.ModuleList()
        inputs = 3
        for outputs in widths:
            for _ in range(2):
                conv = nn.Conv2d(inputs, outputs, 3, padding=1, padding_mode="reflect", generator=generator)
                nn.init.kaiming_normal_(conv.weight, nonlinearity="relu", generator=generator)
                self.convs.append(conv)
                self.norms.append(nn.BatchNorm2d(outputs, momentum=0.05))
                inputs = outputs
        heads = [nn.Linear(2 * width, sum(CLASSES), generator=generator) for width in widths]
        backs = [nn.Conv2d(width, 3, 1, generator=generator) for width in widths]
        self.heads, self.backs = nn.ModuleList(heads), nn.ModuleList(backs)

    def forward(self, x):
        x = (x - 0.5) / 0.25
        blocks = []
        for i, (conv, norm) in enumerate(zip(self.convs, self.norms, strict=True)):
            if i and i % 2 == 0:
                x = ops.avg_pool2d(x, 2)
            x = ops.relu(norm(conv(x)))
            if i % 2 == 1:
                blocks.append(x)
        return blocks


def summary(features):
    """(N, C, H, W) -> (N, 2 C): what a texture is, whatever its places: mean and root mean square."""
    return ops.concatenate(
        [features.mean(axis=(2, 3)), ops.sqrt((features * features).mean(axis=(2, 3)) + 1e-4)], axis=1
    )


def answers(logits):
    """Cut (N, 38) into the answers about family, scale and orientation."""
    ends = np.cumsum((0, *CLASSES))
    return [logits[:, int(first) : int(last)] for first, last in zip(ends, ends[1:], strict=False)]


# %% [markdown]
# ## The two tasks


# %%
def losses(net, pictures, labels):
    """Pictures (N, 3, H, W), labels (N, 3) -> (loss of naming, loss of giving back, cross-entropies)."""
    naming, back, entropies = 0.0, 0.0, []
    wanted = pictures
    for k, (features, head, back_layer) in enumerate(zip(net(pictures), net.heads, net.backs, strict=True)):
        if k:
            wanted = ops.avg_pool2d(wanted, 2)
        back = back + ops.mse_loss(back_layer(features), wanted) / VARIANCE
        entropies = [
            ops.cross_entropy(part, Tensor(labels[:, j]))
            for j, part in enumerate(answers(head(summary(features))))
        ]
        for weight, entropy in zip(WEIGHTS, entropies, strict=True):
            naming = naming + weight * entropy
    count = len(net.heads)
    return naming / count, back / count, [entropy.item() for entropy in entropies]


def accuracy(net, pictures, labels):
    """Share of right names (family, scale, orientation) by the last block."""
    net.eval()
    right = np.zeros(3)
    with no_grad():
        for i in range(0, len(pictures), 50):
            x = Tensor(pictures[i : i + 50].astype(np.float32) / 255)
            parts = answers(net.heads[-1](summary(net(x)[-1])))
            right += [(part.numpy().argmax(1) == labels[i : i + 50, j]).sum() for j, part in enumerate(parts)]
    net.train()
    return right / len(pictures)


def train(*, widths, steps, count, size, seed, batch=16, on_step=None):
    """Train from a seed; returns the net, accuracies on pictures it has not seen, and (steps, 4) losses."""
    generator = np.random.default_rng(seed)
    pictures, labels = paint_textures(generator, count, size)
    held_out = max(count // 20, 1)
    net = Net(widths, generator)
    adam = optim.Adam(net.parameters(), lr=3e-3)
    rate = optim.LambdaLR(adam, lambda t: min(1, (t + 1) / 50) * (0.5 + 0.5 * np.cos(np.pi * t / steps)))
    start, history = time.perf_counter(), []
    for step in range(1, steps + 1):
        pick = generator.integers(held_out, count, batch)
        x = pictures[pick].astype(np.float32) / 255
        if generator.random() < 0.5:  # other palettes for the same texture
            x = x[:, generator.permutation(3)]
        naming, back, entropies = losses(net, Tensor(np.ascontiguousarray(x)), labels[pick])
        history.append([*entropies, back.item()])
        adam.zero_grad()
        (naming + BACK * back).backward()
        adam.step()
        rate.step()
        if step % 100 == 0 or step == steps:
            told = "  ".join(f"{name} {value:.2f}" for name, value in zip(TASKS, entropies, strict=True))
            seconds = time.perf_counter() - start
            print(f"step {step}  {seconds:.0f} s  {told}  back {back.item():.3f}", flush=True)
        if on_step is not None:
            on_step(step)
    return net, accuracy(net, pictures[:held_out], labels[:held_out]), np.array(history)


# %% [markdown]
# ## Folding
#
# In evaluation, batch norm is (y - mean) / sqrt(var + eps) * weight + bias: one more linear map after the
# convolution. The two together are a convolution with other numbers.


# %%
def folded(net):
    """The convolutions' names -> half-precision weights with their batch norm folded in."""
    arrays = {}
    for i, (conv, norm) in enumerate(zip(net.convs, net.norms, strict=True)):
        gain = norm.weight.numpy() / np.sqrt(norm.running_var.numpy() + norm.eps)
        name = f"conv{i // 2 + 1}_{i % 2 + 1}"
        arrays[name + ".weight"] = (conv.weight.numpy() * gain[:, None, None, None]).astype(np.float16)
        bias = (conv.bias.numpy() - norm.running_mean.numpy()) * gain + norm.bias.numpy()
        arrays[name + ".bias"] = bias.astype(np.float16)
    return arrays


# %%
chosen = lesson.options(parser)
if chosen.quick:
    plan = {"widths": (8, 8), "steps": 80, "count": 60, "size": 16}
else:
    plan = {"widths": (32, 64, 128, 256), "steps": chosen.steps, "count": 20_000, "size": 48}
net, right, history = train(seed=chosen.seed, **plan)
share = {name: round(float(value), 3) for name, value in zip(TASKS, right, strict=True)}
print("right on unseen pictures:", share)
arrays = folded(net)
facts = {
    "widths": list(plan["widths"]),
    "convolutions": 2,
    "accuracy": share,
    "steps": plan["steps"],
    "seed": chosen.seed,
    "made_by": "examples/24_train_style_features.py",
}
write_npz(chosen.out, arrays, facts, kind=KIND, compress=True)
print(f"{chosen.out}: {sum(array.nbytes for array in arrays.values()) / 1e6:.2f} MB in half precision")

# %% [markdown]
# ## What it saw, and how it learnt
#
# Twelve of the textures, each of its own family; then the three cross-entropies of the last block, and how
# badly the picture is given back, step by step.

# %%
samples, kinds = paint_textures(np.random.default_rng(7), 200, 48)
first = {NAMES[kind]: samples[kinds[:, 0] == kind][0] / 255 for kind in np.unique(kinds[:, 0])[:12]}
figure = lesson.panels(first, columns=6)
lesson.show(figure, "textures.png", "Textures that minigan paints, by the names that the net learns.")

# %%
curves = {**dict(zip(TASKS, history.T, strict=False)), "give the picture back": history[:, -1]}
assert history[-3:].mean() < history[:3].mean()
lesson.show(lesson.lines(curves, log=True), "features_loss.png", "The four losses, step by step.")

# %% [markdown]
# ## Does folding change anything?
#
# Only by rounding to half precision.

# %%
from minigan.style.features import Extractor, vgg_like

extractor = Extractor("trained", vgg_like(plan["widths"]), arrays, mean=(0.5,) * 3, std=(0.25,) * 3)
picture = np.random.default_rng(1).random((1, 3, 16, 16), np.float32)
net.eval()
with no_grad():
    one = net(Tensor(picture))[-1].numpy()
    last = f"relu{len(plan['widths'])}_2"
    other = extractor(Tensor(picture), (last,))[last].numpy()
print("largest difference, of a largest value", np.abs(one - other).max(), np.abs(one).max())
assert np.abs(one - other).max() < 0.01 * np.abs(one).max()

# %% [markdown]
# ## Exercise
# How many weights have two convolutions a block, of these widths? How many are VGG19's 20 million beside
# them?
#
# <details><summary>Answer</summary>
#
# Nine for each pair of channels, and a bias for each that comes out: 1.17 million for 32, 64, 128, 256.
# VGG19 has 17 times as many.
#
# ```python
# inputs, total = 3, 0
# for width in plan["widths"]:
#     total += 9 * width * (inputs + width) + 2 * width
#     inputs = width
# assert total == sum(array.size for array in arrays.values())
# ```
#
# </details>

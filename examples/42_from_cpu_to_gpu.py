# %% [markdown]
# # 42. From the processor to the GPU
#
# **Question: what has to change in my program for a GPU, and which part of it will be faster there?**
#
# The first answer is one line; the second can be worked out beforehand. This lesson runs everywhere and does
# what a GPU adds only where there is one.
#
# Run it: `python examples/42_from_cpu_to_gpu.py` (about two seconds).

# %%
import numpy as np

import minigan
from minigan import Op, Tensor, backend, gan, kernels
from minigan.backend import namespace
from minigan.errors import DeviceError
from minigan.viz import lesson

quick = lesson.options("From the processor to the GPU").quick
try:
    backend.get("cupy")
    gpu = True
except DeviceError as error:
    gpu = False
    print("no GPU here:", error)

# %% [markdown]
# ## One line
# `minigan.use("cupy")` (or `MINIGAN_BACKEND=cupy`, or `--backend cupy`) puts new tensors on the GPU. From
# there on an operation asks its input: `namespace(x)` is NumPy for an array on the host and CuPy for one on
# the device, and the formula is the same. A GPU that is asked for and not there is an error.


# %%
class Square(Op):
    """(any shape) -> same: x^2, on whichever device x is."""

    keeps = (0,)

    def forward(self, x):
        return namespace(x).square(x)

    def backward(self, g):
        return 2 * self.input(0) * g


x = Tensor(np.arange(4.0), requires_grad=True)
Square()(x).sum().backward()
assert np.array_equal(x.grad.numpy(), [0, 2, 4, 6]) and namespace(x.array) is np
if gpu:
    y = Tensor(np.arange(4.0), requires_grad=True).to("cupy")
    assert np.array_equal(Square()(y).numpy(), [0, 1, 4, 9]) and namespace(y.array) is not np
else:
    try:
        minigan.use("cupy")
        raise AssertionError("a missing GPU has to be an error")
    except DeviceError:
        print("asked for, not there: an error in one line")

# %% [markdown]
# ## What will be faster there?
# A GPU multiplies about twenty times as fast as a processor and reads memory about ten times as fast, but
# each call costs some microseconds. So ask of each layer: how many multiplications does it do for a number
# that it moves? Products of large matrices do hundreds; activations do one, and take memory's time.

# %%
config = gan.resolve("dcgan", shape=(1, 28, 28), batch=8 if quick else 64)
G, _ = gan.models.build(config)
z = Tensor(np.random.default_rng(0).standard_normal((config.batch, config.latent), np.float32))
intensity, value = {}, z
with minigan.no_grad():
    for number, layer in enumerate(G):
        before, value = value, layer(value)
        weights = sum(parameter.size for parameter in layer.parameters())
        moved = before.size + value.size + weights
        kind = type(layer).__name__
        if kind == "Unflatten":
            continue
        places = before.size // before.shape[1] if kind == "ConvTranspose2d" else value.size // value.shape[1]
        products = weights * (places if kind in ("Linear", "Conv2d", "ConvTranspose2d") else 0) or value.size
        intensity[f"{number} {kind}"] = products / moved
busy = [v for name, v in intensity.items() if name.split()[1] in ("Linear", "Conv2d", "ConvTranspose2d")]
idle = [v for name, v in intensity.items() if name.split()[1] in ("ReLU", "Tanh", "BatchNorm2d")]
assert min(busy) > 2 * max(idle)
figure = lesson.bars(intensity, x="multiplications for a number moved", log=True)
lesson.show(figure, "intensity.png", "Convolutions compute; activations and norms wait for memory.")

# %% [markdown]
# `explain` says which kernel ran for each operation, here or on a GPU, and what it saved.

# %%
print(kernels.explain(lambda z: G[:4](z), z))

# %% [markdown]
# ## What to mind
# * Keep data where it is used: move it once, not in the loop; `item()` and `numpy()` wait for the device.
# * Larger batches: a small one leaves most of a GPU idle.
# * `minigan.set_matmul_precision("high")` rounds factors to TF32: faster, with relative errors of about 1e-3.
# * The same seed draws the same numbers: they are drawn on the host and moved.

# %%
again = [backend.standard_normal(np.random.default_rng(3), (4,)) for _ in range(2)]
assert np.array_equal(*map(backend.to_host, again))

# %% [markdown]
# ## Exercise
# What does this intensity become for a Linear layer of 1000 x 1000 with a batch of 1, and with one of 1000?
#
# <details><summary>Answer</summary>
#
# About 1 (the weights are read once for one product each) and about 333: batches are what makes it worth it.
#
# ```python
# one, many = [1000 * 1000 * n / (1000 * 1000 + 2 * 1000 * n) for n in (1, 1000)]
# assert 0.9 < one < 1 and 300 < many < 350
# ```
#
# </details>

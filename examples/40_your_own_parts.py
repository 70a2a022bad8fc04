# %% [markdown]
# # 40. Your own layer, loss, data, model and kernel
#
# **Question: where do I put what minigan does not have?**
#
# Five parts, each as small as it can be and each checked, and at the end one run made of all of them. (An
# operation of your own is lesson 4.)
#
# Run it: `python examples/40_your_own_parts.py` (about fifteen seconds).

# %%
import numpy as np

from minigan import Op, Tensor, gan, kernels, nn, ops
from minigan.backend import namespace
from minigan.data import Loader
from minigan.gan import losses
from minigan.kernels import kernel
from minigan.testing import gradcheck
from minigan.viz import image_grid, lesson

quick = lesson.options("Your own parts").quick
steps, width = (40, 16) if quick else (1500, 64)
draw = np.random.default_rng(0)

# %% [markdown]
# ## An operation with a kernel
#
# The definition says what is true. The kernel says the same, faster: here it saves an array by working in
# place on its own. It is registered for the class and the device, and nobody above has to know.


# %%
class Bend(Op):
    """(any shape) -> same: x / sqrt(1 + x^2), a softer tanh; derivative (1 + x^2)^(-3/2)."""

    keeps = (0,)

    def forward(self, x):
        return x / namespace(x).sqrt(1 + x * x)

    def backward(self, g):
        return g * (1 + self.input(0) ** 2) ** -1.5


@kernel(Bend, "numpy")
def bend(op, x):
    """The same with one array instead of three."""
    y = x * x
    y += 1
    np.sqrt(y, out=y)
    return np.divide(x, y, out=y)


x = Tensor(draw.standard_normal((64, 1000)).astype(np.float32))
fast = Bend()(x).numpy()
with kernels.off():
    assert np.allclose(fast, Bend()(x).numpy(), rtol=1e-6)
told = kernels.explain(lambda x: Bend()(x), x)
print(told)
assert ".bend" in told and gradcheck(lambda x: Bend()(x), draw.standard_normal((3, 4)))

# %% [markdown]
# ## A layer
#
# A class with parameters and a `forward`. `gradcheck` checks its parameters too.


# %%
class ScaledBend(nn.Module):
    """(N, features) -> same: scale * bend(x), with a scale for each feature."""

    def __init__(self, features):
        super().__init__()
        self.scale = nn.Parameter(np.ones(features, np.float32))

    def forward(self, x):
        return Bend()(x) * self.scale


report = gradcheck(ScaledBend(4), draw.standard_normal((3, 4)))
print(report)
assert report

# %% [markdown]
# ## A loss
#
# A pair of functions of D's logits. This one is the squared hinge: like the hinge, without its corner.


# %%
def d_loss(real, fake):
    """relu(1 - D(x))^2 + relu(1 + D(G(z)))^2, a mean over the batch."""
    return (ops.relu(1.0 - real) ** 2).mean() + (ops.relu(fake + 1.0) ** 2).mean()


def g_loss(fake, real=None):
    """G wants its logits high."""
    return -fake.mean()


squared_hinge = losses.Loss("squared-hinge", d_loss, g_loss)
assert gradcheck(d_loss, (draw.standard_normal(5), draw.standard_normal(5)))

# %% [markdown]
# ## A data set
#
# Any float32 array (N, C, H, W) with values from -1 to 1. Rings of several sizes, painted here; a folder of
# pictures is read by `minigan.data` (`minigan train --data FOLDER`).

# %%
size, count = 12, 2000
rows, columns = np.mgrid[:size, :size]
middle = draw.uniform(4, 7, (2, count, 1, 1))
away = np.hypot(rows - middle[0], columns - middle[1]) - draw.uniform(2, 4, (count, 1, 1))
rings = (2 * np.exp(-(away**2)) - 1).astype(np.float32)[:, None]  # (N, 1, 12, 12)
assert rings.min() >= -1 and rings.max() <= 1

# %% [markdown]
# ## A model
#
# A pair of networks: latents (N, latent) -> pictures (N, C, H, W), and pictures -> logits (N,).


# %%
def build(latent, shape, rng):
    """A dense pair that uses the layer from above."""
    pixels = int(np.prod(shape))
    G = nn.Sequential(
        nn.Linear(latent, width, generator=rng), ScaledBend(width),
        nn.Linear(width, pixels, generator=rng), nn.Tanh(), nn.Unflatten(1, shape),
    )  # fmt: skip
    D = nn.Sequential(
        nn.Flatten(), nn.Linear(pixels, width, generator=rng), ScaledBend(width),
        nn.Linear(width, 1, generator=rng), nn.Flatten(0),
    )  # fmt: skip
    return G, D


# %% [markdown]
# ## All of it together
#
# The trainer takes any pair of networks and any batches; the configuration says the rest.

# %%
config = gan.Config(
    shape=(1, size, size), latent=8, batch=64, lr_g=1e-3, lr_d=1e-3,
    betas=(0.5, 0.99), r1=0.2, penalty_every=2,
)  # fmt: skip
G, D = build(config.latent, config.shape, np.random.default_rng(1))
trainer = gan.Trainer(config, G, D, Loader(rings, batch_size=config.batch, seed=0))
trainer.loss = squared_hinge
start = trainer.sample(trainer.fixed_latents(12), averaged=False)
for _ in trainer.run(steps):
    pass
end = trainer.sample(trainer.fixed_latents(12))
gap = [float(np.abs(pictures.mean(axis=0) - rings.mean(axis=0)).mean()) for pictures in (start, end)]
print(f"distance of the mean picture from the real one: {gap[0]:.3f} -> {gap[1]:.3f}")
assert quick or gap[1] < gap[0]
grid = image_grid(np.concatenate([rings[:12], start, end]), columns=12)
lesson.show(grid, "own_parts.png", "Real rings, G's pictures before training, and after.")

# %% [markdown]
# ## Exercise
#
# Break the kernel (forget the `1`). Which of the checks on this page notices?
#
# <details><summary>Answer</summary>
#
# The comparison with `kernels.off()`. `gradcheck` sees it too: the derivative belongs to another function.
#
# ```python
# wrong = x.array / np.sqrt(x.array * x.array)
# assert not np.allclose(wrong, fast)
# ```
#
# </details>

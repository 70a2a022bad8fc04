# %% [markdown]
# # 43. Your own data, model and loss
#
# **Question: how do I train something that has no recipe?**
#
# The trainer takes any pair of networks, any batches and any loss; the configuration says the rest.
#
# Run it: `python examples/43_your_own_data_and_model.py` (about ten seconds).

# %%
import numpy as np

from minigan import gan, nn, ops
from minigan.data import Loader
from minigan.gan import losses
from minigan.viz import image_grid, lesson

quick = lesson.options("Your own data, model and loss").quick
steps, width = (40, 16) if quick else (1500, 64)
draw = np.random.default_rng(0)

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
    """A dense pair."""
    pixels = int(np.prod(shape))
    G = nn.Sequential(
        nn.Linear(latent, width, generator=rng), nn.LeakyReLU(0.2),
        nn.Linear(width, pixels, generator=rng), nn.Tanh(), nn.Unflatten(1, shape),
    )  # fmt: skip
    D = nn.Sequential(
        nn.Flatten(), nn.Linear(pixels, width, generator=rng), nn.LeakyReLU(0.2),
        nn.Linear(width, 1, generator=rng), nn.Flatten(0),
    )  # fmt: skip
    return G, D


# %% [markdown]
# ## A loss, and all of it together
#
# A pair of functions of logits, the squared hinge of lesson 40.

# %%
config = gan.Config(
    shape=(1, size, size), latent=8, batch=64, lr_g=1e-3, lr_d=1e-3,
    betas=(0.5, 0.99), r1=0.2, penalty_every=2,
)  # fmt: skip
G, D = build(config.latent, config.shape, np.random.default_rng(1))
trainer = gan.Trainer(config, G, D, Loader(rings, batch_size=config.batch, seed=0))
trainer.loss = losses.Loss(
    "squared-hinge",
    lambda real, fake: (ops.relu(1.0 - real) ** 2).mean() + (ops.relu(fake + 1.0) ** 2).mean(),
    lambda fake, real=None: -fake.mean(),
)
start = trainer.sample(trainer.fixed_latents(12), averaged=False)
for _ in trainer.run(steps):
    pass
end = trainer.sample(trainer.fixed_latents(12))
gap = [float(np.abs(pictures.mean(axis=0) - rings.mean(axis=0)).mean()) for pictures in (start, end)]
print(f"distance of the mean picture from the real one: {gap[0]:.3f} -> {gap[1]:.3f}")
assert quick or gap[1] < gap[0]
grid = image_grid(np.concatenate([rings[:12], start, end]), columns=12)
lesson.show(grid, "own_data.png", "Real rings, G's pictures before training, and after.")

# %% [markdown]
# ## Exercise
#
# Give the data one ring size only. How do you see that G has become too good at one thing?
#
# <details><summary>Answer</summary>
#
# Its samples differ less: compare the spread over samples with that of the real pictures.
#
# ```python
# spread = [pictures.std(axis=0).mean() for pictures in (rings, end)]
# assert all(value > 0 for value in spread)
# ```
#
# </details>

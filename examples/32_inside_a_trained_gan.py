# %% [markdown]
# # 32. Inside a trained GAN
#
# **Question: what does the discriminator look at, what does the generator do layer by layer, and has it only
# learnt the pictures by heart?**
#
# `minigan inspect RUN` shows the same of a run of yours.
#
# Run it: `python examples/32_inside_a_trained_gan.py` (about half a minute).

# %%
import numpy as np

import minigan
from minigan import Tensor, gan, no_grad
from minigan.data import render_glyphs
from minigan.viz import image_grid, lesson

quick = lesson.options("Inside a trained GAN").quick
size, base, steps, count = (8, 4, 20, 200) if quick else (16, 16, 700, 4000)
images, _ = render_glyphs(count, size=size)
config = gan.resolve("dcgan", shape=images.shape[1:], base=base, batch=32, latent=24, lr_end=0.1)
trainer = gan.Trainer.create(config, images)
record = list(trainer.run(steps))[-1]
G, D = trainer.average.module.eval(), trainer.discriminator.eval()
latents = trainer.fixed_latents(8)
samples = trainer.sample(latents)
print(f"after {steps} steps: D(x) {record.d_real:.2f}, D(G(z)) {record.g_fake:.2f}")

# %% [markdown]
# ## The generator, layer by layer
# One latent on its way. Each row is the output of one stage: first a few blurs, then places, then strokes.

# %%
stages, x = {}, Tensor(latents[:1])
with no_grad():
    for number, layer in enumerate(G):
        x = layer(x)
        if x.ndim == 4 and (type(layer).__name__ in ("ReLU", "Tanh")):
            for k in range(min(6, x.shape[1])):
                stages[f"layer {number}, map {k}"] = x.numpy()[0, k]
assert np.allclose(x.numpy(), samples[:1], atol=1e-5), "the last stage is the picture"
figure = lesson.panels(stages, columns=6)
lesson.show(figure, "inside_g.png", "Feature maps of G for one latent.")

# %% [markdown]
# ## What D looks at
# The gradient of D's logit by the pixels: where a little more light would make the picture more real (red)
# or less (blue). It is exactly what G is told.

# %%
seen = Tensor(samples, requires_grad=True)
(gradient,) = minigan.grad(D(seen).sum(), seen)
most = float(np.abs(gradient.numpy()).max())
shown = {f"sample {k}": samples[k, 0] for k in range(4)}
shown |= {f"D's wish {k}": gradient.numpy()[k, 0] / most * 2 for k in range(4)}
figure = lesson.panels(shown, cmap="coolwarm", vmin=-1, vmax=1)
lesson.show(figure, "inside_d.png", "Four samples, and where D wants them lighter (red) or darker (blue).")

# %% [markdown]
# A step along that gradient makes D believe more: that is G's step, taken on the pixels themselves.

# %%
with no_grad():
    before, after = D(Tensor(samples)).numpy(), D(Tensor(samples + 0.5 / most * gradient.numpy())).numpy()
print("D's logits before:", before.round(2), "\nand after a step: ", after.round(2))
assert after.mean() > before.mean()

# %% [markdown]
# ## A walk through the latents
# From one latent to another along the sphere on which nearly all of them lie. A generator that had learnt
# pictures by heart would jump from one to the next.

# %%
a, b = latents[0] / np.linalg.norm(latents[0]), latents[1] / np.linalg.norm(latents[1])
angle = np.arccos(a @ b)
shares = np.linspace(0, 1, 12)
walk = [(np.sin((1 - t) * angle) * a + np.sin(t * angle) * b) / np.sin(angle) for t in shares]
path = trainer.sample(np.float32(walk) * np.sqrt(config.latent))
leaps = np.abs(np.diff(path, axis=0)).mean(axis=(1, 2, 3))
print("change from picture to picture:", leaps.round(3))
assert leaps.max() < np.abs(path[0] - path[-1]).mean(), "no single step is as far as the whole way"
lesson.show(image_grid(path, columns=12), "walk.png", "Twelve stops between two latents.")

# %% [markdown]
# ## Nearest neighbours
# Above the samples, below the training picture that is nearest pixel by pixel. Real pictures that were held
# back give the scale: a GAN that copies lies nearer to its training set than they do.

# %%
flat, held = images.reshape(len(images), -1), render_glyphs(8, size=size, seed=99)[0]


def nearest(pictures):
    """Index of the nearest training picture, and the distance: (N,), (N,)."""
    away = np.linalg.norm(pictures.reshape(len(pictures), 1, -1) - flat, axis=2)
    return away.argmin(axis=1), away.min(axis=1)


index, distance = nearest(samples)
scale = nearest(held)[1].mean()
print(f"distance to the nearest: samples {distance.mean():.2f}, real ones held back {scale:.2f}")
assert distance.mean() > 0.5 * scale, "not copies"
pairs = np.concatenate([samples, images[index]])
lesson.show(image_grid(pairs, columns=8), "neighbours.png", "Samples, and their nearest training pictures.")

# %% [markdown]
# ## Exercise
# Which of D's layers would you expect to answer to strokes, which to whole digits? Look at `D[0].weight`.
#
# <details><summary>Answer</summary>
#
# The first: its filters see a few pixels. Only after some halvings does a filter see the whole picture.
#
# ```python
# assert D[0].weight.shape[2] <= 5
# ```
#
# </details>

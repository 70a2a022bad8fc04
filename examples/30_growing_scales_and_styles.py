# %% [markdown]
# # 30. Growing, many scales, and styles
#
# Large pictures are hard for a GAN: what is coarse must be right before what is fine can be, and the
# gradient has a long way down. Three answers, each one file in `minigan/gan/models/`:
#
# * `progressive`: begin with 8 x 8 pictures and double the size while training goes on;
# * `msg`: show the discriminator all sizes at once, so that each gets a gradient of its own;
# * `style`: let the latent steer every layer instead of entering at the bottom.
#
# Run it: `python examples/30_growing_scales_and_styles.py` (about two minutes).

# %%
import numpy as np

from minigan import Tensor, gan, no_grad
from minigan.data import render_glyphs
from minigan.gan import models
from minigan.gan.models import msg, progressive, style_based
from minigan.viz import image_grid, lesson

quick = lesson.options("Growing, many scales, and styles").quick
size, (steps, base, batch) = 32, (12, 4, 16) if quick else (560, 12, 16)
images, _ = render_glyphs(200 if quick else 5000, size=size, characters="035")  # few, so soon learnt
settings = {"shape": images.shape[1:], "base": base, "batch": batch, "latent": 32, "lr_end": 0.1}


def train(recipe):
    """Train for `steps` steps; `run` tells the networks how much is done. Returns the trainer and a film."""
    trainer, frames = gan.Trainer.create(gan.resolve(recipe, **settings), images), []
    for record in trainer.run(steps):
        if record.step % (steps // 12) == 0:
            pictures = trainer.sample(trainer.fixed_latents(24))
            frames.append(image_grid(pictures, columns=8, scale=2, title=f"{recipe}, step {record.step}"))
    return trainer, frames


# %% [markdown]
# ## Growing
#
# The schedule turns the share of the run that is done into a level and its weight. Small pictures are
# handed over at full size with each pixel repeated, so nothing outside the networks has to know.

# %%
grower = gan.Trainer.create(gan.resolve("progressive", **settings), images)
levels = len(grower.generator.sizes)
for done in (0.0, 0.05, 0.1, 0.15, 0.2, 0.3, 1.0):
    level, alpha = progressive.schedule(done, levels)
    height, width = grower.generator.sizes[level]
    print(f"{done:4.0%} of the run: {2 * height:2} x {2 * width:2} pixels, faded in by {alpha:.0%}")

z = Tensor(grower.fixed_latents(8))
looks = []
with no_grad():
    for level in range(levels):
        models.set_progress(grower.generator, (level + 0.01) / (levels - 1) * progressive.GROWING)
        looks.append(grower.generator(z).numpy())
different = [len(np.unique(look[0, 0])) for look in looks]
print("shades in one picture, level by level:", different)
assert different == sorted(different) and looks[0].shape == looks[-1].shape

# %% [markdown]
# The level is a buffer of the network: it is in `state_dict()`, in the checkpoint and in the averaged
# copy.

# %%
grower, film = train("progressive")
assert "growth" in grower.generator.state_dict()
assert grower.average.module.grown() == grower.generator.grown() == (levels - 1, 1.0)
lesson.show(film, "growing.gif", "One set of latents while the networks grow from 8 to 32 pixels.")

# %% [markdown]
# ## All scales at once
#
# In training the generator lays its pictures of all sizes on one sheet, like the mip-maps of computer
# graphics. A sheet is an ordinary tensor: losses and penalties work on it unchanged.

# %%
many, _ = train("msg")
with no_grad():
    sheet = many.generator.train()(Tensor(many.fixed_latents(4)))
scales = msg.unpack(sheet, many.discriminator.sizes)
print("one sheet:", sheet.shape, "holds", [scale.shape[2:] for scale in scales])
shown = {f"{scale.shape[3]} pixels": scale.numpy()[0, 0] for scale in scales[::-1]}
lesson.show(lesson.panels(shown), "scales.png", "One digit at all the sizes that D sees at once.")

# %%
pictures = image_grid(many.sample(many.fixed_latents(32)), columns=16, scale=2)
lesson.show(pictures, "msg.png", "Samples after training at all scales at once.")

# %% [markdown]
# Each level adds its detail to the enlarged picture of the level before. So what is drawn small and what is
# drawn large nearly agree from the start, and the discriminator, which sees both, has nothing to hold against
# them there: in real pictures they always agree.

# %%
small, shrunk = scales[-2].numpy(), msg.scales(scales[-1], 2)[0].numpy()
agreement = float(np.corrcoef(small.ravel(), shrunk.ravel())[0, 1])
print(f"correlation of the half-size pictures with the shrunken large ones: {agreement:.2f}")
assert agreement > (0.0 if quick else 0.5)

# %% [markdown]
# ## Styles
#
# The latent becomes a style, and the style scales each layer's weights. So one can give the coarse layers
# the style of one picture and the fine layers that of another, and pull all styles towards their mean:
# tamer pictures, less variety.

# %%
styled, _ = train("style")
generator = styled.average.module
coarse, fine = Tensor(styled.fixed_latents(8)), Tensor(styled.fixed_latents(16)[8:])
rows = [generator(coarse).numpy()]
rows += [style_based.mix(generator, coarse, fine, level).numpy() for level in range(levels - 1, 0, -1)]
rows += [generator(fine).numpy()]
changes = [float(np.abs(row - rows[0]).mean()) for row in rows]
assert changes == sorted(changes), "the more layers take the other style, the more it looks like the other"
table = image_grid(np.concatenate(rows), columns=8, scale=2)
lesson.show(table, "style_mixing.png", "Top: one style. Bottom: another. Between: a mixture.")

# %%
spreads = []
for psi in (1.0, 0.7, 0.4, 0.0):
    with no_grad():
        pictures = generator(Tensor(styled.fixed_latents(64)), truncation=psi).numpy()
    spreads.append(float(pictures.std(axis=0).mean()))
    print(f"truncation {psi}: pictures differ by {spreads[-1]:.3f}")
assert spreads == sorted(spreads, reverse=True) and spreads[-1] < 1e-5

# %% [markdown]
# ## Exercise
# If work goes with pixels, which share of the work at full size is a run that grows?
#
# <details><summary>Answer</summary>
#
# 82 %: less than a quarter of the run is spent below full size. What is coarse is learnt where a step is
# cheap, and is learnt soon.
#
# ```python
# levels_seen = [progressive.schedule(share, levels)[0] for share in np.arange(0, 1, 0.001)]
# pixels = [4 * np.prod(grower.generator.sizes[level]) / size**2 for level in levels_seen]
# assert 0.8 < np.mean(pixels) < 0.84
# ```
#
# </details>

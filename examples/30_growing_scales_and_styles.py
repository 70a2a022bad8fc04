# %% [markdown]
# # 30. Growing, many scales, and styles
#
# Large pictures are hard for a GAN: what is coarse must be right before what is fine can be, and the
# gradient has a long way down. Three answers, each one file in `minigan/gan/models/`:
#
# * `progressive`: begin with 4 x 4 pictures and double the size while training goes on;
# * `msg`: show the discriminator all sizes at once, so that each gets a gradient of its own;
# * `style`: let the latent steer every layer instead of entering at the bottom.

# %%
import numpy as np

from minigan import Tensor, gan, no_grad
from minigan.data import render_glyphs
from minigan.gan import models
from minigan.gan.models import msg, progressive, style_based
from minigan.viz import lesson, save_grid

quick = lesson.options("Growing, many scales, and styles").quick
size, steps, base = (16, 12, 4) if quick else (32, 600, 8)
images, _ = render_glyphs(200 if quick else 5000, size=size, channels=3)
settings = {"shape": images.shape[1:], "base": base, "batch": 16, "latent": 32}


def train(recipe):
    """Train for `steps` steps; the trainer is told how much of the run is done, and tells the networks."""
    trainer = gan.Trainer.create(gan.resolve(recipe, **settings), images)
    for step in range(steps):
        trainer.progress = step / steps
        trainer.train_step()
    return trainer


# %% [markdown]
# ## Growing
#
# The schedule turns the share of the run that is done into a level and its weight. Small pictures are
# handed over at full size with each pixel repeated, so nothing outside the networks has to know.

# %%
grower = gan.Trainer.create(gan.resolve("progressive", **settings), images)
levels = len(grower.generator.sizes)
for done in (0.0, 0.1, 0.2, 0.3, 0.45, 0.6, 1.0):
    level, alpha = progressive.schedule(done, levels)
    height, width = grower.generator.sizes[level]
    print(f"{done:4.0%} of the run: {height:2} x {width:2} pixels, faded in by {alpha:.0%}")

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
grower = train("progressive")
assert "growth" in grower.generator.state_dict()
assert grower.average.module.grown() == grower.generator.grown() == (levels - 1, 1.0)
save_grid("progressive.png", grower.sample(grower.fixed_latents(64)))

# %% [markdown]
# ## All scales at once
#
# In training the generator lays its pictures of all sizes on one sheet, like the mip-maps of computer
# graphics. A sheet is an ordinary tensor: losses and penalties work on it unchanged.

# %%
many = train("msg")
with no_grad():
    sheet = many.generator.train()(Tensor(many.fixed_latents(4)))
scales = msg.unpack(sheet, many.discriminator.sizes)
print("one sheet:", sheet.shape, "holds", [scale.shape[2:] for scale in scales])
save_grid("msg_sheets.png", sheet.numpy())
save_grid("msg.png", many.sample(many.fixed_latents(64)))

# %% [markdown]
# What the generator draws small and what it draws large has to become the same picture, and nobody tells
# it to: the discriminator sees both, and in real pictures they always agree.

# %%
small, shrunk = scales[-2].numpy(), msg.scales(scales[-1], 2)[0].numpy()
agreement = float(np.corrcoef(small.ravel(), shrunk.ravel())[0, 1])
print(f"correlation of the half-size pictures with the shrunken large ones: {agreement:.2f}")

# %% [markdown]
# ## Styles
#
# The latent becomes a style, and the style scales each layer's weights. So one can give the coarse layers
# the style of one picture and the fine layers that of another, and pull all styles towards their mean:
# tamer pictures, less variety.

# %%
styled = train("style")
generator = styled.average.module
coarse, fine = Tensor(styled.fixed_latents(8)), Tensor(styled.fixed_latents(16)[8:])
rows = [generator(coarse).numpy()]
rows += [style_based.mix(generator, coarse, fine, level).numpy() for level in range(levels - 1, 0, -1)]
save_grid("style_mixing.png", np.concatenate(rows), columns=8)

spreads = []
for psi in (1.0, 0.7, 0.4, 0.0):
    with no_grad():
        pictures = generator(Tensor(styled.fixed_latents(64)), truncation=psi).numpy()
    spreads.append(float(pictures.std(axis=0).mean()))
    print(f"truncation {psi}: pictures differ by {spreads[-1]:.3f}")
assert spreads == sorted(spreads, reverse=True) and spreads[-1] < 1e-5

# %% [markdown]
# # 15. Trap: noise that darkens
#
# Style transfer from noise is often started with numbers between -0.3 and 0.3, mixed into the content
# picture. Pixels live in [0, 1]. Half of that noise is below zero, is clipped, and the mean of the start
# is far from the middle of the box, where there is room to move in both directions.
#
# Run it: `python examples/15_trap_noise_that_darkens.py` (about a second).

# %%
import numpy as np

from minigan.data.textures import paint_texture
from minigan.viz import lesson

size = 32 if lesson.options("Trap: noise that darkens").quick else 256
generator = np.random.default_rng(0)

# %% [markdown]
# ## As it is usually written
#
# Uniform noise in [-0.3, 0.3], clipped to what a picture may hold: half of all pixels are exactly black.

# %%
careless = generator.uniform(-0.3, 0.3, (3, size, size)).clip(0, 1)
black = (careless == 0).mean()
print(f"mean {careless.mean():.3f}, exactly black: {black:.0%}")
assert black > 0.45 and careless.mean() < 0.1

# %% [markdown]
# ## Mixed with the content
#
# 60 % noise and 40 % content: now everything is dimmed to less than half.

# %%
content = paint_texture(np.random.default_rng(7), size, family="hexagons", scale=2).picture
mixed = (0.6 * generator.uniform(-0.3, 0.3, content.shape) + 0.4 * content).clip(0, 1)
print(f"content {content.mean():.2f}, start {mixed.mean():.2f}")
assert mixed.mean() < 0.5 * content.mean()

# %% [markdown]
# ## The cure
#
# Noise around the middle of the range; or, better, noise with the *style's* colours (`init="style"`).

# %%
from minigan.style import Settings
from minigan.style.transfer import starting_picture

start = starting_picture(Settings(size=size, init="noise"), content, [content], content.shape[1:])
like = starting_picture(Settings(size=size, init="style"), content, [content], content.shape[1:])
print(f"around grey {start.mean():.3f}; like the style {like.mean():.3f} (it: {content.mean():.3f})")
assert abs(start.mean() - 0.5) < 0.02 and abs(like.mean() - content.mean()) < 0.02

# %%
starts = {
    "noise in +-0.3": careless,
    "mixed with content": mixed,
    "around grey": start,
    "like the style": like,
}
figure = lesson.panels({"content": content, **starts}, columns=5)
lesson.show(figure, "starts.png", "A content picture and four starts, of which the first two are dark.")

# %% [markdown]
# ## Exercise
# Which mean has uniform noise from -0.3 to 0.3 once it is clipped? Say it before you measure it.
#
# <details><summary>Answer</summary>
#
# Half of it becomes 0, the other half has the mean 0.15: 0.075 together.
#
# ```python
# assert abs(careless.mean() - 0.075) < 0.01
# ```
#
# </details>

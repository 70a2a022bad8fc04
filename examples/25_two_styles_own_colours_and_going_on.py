# %% [markdown]
# # 25. Two styles, your own colours, and going on
#
# **Question: can one painting have two styles, keep its colours, be larger than memory, be gone on with?**
#
# A style is a set of sums over places (lesson 20). So it can count in some places only (a mask), two sets can
# be mixed, sums can be added up tile by tile, and where a descent stopped another can begin.
#
# Run it: `python examples/25_two_styles_own_colours_and_going_on.py` (about two minutes).

# %%
import numpy as np
from matplotlib.cbook import get_sample_data

from minigan.data import load_image, resize
from minigan.data.demo_style import paint_demo_style
from minigan.data.textures import paint_texture
from minigan.style import transfer
from minigan.style.colour import colour_statistics
from minigan.viz import lesson

quick = lesson.options("Two styles, own colours, going on").quick
size, iterations = (48, 2) if quick else (96, 50)
picks = {"size": size, "iterations": iterations, "features": "random" if quick else "shipped"}
content = load_image(str(get_sample_data("grace_hopper.jpg", asfileobj=False)))[:, :512, :]
night = paint_demo_style(256)
strokes = paint_texture(np.random.default_rng(3), 256, family="flowing strokes", scale=2).picture
square = resize(content, size, size)


def paint(styles, **settings):
    """A painting of the portrait (3, size, size)."""
    return transfer(square, styles, **{**picks, **settings}).picture


# %% [markdown]
# ## Each style in its place, and both everywhere
#
# The mask is white where its style belongs: the strokes on her, the night around her. `minigan style` takes
# `--mask sky.png ground.png`, and `--blend 0.5 0.5` for the mixture.

# %%
rows, columns = np.mgrid[0:size, 0:size] / size
inside = (np.hypot((columns - 0.5) / 0.32, (rows - 0.45) / 0.45) < 1) | (rows > 0.75)
around = 1.0 - inside.astype(np.float32)[None]
masked = paint([night, strokes], masks=[around, 1 - around])
blended = paint([night, strokes], blend=[0.5, 0.5])
lesson.show(
    lesson.panels(
        {
            "content": square,
            "first style": resize(night, size, size),
            "second style": resize(strokes, size, size),
            "first style's mask": np.repeat(around, 3, 0),
            "each in its place": masked,
            "half and half": blended,
        },
        columns=3,
    ),
    "two_styles.png",
    "Two styles: each in its place, and both everywhere.",
)

# %% [markdown]
# ## Whose colours?
#
# `--colours luminance` takes the light of the painting and the colours of the content; `--colours histogram`
# paints with a style that was given the content's colours first.

# %%
plain = paint(night)
luminance, histogram = paint(night, colours="luminance"), paint(night, colours="histogram")
means = {"content": square, "style's colours": plain, "luminance": luminance, "histogram": histogram}
for name, picture in means.items():
    print(f"{name:>16}: mean colour {colour_statistics(picture)[0].round(2)}")


def tint(picture):
    """The mean colour less its grey."""
    mean = colour_statistics(picture)[0]
    return mean - mean.mean()


if not quick:
    for kept in (luminance, histogram):
        away, before = (np.abs(tint(one) - tint(square)).max() for one in (kept, plain))
        assert away < 0.6 * before
lesson.show(
    lesson.panels(means, columns=4), "own_colours.png", "The style's colours, and twice the content's."
)

# %% [markdown]
# ## In tiles
#
# The loss of a whole picture, and its gradient, are computed exactly without ever seeing more than a tile and
# its surroundings. What differs is rounding, which L-BFGS makes more of with every step: not the same pixels,
# but the same painting.

# %%
short = {"iterations": min(iterations, 12)}
whole, tiled = paint(night, **short), paint(night, tile=64, **short)
print(f"whole and in tiles: differ by {np.abs(whole - tiled).mean():.4f} on average")
assert np.abs(whole - tiled).mean() < 0.05

# %% [markdown]
# ## Stopped, and gone on with
#
# Ctrl-C ends the step it is in and writes what was reached; `--init reached.png` goes on from there. In
# Python an event that answers True is Ctrl-C.

# %%
stopped = transfer(square, night, **picks, on_event=lambda event: event.size == size and event.iteration == 2)
gone_on = transfer(square, night, **picks, init=stopped.picture)
print(f"stopped: {stopped.reasons}; loss {stopped.history[-1]['total']:.3f}, then "
      f"{gone_on.history[0]['total']:.3f} to {gone_on.history[-1]['total']:.3f}")  # fmt: skip
assert stopped.picture.shape == gone_on.picture.shape
assert gone_on.history[-1]["total"] < stopped.history[-1]["total"]
lesson.show(
    lesson.panels(
        {"whole": whole, "in tiles": tiled, "stopped": stopped.picture, "gone on with": gone_on.picture},
        columns=4,
    ),
    "tiles_and_going_on.png",
    "In tiles the same painting; stopped after two steps at full size, and gone on with.",
)

# %% [markdown]
# ## Exercise
#
# What does a mask of 0.5 everywhere do?
#
# <details><summary>Answer</summary>
#
# Nothing: the sums are divided by the mask's own, so only where it is whiter than elsewhere matters.
#
# ```python
# grey = np.full((1, size, size), 0.5)
# short = {"size": 32, "iterations": 1, "features": "random", "optimizer": "gd", "grain": 0}
# half, none = (transfer(square, night, masks=masks, **short).picture for masks in ([grey], []))
# assert np.abs(half - none).max() < 0.01
# ```
#
# </details>

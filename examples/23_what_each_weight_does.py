# %% [markdown]
# # 23. What each weight does
#
# **Question: I have three numbers to turn. Which one turns what?**
#
# The painting is a compromise between three losses, and the weights say who gives in. A grid of paintings
# shows it better than words: to the right more content, downwards more smoothness.
#
# Run it: `python examples/23_what_each_weight_does.py` (about a minute).

# %%
import numpy as np
from matplotlib.cbook import get_sample_data
from PIL import Image

from minigan.data import resize
from minigan.data.demo_style import paint_demo_style
from minigan.style import transfer
from minigan.viz import lesson

quick = lesson.options("What each weight does").quick
size, iterations = (32, 2) if quick else (96, 50)
photo = np.asarray(Image.open(get_sample_data("grace_hopper.jpg", asfileobj=False)).crop((80, 0, 432, 352)))
content = resize(photo.transpose(2, 0, 1) / 255, size, size)
style = resize(paint_demo_style(256), size, size)


def rough(picture):
    """How much neighbouring pixels differ."""
    return float(np.abs(np.diff(picture, axis=1)).mean() + np.abs(np.diff(picture, axis=2)).mean())


# %% [markdown]
# ## The grid
#
# The losses are relative errors (lesson 16), so the numbers mean the same at every size. `grain=0`: otherwise
# every painting would get the style's grain as its last touch, the smooth ones too.

# %%
content_weights, variation_weights = (0.002, 0.1, 5.0), (0.0, 0.05, 0.3)
if quick:
    content_weights, variation_weights = (0.002, 5.0), (0.3,)
paintings, ends = {}, {}
for variation in variation_weights:
    for weight in content_weights:
        result = transfer(content, style, size=size, iterations=iterations, content_weight=weight,
                          variation_weight=variation, grain=0.0,
                          features="random" if quick else "shipped")  # fmt: skip
        paintings[f"content {weight}, smooth {variation}"] = result.picture
        ends[weight, variation] = result.history[-1], rough(result.picture)
lesson.show(
    lesson.panels(paintings, columns=3), "weights.png", "To the right more content, downwards smoother."
)

# %% [markdown]
# ## Read off
#
# What a larger weight holds down is its own loss; the price is paid by the others.

# %%
for (weight, variation), (end, roughness) in ends.items():
    print(f"content {weight:<6} smooth {variation:<5}: content loss {end['content']:.3f}, "
          f"style loss {end['style']:.4f}, roughness {roughness:.3f}")  # fmt: skip
if not quick:
    light, heavy = ends[0.002, 0.0][0], ends[5.0, 0.0][0]
    assert heavy["content"] < light["content"] and heavy["style"] > light["style"]
    assert ends[0.1, 0.3][1] < 0.7 * ends[0.1, 0.0][1]

# %% [markdown]
# ## Exercise
#
# Doubling all three weights: what happens to the painting?
#
# <details><summary>Answer</summary>
#
# Nothing with L-BFGS or Adam: only ratios matter, as the place of the minimum does not move. (Plain gradient
# descent takes steps twice as long.)
#
# ```python
# picks = {"size": 32, "iterations": 2, "features": "random", "content_weight": 0.1}
# once = transfer(content, style, variation_weight=0.01, **picks).picture
# picks |= {"style_weight": 2.0, "content_weight": 0.2}
# assert np.abs(once - transfer(content, style, variation_weight=0.02, **picks).picture).mean() < 0.05
# ```
#
# </details>

# %% [markdown]
# # 16. Trap: a sum here, a mean there
#
# In many notebooks the content loss is a sum over pixels and channels, and the style loss a mean (or the
# other way round). Both fall, pictures appear, and the weight between them is tuned until they please.
# Then somebody changes the picture's size, and the same weight means something else.
#
# Run it: `python examples/16_trap_a_sum_and_a_mean.py` (about a second).

# %%
import numpy as np

from minigan import Tensor
from minigan.style.gram import gram
from minigan.style.losses import content_loss, style_loss
from minigan.viz import lesson

sizes = (8, 16, 32) if lesson.options("Trap: a sum here, a mean there").quick else (32, 64, 128)
generator = np.random.default_rng(0)
small = [generator.random((1, 16, sizes[0], sizes[0])).astype(np.float32) for _ in range(2)]


def at(size):
    """The same features at another size: the small ones, repeated. Nothing but the size has changed."""
    times = size // sizes[0]
    return [Tensor(np.tile(one, (1, 1, times, times))) for one in small]


# %% [markdown]
# ## As it is usually written
#
# Content: a sum of squares. Style: a mean of squares of Gram matrices. Their ratio is what the weight between
# them sets, and it grows with the number of pixels.

# %%
ratios = []
for size in sizes:
    painting, target = at(size)
    content = ((painting - target) ** 2).sum().item()
    style = ((gram(painting) - gram(target)) ** 2).mean().item()
    ratios.append(content / style)
    print(f"{size:4d} pixels: content / style = {ratios[-1]:.3g}")
assert ratios[-1] > 15 * ratios[0]

# %% [markdown]
# ## The cure
#
# Divide each loss by its target's own energy. Then it has no unit: 0 is a match, 1 is as far off as
# nothing at all, whatever the size, the layer or the network.

# %%
fair = []
for size in sizes:
    painting, target = at(size)
    content = content_loss(painting, target).item()
    style = style_loss([gram(painting)], [gram(target)]).item()
    fair.append(content / style)
    print(f"{size:4d} pixels: content {content:.4f}, style {style:.5f}, ratio {fair[-1]:.3g}")
assert max(fair) < 1.01 * min(fair)

# %%
curves = {"a sum and a mean": np.array(ratios) / ratios[0], "relative errors": np.array(fair) / fair[0]}
figure = lesson.lines(curves, x="times the size was doubled", y="content / style, from 1", log=True)
lesson.show(figure, "ratios.png", "What one weight means at three sizes of the same picture.")

# %% [markdown]
# ## Exercise
# Would it be enough to take a mean in both losses?
#
# <details><summary>Answer</summary>
#
# For the size, yes: this Gram matrix is divided by the number of pixels, so both means stay what they are.
# But a mean still has the unit of its features: scale a layer by 10, and content / style falls to a
# hundredth.
#
# ```python
# def means(painting, target):
#     content = ((painting - target) ** 2).mean().item()
#     return content / ((gram(painting) - gram(target)) ** 2).mean().item()
#
#
# assert np.allclose([means(*at(size)) for size in sizes], means(*at(sizes[0])), rtol=1e-3)
# assert np.isclose(means(*(10 * x for x in at(sizes[0]))), means(*at(sizes[0])) / 100, rtol=1e-3)
# ```
#
# </details>

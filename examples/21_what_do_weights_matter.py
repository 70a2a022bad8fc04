# %% [markdown]
# # 21. What do the weights matter?
#
# The same algorithm, the same pictures, the same loss weights; only the features differ:
#
# * a bank of edge filters on an image pyramid, written down rather than learnt;
# * a network with random weights;
# * the same network, trained (lesson 24).
#
# All three carry colours over, because colours are in the pixels themselves. What training adds is strokes.

# %%
import argparse

import numpy as np

from minigan.data import resize, save_image
from minigan.data.demo_style import paint_demo_style
from minigan.data.textures import paint_texture
from minigan.style import transfer

parser = argparse.ArgumentParser(description="What do the weights matter?")
parser.add_argument("--quick", action="store_true", help="small and short (the tests run this)")
quick = parser.parse_args().quick
size, iterations = (32, 6) if quick else (192, 80)

content = paint_texture(np.random.default_rng(5), size, family="hexagons", scale=2).picture
style = paint_demo_style(256)

# %% [markdown]
# ## Three times the same painting

# %%
pictures = [content, resize(style, size, size)]
for name in ("filters", "random", "shipped"):
    result = transfer(content, style, size=size, iterations=iterations, features=name)
    pictures.append(result.picture)
    last = result.history[-1]
    print(f"{name:>8}: {result.seconds:5.1f} s, style loss {last['style']:.4f}, {result.reasons[size]}")
    assert last["total"] < result.history[0]["total"]

# %% [markdown]
# ## How close are the colours?
#
# The mean colour of the painting beside the style's. A style loss that is small says little by itself: a loss
# is small in its *own* features. Eyes judge.

# %%
for name, picture in zip(("content", "style", "filters", "random", "shipped"), pictures, strict=True):
    print(f"{name:>8}: mean colour {picture.mean((1, 2)).round(2)}")
save_image("what_weights_matter.png", np.concatenate(pictures, axis=2), overwrite=True)

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
# With a file of VGG19's weights (`--weights vgg19.pth`), a fourth picture shows what a hundred times as many
# weights, and a million photographs, add to that.
#
# Run it: `python examples/21_what_do_weights_matter.py` (about a minute and a half).

# %%
import argparse

import numpy as np

from minigan.data import load_image, resize, save_image
from minigan.data.demo_style import paint_demo_style
from minigan.style import transfer
from minigan.viz import lesson

parser = argparse.ArgumentParser(description="What do the weights matter?")
parser.add_argument("--weights", metavar="FILE", help="VGG19's weights, for a fourth picture")
parser.add_argument("--size", type=int, default=256, help="pixels of the longer side")
parser.add_argument("--out", default="what_weights_matter.jpg", metavar="FILE")
chosen = lesson.options(parser)
size, iterations = (64, 5) if chosen.quick else (chosen.size, 50)

# %% [markdown]
# ## Two pictures that need no download
#
# Grace Hopper's portrait is in the public domain and travels with matplotlib; the night is painted by
# `minigan.data`.

# %%
from matplotlib.cbook import get_sample_data

content = load_image(str(get_sample_data("grace_hopper.jpg", asfileobj=False)))
style = paint_demo_style(256)

# %% [markdown]
# ## The same painting, each time

# %%
paintings = {}
networks = ["filters", "random", "shipped"] + (["vgg19"] if chosen.weights else [])
for name in networks:
    weights = chosen.weights if name == "vgg19" else None
    result = transfer(content, style, size=size, iterations=iterations, features=name, weights=weights,
                      small_features="random" if weights else name)  # fmt: skip
    paintings[name] = result.picture
    last = result.history[-1]
    print(f"{name:>8}: {result.seconds:5.1f} s, style loss {last['style']:.4f}, {result.reasons[size]}")
    assert last["total"] < result.history[0]["total"]

# %% [markdown]
# ## How close are the colours?
#
# The mean colour of the painting beside the style's. A style loss that is small says little by itself: a loss
# is small in its *own* features. Eyes judge.

# %%
height, width = paintings["shipped"].shape[1:]
pictures = {"content": resize(content, height, width), "style": resize(style, height, height), **paintings}
for name, picture in pictures.items():
    print(f"{name:>8}: mean colour {picture.mean((1, 2)).round(2)}")
save_image(chosen.out, np.concatenate(list(pictures.values()), axis=2), overwrite=True)
print(f"{chosen.out}: " + ", ".join(pictures))
figure = lesson.panels(pictures, columns=3)
lesson.show(
    figure,
    "what_weights_matter.png",
    "The same painting through three kinds of features.",
)

# %% [markdown]
# ## Exercise
# The filters end with one style loss, the network with another. May one compare the two?
#
# <details><summary>Answer</summary>
#
# No: each is an error in its own features, and the filters may be content with what the network finds far
# off. Measure all of them with the same features, and remember whose features they are.
#
# ```python
# from minigan import Tensor, no_grad
# from minigan.style import open_features
# from minigan.style.gram import gram
# from minigan.style.losses import style_loss
#
# judge, layer = open_features("shipped"), "relu2_1"
# with no_grad():
#     found = {name: judge(Tensor(picture[None]), (layer,))[layer] for name, picture in paintings.items()}
#     wanted = gram(judge(Tensor(resize(style, size, size)[None]), (layer,))[layer])
# seen = {name: style_loss([gram(features)], [wanted]).item() for name, features in found.items()}
# assert chosen.quick or seen["shipped"] < seen["filters"]
# ```
#
# </details>

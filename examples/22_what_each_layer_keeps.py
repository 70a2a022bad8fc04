# %% [markdown]
# # 22. What each layer keeps
#
# **Question: how can a Gram matrix be a style, and why is content asked of one layer and style of several?**
#
# Two reconstructions answer it. From one layer's *features* we paint a picture that has the same ones:
# what is lost there is what the layer does not keep. From one layer's *Gram matrix* we paint a texture that
# has the same one: places are gone, what occurs together stays.
#
# Run it: `python examples/22_what_each_layer_keeps.py` (about half a minute).

# %%
import numpy as np

from minigan import Tensor, no_grad
from minigan.data import resize
from minigan.data.demo_style import paint_demo_style
from minigan.style import open_features, transfer
from minigan.style.gram import gram
from minigan.viz import lesson

quick = lesson.options("What each layer keeps").quick
size, iterations = (32, 2) if quick else (96, 60)
layers = ("relu1_1", "relu2_1") if quick else ("relu1_1", "relu2_1", "relu3_1", "relu4_1")
features = open_features("random" if quick else "shipped")

from matplotlib.cbook import get_sample_data
from PIL import Image

photo = np.asarray(Image.open(get_sample_data("grace_hopper.jpg", asfileobj=False)).crop((80, 0, 432, 352)))
content = resize(photo.transpose(2, 0, 1) / 255, size, size)
style = resize(paint_demo_style(256), size, size)

# %% [markdown]
# ## Content from each layer
#
# From noise, with no style: only the named layer may tell.

# %%
seen, far = {"the content": content}, []
options = {"size": size, "iterations": iterations, "features": features, "coarse": 0, "grain": 0.0}
for layer in layers:
    result = transfer(content, None, content_layers=(layer,), init="noise", variation_weight=0.0, **options)
    seen[f"from {layer}"] = result.picture
    far.append(float(np.abs(result.picture - content).mean()))
    print(f"{layer}: mean distance of the pixels {far[-1]:.3f}")
if not quick:
    assert far[0] < far[-1], "the first layer keeps the pixels, the last one does not"
lesson.show(
    lesson.panels(seen, columns=5),
    "content_by_layer.png",
    "The portrait through deeper and deeper layers.",
)

# %% [markdown]
# ## Gram matrices as pictures
#
# Row i, column j: how much features i and j occur at the same places. Turn the picture upside down, or cut it
# into pieces and shuffle them: nearly the same matrix, because the sum over places does not ask where.

# %%
with no_grad():
    found = {name: features(Tensor(style[None].astype(np.float32)), (name,))[name] for name in layers}
grams = {name: gram(value).numpy() for name, value in found.items()}
turned = gram(Tensor(found["relu1_1"].numpy()[:, :, ::-1, ::-1].copy())).numpy()
assert np.allclose(turned, grams["relu1_1"], rtol=1e-4), "a Gram matrix forgets places"
shown = {f"{name}: {len(value)} features": np.log(1e-6 + np.abs(value)) for name, value in grams.items()}
lesson.show(lesson.panels(shown, cmap="viridis"), "grams.png", "The style as four matrices (logarithms).")

# %% [markdown]
# ## Textures, layer by layer
#
# With the Gram matrices of the first layer alone: colours and grain. With those of the deeper layers too:
# strokes, then motifs, each as large as the layer can see. (A whole painting looks at its halved copies too,
# `--scales`, and so sees what is larger.)

# %%
textures, last = {"the style": style}, []
for count in range(1, len(layers) + 1):
    chosen = {"style_layers": layers[:count], "statistic": "gram", "init": "noise", "variation_weight": 0.0}
    result = transfer(None, style, **chosen, **options, scales=(1.0,), recolour=0.0)
    textures[f"up to {layers[count - 1]}"] = result.picture
    last.append(result.history[-1]["style"] / result.history[0]["style"])
    print(f"layers up to {layers[count - 1]}: style loss at {last[-1]:.1%} of its start")
    assert last[-1] < 1
lesson.show(
    lesson.panels(textures, columns=5),
    "textures_by_layer.png",
    "The more Gram matrices, the larger the motifs.",
)

# %% [markdown]
# ## Exercise
#
# A layer has C features. How many numbers are its Gram matrix, how many of them are different, and how many
# does the same layer's content have at 96 x 96 places?
#
# <details><summary>Answer</summary>
#
# C x C, of which C (C + 1) / 2 differ, as it is symmetric; the content has 96 x 96 x C. For 32 features: 528
# against 294,912. A style is a summary.
#
# ```python
# assert np.allclose(grams["relu1_1"], grams["relu1_1"].T)
# assert 32 * 33 // 2 == 528 and 96 * 96 * 32 == 294_912
# ```
#
# </details>

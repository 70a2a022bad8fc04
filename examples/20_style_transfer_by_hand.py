# %% [markdown]
# # 20. Style transfer by hand
#
# A picture has content (what is where) and style (which colours and strokes, wherever they are). Gatys,
# Ecker and Bethge (arXiv 1508.06576) found both in the features of one frozen network: the features
# themselves, place by place, are the content; their *Gram matrix*, which forgets the places, is the
# style. Then a painting is a matter of moving pixels downhill.
#
# Everything here is in this file, but for the network. `minigan.style.transfer` does the same with more care.
#
# Run it: `python examples/20_style_transfer_by_hand.py` (about forty seconds).

# %%
import numpy as np

import minigan
from minigan import Tensor, no_grad, optim
from minigan.data import resize
from minigan.data.demo_style import paint_demo_style
from minigan.data.textures import paint_texture
from minigan.style import open_features
from minigan.viz import lesson

quick = lesson.options("Style transfer by hand").quick
size, steps = (32, 15) if quick else (128, 150)

style = resize(paint_demo_style(256), size, size)[None]  # (1, 3, H, W) in [0, 1]
content = paint_texture(np.random.default_rng(5), size, family="hexagons", scale=2).picture[None]
features = open_features("shipped" if not quick else "random")
for picture in (content, style):
    print(f"{picture.shape}, from {picture.min():.2f} to {picture.max():.2f}")

# %% [markdown]
# ## The three losses
#
# Each is divided by the size of its target, so that 0 is a match and 1 is as far off as nothing at all. A
# loss that is a sum here and a mean there makes its weight mean something else at every picture size.

# %%
LAYERS = ("relu1_1", "relu2_1", "relu3_1")
CONTENT = "relu3_2"


def relative(value, target):
    """() : squared distance over the target's own energy."""
    return ((value - target) ** 2).sum() / (target**2).sum()


def gram(f):
    """(1, C, H, W) -> (C, C): which features occur together, wherever they do."""
    flat = f.reshape(f.shape[1], -1)  # (C, H W)
    return flat @ flat.transpose() / flat.shape[1]


def roughness(x):
    """() : how much neighbouring pixels differ."""
    across, down = x[:, :, :, 1:] - x[:, :, :, :-1], x[:, :, 1:] - x[:, :, :-1]
    return (across * across).mean() + (down * down).mean()


with no_grad():  # the targets are computed once, and so is the network
    wanted_content = features(Tensor(content), (CONTENT,))[CONTENT]
    found = features(Tensor(style), LAYERS)
    wanted_style = {name: gram(found[name]) for name in LAYERS}
print("Gram matrices:", [wanted_style[name].shape for name in LAYERS])

# %% [markdown]
# ## Painting
#
# Any optimiser does. Adam moves each pixel by about the learning rate a step.


# %%
def paint(start, content_weight, style_weight, variation_weight):
    """Move the pixels of ``start`` downhill; returns the picture and the losses along the way."""
    x = Tensor(start.astype(np.float32).copy(), requires_grad=True)
    adam = optim.Adam([x], lr=0.03)
    told = []
    for _ in range(steps):
        f = features(x, (*LAYERS, CONTENT))
        parts = (
            content_weight * relative(f[CONTENT], wanted_content),
            style_weight * sum(relative(gram(f[name]), wanted_style[name]) for name in LAYERS) / len(LAYERS),
            variation_weight * roughness(x),
        )
        loss = parts[0] + parts[1] + parts[2]
        (x.grad,) = minigan.grad(loss, x)
        adam.step()
        x.array = x.array.clip(0, 1)
        told.append([part.item() for part in parts])
    return x.numpy(), np.array(told)


# %% [markdown]
# ## In stages
#
# First the content alone, from noise: what does the network remember of a picture? Then content and
# style. Then the roughness too, with a weight that one can see. Noise is centred on grey: noise between
# -0.3 and 0.3 would start from a dark picture.

# %%
noise = 0.5 + 0.1 * np.random.default_rng(0).standard_normal(content.shape)
stages = {
    "content alone": paint(noise, 1.0, 0.0, 0.0),
    "content and style": paint(content, 0.05, 1.0, 0.0),
    "and smooth": paint(content, 0.05, 1.0, 10.0),
}
for name, (_, told) in stages.items():
    first, last = told[0], told[-1]
    print(f"{name:>18}: content {first[0]:.4f} -> {last[0]:.4f}, style {first[1]:.4f} -> {last[1]:.4f}")
    assert last.sum() < first.sum()
rough = {name: roughness(Tensor(picture)).item() for name, (picture, _) in stages.items()}
assert rough["and smooth"] < (0.9 if quick else 0.5) * rough["content and style"]

# %% [markdown]
# ## Look
#
# Content, style, and the three stages side by side.

# %%
row = {"the content": content[0], "the style": style[0]}
row |= {name: picture[0] for name, (picture, _) in stages.items()}
figure = lesson.panels(row, columns=5, width=11)
lesson.show(figure, "style_by_hand.png", "Content, style, and what the three stages paint.")

# %% [markdown]
# Each loss falls, but not to 0: they want different pictures, and the weights say who gives in.

# %%
told = stages["content and style"][1]
curves = {"content, weighted": told[:, 0], "style": told[:, 1]}
figure = lesson.lines(curves, y="relative loss", log=True)
assert told[-1, 0] > told[0, 0] and told[-1, 1] < told[0, 1], "from the content: it gives way to the style"
lesson.show(
    figure, "style_by_hand_losses.png", "The losses of the second stage, which starts at the content."
)

# %% [markdown]
# ## Exercise
# Shuffle the places of the style's pixels. Does the Gram matrix of its colours change? That of its
# features?
#
# <details><summary>Answer</summary>
#
# That of the colours does not: a sum over places does not ask for their order. That of the features does,
# because a feature sees neighbours: strokes, not dots.
#
# ```python
# order = np.random.default_rng(0).permutation(size * size)
# mixed = np.ascontiguousarray(style.reshape(1, 3, -1)[:, :, order].reshape(style.shape))
# assert np.allclose(gram(Tensor(mixed)).numpy(), gram(Tensor(style)).numpy(), rtol=1e-4)
# with no_grad():
#     dots = gram(features(Tensor(mixed), LAYERS)["relu2_1"])
# assert relative(dots, wanted_style["relu2_1"]).item() > 0.01
# ```
#
# </details>

# %% [markdown]
# # 3. Convolution and its two adjoints
#
# A convolution is linear in the picture and linear in the weights. A linear map has an adjoint (its
# transposed matrix), so a convolution comes with two:
#
# * with respect to the picture: that is the *transposed convolution*, the layer generators grow with;
# * with respect to the weights: that is what training needs.
#
# Each of the three is the derivative of the others. minigan writes three array functions per algorithm
# and gets every order of derivative from them.
#
# Run it: `python examples/03_convolution_is_a_triad.py` (about a second).

# %%
import numpy as np

import minigan
from minigan import Tensor, ops
from minigan.data import render_glyphs
from minigan.viz import lesson

quick = lesson.options("Convolution and its two adjoints").quick

generator = np.random.default_rng(1)
size = 5 if quick else 9
picture = generator.standard_normal((1, 2, size, size))  # (N, C, H, W)
weight = generator.standard_normal((3, 2, 3, 3))  # (O, C, KH, KW)
settings = {"stride": 2, "padding": 1}

# %% [markdown]
# ## A convolution is a matrix
#
# Feed in the unit pictures (one pixel lit at a time): each answer is one column.


# %%
def matrix_of(function, shape):
    """Return the matrix of a linear function on arrays of `shape`, one column a unit array."""
    units = np.eye(int(np.prod(shape))).reshape(-1, *shape)
    return np.stack([function(Tensor(unit)).numpy().ravel() for unit in units], axis=1)


conv = matrix_of(lambda x: ops.conv2d(x, Tensor(weight), **settings), picture.shape)
out_shape = ops.conv2d(Tensor(picture), Tensor(weight), **settings).shape
print(f"picture {picture.shape} -> {out_shape}: a {conv.shape[0]} x {conv.shape[1]} matrix,")
print(f"of which {np.mean(conv == 0):.0%} is zero; a dense layer would have to learn all of it")
assert np.mean(conv == 0) > 0.5

# %% [markdown]
# ## Transposed convolution is the transposed matrix
#
# Not an inverse, not a trick with zeros between the pixels: the same numbers, rows for columns.

# %%
back = matrix_of(lambda y: ops.conv_transpose2d(y, Tensor(weight), **settings), out_shape)
print("difference between the two matrices:", np.abs(back - conv.T).max())
assert np.allclose(back, conv.T)
most = np.abs(conv).max()
pictures = {"convolution": conv, "transposed convolution": back}
figure = lesson.panels(pictures, cmap="RdBu", vmin=-most, vmax=most)
lesson.show(
    figure, "conv_matrices.png", "Both as matrices: rows of one are columns of the other; white is zero."
)

# %% [markdown]
# An adjoint is known by its inner products: `<conv x, y> = <x, conv^T y>` for all x and y.

# %%
y = generator.standard_normal(out_shape)
left = (ops.conv2d(Tensor(picture), Tensor(weight), **settings).numpy() * y).sum()
right = (picture * ops.conv_transpose2d(Tensor(y), Tensor(weight), **settings).numpy()).sum()
print(f"<conv x, y> = {left:.12f}\n<x, conv' y> = {right:.12f}")
assert np.isclose(left, right, rtol=1e-12)

# %% [markdown]
# ## The derivative of each is made of the others
#
# The gradient of `<conv(x, w), y>` with respect to x is the transposed convolution of y. minigan reaches
# the same array by backpropagation.

# %%
x = Tensor(picture, requires_grad=True)
w = Tensor(weight, requires_grad=True)
gx, gw = minigan.grad(ops.conv2d(x, w, **settings), (x, w), Tensor(y), create_graph=True)
assert np.allclose(gx.numpy(), ops.conv_transpose2d(Tensor(y), w, **settings).numpy())

# %% [markdown]
# And the third: `<conv(x, w), y>` is also linear in w, so w with its own gradient gives the number again.

# %%
print(f"<w, gradient of w> = {(weight * gw.numpy()).sum():.12f}")
assert np.isclose((weight * gw.numpy()).sum(), left, rtol=1e-12)

# %% [markdown]
# ## The three as pictures
#
# A filter that answers where the picture gets brighter to the right, on a digit. Forward: edges. The adjoint
# with respect to the picture: each edge paints the filter back. The adjoint with respect to the weights is
# three by three, like the filter: what correlates with the edges.

# %%
digit = render_glyphs(1, size=28, characters="5")[0].astype(np.float64)  # (1, 1, 28, 28)
edge = np.array([[[[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]]], float)
image, kernel = Tensor(digit, requires_grad=True), Tensor(edge, requires_grad=True)
answer = ops.conv2d(image, kernel, padding=1)
by_picture, by_weight = minigan.grad(answer, (image, kernel), answer.detach())
shown = {
    "picture x": digit[0, 0], "weight w": edge[0, 0], "y = conv(x, w)": answer.numpy()[0, 0],
    "adjoint by x, of y": by_picture.numpy()[0, 0], "adjoint by w, of y": by_weight.numpy()[0, 0],
}  # fmt: skip
assert np.isclose((digit * by_picture.numpy()).sum(), (edge * by_weight.numpy()).sum())
lesson.show(lesson.panels(shown, columns=5), "triad.png", "Convolution and its two adjoints on a digit.")

# %% [markdown]
# ## Max pooling: who wins gets the gradient
#
# Pooling keeps the largest of each window. It is not linear, but once the winners are known it is: it copies
# them, so its gradient goes to the winners and to nobody else.

# %%
image = Tensor(digit[:, :, 6:22, 6:22], requires_grad=True)
pooled = ops.max_pool2d(image, 4)
(winners,) = minigan.grad(pooled.sum(), image)
assert winners.numpy().sum() == pooled.size, "one winner a window, ties or not"
shown = {
    "picture": image.numpy()[0, 0],
    "pooled by 4": pooled.numpy()[0, 0],
    "gradient": winners.numpy()[0, 0],
}
lesson.show(lesson.panels(shown), "pooling.png", "The gradient of max pooling: one pixel a window.")

# %% [markdown]
# ## Second order, for nothing
#
# The gradient of x depends on w (it is a convolution with w), so it can be differentiated with respect
# to w: exactly what a gradient penalty does.

# %%
with minigan.observe(lambda phase, op, *_: print(f"  {phase} {op.name}") if "Conv" in op.name else None):
    (second,) = minigan.grad((gx * gx).sum(), w)
print("d |gx|^2 / d w has shape", second.shape)

# %% [markdown]
# ## Exercise
# Average pooling is linear. What does its adjoint do with a gradient, and what stays the same as with max
# pooling?
#
# <details><summary>Answer</summary>
#
# It shares each window's gradient out evenly: a sixteenth to each of sixteen pixels. The sum over a window
# stays the same.
#
# ```python
# image = Tensor(digit, requires_grad=True)
# (shared,) = minigan.grad(ops.avg_pool2d(image, 4).sum(), image)
# assert np.allclose(shared.numpy(), 1 / 16) and np.isclose(shared.numpy().sum(), 7 * 7)
# ```
#
# </details>

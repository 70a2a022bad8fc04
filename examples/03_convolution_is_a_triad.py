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

# %%
import argparse

import numpy as np

import minigan
from minigan import Tensor, ops

parser = argparse.ArgumentParser(description="Convolution and its two adjoints")
parser.add_argument("--quick", action="store_true", help="a smaller picture (the tests run this)")
quick = parser.parse_args().quick

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

# %% [markdown]
# ## Transposed convolution is the transposed matrix
#
# Not an inverse, not a trick with zeros between the pixels: the same numbers, rows for columns.

# %%
back = matrix_of(lambda y: ops.conv_transpose2d(y, Tensor(weight), **settings), out_shape)
print("difference between the two matrices:", np.abs(back - conv.T).max())
assert np.allclose(back, conv.T)

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
# ## Second order, for nothing
#
# The gradient of x depends on w (it is a convolution with w), so it can be differentiated with respect
# to w: exactly what a gradient penalty does.

# %%
with minigan.observe(lambda phase, op, *_: print(f"  {phase} {op.name}") if "Conv" in op.name else None):
    (second,) = minigan.grad((gx * gx).sum(), w)
print("d |gx|^2 / d w has shape", second.shape)

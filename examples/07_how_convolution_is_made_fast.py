# %% [markdown]
# # 7. How convolution is made fast
#
# **Question: five programs give the same picture. Why is one a hundred times faster than another, and why is
# none the fastest everywhere?**
#
# Run it: `python examples/07_how_convolution_is_made_fast.py` (about ten seconds).

# %%
import timeit
from functools import partial

import numpy as np

from minigan import Tensor, kernels, no_grad, ops
from minigan.data import render_glyphs
from minigan.kernels import conv
from minigan.kernels.conv import registry
from minigan.ops.conv.spec import from_conv
from minigan.viz import image_grid, lesson

quick = lesson.options("How convolution is made fast").quick
digit = render_glyphs(1, size=12, characters="5")[0].astype(np.float64)[0, 0]  # (12, 12)

# %% [markdown]
# ## The window, and the matrix that im2col makes
# The definition lets a window walk over the picture and takes an inner product at each stop. *im2col* writes
# each stop's pixels into a row; then all inner products are one matrix product, and those are what
# processors are built for. It costs memory: here each pixel is written up to nine times.

# %%
stops = [(i, j) for i in range(10) for j in range(10)]
matrix = np.stack([digit[i : i + 3, j : j + 3].ravel() for i, j in stops])  # (100, 9)
weight = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]], float)
definition = ops.conv2d(Tensor(digit[None, None]), Tensor(weight[None, None])).numpy()[0, 0]
assert np.allclose((matrix @ weight.ravel()).reshape(10, 10), definition)
print(f"{digit.size} pixels became {matrix.size}; {len(stops)} stops, one matrix product")


# %%
def board(count):
    """The window at a stop, and the rows and results up to it, as pixels; the newest in red."""
    i, j = stops[count - 1]
    rows, results = np.full((100, 9), -1.0), np.full(100, -1.0)
    rows[:count], results[:count] = matrix[:count], (matrix @ weight.ravel() / 8)[:count]
    sheet = np.full((3, 100, 190), 0.6)
    sheet[:, 2:98, 2:98] = digit.repeat(8, 0).repeat(8, 1)
    sheet[:, :, 106:133] = rows.repeat(3, 1)
    sheet[:, 25:75, 138:188] = results.reshape(10, 10).repeat(5, 0).repeat(5, 1)
    sheet[0, 2 + 8 * i : 26 + 8 * i, 2 + 8 * j : 26 + 8 * j] = 0.8
    sheet[0, count - 1, 106:133] = sheet[0, 25 + 5 * i : 30 + 5 * i, 138 + 5 * j : 143 + 5 * j] = 0.8
    return image_grid(sheet[None], scale=4, padding=0)


frames = [board(count) for count in (*range(1, 100, 4), 100)]
lesson.show(frames, "im2col.gif", "Left the window, middle the rows of the matrix, right the result so far.")

# %% [markdown]
# ## Winograd: fewer multiplications
# Two results of a filter of three, from four inputs: six multiplications by definition, four by Winograd
# (Lavin and Gray, arXiv 1509.09308). In two dimensions a tile of 4 x 4 gives 2 x 2 results with 16 products
# instead of 36; the transforms are additions.

# %%
B = np.array([[1, 0, -1, 0], [0, 1, 1, 0], [0, -1, 1, 0], [0, 1, 0, -1]], float)
G = np.array([[1, 0, 0], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0, 0, 1]])
A = np.array([[1, 1, 1, 0], [0, 1, -1, -1]], float)
tile = digit[3:7, 3:7]
moved, filtered = B @ tile @ B.T, G @ weight @ G.T
result = A @ (moved * filtered) @ A.T
assert np.allclose(result, definition[3:5, 3:5])
steps = {"tile": tile, "B tile B'": moved, "G weight G'": filtered, "their product": moved * filtered}
figure = lesson.panels({**steps, "A product A'": result}, columns=5)
lesson.show(figure, "winograd.png", "A Winograd tile: 16 products in the middle, 2 x 2 results at the end.")

# %% [markdown]
# ## What each costs
# MEC lays only the columns of a window side by side and lets the rows overlap in memory (Cho and Brand,
# arXiv 1706.06873). FFT multiplies frequencies: its price hardly depends on the filter's size. Each of
# minigan's algorithms is three array functions in one registry, and a cost model chooses.

# %%
cases, channels = ({"3 x 3": 3}, 2) if quick else ({"3 x 3": 3, "11 x 11": 11}, 8)
table, draw = {}, np.random.default_rng(0)
for case, side in cases.items():
    x = draw.standard_normal((2, channels, 32, 32)).astype(np.float32)
    w = draw.standard_normal((channels, channels, side, side)).astype(np.float32)
    spec = from_conv(x.shape, w.shape, padding=side // 2)
    results = {}
    for name in ("naive", "mec", "im2col", "winograd", "fft"):
        algorithm = registry.get(name)
        if not algorithm.supports(spec, "forward") and (name, side) != ("naive", 11):  # a minute of loops
            results[name] = algorithm.forward(x, w, spec)
            repeats = 1 if name == "naive" else 5
            again = timeit.repeat(partial(algorithm.forward, x, w, spec), number=1, repeat=repeats)
            table[case, name] = 1000 * min(again)
            print(f"{case}, {name:>8}: {table[case, name]:8.2f} ms")
    assert all(np.allclose(y, results["im2col"], rtol=1e-3, atol=1e-3) for y in results.values())
with no_grad():
    print(kernels.explain(lambda: ops.conv2d(Tensor(x), Tensor(w), padding=side // 2)))
print(conv.explain(spec))
figure = lesson.bars({", ".join(key): value for key, value in table.items()}, x="milliseconds", log=True)
assert quick or table["3 x 3", "naive"] > 5 * table["3 x 3", "im2col"]
lesson.show(figure, "conv_times.png", "The same result at different prices, on a logarithmic scale.")

# %% [markdown]
# ## Exercise
# What does a tile of 6 x 6 for 4 x 4 results of a 3 x 3 filter save, and why does nobody use 20 x 20?
#
# <details><summary>Answer</summary>
#
# 36 products instead of 144. Larger tiles need transforms with larger numbers, and float32 loses its digits.
#
# ```python
# assert 6 * 6 / (4 * 4 * 9) == 0.25
# ```
#
# </details>

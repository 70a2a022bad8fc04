# %% [markdown]
# # 41. Checking somebody else's gradients
#
# **Question: I found a backward pass in plain NumPy. Is it right?**
#
# The checker does not mind whose code it is: it needs a function from Tensors to a Tensor. A pair of NumPy
# functions becomes one in a few lines.
#
# Run it: `python examples/41_somebody_elses_gradients.py` (about two seconds).

# %%
import numpy as np
from matplotlib.figure import Figure

from minigan import Op, Tensor
from minigan.testing import gradcheck
from minigan.viz import lesson

quick = lesson.options("Checking somebody else's gradients").quick
draw = np.random.default_rng(0)

# %% [markdown]
# ## Found code
# Normalisation over a batch. The derivative looks plausible: divide by the spread, as forward did.


# %%
def normalise(x):
    """(N, F) -> same: each column with mean 0 and variance 1."""
    return (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + 1e-5)


def plausible(x, g):
    """The spread as a constant, the mean as another."""
    return g / np.sqrt(x.var(axis=0) + 1e-5)


def half_right(x, g):
    """The mean is differentiated, the spread is not."""
    return (g - g.mean(axis=0)) / np.sqrt(x.var(axis=0) + 1e-5)


def right(x, g):
    """Both: what is normal in x and what is constant in g cannot be changed."""
    y = normalise(x)
    return (g - g.mean(axis=0) - y * (g * y).mean(axis=0)) / np.sqrt(x.var(axis=0) + 1e-5)


# %% [markdown]
# ## Five lines to make it checkable
# NumPy code records nothing, so only the first derivative can be proved: `order=1`.


# %%
def wrapped(forward, backward):
    """A function of Tensors from a pair on arrays."""
    methods = {
        "forward": lambda self, x: forward(x),
        "backward": lambda self, g: Tensor(backward(self.input(0).array, g.array)),
        "keeps": (0,),
    }
    return lambda x: type(backward.__name__, (Op,), methods)()(x)


x = draw.standard_normal((6, 3))
backwards = (plausible, half_right, right)
verdicts = [gradcheck(wrapped(normalise, backward), x, order=1, seed=0) for backward in backwards]
print(*verdicts, sep="\n\n")
assert [bool(report) for report in verdicts] == [False, False, True]

# %% [markdown]
# The tempting test with a gradient of all ones would have let the second pass: the sum of a normalised column
# never changes, so its true gradient is 0, and so is the wrong one's. That is why the checker draws random
# incoming gradients.

# %%
ones = {f.__name__: np.abs(f(x, np.ones_like(x))).max() for f in backwards}
assert ones["half_right"] < 1e-12 > ones["right"]

# %% [markdown]
# ## How far can one trust a difference quotient?
# Its error falls with the square of the step until rounding takes over. At the best step it knows about ten
# digits in double precision and four in single: that is why checks run in double.

# %%
g, way = draw.standard_normal((2, 6, 3))
exact = (right(x, g) * way).sum()
sizes = 10.0 ** np.arange(-12, 0, 1 if quick else 0.25)
errors = {np.float64: [], np.float32: []}
for kind, found in errors.items():
    for step in sizes:
        places = [(x + sign * step * way).astype(kind) for sign in (1, -1)]
        up, down = (float((normalise(place) * g.astype(kind)).sum()) for place in places)
        found.append(abs((up - down) / (2 * step) - exact) / abs(exact))
axis = (figure := Figure(figsize=(8, 3.2), layout="constrained")).subplots()
for kind, values in errors.items():
    axis.loglog(sizes, np.maximum(values, 1e-16), label=kind.__name__)
axis.set(xlabel="step", ylabel="relative error")
axis.legend(frameon=False)
assert min(errors[np.float64]) < 1e-8 and min(errors[np.float32]) < 1e-2
lesson.show(figure, "quotient.png", "A central difference: long steps on the right, rounding on the left.")

# %% [markdown]
# ## Exercise
# Check the derivative of `np.sort` along the first axis, which somebody wrote as "g, sorted the same way".
#
# <details><summary>Answer</summary>
#
# Wrong: the gradient goes back to the places where the numbers came from.
#
# ```python
# order = x.argsort(axis=0)
# wrong = wrapped(lambda x: np.sort(x, axis=0), lambda x, g: np.take_along_axis(g, x.argsort(axis=0), 0))
# good = wrapped(lambda x: np.sort(x, axis=0),
#                lambda x, g: np.take_along_axis(g, x.argsort(axis=0).argsort(axis=0), 0))
# assert gradcheck(good, x, order=1) and not gradcheck(wrong, x, order=1)
# ```
#
# </details>

# %% [markdown]
# # 2. Derivatives of derivatives
#
# Some training rules contain a derivative: a gradient penalty asks that the discriminator's slope stay
# small, and to learn from that the slope itself has to be differentiated. In minigan that is no special
# case. The backward pass is made of ordinary operations, so leaving the recorder on while it runs
# (`create_graph=True`) gives a result that can be differentiated again, to any order.
#
# Run it: `python examples/02_second_derivatives.py` (about a second).

# %%
import numpy as np
from matplotlib.figure import Figure

import minigan
from minigan import Tensor, ops
from minigan.viz import lesson

quick = lesson.options("Derivatives of derivatives").quick

# %% [markdown]
# ## A tower of derivatives
#
# x^4 and its derivatives 4x^3, 12x^2, 24x, 24.

# %%
x = Tensor(np.array(2.0), requires_grad=True)
value, tower = x**4, []
for _ in range(4):
    (value,) = minigan.grad(value, x, create_graph=True)
    tower.append(value.item())
print("x = 2:", tower)
assert np.allclose(tower, [32, 48, 48, 24])

# %%
line = Tensor(np.linspace(-1.5, 1.5, 61), requires_grad=True)
value, floors = line**4, {}
for name in ("4 x^3", "12 x^2", "24 x", "24"):
    (value,) = minigan.grad(value.sum(), line, create_graph=True)
    floors[name] = value.numpy()
figure = Figure(figsize=(8, 3.2), layout="constrained")
axis = figure.subplots()
for name, values in {"x^4": line.numpy() ** 4, **floors}.items():
    axis.plot(line.numpy(), values, label=name)
axis.set(xlabel="x", ylim=(-30, 30))
axis.grid(alpha=0.3)
axis.legend(frameon=False)
lesson.show(figure, "tower.png", "x^4 and its four derivatives, each from the one before.")

# %% [markdown]
# ## Newton's method
#
# Where gradient descent needs a learning rate, the second derivative supplies it: `x - f' / f''` lands
# on the bottom of the parabola that touches f. The error squares at every step.

# %%
x = Tensor(np.array(1.5), requires_grad=True)
trail = []
for _ in range(6):
    f = ops.exp(x) - 2 * x  # smallest where exp(x) = 2
    (slope,) = minigan.grad(f, x, create_graph=True)
    (bend,) = minigan.grad(slope, x)
    trail.append(abs(x.item() - np.log(2)))
    x = (x - slope / bend).detach().requires_grad_()
print("distance to log 2:", " ".join(f"{error:.1e}" for error in trail))
assert trail[-1] < 1e-12

# %% [markdown]
# Gradient descent, beside it, gains the same factor at each step: a straight line on a logarithmic scale.

# %%
place, slow = 1.5, []
for _ in range(30):
    slow.append(abs(place - np.log(2)))
    place -= 0.2 * (np.exp(place) - 2)
assert slow[-1] > 1e6 * trail[-1]
curves = {"Newton": np.maximum(trail, 1e-17), "gradient descent, rate 0.2": slow}
figure = lesson.lines(curves, y="distance to log 2", log=True)
lesson.show(figure, "newton.png", "Newton squares its error; gradient descent shrinks it by a factor.")

# %% [markdown]
# ## A gradient penalty
#
# The R1 penalty (Mescheder et al., arXiv 1801.04406, equation 9): the squared length of the
# discriminator's slope at real samples, `gamma / 2 * |d D(x) / d x|^2`. Its gradient with respect to the
# weights runs through the backward pass of D. For a linear D(x) = w . x the slope is w at every point,
# so the penalty is `gamma / 2 |w|^2` and its gradient `gamma w`: plain weight decay. That we can check.

# %%
generator = np.random.default_rng(0)
points = Tensor(generator.standard_normal((8 if quick else 64, 3)), requires_grad=True)
w = Tensor(generator.standard_normal((3, 1)), requires_grad=True)
gamma = 10.0


def r1(score, points):
    """gamma / 2 times the mean over the batch of the squared slope of `score` at `points`."""
    (slope,) = minigan.grad(score.sum(), points, create_graph=True)  # (N, features)
    return gamma / 2 * (slope * slope).sum(axis=1).mean()


penalty = r1(points @ w, points)
penalty.backward()
print("penalty gradient:", w.grad.numpy().ravel(), " gamma w:", gamma * w.numpy().ravel())
assert np.allclose(w.grad.numpy(), gamma * w.numpy())

# %% [markdown]
# A discriminator with a hidden layer is no longer linear, and no formula fits on a line; the code does
# not change. A difference quotient of the whole penalty agrees.

# %%
hidden = Tensor(generator.standard_normal((3, 5)), requires_grad=True)


def penalty_of(weights):
    return r1(ops.tanh(points @ weights) @ Tensor(np.ones((5, 1))), points)


(exact,) = minigan.grad(penalty_of(hidden), hidden)
nudge = np.zeros((3, 5))
nudge[1, 2] = 1e-5
up, down = (penalty_of(Tensor(hidden.numpy() + sign * nudge, requires_grad=True)).item() for sign in (1, -1))
print(f"one weight: {exact.numpy()[1, 2]:.8f} by minigan, {(up - down) / 2e-5:.8f} measured")
assert np.isclose(exact.numpy()[1, 2], (up - down) / 2e-5, rtol=1e-6)

# %% [markdown]
# ## Exercise
# Start Newton's method at -3 instead of 1.5. Where does its first step land, and why there?
#
# <details><summary>Answer</summary>
#
# Near 36. At -3 the curve exp(x) - 2x hardly bends, so the bottom of the parabola that touches it is far
# away. Newton is quick near the answer and wild far from it.
#
# ```python
# x = Tensor(np.array(-3.0), requires_grad=True)
# (slope,) = minigan.grad(ops.exp(x) - 2 * x, x, create_graph=True)
# (bend,) = minigan.grad(slope, x)
# assert 35 < (x - slope / bend).item() < 37
# ```
#
# </details>

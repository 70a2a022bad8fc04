# %% [markdown]
# # 8. A GAN in NumPy alone
#
# **Question: what is left of a GAN when one takes the library away?**
#
# A hundred lines: two small nets, their derivatives by hand, and two steps that take turns. This is also the
# only lesson in which nothing of minigan computes anything; it only shows the picture.
#
# Run it: `python examples/08_a_gan_in_numpy_alone.py` (about fifteen seconds).

# %%
import numpy as np

from minigan.viz import draw_plane, lesson
from minigan.viz.plane import plane_points

quick = lesson.options("A GAN in NumPy alone").quick
steps, width, batch = (400, 24, 64) if quick else (6000, 64, 128)
draw = np.random.default_rng(0)


def real_points(count):
    """Points (count, 2) from four little Gaussians on a circle of radius 2."""
    angles = draw.integers(0, 4, count) * np.pi / 2
    return 2 * np.stack([np.cos(angles), np.sin(angles)], axis=1) + 0.1 * draw.standard_normal((count, 2))


# %% [markdown]
# ## A net is a list of matrices
# Forward: multiply, add, keep what is positive (and a fifth of what is not). Backward: the same three steps
# in the opposite order, each with the derivative in place of the function. Every layer keeps its input,
# because its weights' gradient is that input times what comes back.


# %%
def net(*sizes):
    """Weights and biases of a dense net."""
    return [
        [draw.standard_normal(pair) * np.sqrt(2 / pair[0]), np.zeros(pair[1])]
        for pair in zip(sizes, sizes[1:], strict=False)
    ]


def forward(layers, x):
    """Return the net's answer and what its backward pass will need."""
    kept = []
    for i, (weight, bias) in enumerate(layers):
        s = x @ weight + bias
        kept.append((x, s))
        x = np.where(s > 0, s, 0.2 * s) if i < len(layers) - 1 else s
    return x, kept


def backward(layers, kept, g):
    """Gradients of all weights and biases, and that of the input, from the gradient g of the answer."""
    found = []
    for i in reversed(range(len(layers))):
        x, s = kept[i]
        g = g * np.where(s > 0, 1, 0.2) if i < len(layers) - 1 else g
        found.append([x.T @ g, g.sum(axis=0)])
        g = g @ layers[i][0].T
    return found[::-1], g


# %% [markdown]
# Is it right? Move one weight a little and look.

# %%
trial, x = net(2, 5, 1), real_points(7)
exact = backward(trial, forward(trial, x)[1], np.ones((7, 1)))[0][0][0][1, 2]
values = []
for nudge in (1e-6, -1e-6):
    trial[0][0][1, 2] += nudge
    values.append(forward(trial, x)[0].sum())
    trial[0][0][1, 2] -= nudge
print(f"by hand {exact:.6f}, measured {(values[0] - values[1]) / 2e-6:.6f}")
assert np.isclose(exact, (values[0] - values[1]) / 2e-6, rtol=1e-5)

# %% [markdown]
# ## Adam, and the two steps
# With a logit s and the loss -log sigmoid(s), the derivative is sigmoid(s) - 1: how far D is from sure.
# D wants 1 for real and 0 for generated. G wants 1 for generated: its gradient comes through D, whose own
# gradients are thrown away. That is all that "frozen" means.


# %%
def adam(layers, gradients, state, rate=1e-3, b1=0.5, b2=0.9, eps=1e-8):
    """One step of Adam (Kingma and Ba, arXiv 1412.6980, algorithm 1), in place."""
    state["t"] = t = state.get("t", 0) + 1
    for i, (pair, found) in enumerate(zip(layers, gradients, strict=True)):
        for j, g in enumerate(found):
            m, v = state.get((i, j), (0.0, 0.0))
            state[i, j] = m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g * g
            pair[j] -= rate * m / (1 - b1**t) / (np.sqrt(v / (1 - b2**t)) + eps)


def sigmoid(s):
    return 0.5 * (1 + np.tanh(0.5 * s))


G, D = net(2, width, width, 2), net(2, width, width, 1)
g_state, d_state, losses, frames = {}, {}, [], []
fixed, plane = draw.standard_normal((400, 2)), plane_points(3.5, 70)
for step in range(1, steps + 1):
    real, fake = real_points(batch), forward(G, draw.standard_normal((batch, 2)))[0]
    s, kept = forward(D, np.concatenate([real, fake]))
    wanted = np.repeat([1.0, 0.0], batch)[:, None]
    adam(D, backward(D, kept, (sigmoid(s) - wanted) / batch)[0], d_state)

    fake, kept_g = forward(G, draw.standard_normal((batch, 2)))
    s_fake, kept_d = forward(D, fake)
    _, g_fake = backward(D, kept_d, (sigmoid(s_fake) - 1) / batch)  # through D, and nothing stays there
    adam(G, backward(G, kept_g, g_fake)[0], g_state)
    losses.append([np.logaddexp(0, -s[:batch]).mean() + np.logaddexp(0, s[batch:]).mean(),
                   np.logaddexp(0, -s_fake).mean()])  # fmt: skip
    if step % (steps // 10) == 0:
        clouds = {"real": real_points(200), "generated": forward(G, fixed)[0]}
        belief = sigmoid(forward(D, plane)[0])
        frames.append(draw_plane(belief, clouds, extent=3.5, title=f"step {step}"))
lesson.show(frames, "numpy_gan.gif", "D's map, from generated (blue) to real (orange), and G's cloud.")

# %%
centres = 2 * np.array([[1, 0], [0, 1], [-1, 0], [0, -1]])
away = np.linalg.norm(forward(G, fixed)[0][:, None] - centres, axis=2)
near = [int((away[:, mode] < 0.5).sum()) for mode in range(4)]
print("generated points near each of the four:", near, f"; mean distance {away.min(axis=1).mean():.2f}")
assert away.min(axis=1).mean() < (2.0 if quick else 0.5)
curves = dict(zip(("D", "G"), np.array(losses).T, strict=True))
lesson.show(lesson.lines(curves, y="loss"), "numpy_gan_losses.png", "Two losses that go round each other.")

# %% [markdown]
# ## Exercise
# What becomes of `g_fake` if D is perfect, `sigmoid(s_fake)` near 0, and G lowers log(1 - sigmoid(s))?
#
# <details><summary>Answer</summary>
#
# The derivative is then -sigmoid(s_fake): nearly 0, and G learns nothing. The loss used here has
# sigmoid(s) - 1, nearly -1. Lesson 6 shows both.
#
# ```python
# s = -10.0
# assert abs(-sigmoid(s)) < 1e-4 and abs(sigmoid(s) - 1) > 0.99
# ```
#
# </details>

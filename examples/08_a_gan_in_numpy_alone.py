# %% [markdown]
# # 8. A GAN in NumPy alone
#
# **Question: what is left of a GAN when one takes the library away?**
# A hundred lines: two small nets, their derivatives by hand, two steps that take turns. minigan only draws.
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
# Forward: multiply, add, keep what is positive and a fifth of what is not. Backward: the same in the opposite
# order, each with its derivative. A layer keeps its input: that, times what comes back, is the gradient.


# %%
def net(*sizes):
    """Weights and biases of a dense net."""
    pairs = zip(sizes[:-1], sizes[1:], strict=True)
    return [[draw.standard_normal(pair) * np.sqrt(2 / pair[0]), np.zeros(pair[1])] for pair in pairs]


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
    for i, (x, s) in reversed(list(enumerate(kept))):
        g = g * np.where(s > 0, 1, 0.2) if i < len(layers) - 1 else g
        found.insert(0, [x.T @ g, g.sum(axis=0)])
        g = g @ layers[i][0].T
    return found, g


# %% [markdown]
# ## Adam, and the two steps
# The loss -log sigmoid(s) of a logit s has the derivative sigmoid(s) - 1: how far D is from sure. D wants 1
# for real, 0 for generated; G 1 for generated. Its gradient comes through D, whose own are dropped: "frozen".


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
wanted = np.repeat([1.0, 0.0], batch)[:, None]  # of D: 1 for real points, 0 for generated ones
g_state, d_state, frames = {}, {}, []
fixed, plane = draw.standard_normal((400, 2)), plane_points(3.5, 70)
for step in range(1, steps + 1):
    fake, _ = forward(G, draw.standard_normal((batch, 2)))
    s, kept = forward(D, np.concatenate([real_points(batch), fake]))
    adam(D, backward(D, kept, (sigmoid(s) - wanted) / batch)[0], d_state)

    fake, kept_g = forward(G, draw.standard_normal((batch, 2)))
    s_fake, kept_d = forward(D, fake)
    _, g_fake = backward(D, kept_d, (sigmoid(s_fake) - 1) / batch)  # through D, and nothing stays there
    adam(G, backward(G, kept_g, g_fake)[0], g_state)
    if step % (steps // 10) == 0:
        clouds = {"real": real_points(200), "generated": forward(G, fixed)[0]}
        frames.append(draw_plane(sigmoid(forward(D, plane)[0]), clouds, extent=3.5, title=f"step {step}"))
lesson.show(frames, "numpy_gan.gif", "D's map, from generated (blue) to real (orange), and G's cloud.")

# %%
centres = 2 * np.array([[1, 0], [0, 1], [-1, 0], [0, -1]])
away = np.linalg.norm(forward(G, fixed)[0][:, None] - centres, axis=2)
nearest = away.min(axis=1).mean()
print(f"points near each of the four: {(away < 0.5).sum(axis=0)}; mean distance {nearest:.2f}")
assert nearest < (2.0 if quick else 0.5)

# %% [markdown]
# ## Exercise
# Everything here rests on `backward`. Is it right? Ask `forward`, with one weight moved a little.
#
# <details><summary>Answer</summary>
#
# ```python
# trial, x = net(2, 5, 1), real_points(7)
# exact = backward(trial, forward(trial, x)[1], np.ones((7, 1)))[0][0][0][1, 2]
# before = forward(trial, x)[0].sum()
# trial[0][0][1, 2] += 1e-6
# assert np.isclose(exact, (forward(trial, x)[0].sum() - before) / 1e-6, rtol=1e-5)
# ```
#
# </details>

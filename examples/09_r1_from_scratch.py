# %% [markdown]
# # 9. R1 from scratch
#
# **Question: how does one train on a derivative, and what does it do to the discriminator?**
#
# R1 (Mescheder et al., arXiv 1801.04406, equation 9) punishes D for being steep at real points. Its value
# contains a derivative of D, so its own derivative is a second one. The penalty itself is three lines.
#
# Run it: `python examples/09_r1_from_scratch.py` (about ten seconds).

# %%
import numpy as np
from matplotlib.figure import Figure

import minigan
from minigan import Tensor, nn, no_grad, ops, optim
from minigan.gan import penalties
from minigan.viz import draw_plane, lesson
from minigan.viz.plane import plane_points

quick = lesson.options("R1 from scratch").quick
steps = 60 if quick else 800

# %% [markdown]
# ## Three lines
# `create_graph=True` leaves the recorder on during the backward pass, so that what comes out can be
# differentiated again.


# %%
def r1(D, real):
    """Mean over the batch of half the squared slope of D at the real points."""
    x = Tensor(real, requires_grad=True)
    (slope,) = minigan.grad(D(x).sum(), x, create_graph=True)  # (N, 2)
    return 0.5 * (slope * slope).sum(axis=1).mean()


# %% [markdown]
# ## What it flattens
# The hardest moment for D: G has done its work, and its points come from the same cloud as the real ones.
# The best answer is then one half everywhere. A plain D learns by heart which point was which instead, and
# its cliffs push G away from where it is right. The penalised D stays flat, and G may rest.


# %%
def discriminator():
    """Two hidden layers, always from the same seed."""
    draw = np.random.default_rng(1)
    sizes = [(2, 64), (64, 64), (64, 1)]
    a, b, c = (nn.Linear(*pair, generator=draw) for pair in sizes)
    return nn.Sequential(a, nn.Tanh(), b, nn.Tanh(), c)


draw = np.random.default_rng(0)
real, fake = draw.standard_normal((2, 128, 2)).astype(np.float32)


def train(gamma):
    """Train D to tell the two apart with gamma times the penalty; return it and its losses."""
    D, told = discriminator(), []
    adam = optim.Adam(D.parameters(), lr=3e-3)
    for _ in range(steps):
        adam.zero_grad()
        loss = ops.softplus(-D(Tensor(real))).mean() + ops.softplus(D(Tensor(fake))).mean()
        told.append(loss.item())
        (loss + gamma * r1(D, real)).backward()
        adam.step()
    return D, told


nets = {gamma: train(gamma) for gamma in (0.0, 0.3, 3.0)}
D = nets[0.3][0]
ours, library = r1(D, real).item(), penalties.r1(D, Tensor(real)).item()
print(f"the three lines: {ours:.6f}; minigan.gan.penalties.r1: {library:.6f}")
assert np.isclose(ours, library, rtol=1e-4)

# %%
line = np.stack([np.linspace(-2, 2, 200), np.zeros(200)], axis=1).astype(np.float32)
left, right = (figure := Figure(figsize=(9, 3), layout="constrained")).subplots(1, 2)
penalty = {}
for gamma, (D, told) in nets.items():
    with no_grad():
        left.plot(line[:, 0], ops.sigmoid(D(Tensor(line))).numpy().ravel(), label=f"gamma {gamma}")
    right.plot(told, linewidth=0.8)
    penalty[gamma] = r1(D, real).item()
    print(f"gamma {gamma}: penalty {penalty[gamma]:8.4f}, loss {told[-1]:.3f} (undecided: 1.386)")
left.set(title="D's belief from left to right", xlabel="x", ylim=(0, 1))
right.set(title="D's loss", xlabel="step")
left.legend(frameon=False)
assert penalty[0.0] > (2 if quick else 20) * penalty[3.0]
lesson.show(figure, "r1_slopes.png", "Without the penalty cliffs, with it nearly one half.")

# %%
maps, plane = [], plane_points(3.0, 80)
for gamma, (D, _) in nets.items():
    with no_grad():
        belief = ops.sigmoid(D(Tensor(plane))).numpy()
    clouds = {"real": real, "generated": fake}
    maps.append(draw_plane(belief, clouds, extent=3.0, size=300, title=f"gamma {gamma}"))
lesson.show(
    np.concatenate(maps, axis=1), "r1_maps.png", "D's map of two equal clouds: learnt by heart, and flat."
)

# %% [markdown]
# ## Exercise
# Take `create_graph=True` away. Which gradient does the penalty then have with respect to D's weights?
#
# <details><summary>Answer</summary>
#
# None: the slope is then a constant, and the penalty a number that teaches nothing. minigan refuses to go
# backward from it, because nothing was recorded.
#
# ```python
# x = Tensor(real, requires_grad=True)
# (slope,) = minigan.grad(D(x).sum(), x)
# assert not slope.requires_grad
# ```
#
# </details>

# %% [markdown]
# # 11. Trap: left in eval mode
#
# Batch norm has two faces. In training it subtracts the mean *of the batch* and keeps a running average
# on the side; in evaluation it subtracts that average. To draw a sample picture one calls `G.eval()`,
# and if nobody calls `G.train()` afterwards, every later step trains another network: one with frozen
# statistics, which no longer pulls the activations to mean 0 and variance 1.
#
# Nothing crashes, so nothing is noticed.
#
# Run it: `python examples/11_trap_left_in_eval_mode.py` (about two seconds).

# %%
import numpy as np
from matplotlib.figure import Figure

import minigan
from minigan import Tensor, nn, optim
from minigan.viz import lesson

steps = 30 if lesson.options("Trap: left in eval mode").quick else 300


def make_net(seed):
    """Two layers with batch norm between, weights drawn from `seed`."""
    draw = np.random.default_rng(seed)
    return nn.Sequential(
        nn.Linear(4, 16, generator=draw), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 2, generator=draw)
    )


def train(net, picture_at, back_to_train):
    """Fit a target, draw a "picture" after step `picture_at`; return the running mean after each step."""
    draw = np.random.default_rng(1)
    optimizer = optim.Adam(net.parameters(), lr=0.03)
    history = []
    for step in range(steps):
        x = Tensor(draw.standard_normal((32, 4), dtype=np.float32) + 1)
        optimizer.zero_grad()
        ((net(x) - 3 * x[:, :2]) ** 2).mean().backward()
        optimizer.step()
        if step == picture_at:
            net.eval()
            with minigan.no_grad():
                net(x)  # the picture
            if back_to_train:
                net.train()
        history.append(net[1].running_mean.numpy().copy())
    return np.array(history)


def normalised(net):
    """Mean and spread of what batch norm passes on, before its own scale and shift, for fresh input."""
    x = Tensor(np.random.default_rng(2).standard_normal((1000, 4), dtype=np.float32) + 1)
    with minigan.no_grad():
        h, norm = net[0](x), net[1]
        passed = (norm(h) - norm.bias) / norm.weight
    return np.abs(passed.numpy().mean(axis=0)).max(), passed.numpy().std(axis=0).max()


# %% [markdown]
# ## Two runs that differ in one line

# %%
good_net, bad_net = make_net(0), make_net(0)
good = train(good_net, picture_at=5, back_to_train=True)
bad = train(bad_net, picture_at=5, back_to_train=False)
assert np.array_equal(good[:6], bad[:6]), "the same run up to the picture"
for name, history, net in (("back to train()", good, good_net), ("left in eval()", bad, bad_net)):
    mean, spread = normalised(net)
    print(f"{name}: running mean moved {np.abs(history[-1] - history[5]).max():.3f} since the picture;")
    print(f"    batch norm passes on means up to {mean:.2f} and spreads up to {spread:.2f} (wanted: 0 and 1)")
assert np.abs(good[-1] - good[5]).max() > 0
assert np.abs(bad[-1] - bad[5]).max() == 0

# %% [markdown]
# The lines are the running means that the layer keeps. After the picture one net goes on learning them, the
# other has stopped. On the right, what the layer passes on for fresh input.

# %%
figure = Figure(figsize=(9, 3), layout="constrained")
left, right = figure.subplots(1, 2)
for history, colour in ((good, "#0072b2"), (bad, "#d55e00")):
    left.plot(history[:, :3], color=colour, linewidth=1)
for net, name in ((good_net, "back to train()"), (bad_net, "left in eval()")):
    fresh = Tensor(np.random.default_rng(2).standard_normal((1000, 4), dtype=np.float32) + 1)
    with minigan.no_grad():
        passed = (net[1](net[0](fresh)) - net[1].bias) / net[1].weight
    right.hist(passed.numpy().ravel(), 60, range=(-5, 5), alpha=0.6, label=name)
left.axvline(5, color="gray", linestyle=":")
left.set(xlabel="step", title="running means of three channels")
right.set(title="what batch norm passes on")
right.legend(frameon=False)
lesson.show(figure, "two_modes.png", "Left in eval mode: frozen statistics, activations that are not normal.")

# %% [markdown]
# In the second run the layer still divides, but by numbers from before the picture. What it passes on
# is no longer normal, and the gradient no longer knows that the statistics depend on the weights.

# %%
assert normalised(good_net)[0] < 1e-3 < normalised(bad_net)[0]

# %% [markdown]
# ## The cure
#
# Do not change the mode of the net that trains. minigan draws its pictures from an averaged *copy* of
# the generator (`optim.EMA`), which lives in evaluation mode all its life; the net in training is never
# touched. Where there is no copy, restore the mode you found:

# %%
net = make_net(0)
was_training = net.training
net.eval()
try:
    picture = net(Tensor(np.zeros((1, 4), np.float32)))
finally:
    net.train(was_training)
assert net.training and all(module.training for module in net.modules())
print("mode restored; the picture:", picture.numpy().round(3))

# %% [markdown]
# ## Exercise
# Does the picture of a latent depend on the others in its batch? In which mode?
#
# <details><summary>Answer</summary>
#
# In train(): mean and variance are the batch's, so it does. In eval() it does not, which is why samples are
# drawn there.
#
# ```python
# draw = np.random.default_rng(5)
# batches = draw.standard_normal((2, 8, 4), dtype=np.float32)
# batches[1, 0] = batches[0, 0]  # the same latent in other company
# alike = {}
# for mode in (True, False):
#     with minigan.no_grad():
#         first, second = (net.train(mode)(Tensor(batch)).numpy()[0] for batch in batches)
#     alike[mode] = np.allclose(first, second, atol=1e-5)
# assert alike == {True: False, False: True}
# ```
#
# </details>

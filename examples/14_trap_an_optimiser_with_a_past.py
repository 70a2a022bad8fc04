# %% [markdown]
# # 14. Trap: an optimiser with a past
#
# Adam remembers. It keeps an average of the gradients, an average of their squares, and a step count
# that corrects both while they are young. A notebook that builds one `Adam` in an early cell and uses it
# for experiment after experiment hands each new net the momentum of the last one, scaled for gradients
# that no longer exist.
#
# Run it: `python examples/14_trap_an_optimiser_with_a_past.py` (about a second).

# %%
import numpy as np

from minigan import Tensor, optim
from minigan.viz import lesson

steps = 50 if lesson.options("Trap: an optimiser with a past").quick else 500


def experiment(w, optimizer, bottom, steps):
    """Descend (w - bottom)^2 from 0; return the trail."""
    w.copy_(np.zeros(1))
    trail = []
    for _ in range(steps):
        optimizer.zero_grad()
        ((w - bottom) ** 2).sum().backward()
        optimizer.step()
        trail.append(w.item())
    return np.array(trail)


# %% [markdown]
# ## A fresh Adam
#
# Its first step has the length of the learning rate, whatever the gradient: `m / sqrt(v)` is then
# `g / |g|` (Kingma and Ba, arXiv 1412.6980, section 2.1).

# %%
w = Tensor(np.zeros(1, np.float32), requires_grad=True)
optimizer = optim.Adam([w], lr=0.1)
fresh = experiment(w, optimizer, bottom=-1.0, steps=5)
print("fresh  :", fresh.round(3))
assert np.isclose(fresh[0], -0.1, rtol=1e-4)

# %% [markdown]
# ## The same experiment with a used one
#
# First an experiment whose bottom lies far to the right, then the one above, with the weights drawn anew
# and the optimiser not.

# %%
optimizer = optim.Adam([w], lr=0.1)
experiment(w, optimizer, bottom=100.0, steps=steps)
used = experiment(w, optimizer, bottom=-1.0, steps=5)
print("used   :", used.round(3), "(the wrong way)")
assert used[0] > 0 and fresh[0] < 0

# %% [markdown]
# The gradient at 0 is the same in both; what differs is the average of the past that it is mixed into.

# %%
longer = experiment(w, optim.Adam([w], lr=0.1), bottom=-1.0, steps=60)
optimizer = optim.Adam([w], lr=0.1)
experiment(w, optimizer, bottom=100.0, steps=steps)
astray = experiment(w, optimizer, bottom=-1.0, steps=60)
figure = lesson.lines({"a fresh Adam": longer, "one with a past": astray}, y="w (the bottom is at -1)")
assert astray.max() > 0.5 > 0 > longer.max()
lesson.show(figure, "past.png", "The used optimiser first runs the wrong way, and for long.")

# %% [markdown]
# ## The cure
#
# A new experiment gets a new optimiser. And a run that is *continued* needs the opposite: its own
# moments and step count back, or the first steps after each pause go wrong. minigan's checkpoints hold
# them.

# %%
again = experiment(w, optim.Adam([w], lr=0.1), bottom=-1.0, steps=5)
assert np.array_equal(again, fresh)
print("new one:", again.round(3))

# %% [markdown]
# ## Exercise
# Adam keeps 0.9 of its mean of gradients at each step and 0.999 of its mean of squares. How long does each
# remember?
#
# <details><summary>Answer</summary>
#
# After 44 steps a hundredth of the mean is left, of the squares after 4,603. So the wrong direction is soon
# over, but squares from large gradients keep the steps short for thousands of steps.
#
# ```python
# assert 0.9**44 < 0.01 < 0.9**43 and 0.999**4603 < 0.01 < 0.999**4602
# ```
#
# </details>

# %% [markdown]
# # 12. Trap: decay of what?
#
# A recipe from Keras says `Adam(lr, decay=8e-9)`. Ported to PyTorch it becomes
# `Adam(lr, weight_decay=8e-9)`. The words match and the meaning does not:
#
# * Keras' old `decay` makes the *learning rate* fall: `lr / (1 + decay * step)`;
# * `weight_decay` pulls the *weights* towards zero at every step.
#
# With 8e-9 neither does anything one could measure, which is why the mistake lives on. With a number
# that matters, the two go different ways.
#
# Run it: `python examples/12_trap_decay_of_what.py` (about two seconds).

# %%
import numpy as np

from minigan import Tensor, optim
from minigan.viz import lesson

steps = 600 if lesson.options("Trap: decay of what?").quick else 2000

# %% [markdown]
# ## How small is 8e-9?

# %%
left = 1 / (1 + 8e-9 * 100_000)
print(f"after 100,000 steps the learning rate is {left:.2%} of what it was")
assert left > 0.999

# %% [markdown]
# ## The same word with a number that matters
#
# Find the bottom of `(w - 3)^2`, from 0, with noisy gradients. The right answer is 3.


# %%
def descend(learning_rate, weight_decay=0.0):
    """Return the trail of w; `learning_rate(step)` gives the step size."""
    generator = np.random.default_rng(0)
    w = Tensor(np.zeros(1, np.float32), requires_grad=True)
    optimizer = optim.SGD([w], lr=learning_rate(0), weight_decay=weight_decay)
    trail = []
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = learning_rate(step)
        optimizer.zero_grad()
        ((w - 3) ** 2 + w * float(generator.normal())).sum().backward()
        optimizer.step()
        trail.append(w.item())
    return np.array(trail)


decay = 0.1
plain = descend(lambda step: 0.1)
slower = descend(lambda step: 0.1 / (1 + decay * step))
pulled = descend(lambda step: 0.1, weight_decay=decay)
trails = {"no decay": plain, "learning-rate decay": slower, "weight decay": pulled}
figure = lesson.lines(trails, y="w")
plain, slower, pulled = (trail[steps // 2 :] for trail in trails.values())  # when they have arrived
for name, trail in zip(trails, (plain, slower, pulled), strict=True):
    print(f"{name:>20}: mean {trail.mean():.3f}, wobble {trail.std():.3f}")
lesson.show(figure, "decays.png", "Three trails towards 3: one calms down there, one arrives elsewhere.")

# %% [markdown]
# The falling learning rate calms the wobble and keeps the answer. Weight decay keeps the wobble and
# moves the answer, to `2 * 3 / (2 + decay)`, where its pull and the slope balance.

# %%
assert slower.std() < plain.std() / 2
assert abs(pulled.mean() - 2 * 3 / (2 + decay)) < 0.1

# %% [markdown]
# ## Exercise
# Which weight decay moves the answer from 3 to 1.5?
#
# <details><summary>Answer</summary>
#
# 2: the pull 2 w and the slope 2 (w - 3) balance where w is half of 3.
#
# ```python
# trail = descend(lambda step: 0.1, weight_decay=2.0)[steps // 2 :]
# assert abs(trail.mean() - 1.5) < 0.1
# ```
#
# </details>

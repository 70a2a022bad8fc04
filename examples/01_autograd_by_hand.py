# %% [markdown]
# # 1. Autograd by hand
#
# A network is a formula, and training it needs the derivative of that formula with respect to every
# weight. This lesson takes one small formula, differentiates it with pencil and chain rule, and then
# lets minigan do the same. Nothing else in the library is more than this, repeated.
#
# Run it: `python examples/01_autograd_by_hand.py` (about a second).

# %%
import argparse

import numpy as np

import minigan
from minigan import Tensor

parser = argparse.ArgumentParser(description="Autograd by hand")
parser.add_argument("--quick", action="store_true", help="fewer steps (the tests run this)")
quick = parser.parse_args().quick

# %% [markdown]
# ## The formula
#
# One neuron with two inputs and a squared error: `loss = (tanh(w . x + b) - target)^2`.

# %%
x = np.array([0.5, -1.0])
w = np.array([0.8, 0.3])
b, target = 0.1, 0.9

s = w @ x + b  # the weighted sum
y = np.tanh(s)  # the neuron's answer
loss = (y - target) ** 2

# %% [markdown]
# ## Backwards, one link at a time
#
# Start at the end with `d loss / d loss = 1` and walk back. Each line multiplies by the derivative of
# one step: that product is the chain rule, and the order of the walk is all that "reverse mode" means.

# %%
g_y = 2 * (y - target)  # d loss / d y
g_s = g_y * (1 - y**2)  # tanh' = 1 - tanh^2
g_w = g_s * x  # s = w . x + b is linear in w ...
g_x = g_s * w  # ... and in x ...
g_b = g_s  # ... and in b

# %% [markdown]
# ## The same, by minigan
#
# Each operation leaves a record of its inputs behind. `backward` visits the records, newest first.

# %%
wt = Tensor(w, requires_grad=True)
bt = Tensor(np.array(b), requires_grad=True)
out = minigan.ops.tanh((wt * Tensor(x)).sum() + bt)
loss_t = (out - target) ** 2
loss_t.backward()

print("by hand :", g_w, g_b)
print("minigan :", wt.grad.numpy(), bt.grad.numpy())
assert np.allclose(wt.grad.numpy(), g_w) and np.allclose(bt.grad.numpy(), g_b)

# %% [markdown]
# What the walk visits, newest first: an operation is created after those it reads from, so the order of
# creation, reversed, never arrives anywhere too early. The forward lines among the backward ones are the
# operations that the derivatives are made of.

# %%
records = []
with minigan.observe(lambda phase, op, result, seconds: records.append(f"{phase:8} {op.name}")):
    ((minigan.ops.tanh((wt * Tensor(x)).sum() + bt) - target) ** 2).backward()
print("\n".join(records))
forward = [line.split()[1] for line in records if line.startswith("forward")]
backward = [line.split()[1] for line in records if line.startswith("backward")]
assert backward[0] == forward[len(backward) - 1], "the last operation is differentiated first"

# %% [markdown]
# ## Is it right? Ask the formula itself
#
# A derivative says how the loss moves when a weight moves a little. So move one a little, both ways,
# and look. The error of this central difference falls with the square of the step until rounding
# takes over, so about 1e-6 is a good step in double precision.


# %%
def loss_of(w):
    return (np.tanh(w @ x + b) - target) ** 2


step = 1e-6
measured = [(loss_of(w + step * e) - loss_of(w - step * e)) / (2 * step) for e in np.eye(2)]
print("measured:", np.array(measured))
assert np.allclose(measured, g_w, atol=1e-8)

# %% [markdown]
# ## Learn
#
# Gradient descent: step against the gradient, look again. Forget `w.grad = None` and the gradients of
# all steps pile up, because `backward` *adds*: that is what makes sharing a weight work.

# %%
losses = []
for _ in range(20 if quick else 200):
    wt.grad = bt.grad = None
    loss_t = (minigan.ops.tanh((wt * Tensor(x)).sum() + bt) - target) ** 2
    loss_t.backward()
    wt.array -= 0.2 * wt.grad.array
    bt.array -= 0.2 * bt.grad.array
    losses.append(loss_t.item())
print(f"loss {losses[0]:.4f} -> {losses[-1]:.2e}")
assert losses[-1] < losses[0] / 10

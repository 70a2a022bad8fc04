# %% [markdown]
# # 44. Two processes, one step
#
# A batch of 64 pictures may be shared by two processes of 32, and the networks learn exactly what they
# would have learnt from 64. The reason is one line long: **a loss is a mean, and a derivative is
# linear.**
#
#     L(w) = 1/64 sum over 64 pictures = 1/2 ( 1/32 sum over the first 32 + 1/32 sum over the others )
#     dL/dw =                            1/2 ( gradient of rank 0         + gradient of rank 1       )
#
# So each process (MPI says *rank*) goes forward and back through its own half, the gradients are added up
# and halved, and both take the same step of Adam. Equal weights plus equal gradients give equal weights:
# nothing but one sum of gradients a phase has to travel. Goyal et al., arXiv 1706.02677, section 2.3.
#
# Run it: `python examples/44_two_processes_one_step.py` (about five seconds).

# %%
import numpy as np

from minigan import Tensor, nn, ops, optim
from minigan.viz import lesson

STEPS = 3 if lesson.options("Two processes, one step").quick else 200
BATCH, RANKS = 64, 2

draw = np.random.default_rng(0)
pictures = draw.standard_normal((STEPS, BATCH, 1, 8, 8)).astype(np.float32)
labels = (pictures.mean(axis=(2, 3, 4)) > 0).astype(np.float32)


def network(norm=False):
    """Build a small judge of pictures, always with the same weights."""
    rng = np.random.default_rng(7)
    middle = [nn.BatchNorm2d(8)] if norm else []
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1, generator=rng), *middle, nn.LeakyReLU(0.2), nn.Flatten(),
        nn.Linear(8 * 8 * 8, 1, generator=rng), nn.Flatten(0),
    )  # fmt: skip


# %% [markdown]
# ## One step, by one and by two
# Here both ranks live in one process, one after the other, which changes no number.


# %%
def gradients(net, step, rows):
    """Go forward and back through some rows of a batch."""
    net.zero_grad()
    logits = net(Tensor(pictures[step, rows]))
    ops.binary_cross_entropy_with_logits(logits, Tensor(labels[step, rows])).backward()
    return [parameter.grad.numpy().copy() for parameter in net.parameters()]


def apart(one, other):
    """Return the largest difference, beside the largest number."""
    largest = max(np.abs(x).max() for x in one)
    return max(np.abs(x - y).max() for x, y in zip(one, other, strict=True)) / largest


halves = [slice(rank * BATCH // RANKS, (rank + 1) * BATCH // RANKS) for rank in range(RANKS)]
net = network()
whole = gradients(net, 0, slice(None))
shared = [sum(parts) / RANKS for parts in zip(*(gradients(net, 0, rows) for rows in halves), strict=True)]
print(f"gradients of one process and of two, relative difference: {apart(whole, shared):.1e}")

# %% [markdown]
# The difference is rounding: the same 64 numbers, added in another order.
#
# ## And after many steps?
# The weights of both ways stay close, not equal to the bit. (Adam divides each gradient by its own size:
# where one is next to nothing, as in a GAN that has settled, its rounding may decide a whole step.)


# %%
def train(split, norm=False):
    """Train on whole batches, or on averages over the halves of each."""
    net = network(norm)
    adam = optim.Adam(net.parameters(), lr=2e-4)
    for step in range(STEPS):
        parts = [gradients(net, step, rows) for rows in (halves if split else [slice(None)])]
        for parameter, *found in zip(net.parameters(), *parts, strict=True):
            parameter.grad = Tensor(sum(found) / len(found))
        adam.step()
    return [parameter.numpy() for parameter in net.parameters()]


after = apart(train(False), train(True))
print(f"weights after {STEPS} steps: {after:.1e}")

# %% [markdown]
# ## What breaks it
# Everything that looks at more than one picture. Batch norm takes mean and variance of the pictures that
# it sees: of 32 instead of 64. That is another network, not a rounding (PyTorch's data parallel training
# does the same).

# %%
broken = apart(train(False, norm=True), train(True, norm=True))
print(f"with batch norm: {broken:.1e}")
assert apart(whole, shared) < 1e-5 and broken > after
found = {"one gradient": apart(whole, shared), f"{STEPS} steps": after, "with batch norm": broken}
figure = lesson.bars(found, x="relative difference between one process and two", log=True)
lesson.show(figure, "two_processes.png", "Rounding, rounding after many steps, and another network.")

# %% [markdown]
# ## Random numbers
# Latents, dropout and noise must be those of the one process too: every rank draws the numbers of the
# whole batch from the same stream and keeps its rows.

# %%
everyones = np.random.default_rng(3).standard_normal((BATCH, 5))
kept = [np.random.default_rng(3).standard_normal((BATCH, 5))[rows] for rows in halves]
same = np.array_equal(np.concatenate(kept), everyones)
print("latents:", same)
assert same

# %% [markdown]
# `minigan/gan/team.py` is all of this for real processes, with nets, noise and penalties:
#
#     mpiexec -n 2 minigan train dcgan --data glyphs --minutes 2 --out runs/shared

# %% [markdown]
# ## Exercise
# One rank has 48 pictures of the batch, the other 16. What do you do with their gradients?
#
# <details><summary>Answer</summary>
#
# Weight them by their share, three quarters and one quarter: each is a mean over its own pictures. Plain
# halves would count some pictures three times as much as others.
#
# ```python
# parts = [gradients(net, 0, rows) for rows in (slice(0, 48), slice(48, 64))]
# pairs = list(zip(*parts, strict=True))
# shares = [0.75 * most + 0.25 * few for most, few in pairs]
# halved = [(most + few) / 2 for most, few in pairs]
# assert apart(whole, shares) < 1e-5 < apart(whole, halved)
# ```
#
# </details>

# %% [markdown]
# # 13. Trap: iterations called epochs, slices called batches
#
# A common training loop reads
#
#     for epoch in range(1000):
#         batch = images[epoch * 20 : (epoch + 1) * 20]
#
# Two mistakes in two lines. One pass of that loop is one *step*, not an epoch, so a thousand of them see
# 20,000 pictures once. And the slice takes neighbours: if the file is sorted by class, or by day, or by
# camera, the discriminator sees one kind of picture at a time and learns, again and again, to recognise
# that one.
#
# Run it: `python examples/13_trap_iterations_are_not_epochs.py` (about a second).

# %%
import numpy as np

from minigan import data
from minigan.viz import lesson

count = 2_000 if lesson.options("Trap: iterations are not epochs").quick else 60_000

labels = np.sort(np.random.default_rng(0).integers(0, 10, count))  # a file sorted by class
images = np.arange(count, dtype=np.float32).reshape(count, 1)  # each picture is its own number

# %% [markdown]
# ## What the loop sees

# %%
batch, loops = 20, count // 60  # the proportions of the example above
seen = np.concatenate([images[i * batch : (i + 1) * batch, 0] for i in range(loops)])
kinds = np.mean([len(set(labels[i * batch : (i + 1) * batch])) for i in range(loops)])
print(f'{loops} "epochs" saw {len(set(seen)) / count:.0%} of the pictures once, the rest never,')
print(f"{kinds:.1f} kinds of picture in a batch and {len(set(labels[: loops * batch]))} kinds in all")
assert len(set(seen)) < 0.4 * count and kinds < 2

# %% [markdown]
# ## What a loader sees
#
# An epoch is a pass over the whole set, in an order drawn anew each time.

# %%
loader = data.Loader(images, labels, batch_size=batch, seed=0)
first = list(loader)
second = list(loader)
seen = np.concatenate([pictures[:, 0] for pictures, _ in first])
kinds = np.mean([len(set(kind)) for _, kind in first])
print(f"one epoch, {len(first)} steps, saw {len(set(seen)) / count:.0%} of the pictures,")
print(f"{kinds:.1f} kinds in a batch")
assert len(first) == count // batch and len(set(seen)) == count
assert kinds > 7
assert not np.array_equal(first[0][0], second[0][0]), "another order in the next epoch"

# %% [markdown]
# ## The two side by side
#
# A row is a batch, a colour a class. On the left nothing but the next class ever comes; on the right every
# row has a bit of everything.

# %%
rows = 60
sliced = labels[: rows * batch].reshape(rows, batch)
loaded = np.stack([kind for _, kind in first[:rows]])
shown = {"slices of a sorted file": sliced, "a loader's batches": loaded}
figure = lesson.panels(shown, columns=2, cmap="tab10", width=5, vmin=0, vmax=9)
assert len(np.unique(loaded)) == 10 > len(np.unique(sliced))
lesson.show(figure, "batches.png", "Sixty batches of twenty, each picture in the colour of its class.")

# %% [markdown]
# ## And its place can be kept
#
# Seed, epoch and position say everything about the order, so an interrupted run goes on with exactly
# the batches it would have had.

# %%
loader = data.Loader(images, labels, batch_size=batch, seed=0)
for _ in range(7):
    loader.next_batch()
place = loader.state_dict()
later = data.Loader(images, labels, batch_size=batch, seed=0)
later.load_state_dict(place)
assert np.array_equal(loader.next_batch()[0], later.next_batch()[0])
print("taken up again at", {name: place[name] for name in ("epoch", "position")})

# %% [markdown]
# ## Exercise
# How many steps are ten epochs of 60,000 pictures in batches of 20, and how many epochs was the loop at the
# top?
#
# <details><summary>Answer</summary>
#
# 30,000 steps; a thousand steps are a third of one epoch.
#
# ```python
# assert 10 * len(first) == 10 * count // batch
# assert 10 * 60_000 // 20 == 30_000 and 1000 * 20 / 60_000 < 0.34
# ```
#
# </details>

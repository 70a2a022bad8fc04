# %% [markdown]
# # 10. Trap: a frozen net that is not
#
# The generator learns through the discriminator: the picture goes through D, the gradient comes back
# through D, and only G may move. Two things are often believed to keep D out of it, and neither does:
#
# * giving the optimiser G's parameters only: D does not move, but D's gradients are still computed
#   (a third of the work of the step, for nothing) and still *added* to `.grad`, where D's own next step
#   finds them;
# * `D.eval()`: that changes how batch norm and dropout behave. It freezes nothing.
#
# What freezes is `requires_grad_(False)`.
#
# Run it: `python examples/10_trap_a_frozen_net_that_is_not.py` (about a second).

# %%
import numpy as np

import minigan
from minigan import Tensor, nn, ops
from minigan.viz import graph_svg, lesson

width = 16 if lesson.options("Trap: a frozen net that is not").quick else 256

generator = np.random.default_rng(0)
G = nn.Sequential(nn.Linear(8, width), nn.LeakyReLU(0.2), nn.Linear(width, 2))
D = nn.Sequential(
    nn.Linear(2, width), nn.LeakyReLU(0.2), nn.Linear(width, width), nn.LeakyReLU(0.2), nn.Linear(width, 1)
)
z = Tensor(generator.standard_normal((32, 8), dtype=np.float32))
wanted = Tensor(np.ones((32, 1), np.float32))


def generator_step():
    """One backward pass of G's loss; return the parameters of D that got a gradient, and the work done."""
    for parameter in [*G.parameters(), *D.parameters()]:
        parameter.grad = None
    products = []
    with minigan.observe(lambda phase, op, *_: products.append(op.name) if phase == "backward" else None):
        ops.binary_cross_entropy_with_logits(D(G(z)), wanted).backward()
    touched = [name for name, parameter in D.named_parameters() if parameter.grad is not None]
    assert all(parameter.grad is not None for parameter in G.parameters())
    return touched, len(products)


# %% [markdown]
# ## As it is usually written

# %%
touched, _ = generator_step()
print("nothing done     : D collects gradients in", touched)
assert len(touched) == 6

# %% [markdown]
# ## With eval()

# %%
D.eval()
touched, _ = generator_step()
D.train()
print("D.eval()         : D collects gradients in", touched)
assert len(touched) == 6

# %% [markdown]
# ## Really frozen
#
# No gradient, and no work: an operation asks `needs(i)` before it computes the gradient of input i.

# %%
D.requires_grad_(False)
touched, _ = generator_step()
D.requires_grad_(True)
print("requires_grad_() : D collects gradients in", touched)
assert touched == []

# %% [markdown]
# ## The two graphs
#
# What needs no gradient is not recorded. So the graph of the frozen step has no leaf that belongs to D.

# %%
small = ops.leaky_relu(D[0](G(z)), 0.2).mean()  # the beginning of D is enough
names = {f"G {name}": p for name, p in G.named_parameters()}
names |= {f"D {name}": p for name, p in D.named_parameters()}
free = graph_svg(small, names)
lesson.show(free, "free.svg", "D as it is: its weights are leaves of G's step and collect gradients.")

# %%
D.requires_grad_(False)
frozen = graph_svg(ops.leaky_relu(D[0](G(z)), 0.2).mean(), names)
D.requires_grad_(True)
assert "D 0.weight" in free and "D 0.weight" not in frozen
lesson.show(frozen, "frozen.svg", "D frozen: only G's weights are leaves; the way still leads through D.")

# %% [markdown]
# ## What the left-over gradient does
#
# Forget to clear it, and D's next step goes partly in the direction that *fools* D.

# %%
real = Tensor(generator.standard_normal((32, 2), dtype=np.float32))


def discriminator_gradient(clear):
    """The gradient D's optimiser sees for its first layer, after a generator step without freezing."""
    generator_step()
    if clear:
        for parameter in D.parameters():
            parameter.grad = None
    with minigan.no_grad():
        fake = G(z)
    loss = ops.binary_cross_entropy_with_logits(D(real), wanted)
    loss = loss + ops.binary_cross_entropy_with_logits(D(fake), 1 - wanted)
    loss.backward()
    return D[0].weight.grad.numpy().ravel()


clean, polluted = discriminator_gradient(clear=True), discriminator_gradient(clear=False)
cosine = clean @ polluted / np.linalg.norm(clean) / np.linalg.norm(polluted)
print(f"angle between D's gradient and the polluted one: {np.degrees(np.arccos(cosine)):.0f} degrees")
assert cosine < 0.999

# %% [markdown]
# ## Exercise
# Somebody writes `D(G(z).detach())` in the generator's step, to be safe. What does G learn?
#
# <details><summary>Answer</summary>
#
# Nothing: no gradient reaches it, and the loss looks as always. `detach` belongs into D's step, where it
# keeps G out; in G's step it is D that stays out, by being frozen.
#
# ```python
# for parameter in G.parameters():
#     parameter.grad = None
# ops.binary_cross_entropy_with_logits(D(G(z).detach()), wanted).backward()
# assert all(parameter.grad is None for parameter in G.parameters())
# ```
#
# </details>

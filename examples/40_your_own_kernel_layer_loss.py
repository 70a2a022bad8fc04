# %% [markdown]
# # 40. Your own kernel, layer and loss
#
# **Question: where do I put what minigan does not have?**
#
# Three parts, each as small as it can be and each checked. (An operation of your own is lesson 4; data and
# model are lesson 43, which trains with the loss from here.)
#
# Run it: `python examples/40_your_own_kernel_layer_loss.py` (about a second).

# %%
import numpy as np
from matplotlib.figure import Figure

from minigan import Op, Tensor, kernels, nn, ops
from minigan.backend import namespace
from minigan.gan import losses
from minigan.kernels import kernel
from minigan.testing import gradcheck
from minigan.viz import lesson

quick = lesson.options("Your own kernel, layer and loss").quick
draw = np.random.default_rng(0)

# %% [markdown]
# ## An operation with a kernel
# The definition says what is true. The kernel says the same, faster: here it saves an array by working in
# place on its own. It is registered for the class and the device, and nobody above has to know.


# %%
class Bend(Op):
    """(any shape) -> same: x / sqrt(1 + x^2), a softer tanh; derivative (1 + x^2)^(-3/2)."""

    keeps = (0,)

    def forward(self, x):
        return x / namespace(x).sqrt(1 + x * x)

    def backward(self, g):
        return g * (1 + self.input(0) ** 2) ** -1.5


@kernel(Bend, "numpy")
def bend(op, x):
    """The same with one array instead of three."""
    y = x * x
    y += 1
    np.sqrt(y, out=y)
    return np.divide(x, y, out=y)


x = Tensor(draw.standard_normal((64, 1000)).astype(np.float32))
fast = Bend()(x).numpy()
with kernels.off():
    assert np.allclose(fast, Bend()(x).numpy(), rtol=1e-6)
print(told := kernels.explain(lambda x: Bend()(x), x))
assert ".bend" in told and gradcheck(lambda x: Bend()(x), draw.standard_normal((3, 4)))

# %% [markdown]
# ## A layer
# A class with parameters and a `forward`. `gradcheck` checks its parameters too.


# %%
class ScaledBend(nn.Module):
    """(N, features) -> same: scale * bend(x), with a scale for each feature."""

    def __init__(self, features):
        super().__init__()
        self.scale = nn.Parameter(np.ones(features, np.float32))

    def forward(self, x):
        return Bend()(x) * self.scale


print(report := gradcheck(ScaledBend(4), draw.standard_normal((3, 4))))
assert report

# %% [markdown]
# ## A loss
# A pair of functions of D's logits. This one is the squared hinge: like the hinge, without its corner.


# %%
def d_loss(real, fake):
    """relu(1 - D(x))^2 + relu(1 + D(G(z)))^2, a mean over the batch."""
    return (ops.relu(1.0 - real) ** 2).mean() + (ops.relu(fake + 1.0) ** 2).mean()


squared_hinge = losses.Loss("squared-hinge", d_loss, lambda fake, real=None: -fake.mean())
assert gradcheck(d_loss, (draw.standard_normal(5), draw.standard_normal(5)))

# %%
line = np.linspace(-4, 4, 161)
left, right = (figure := Figure(figsize=(9, 3), layout="constrained")).subplots(1, 2)
left.plot(line, np.stack([Bend()(Tensor(line)).numpy(), np.tanh(line)], 1), label=("bend", "tanh"))
far, logits = Tensor(np.full(1, -9.0)), [Tensor(np.full(1, logit)) for logit in line]
for name, loss in (("squared hinge", d_loss), ("hinge", losses.hinge_d)):
    right.plot(line, [loss(logit, far).item() for logit in logits], label=name)
right.set(title="loss of a real point by its logit", ylim=(0, 8))
for axis in (left, right):
    axis.legend(frameon=False)
lesson.show(figure, "own_parts.png", "The operation beside tanh, and the loss beside the hinge.")

# %% [markdown]
# ## Exercise
# Break the kernel (forget the `1`). Which of the checks on this page notices?
#
# <details><summary>Answer</summary>
#
# The comparison with `kernels.off()`. `gradcheck` sees it too: the derivative belongs to another function.
#
# ```python
# wrong = x.array / np.sqrt(x.array * x.array)
# assert not np.allclose(wrong, fast)
# ```
#
# </details>

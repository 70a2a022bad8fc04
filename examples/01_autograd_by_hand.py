# %% [markdown]
# # 1. Autograd by hand
#
# A network is a formula, and training it needs the derivative of that formula with respect to every
# weight. This lesson takes one small formula, differentiates it with pencil and chain rule, and then
# lets minigan do the same. Nothing else in the library is more than this, repeated.
#
# Run it: `python examples/01_autograd_by_hand.py` (about a second).

# %%
import numpy as np
from matplotlib.figure import Figure

import minigan
from minigan import Tensor
from minigan.viz import graph_svg, lesson

quick = lesson.options("Autograd by hand").quick

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
# The same as a picture: values flow to the right (above the edges), gradients flow back along the same edges
# (below them). Each gradient is the one to its right times the slope of the box between.

# %%
nodes = {  # name: (across, up)
    f"w1 = {w[0]}": (0, 2.2), f"x1 = {x[0]}": (0, 1), f"w2 = {w[1]}": (0, 0.2), f"x2 = {x[1]}": (0, -1),
    "times": (1, 1.6), "times ": (1, -0.4), f"b = {b}": (1, -1.4), "plus": (2, 0.5), "tanh": (3, 0.5),
    f"- {target}": (4, 0.5), "square": (5, 0.5), "loss": (6, 0.5),
}  # fmt: skip
edges = zip(
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10], [4, 4, 5, 5, 7, 7, 7, 8, 9, 10, 11],
    [w[0], x[0], w[1], x[1], w[0] * x[0], w[1] * x[1], b, s, y, y - target, loss],
    [g_w[0], g_x[0], g_w[1], g_x[1], g_s, g_s, g_b, g_s, g_y, g_y, 1.0], strict=True,
)  # fmt: skip
figure = Figure(figsize=(10, 4.2), layout="constrained")
axis = figure.subplots()
axis.set_axis_off()
places = list(nodes.values())
for start, end, value, gradient in edges:
    (ax, ay), (bx, by) = places[start], places[end]
    axis.annotate("", (bx - 0.2, by), (ax + 0.2, ay), arrowprops={"arrowstyle": "->", "color": "gray"})
    middle = (0.55 * ax + 0.45 * bx, 0.55 * ay + 0.45 * by)
    axis.text(middle[0], middle[1] + 0.07, f"{value:.3g}", color="#0072b2", ha="center", va="bottom")
    axis.text(middle[0], middle[1] - 0.07, f"{gradient:.3g}", color="#d55e00", ha="center", va="top")
for name, (across, up) in nodes.items():
    axis.text(across, up, name.strip(), ha="center", va="center", bbox={"fc": "#fdf1dc", "boxstyle": "round"})
axis.set(xlim=(-0.4, 6.4), ylim=(-1.7, 2.5))
lesson.show(figure, "neuron.png", "One neuron: values forward in blue, gradients backward in orange.")

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
# minigan draws the records that a result stands on. What needs no gradient (x, the target) left no record.

# %%
loss_t = (minigan.ops.tanh((wt * Tensor(x)).sum() + bt) - target) ** 2
drawing = graph_svg(loss_t, {"w": wt, "b": bt})
assert drawing.count("<rect") == 9, "the ground, two leaves and six operations"
lesson.show(drawing, "neuron_graph.svg", "The graph that minigan recorded: leaves blue, operations yellow.")

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
lesson.show(lesson.lines({"loss": losses}, log=True), "neuron_loss.png", "The loss while the neuron learns.")

# %% [markdown]
# ## Exercise
# Start at w = (20, 0). The neuron says 1 where 0.9 is wanted. How much does it learn in a step?
#
# <details><summary>Answer</summary>
#
# Nothing: at s = 10.1 tanh is flat, so its slope 1 - tanh^2 is about 1e-8, and every gradient to the left
# of it is multiplied by that. A sure neuron is hard to change, right or wrong.
#
# ```python
# far = Tensor(np.array([20.0, 0.0]), requires_grad=True)
# ((minigan.ops.tanh((far * Tensor(x)).sum() + b) - target) ** 2).backward()
# assert np.abs(far.grad.numpy()).max() < 1e-7
# ```
#
# </details>

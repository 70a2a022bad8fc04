# %% [markdown]
# # 17. Trap: the net is built again at every step
#
# The network and the targets of style transfer never change, so they belong before the loop. Inside the
# loss function, where notebooks like to put them, they are made again a thousand times: the file is read,
# weights are converted, and the style and content pictures go through the network at each step, for
# numbers known before.
#
# Run it: `python examples/17_trap_the_net_built_again.py` (about three seconds).

# %%
import time

import numpy as np
from matplotlib.figure import Figure

from minigan import Tensor
from minigan.style import Settings, open_features
from minigan.style.objective import Objective
from minigan.viz import lesson

size = 32 if lesson.options("Trap: the net is built again at every step").quick else 128
generator = np.random.default_rng(0)
painting, content, style = (generator.random((3, size, size), np.float32) for _ in range(3))
plan = Settings(size=size)


def seconds(step, count=3):
    """The quickest of ``count`` calls."""
    times = []
    for _ in range(count):
        start = time.perf_counter()
        step()
        times.append(time.perf_counter() - start)
    return min(times)


# %% [markdown]
# ## As it is usually written

# %%
built = []


def careless():
    """A loss that makes everything it needs."""
    built.append(open_features("random"))
    return Objective(built[-1], plan, content, [style], [1.0], [None])(painting[None])


slow = seconds(careless)
print(f"{1000 * slow:.0f} ms a step, {len(built)} networks for {len(built)} steps")

# %% [markdown]
# ## The cure
#
# Build once, call often. The value is the same to the last bit.

# %%
function = Objective(open_features("random"), plan, content, [style], [1.0], [None])
quick = seconds(lambda: function(painting[None]))
print(f"{1000 * quick:.0f} ms a step")
assert quick < slow
assert function(painting[None]).total == careless().total
figure = Figure(figsize=(7, 1.8), layout="constrained")
axis = figure.subplots()
axis.barh(["built once", "built at each step"], [1000 * quick, 1000 * slow], color=["#0072b2", "#d55e00"])
axis.set_xlabel("milliseconds a step")
lesson.show(figure, "built_again.png", "The same loss, to the last bit, at two prices.")

# %% [markdown]
# ## What else is gained
#
# A frozen weight can be prepared for the convolution once and kept (`Tensor.cache`), and its gradient is
# never computed: only the picture asks for one.

# %%
weight = function.extractor.weights["conv1_1.weight"]
assert not weight.requires_grad and weight.grad is None
x = Tensor(painting[None], requires_grad=True)
function.extractor(x, ("relu1_1",))["relu1_1"].sum().backward()
assert weight.grad is None and x.grad is not None
print("only the picture has a gradient:", x.grad.shape)

# %% [markdown]
# ## Exercise
# How many of the careless loss's convolutions, forward and back, are needed at a step?
#
# <details><summary>Answer</summary>
#
# About half, 16 of 31: eight forward and eight back for the painting, which has changed. The other 15 take
# the content and the style through the network, to numbers known before.
#
# ```python
# import minigan
#
#
# def convolutions(step):
#     seen = []
#     with minigan.observe(lambda phase, op, *_: seen.append((phase, op.name.lower()))):
#         step()
#     return sum(phase == "forward" and "conv" in name for phase, name in seen)
#
#
# assert convolutions(careless) == 31
# assert convolutions(lambda: function(painting[None])) == 16
# ```
#
# </details>

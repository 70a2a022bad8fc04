# %% [markdown]
# # 4. Your own operation, and proof that it is right
#
# An operation is a class with two methods. `forward` sees arrays and computes; `backward` gets the
# gradient of the result and returns the gradient of each input, written with Tensor operations. Those
# record themselves when asked, so the second derivative comes for free.
#
# The example is softsign, `x / (1 + |x|)`, whose derivative is `1 / (1 + |x|)^2`.
#
# Run it: `python examples/04_your_own_operation.py` (about six seconds).

# %%
from dataclasses import replace

import numpy as np
from matplotlib.figure import Figure

import minigan
from minigan import Op, Tensor
from minigan.backend import namespace
from minigan.testing import OpCase, check_op
from minigan.testing.oracles import one_by_one
from minigan.testing.strategies import array_samples  # draws with hypothesis
from minigan.viz import lesson

examples = 5 if lesson.options("Your own operation").quick else 100

# %% [markdown]
# ## The class
#
# `keeps` lists the inputs whose values the derivative reads; everything else is freed after the forward
# pass. `namespace(x)` is numpy or cupy, whichever holds x.


# %%
class Softsign(Op):
    """(any shape) -> same: x / (1 + |x|); derivative 1 / (1 + |x|)^2."""

    keeps = (0,)

    def forward(self, x):
        return x / (1 + namespace(x).abs(x))

    def backward(self, g):
        return g / (1 + abs(self.input(0))) ** 2


x = Tensor(np.linspace(-2, 2, 5), requires_grad=True)
y = Softsign()(x)
y.sum().backward()
print("softsign  :", y.numpy().round(3))
print("derivative:", x.grad.numpy().round(3))

# %% [markdown]
# ## The record, and the check
#
# A record says what is true: what to call, on what, and what must come out, by a formula that is not the
# code under test. `check_op` draws inputs and holds value, both derivatives, memory layouts and float32
# to it. Put such records into a file as the list `CASES`, and `minigan gradcheck --cases FILE` prints a
# table of them.

# %%
CASE = OpCase(
    "softsign",
    lambda x: Softsign()(x),
    array_samples(),  # of any shape, on both sides of zero
    oracle=one_by_one(lambda number: number / (1 + abs(number))),
    covers=(Softsign,),
)
report = check_op(CASE, examples=examples)
print(f"{report}\nlargest relative errors: {report.error1:.1e} at order 1, {report.error2:.1e} at order 2")
assert report

# %% [markdown]
# ## Three ways to get it wrong
#
# A lost sign. A derivative computed with raw arrays: right at first order, and silently zero at second,
# where a gradient penalty needs it. And one that works in place, so that whoever else reads the
# incoming gradient reads something else.


# %%
def lost_sign(op, g):
    return -g / (1 + abs(op.input(0))) ** 2


def raw_arrays(op, g):
    return g * Tensor(1 / (1 + np.abs(op.input(0).array)) ** 2)


def in_place(op, g):
    g.array /= (1 + np.abs(op.input(0).array)) ** 2
    return g


seen = {}
for mistake, words in ((lost_sign, "a sign is wrong"), (raw_arrays, "raw arrays"), (in_place, "out=g")):
    seen[mistake.__name__] = Wrong = type(mistake.__name__, (Softsign,), {"backward": mistake})
    report = check_op(replace(CASE, name=mistake.__name__, fn=lambda x, Wrong=Wrong: Wrong()(x)))
    print(f"\n{report}")
    assert not report and words in report.findings[0].hint

# %% [markdown]
# ## What the check sees
#
# The third mistake has the right derivatives here, because nobody else reads the gradient: no curve shows it.


# %%
def curves(operation):
    """The function's first and second derivative on a line, by backpropagation."""
    line = Tensor(np.linspace(-3, 3, 120), requires_grad=True)
    (first,) = minigan.grad(operation()(line).sum(), line, create_graph=True)
    (second,) = minigan.grad(first.sum(), line) if first.requires_grad else (line * 0,)
    return line.numpy(), first.numpy(), second.numpy()


figure = Figure(figsize=(9, 3), layout="constrained")
for order, axis in enumerate(figure.subplots(1, 2), start=1):
    for name, operation in {
        "softsign": Softsign,
        **{k: seen[k] for k in ("lost_sign", "raw_arrays")},
    }.items():
        found = curves(operation)
        axis.plot(found[0], found[order], "-" if operation is Softsign else "--", label=name)
    axis.set_title(f"derivative of order {order}")
    axis.grid(alpha=0.3)
axis.legend(frameon=False)
assert np.abs(curves(seen["raw_arrays"])[2]).max() == 0 < np.abs(curves(Softsign)[2]).max()
lesson.show(figure, "mistakes.png", "A lost sign shows at order 1, raw arrays at order 2: a flat line.")

# %% [markdown]
# ## Exercise
# Write x^3 as an operation, with its record, and let the check prove it. Does it find 2x^2 in the place of
# 3x^2?
#
# <details><summary>Answer</summary>
#
# Yes, at order 1. Proving the right one:
#
# ```python
# class Cube(Op):
#     keeps = (0,)
#
#     def forward(self, x):
#         return x * x * x
#
#     def backward(self, g):
#         return g * 3 * self.input(0) ** 2
#
#
# def record(operation):
#     oracle = one_by_one(lambda number: number**3)
#     return OpCase("cube", lambda x: operation()(x), array_samples(), oracle=oracle, covers=(Cube,))
#
#
# Wrong = type("Wrong", (Cube,), {"backward": lambda op, g: g * 2 * op.input(0) ** 2})
# assert check_op(record(Cube), examples=5) and not check_op(record(Wrong), examples=5)
# ```
#
# </details>

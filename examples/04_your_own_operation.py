# %% [markdown]
# # 4. Your own operation, and proof that it is right
#
# An operation is a class with two methods. `forward` sees arrays and computes; `backward` gets the
# gradient of the result and returns the gradient of each input, written with Tensor operations. Those
# record themselves when asked, so the second derivative comes for free.
#
# The example is softsign, `x / (1 + |x|)`, whose derivative is `1 / (1 + |x|)^2`.

# %%
import argparse

import numpy as np

from minigan import Op, Tensor
from minigan.backend import namespace
from minigan.testing import gradcheck

parser = argparse.ArgumentParser(description="Your own operation")
parser.add_argument("--quick", action="store_true", help="a smaller input (the tests run this)")
rows = 3 if parser.parse_args().quick else 20

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
        xp = namespace(x)
        return x / (1 + xp.abs(x))

    def backward(self, g):
        x = self.input(0)
        return g / (1 + abs(x)) ** 2


x = Tensor(np.linspace(-2, 2, 5), requires_grad=True)
y = Softsign()(x)
y.sum().backward()
print("softsign  :", y.numpy().round(3))
print("derivative:", x.grad.numpy().round(3))

# %% [markdown]
# ## The check
#
# `gradcheck` compares both derivatives with finite differences that carry their own error bars, along
# random directions and under a random incoming gradient, and holds some twenty properties besides: that
# inputs are left alone, that memory layout does not matter, that a second backward adds up.

# %%
point = np.random.default_rng(0).standard_normal((rows, 4))
report = gradcheck(Softsign(), point, seed=0)
print(report)
print(f"worst relative error: first order {report.error1:.1e}, second order {report.error2:.1e}")
assert report


# %% [markdown]
# ## Three ways to get it wrong
#
# A forgotten square: the value is right, the gradient is not.


# %%
class ForgottenSquare(Softsign):
    def backward(self, g):
        return g / (1 + abs(self.input(0)))


print(gradcheck(ForgottenSquare(), point, seed=0))
assert not gradcheck(ForgottenSquare(), point, seed=0)

# %% [markdown]
# Raw arrays in backward: the first derivative is right, and the second is silently zero. This is the
# mistake a gradient penalty trips over.


# %%
class RawArrays(Softsign):
    def backward(self, g):
        x = self.input(0).data
        return Tensor(g.data / (1 + np.abs(x)) ** 2)


report = gradcheck(RawArrays(), point, seed=0)
print(report)
assert not report and "differentiable again" in report.properties


# %% [markdown]
# Writing into the incoming gradient: whoever else reads it gets a surprise.


# %%
class WritesIntoItsInput(Softsign):
    def backward(self, g):
        g.data /= (1 + np.abs(self.input(0).data)) ** 2
        return g


report = gradcheck(WritesIntoItsInput(), point, seed=0, order=1)
print(report)
assert not report and "cotangent unchanged" in report.properties

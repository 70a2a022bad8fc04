"""Layers that act on each element alone, or along one axis, without parameters (PReLU has one).

Each calls the function of the same name in `minigan.nn.functional`, where formula and source stand.
With ``inplace=True`` the input becomes the result, and who reads the input afterwards reads that.
"""

from __future__ import annotations

from minigan.nn import functional as F
from minigan.nn.init import constant_ as start
from minigan.nn.linear import count, empty
from minigan.nn.module import Module
from minigan.tensor import Tensor


class _InPlace(Module):
    """Activations without settings, but PyTorch's ``inplace``."""

    def __init__(self, inplace: bool = False):
        super().__init__()
        self.inplace = inplace

    def extra_repr(self) -> str:
        return "inplace=True" if self.inplace else ""


class ReLU(_InPlace):
    """(any shape) -> same: max(x, 0)."""

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x, self.inplace)


class ReLU6(_InPlace):
    """(any shape) -> same: x held to [0, 6]."""

    def forward(self, x: Tensor) -> Tensor:
        return F.relu6(x, self.inplace)


class SELU(_InPlace):
    """(any shape) -> same: scale * elu(x, alpha), arXiv 1706.02515."""

    def forward(self, x: Tensor) -> Tensor:
        return F.selu(x, self.inplace)


class SiLU(_InPlace):
    """(any shape) -> same: x sigmoid(x)."""

    def forward(self, x: Tensor) -> Tensor:
        return F.silu(x, self.inplace)


class Mish(_InPlace):
    """(any shape) -> same: x tanh(softplus(x)), arXiv 1908.08681."""

    def forward(self, x: Tensor) -> Tensor:
        return F.mish(x, self.inplace)


class Hardsigmoid(_InPlace):
    """(any shape) -> same: x / 6 + 1/2 held to [0, 1]."""

    def forward(self, x: Tensor) -> Tensor:
        return F.hardsigmoid(x, self.inplace)


class Hardswish(_InPlace):
    """(any shape) -> same: x relu6(x + 3) / 6."""

    def forward(self, x: Tensor) -> Tensor:
        return F.hardswish(x, self.inplace)


class Sigmoid(Module):
    """(any shape) -> same, values in (0, 1): 1 / (1 + exp(-x))."""

    def forward(self, x: Tensor) -> Tensor:
        return F.sigmoid(x)


class LogSigmoid(Module):
    """(any shape) -> same: log(sigmoid(x)), which cannot overflow."""

    def forward(self, x: Tensor) -> Tensor:
        return F.logsigmoid(x)


class Tanh(Module):
    """(any shape) -> same, values in (-1, 1)."""

    def forward(self, x: Tensor) -> Tensor:
        return F.tanh(x)


class Tanhshrink(Module):
    """(any shape) -> same: x - tanh(x)."""

    def forward(self, x: Tensor) -> Tensor:
        return F.tanhshrink(x)


class Softsign(Module):
    """(any shape) -> same: x / (1 + |x|)."""

    def forward(self, x: Tensor) -> Tensor:
        return F.softsign(x)


class LeakyReLU(Module):
    """(any shape) -> same: x where x > 0, negative_slope * x elsewhere."""

    def __init__(self, negative_slope: float = 0.01, inplace: bool = False):
        super().__init__()
        self.negative_slope = negative_slope
        self.inplace = inplace

    def forward(self, x: Tensor) -> Tensor:
        return F.leaky_relu(x, self.negative_slope, self.inplace)

    def extra_repr(self) -> str:
        return f"negative_slope={self.negative_slope}" + ", inplace=True" * bool(self.inplace)


class _Alpha(Module):
    """Exponential below 0, with one setting."""

    def __init__(self, alpha: float = 1.0, inplace: bool = False):
        super().__init__()
        self.alpha = alpha
        self.inplace = inplace

    def extra_repr(self) -> str:
        return f"alpha={self.alpha}"


class ELU(_Alpha):
    """(any shape) -> same: x where x > 0, alpha (exp(x) - 1) elsewhere."""

    def forward(self, x: Tensor) -> Tensor:
        return F.elu(x, self.alpha, self.inplace)


class CELU(_Alpha):
    """(any shape) -> same: x where x > 0, alpha (exp(x / alpha) - 1) elsewhere."""

    def forward(self, x: Tensor) -> Tensor:
        return F.celu(x, self.alpha, self.inplace)


class PReLU(Module):
    """(N, C, ...) -> same: x where x > 0, weight * x elsewhere.

    Parameter: weight (num_parameters,), which starts at ``init``; 1, or one for each of C channels.
    """

    def __init__(self, num_parameters: int = 1, init: float = 0.25):
        super().__init__()
        self.num_parameters = count("num_parameters", num_parameters)
        self.weight = start(empty(self.num_parameters), init)

    def forward(self, x: Tensor) -> Tensor:
        return F.prelu(x, self.weight)

    def extra_repr(self) -> str:
        return f"num_parameters={self.num_parameters}"


class Hardtanh(Module):
    """(any shape) -> same: x held to [min_val, max_val]."""

    def __init__(self, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False):
        super().__init__()
        self.min_val, self.max_val = min_val, max_val
        self.inplace = inplace

    def forward(self, x: Tensor) -> Tensor:
        return F.hardtanh(x, self.min_val, self.max_val, self.inplace)

    def extra_repr(self) -> str:
        return f"min_val={self.min_val}, max_val={self.max_val}"


class Threshold(Module):
    """(any shape) -> same: x where x > threshold, else ``value``."""

    def __init__(self, threshold: float, value: float, inplace: bool = False):
        super().__init__()
        self.threshold, self.value = threshold, value
        self.inplace = inplace

    def forward(self, x: Tensor) -> Tensor:
        return F.threshold(x, self.threshold, self.value, self.inplace)

    def extra_repr(self) -> str:
        return f"threshold={self.threshold}, value={self.value}"


class Softplus(Module):
    """(any shape) -> same: log(1 + exp(beta x)) / beta; x itself where beta x is above ``threshold``."""

    def __init__(self, beta: float = 1.0, threshold: float = 20.0):
        super().__init__()
        self.beta, self.threshold = beta, threshold

    def forward(self, x: Tensor) -> Tensor:
        return F.softplus(x, self.beta, self.threshold)

    def extra_repr(self) -> str:
        return f"beta={self.beta}, threshold={self.threshold}"


class GELU(Module):
    """(any shape) -> same: x times the normal distribution function of x, or its "tanh" approximation."""

    def __init__(self, approximate: str = "none"):
        super().__init__()
        self.approximate = approximate

    def forward(self, x: Tensor) -> Tensor:
        return F.gelu(x, self.approximate)

    def extra_repr(self) -> str:
        return f"approximate={self.approximate!r}"


class _Along(Module):
    """What works along ``dim`` (also called ``axis``); without one PyTorch's guess, and a warning."""

    def __init__(self, dim: int | None = None, *, axis: int | None = None):
        super().__init__()
        self.dim = dim if axis is None else axis

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class Softmax(_Along):
    """(any shape) -> same: exp(x) divided by its sum over ``dim``."""

    def forward(self, x: Tensor) -> Tensor:
        return F.softmax(x, self.dim)


class LogSoftmax(_Along):
    """(any shape) -> same: the logarithm of the softmax over ``dim``."""

    def forward(self, x: Tensor) -> Tensor:
        return F.log_softmax(x, self.dim)


class Softmin(_Along):
    """(any shape) -> same: the softmax of -x over ``dim``."""

    def forward(self, x: Tensor) -> Tensor:
        return F.softmin(x, self.dim)


class GLU(Module):
    """(.., 2 n, ..) -> (.., n, ..): the first half times the sigmoid of the second, along ``dim``."""

    def __init__(self, dim: int = -1, *, axis: int | None = None):
        super().__init__()
        self.dim = dim if axis is None else axis

    def forward(self, x: Tensor) -> Tensor:
        return F.glu(x, self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"

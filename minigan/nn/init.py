"""How weights start: draws on the host, so that every device starts alike, written into a tensor in place.

Every function takes ``generator=``; without it the numbers come from `default_generator`, which
`manual_seed` sets.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigan.errors import ArgumentError, ShapeError
from minigan.ops.creation import Generator, default_generator, manual_seed  # noqa: F401
from minigan.tensor import Tensor


def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, *, generator: Generator | None = None) -> Tensor:
    """Fill with U[a, b)."""
    return tensor.copy_((generator or default_generator()).uniform(a, b, tensor.shape))


def normal_(
    tensor: Tensor, mean: float = 0.0, std: float = 1.0, *, generator: Generator | None = None
) -> Tensor:
    """Fill with N(mean, std**2)."""
    return tensor.copy_((generator or default_generator()).normal(mean, std, tensor.shape))


def constant_(tensor: Tensor, value: float) -> Tensor:
    """Fill with one number."""
    tensor.array[...] = value
    tensor.bump()
    return tensor


def zeros_(tensor: Tensor) -> Tensor:
    """Fill with 0."""
    return constant_(tensor, 0.0)


def ones_(tensor: Tensor) -> Tensor:
    """Fill with 1."""
    return constant_(tensor, 1.0)


def fans(tensor: Tensor) -> tuple[int, int]:
    """Return (fan_in, fan_out): inputs to one output element and outputs of one input element.

    For a weight (out, in, *kernel) they are in * prod(kernel) and out * prod(kernel).
    """
    if tensor.ndim < 2:
        raise ShapeError(f"fan-in and fan-out need at least 2 axes, got shape {tensor.shape}")
    window = math.prod(tensor.shape[2:])
    return tensor.shape[1] * window, tensor.shape[0] * window


def gain_of(nonlinearity: str, a: float = 0.01) -> float:
    """Return the factor that keeps the variance through a nonlinearity (``a``: leaky_relu's slope)."""
    gains = {
        "linear": 1.0,
        "conv2d": 1.0,
        "conv_transpose2d": 1.0,
        "sigmoid": 1.0,
        "tanh": 5.0 / 3.0,
        "relu": math.sqrt(2.0),
        "leaky_relu": math.sqrt(2.0 / (1.0 + a * a)),
    }
    if nonlinearity not in gains:
        raise ArgumentError(f"nonlinearity {nonlinearity!r}: expected one of {', '.join(gains)}")
    return gains[nonlinearity]


def _fan(tensor: Tensor, mode: str) -> int:
    if mode not in ("fan_in", "fan_out"):
        raise ArgumentError(f"mode {mode!r}: expected fan_in or fan_out")
    return fans(tensor)[mode == "fan_out"]


def xavier_uniform_(tensor: Tensor, gain: float = 1.0, *, generator: Generator | None = None) -> Tensor:
    """Fill with U(-b, b), b = gain sqrt(6 / (fan_in + fan_out)).  Glorot and Bengio 2010, equation 16."""
    bound = gain * math.sqrt(6.0 / sum(fans(tensor)))
    return uniform_(tensor, -bound, bound, generator=generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, *, generator: Generator | None = None) -> Tensor:
    """Fill with N(0, gain**2 2 / (fan_in + fan_out)).  Glorot and Bengio 2010, equation 12."""
    return normal_(tensor, 0.0, gain * math.sqrt(2.0 / sum(fans(tensor))), generator=generator)


def kaiming_uniform_(
    tensor: Tensor,
    a: float = 0.0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    *,
    generator: Generator | None = None,
) -> Tensor:
    """Fill with U(-b, b), b = gain sqrt(3 / fan).  He et al., arXiv 1502.01852, equations 10 and 14."""
    bound = gain_of(nonlinearity, a) * math.sqrt(3.0 / _fan(tensor, mode))
    return uniform_(tensor, -bound, bound, generator=generator)


def kaiming_normal_(
    tensor: Tensor,
    a: float = 0.0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    *,
    generator: Generator | None = None,
) -> Tensor:
    """Fill with N(0, gain**2 / fan).  He et al., arXiv 1502.01852, equations 10 and 14."""
    return normal_(tensor, 0.0, gain_of(nonlinearity, a) / math.sqrt(_fan(tensor, mode)), generator=generator)


def orthogonal_(tensor: Tensor, gain: float = 1.0, *, generator: Generator | None = None) -> Tensor:
    """Fill so that the (out, rest) matrix has orthonormal rows or columns, times ``gain``.

    The Q of a Gaussian matrix, with signs from R's diagonal so that it is uniform.  Saxe et al.,
    arXiv 1312.6120.
    """
    fans(tensor)  # refuses fewer than two axes
    rows, columns = tensor.shape[0], math.prod(tensor.shape[1:])
    tall = (generator or default_generator()).standard_normal((max(rows, columns), min(rows, columns)))
    q, r = np.linalg.qr(tall)
    q *= np.sign(np.diagonal(r))
    return tensor.copy_(gain * (q if rows >= columns else q.T).reshape(tensor.shape))


def dcgan_(module: Any, std: float = 0.02, *, generator: Generator | None = None) -> Any:
    """Start a whole net as DCGAN does: weights N(0, std**2), batch-norm weights N(1, std**2), biases 0.

    Radford et al., arXiv 1511.06434, section 4; batch norm as in its authors' code.  Returns the net.
    """
    for name, parameter in module.named_parameters():
        if name.endswith("bias"):
            zeros_(parameter)
        else:
            normal_(parameter, 1.0 if parameter.ndim == 1 else 0.0, std, generator=generator)
    return module


def default_(weight: Tensor, bias: Tensor | None, generator: Generator | None) -> None:
    """Start a dense or convolutional layer as PyTorch does: both U(-b, b), b = 1 / sqrt(fan_in).

    It is kaiming_uniform_ with a = sqrt(5); after LeCun et al., Efficient BackProp, 1998.
    """
    kaiming_uniform_(weight, a=math.sqrt(5.0), generator=generator)
    if bias is not None:
        bound = 1.0 / math.sqrt(max(1, fans(weight)[0]))
        uniform_(bias, -bound, bound, generator=generator)

"""How weights start: draws on the host, so that every device starts alike, written into a tensor in place.

Every function takes ``generator=``; without it the numbers come from `default_generator`, which
`manual_seed` sets.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from minigan import backend
from minigan.errors import ArgumentError, ShapeError
from minigan.ops.creation import default_generator, manual_seed  # noqa: F401
from minigan.tensor import Tensor

if TYPE_CHECKING:
    from minigan.ops.creation import Generator


def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, *, generator: Generator | None = None) -> Tensor:
    """Fill with U[a, b)."""
    return tensor.copy_((generator or default_generator()).uniform(a, b, tensor.shape))


def normal_(
    tensor: Tensor, mean: float = 0.0, std: float = 1.0, *, generator: Generator | None = None
) -> Tensor:
    """Fill with N(mean, std**2)."""
    return tensor.copy_((generator or default_generator()).normal(mean, std, tensor.shape))


def trunc_normal_(
    tensor: Tensor,
    mean: float = 0.0,
    std: float = 1.0,
    a: float = -2.0,
    b: float = 2.0,
    *,
    generator: Generator | None = None,
) -> Tensor:
    """Fill with N(mean, std**2) cut off outside [a, b]: the normal quantile of a uniform number between cuts.

    Raises ArgumentError unless a < b.
    """
    if not a < b:
        raise ArgumentError(f"trunc_normal_: expected a < b, got a={a}, b={b}")
    special = backend.special(np.empty(0))
    low, high = special.ndtr((a - mean) / std), special.ndtr((b - mean) / std)
    drawn = special.ndtri((generator or default_generator()).uniform(low, high, tensor.shape))
    return tensor.copy_(np.clip(mean + std * drawn, a, b))


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


def eye_(tensor: Tensor) -> Tensor:
    """Fill a matrix with 1 on the diagonal, 0 elsewhere; ShapeError for another number of axes."""
    if tensor.ndim != 2:
        raise ShapeError(f"eye_: expected a matrix, got shape {tensor.shape}")
    return tensor.copy_(np.eye(tensor.shape[0], tensor.shape[1]))


def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """Fill a kernel (O, I, *window) so that it hands channel i on as channel i (of each group).

    Raises ShapeError for fewer than 3 axes, ArgumentError unless ``groups`` divides O.
    """
    if tensor.ndim < 3:
        raise ShapeError(f"dirac_: expected a kernel (O, I, *window), got shape {tensor.shape}")
    O, I = tensor.shape[:2]
    if O % groups:
        raise ArgumentError(f"dirac_: groups must divide {O}, got {groups}")
    kernel = np.zeros(tensor.shape)
    middle = tuple(n // 2 for n in tensor.shape[2:])
    for group in range(groups):
        for i in range(min(O // groups, I)):
            kernel[(group * (O // groups) + i, i, *middle)] = 1
    return tensor.copy_(kernel)


def fans(tensor: Tensor) -> tuple[int, int]:
    """Return (fan_in, fan_out): inputs to one output element and outputs of one input element.

    For a weight (out, in, *kernel) they are in * prod(kernel) and out * prod(kernel).
    """
    if tensor.ndim < 2:
        raise ShapeError(f"fan-in and fan-out need at least 2 axes, got shape {tensor.shape}")
    window = math.prod(tensor.shape[2:])
    return tensor.shape[1] * window, tensor.shape[0] * window


_calculate_fan_in_and_fan_out = fans  # PyTorch programs call it by this name


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """Return the factor that keeps the variance through a nonlinearity (``param``: leaky_relu's slope, 0.01).

    1 for linear layers and sigmoid, 5/3 for tanh, sqrt(2) for relu, sqrt(2 / (1 + slope**2)) for leaky_relu,
    3/4 for selu.  Raises ArgumentError for another name.
    """
    slope = 0.01 if param is None else param
    layers = ("linear", "conv1d", "conv2d", "conv_transpose1d", "conv_transpose2d", "sigmoid")
    gains = {
        **dict.fromkeys(layers, 1.0),
        "tanh": 5.0 / 3.0,
        "relu": math.sqrt(2.0),
        "leaky_relu": math.sqrt(2.0 / (1.0 + slope * slope)),
        "selu": 0.75,
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
    bound = calculate_gain(nonlinearity, a) * math.sqrt(3.0 / _fan(tensor, mode))
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
    return normal_(
        tensor, 0.0, calculate_gain(nonlinearity, a) / math.sqrt(_fan(tensor, mode)), generator=generator
    )


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


# PyTorch's older names
uniform, normal, constant, orthogonal = uniform_, normal_, constant_, orthogonal_
xavier_uniform, xavier_normal, kaiming_uniform = xavier_uniform_, xavier_normal_, kaiming_uniform_
kaiming_normal = kaiming_normal_


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

"""Helpers under PyTorch's names: bounds on gradients, weights computed from others, parameters as one vector.

The bounds are `optim.clip`'s, the weights `nn.reparametrise`'s.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from minigan import ops, optim
from minigan.errors import ShapeError, nearest
from minigan.nn.reparametrise import remove_spectral_norm, remove_weight_norm, spectral_norm, weight_norm
from minigan.nn.utils import parametrizations
from minigan.tensor import Tensor

__all__ = [
    "clip_grad_norm_",
    "clip_grad_value_",
    "parameters_to_vector",
    "parametrizations",
    "remove_spectral_norm",
    "remove_weight_norm",
    "spectral_norm",
    "vector_to_parameters",
    "weight_norm",
]


def clip_grad_norm_(
    parameters: Iterable[Tensor] | Tensor,
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """Scale all gradients so that their norm is at most ``max_norm``; returns the norm before, as a Tensor.

    See `optim.clip_grad_norm_`.  ``foreach`` is accepted and changes nothing.
    """
    norm = optim.clip_grad_norm_(
        parameters, max_norm, float(norm_type), error_if_nonfinite=error_if_nonfinite
    )
    return Tensor(norm)


def clip_grad_value_(
    parameters: Iterable[Tensor] | Tensor, clip_value: float, foreach: bool | None = None
) -> None:
    """Clip every element of every gradient to [-clip_value, clip_value].  ``foreach`` changes nothing."""
    optim.clip_grad_value_(parameters, clip_value)


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """Join all elements of all parameters, in their order, into one vector; gradients flow through it."""
    return ops.concatenate([ops.reshape(parameter, -1) for parameter in parameters])


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Overwrite the parameters in place with the elements of a vector from `parameters_to_vector`.

    Raises ShapeError where the number of elements differs.
    """
    found = list(parameters)
    count = sum(parameter.size for parameter in found)
    if vec.shape != (count,):
        raise ShapeError(f"vector_to_parameters: expected a vector of {count} elements, got {vec.shape}")
    start = 0
    for parameter in found:
        stop = start + parameter.size
        parameter.copy_(vec.array[start:stop].reshape(parameter.shape))
        start = stop


def __getattr__(name: str) -> Any:
    raise AttributeError(f"minigan.nn.utils has no {name!r}; the nearest: {nearest(name, __all__)}")

"""Bounds on gradients, applied in place between backward and the optimiser's step."""

from __future__ import annotations

from collections.abc import Iterable
from math import inf, isfinite

import numpy as np

from minigan import backend
from minigan.backend import Array
from minigan.errors import ArgumentError, NumericError
from minigan.tensor import Tensor


def clip_grad_norm_(
    parameters: Iterable[Tensor] | Tensor,
    max_norm: float,
    norm_type: float = 2.0,
    *,
    error_if_nonfinite: bool = False,
) -> float:
    """Scale all gradients together so that their norm, as one vector, is at most ``max_norm``.

    Returns the norm before; ``norm_type`` may be ``inf``.  The factor is max_norm / (norm + 1e-6), at most 1.
    float16 gradients are measured and scaled in float32.  Raises NumericError for a norm that is not
    finite, if asked.  Pascanu et al., arXiv 1211.5063.
    """
    if norm_type <= 0:
        raise ArgumentError(f"clip_grad_norm_: norm_type must be > 0, got {norm_type}")
    gradients = _gradients(parameters)
    sizes = [_size(g, norm_type) for g in gradients if g.size]
    total = 0.0
    if sizes:  # joined where they are: one number to fetch from a GPU, not one for each gradient
        joined = backend.namespace(sizes[0]).stack(sizes)
        whole = joined.max() if norm_type == inf else joined.sum(dtype=np.float64) ** (1.0 / norm_type)
        total = whole.item()
    if error_if_nonfinite and not isfinite(total):
        raise NumericError(
            f"clip_grad_norm_: the gradients' norm is {total}; look at the loss before clipping"
        )
    factor = max_norm / (total + 1e-6)
    if not factor >= 1.0:  # also where it is NaN
        for g in gradients:
            backend.namespace(g).multiply(g, factor, out=g, dtype=_wide(g), casting="same_kind")
    return total


def _size(g: Array, norm_type: float) -> Array:
    """The largest absolute element, or the sum of all to the power of ``norm_type``."""
    xp = backend.namespace(g)
    g = g.astype(_wide(g), copy=False)
    if norm_type == inf:
        return xp.abs(g).max()
    if norm_type == 2.0:
        flat = g.reshape(-1)
        return xp.multiply(flat, flat).sum()
    return (xp.abs(g) ** norm_type).sum()


def _wide(g: Array) -> np.dtype:
    """The type to compute with: float16 overflows at a sum of 65504."""
    return np.result_type(g.dtype, np.float32)


def clip_grad_value_(parameters: Iterable[Tensor] | Tensor, clip_value: float) -> None:
    """Clip every element of every gradient to [-clip_value, clip_value]."""
    for g in _gradients(parameters):
        backend.namespace(g).clip(g, -clip_value, clip_value, out=g)


def _gradients(parameters: Iterable[Tensor] | Tensor) -> list:
    """The gradients' arrays, each once."""
    tensors = [parameters] if isinstance(parameters, Tensor) else parameters
    found = {id(p): p.grad for p in tensors if p.grad is not None}
    for grad in found.values():
        grad.bump()
    return [grad.array for grad in found.values()]

"""minigan: reverse-mode autodiff, GANs and neural style transfer, written to be read.

Five stops for an evening, in this order:

    tensor, autograd            a value that remembers how it was made, and the walk back
    ops.arithmetic, activation  one class an operation: shape, formula, derivative
    ops.windows, conv           the windows of an image; convolution as one product, and its derivatives
    nn, optim                   layers; the update rules, each its formula
    gan.losses, gan.trainer     the two-phase training of a GAN

Nothing there is made fast.  What makes it fast is registered in `minigan.kernels`, which may be deleted.
Importing minigan loads NumPy and nothing heavier; `minigan.data`, `minigan.gan`, `minigan.style`,
`minigan.testing` and `minigan.viz` load when first used.

Every function of `minigan.ops` is here under its name, as in PyTorch: ``minigan.zeros``, ``minigan.cat``.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as _np
from numpy import e, finfo, iinfo, inf, nan, newaxis, pi

from minigan import autograd, backends, cuda, errors, linalg, nn, ops, optim
from minigan.autograd import detect_anomaly, grad, observe
from minigan.backend import get_matmul_precision, set_matmul_precision, synchronize, use
from minigan.cuda import device
from minigan.errors import MiniganError
from minigan.modes import enable_grad, inference_mode, is_grad_enabled, no_grad, set_grad_enabled
from minigan.ops.creation import default_generator, get_rng_state, manual_seed, set_rng_state
from minigan.ops.operands import broadcast_shapes, is_floating_point, promote_types
from minigan.tensor import Op, Tensor
from minigan.types import BoolTensor, ByteTensor, DoubleTensor, FloatTensor, IntTensor, LongTensor, Size

if TYPE_CHECKING:
    from minigan.ops import *  # noqa: F403
    from minigan.ops.creation import Generator


if find_spec("minigan.kernels") is not None:  # the room of what is only faster may be missing
    import_module("minigan.kernels")

from minigan.ops.creation import tensor  # noqa: E402  the function; the module is found by its import

__version__ = "0.1.0"

dtype = _np.dtype
float16 = half = _np.dtype(_np.float16)
float32 = float = _np.dtype(_np.float32)
float64 = double = _np.dtype(_np.float64)
int8 = _np.dtype(_np.int8)
int16 = short = _np.dtype(_np.int16)
int32 = int = _np.dtype(_np.int32)
int64 = long = _np.dtype(_np.int64)
uint8 = _np.dtype(_np.uint8)
bool = _np.dtype(_np.bool_)

_LAZY = ("data", "gan", "serialization", "style", "testing", "utils", "viz")
_ELSEWHERE = {"save": "serialization", "load": "serialization", "Generator": "ops.creation"}


def is_tensor(value: Any) -> Any:
    """Return whether ``value`` is a Tensor."""
    return isinstance(value, Tensor)


def __getattr__(name: str) -> Any:
    if name in _LAZY and find_spec(f"minigan.{name}") is not None:
        return import_module(f"minigan.{name}")
    if name in _ELSEWHERE:
        return getattr(import_module(f"minigan.{_ELSEWHERE[name]}"), name)
    if not name.startswith("_") and hasattr(ops, name):
        return getattr(ops, name)
    near = errors.nearest(name, [*(n for n in (*dir(ops), *globals(), *_LAZY) if not n.startswith("_"))])
    raise AttributeError(f"minigan has no {name!r}; the nearest names are {near}")

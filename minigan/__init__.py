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
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any

from minigan import errors, nn, ops, optim
from minigan.autograd import detect_anomaly, grad, observe
from minigan.backend import get_matmul_precision, set_matmul_precision, synchronize, use
from minigan.errors import MiniganError
from minigan.modes import enable_grad, is_grad_enabled, no_grad
from minigan.nn.init import manual_seed
from minigan.tensor import Op, Tensor

if find_spec("minigan.kernels") is not None:  # the room of what is only faster may be missing
    import_module("minigan.kernels")

__version__ = "0.1.0"

__all__ = [
    "MiniganError",
    "Op",
    "Tensor",
    "detect_anomaly",
    "enable_grad",
    "errors",
    "get_matmul_precision",
    "grad",
    "is_grad_enabled",
    "manual_seed",
    "nn",
    "no_grad",
    "observe",
    "ops",
    "optim",
    "set_matmul_precision",
    "synchronize",
    "use",
]

_LAZY = ("data", "gan", "style", "testing", "viz")


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return import_module(f"minigan.{name}")
    raise AttributeError(f"module 'minigan' has no attribute {name!r}")

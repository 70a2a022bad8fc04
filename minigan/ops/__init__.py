"""Differentiable functions of Tensors, under PyTorch's names.

Each Op class stands beside its public function in a file of its family; start with `arithmetic`.
"""

from minigan.ops import methods as _methods  # noqa: F401  installs the operators on Tensor
from minigan.ops.arithmetic import add, div, mul, neg, sub
from minigan.ops.broadcast import broadcast_to, sum, sum_to
from minigan.ops.elementwise import abs, astype, clip, exp, log, maximum, minimum, pow, sqrt, where
from minigan.ops.linalg import linear, matmul
from minigan.ops.reduce import logsumexp, max, mean, min, var
from minigan.ops.shape import concatenate, flatten, flip, getitem, pad, permute, reshape, stack, transpose

__all__ = [
    "abs",
    "add",
    "astype",
    "broadcast_to",
    "clip",
    "concatenate",
    "div",
    "exp",
    "flatten",
    "flip",
    "getitem",
    "linear",
    "log",
    "logsumexp",
    "matmul",
    "max",
    "maximum",
    "mean",
    "min",
    "minimum",
    "mul",
    "neg",
    "pad",
    "permute",
    "pow",
    "reshape",
    "sqrt",
    "stack",
    "sub",
    "sum",
    "sum_to",
    "transpose",
    "var",
    "where",
]

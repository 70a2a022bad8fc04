"""Differentiable functions of Tensors, under PyTorch's names.

Each Op class stands beside its public function in a file of its family; start with `arithmetic`.
float16 is computed as float32 and rounded at the end of each function: see `half`.
"""

from minigan.ops import methods as _methods  # noqa: F401  installs the operators on Tensor
from minigan.ops.activation import (
    elu,
    gelu,
    leaky_relu,
    log_softmax,
    relu,
    sigmoid,
    silu,
    softmax,
    softplus,
    tanh,
)
from minigan.ops.arithmetic import add, div, mul, neg, sub
from minigan.ops.broadcast import broadcast_to, sum, sum_to
from minigan.ops.choice import where
from minigan.ops.conv import conv2d, conv_transpose2d
from minigan.ops.elementwise import abs, astype, clip, exp, log, maximum, minimum, pow, sqrt
from minigan.ops.linalg import gram, linear, matmul
from minigan.ops.loss import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    cross_entropy,
    huber_loss,
    l1_loss,
    mse_loss,
    nll_loss,
    smooth_l1_loss,
)
from minigan.ops.noise import dropout
from minigan.ops.norm import batch_norm, group_norm, instance_norm, layer_norm, pixel_norm
from minigan.ops.pool import adaptive_avg_pool2d, avg_pool2d, global_avg_pool2d, max_pool2d
from minigan.ops.reduce import logsumexp, max, mean, min, var
from minigan.ops.resample import interpolate
from minigan.ops.shape import concatenate, flatten, flip, getitem, pad, permute, reshape, stack, transpose

"""Differentiable functions of Tensors, under PyTorch's names.

Each Op class stands beside its public function in a file of its family; start with `arithmetic`.
float16 is computed as float32 and rounded at the end of each function: see `half`.
"""

from minigan.ops import methods as _methods  # noqa: F401  installs the operators on Tensor
from minigan.ops.activation import (
    elu,
    erf,
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
from minigan.ops.compare import (
    all,
    allclose,
    any,
    argmax,
    argmin,
    argsort,
    eq,
    equal,
    ge,
    gt,
    isfinite,
    isinf,
    isnan,
    le,
    logical_and,
    logical_not,
    logical_or,
    logical_xor,
    lt,
    ne,
    sort,
    topk,
)
from minigan.ops.conv import conv2d, conv_transpose2d
from minigan.ops.creation import (
    arange,
    as_tensor,
    bernoulli,
    empty,
    empty_like,
    eye,
    from_numpy,
    full,
    full_like,
    get_default_dtype,
    linspace,
    manual_seed,
    normal,
    ones,
    ones_like,
    rand,
    rand_like,
    randint,
    randn,
    randn_like,
    randperm,
    set_default_dtype,
    tensor,
    zeros,
    zeros_like,
)
from minigan.ops.elementwise import (
    abs,
    clip,
    cos,
    exp,
    log,
    log1p,
    maximum,
    minimum,
    pow,
    reciprocal,
    rsqrt,
    sin,
    sqrt,
    square,
)
from minigan.ops.linalg import bmm, dot, einsum, gram, linear, matmul, mm, mv, outer
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
from minigan.ops.methods import clone
from minigan.ops.methods import max_or_pair as max
from minigan.ops.methods import min_or_pair as min
from minigan.ops.noise import dropout
from minigan.ops.norm import batch_norm, group_norm, instance_norm, layer_norm, pixel_norm
from minigan.ops.operands import astype
from minigan.ops.pool import adaptive_avg_pool2d, avg_pool2d, global_avg_pool2d, max_pool2d
from minigan.ops.reduce import amax, amin, cumsum, logsumexp, mean, norm, prod, std, var
from minigan.ops.resample import interpolate
from minigan.ops.select import (
    chunk,
    expand,
    gather,
    index_select,
    masked_fill,
    masked_select,
    movedim,
    numel,
    repeat_interleave,
    roll,
    split,
    squeeze,
    t,
    tril,
    triu,
    unbind,
    unsqueeze,
    view,
)
from minigan.ops.shape import concatenate, flatten, flip, getitem, pad, permute, reshape, stack, transpose
from minigan.ops.steps import ceil, floor, floor_divide, fmod, frac, remainder, round, sign, trunc

cat, clamp, absolute, multiply, divide, subtract = (
    concatenate,
    clip,
    abs,
    mul,
    div,
    sub,
)  # PyTorch's other names

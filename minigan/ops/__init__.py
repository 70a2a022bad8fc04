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
    bitwise_and,
    bitwise_not,
    bitwise_or,
    bitwise_xor,
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
from minigan.ops.counting import (
    aminmax,
    argwhere,
    bincount,
    bucketize,
    count_nonzero,
    histc,
    isclose,
    isin,
    kthvalue,
    median,
    multinomial,
    nan_to_num,
    nanmean,
    nansum,
    nonzero,
    quantile,
    searchsorted,
    std_mean,
    tril_indices,
    triu_indices,
    unique,
    var_mean,
)
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
    addcdiv,
    addcmul,
    clamp_max,
    clamp_min,
    clip,
    cos,
    exp,
    lerp,
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
from minigan.ops.matrices import (
    addmm,
    baddbmm,
    broadcast_tensors,
    cdist,
    cross,
    cumprod,
    diag,
    diagonal,
    dist,
    fliplr,
    flipud,
    hstack,
    inner,
    inverse,
    logdet,
    meshgrid,
    rot90,
    slogdet,
    tensordot,
    trace,
    vstack,
)
from minigan.ops.members import clone
from minigan.ops.members import max_or_pair as max
from minigan.ops.members import min_or_pair as min
from minigan.ops.noise import dropout
from minigan.ops.norm import batch_norm, group_norm, instance_norm, layer_norm, pixel_norm
from minigan.ops.operands import astype
from minigan.ops.placing import (
    index_add,
    index_copy,
    index_fill,
    masked_scatter,
    scatter,
    scatter_add,
)
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
    narrow,
    numel,
    ravel,
    repeat_interleave,
    roll,
    split,
    squeeze,
    t,
    take,
    take_along_dim,
    tensor_split,
    tile,
    tril,
    triu,
    unbind,
    unflatten,
    unsqueeze,
    view,
)
from minigan.ops.shape import concatenate, flatten, flip, getitem, pad, permute, reshape, stack, transpose
from minigan.ops.steps import ceil, floor, floor_divide, fmod, frac, remainder, round, sign, trunc
from minigan.ops.trigonometry import (
    acos,
    asin,
    atan,
    atan2,
    cosh,
    exp2,
    expm1,
    hypot,
    log2,
    log10,
    logaddexp,
    logit,
    sinc,
    sinh,
    tan,
    xlogy,
)

# PyTorch's other names
cat, concat, clamp, absolute, multiply = concatenate, concatenate, clip, abs, mul
divide, true_divide, subtract, negative = div, div, sub, neg
greater, greater_equal, less, less_equal, not_equal = gt, ge, lt, le, ne
swapaxes, swapdims, moveaxis = transpose, transpose, movedim
arcsin, arccos, arctan, arctan2, fix, sgn = asin, acos, atan, atan2, trunc, sign
row_stack, ger = vstack, outer

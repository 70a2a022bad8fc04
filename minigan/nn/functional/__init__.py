"""Functions of tensors under PyTorch's names, arguments and defaults: ``import minigan.nn.functional as F``.

Thin: each names the operation of `minigan.ops` that computes it, or composes a few.  Layers call these.
"""

from typing import Any

from minigan.errors import nearest
from minigan.nn.functional.activation import (
    celu,
    dropout,
    dropout2d,
    elu,
    gelu,
    glu,
    gumbel_softmax,
    hardsigmoid,
    hardswish,
    hardtanh,
    leaky_relu,
    log_softmax,
    logsigmoid,
    mish,
    prelu,
    relu,
    relu6,
    selu,
    sigmoid,
    silu,
    softmax,
    softmin,
    softplus,
    softsign,
    tanh,
    tanhshrink,
    threshold,
)
from minigan.nn.functional.image import (
    adaptive_avg_pool1d,
    adaptive_avg_pool2d,
    adaptive_max_pool2d,
    avg_pool1d,
    avg_pool2d,
    conv1d,
    conv2d,
    conv_transpose1d,
    conv_transpose2d,
    max_pool1d,
    max_pool2d,
)
from minigan.nn.functional.loss import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    cross_entropy,
    gaussian_nll_loss,
    huber_loss,
    kl_div,
    l1_loss,
    mse_loss,
    nll_loss,
    smooth_l1_loss,
)
from minigan.nn.functional.margin import (
    cosine_embedding_loss,
    hinge_embedding_loss,
    margin_ranking_loss,
    soft_margin_loss,
    triplet_margin_loss,
)
from minigan.nn.functional.norm import (
    batch_norm,
    bilinear,
    cosine_similarity,
    embedding,
    group_norm,
    instance_norm,
    layer_norm,
    linear,
    normalize,
    one_hot,
    pairwise_distance,
)
from minigan.nn.functional.resize import interpolate, pad, pixel_shuffle, pixel_unshuffle, upsample
from minigan.nn.functional.sampling import affine_grid, fold, grid_sample, local_response_norm, unfold

__all__ = sorted(name for name, value in vars().items() if callable(value) and name not in ("Any", "nearest"))


def __getattr__(name: str) -> Any:
    raise AttributeError(f"minigan.nn.functional has no {name!r}; the nearest: {nearest(name, __all__)}")

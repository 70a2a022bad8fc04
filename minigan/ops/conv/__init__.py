"""Convolution: ``conv2d``, ``conv_transpose2d``, and a library of algorithms behind them.

Read naive.py for what is computed, triad.py for its derivatives, im2col.py for the classic fast way, then the
others. ``use("winograd")`` forces an algorithm in a ``with`` block; ``explain(spec)`` says what is chosen
and why.
"""

from minigan.ops.conv import (  # noqa: F401 - importing an algorithm registers it
    cuda_im2col,
    depthwise,
    fft,
    grouped,
    im2col,
    mec,
    naive,
    planar,
    shifted,
    whole,
    winograd,
    winograd1d,
)
from minigan.ops.conv.autotune import autotune
from minigan.ops.conv.registry import choose, explain, names, use
from minigan.ops.conv.spec import ConvSpec, from_conv, from_transpose
from minigan.ops.conv.triad import Conv2d, Conv2dInputGrad, Conv2dWeightGrad, conv2d, conv_transpose2d

__all__ = [
    "Conv2d",
    "Conv2dInputGrad",
    "Conv2dWeightGrad",
    "ConvSpec",
    "autotune",
    "choose",
    "conv2d",
    "conv_transpose2d",
    "explain",
    "from_conv",
    "from_transpose",
    "names",
    "use",
]

"""Convolution: ``conv2d`` and ``conv_transpose2d``.

Read definition.py for what is computed, triad.py for the derivatives of every order, spec.py for the sizes.
"""

from minigan.ops.conv.spec import ConvSpec, from_conv, from_transpose
from minigan.ops.conv.triad import Conv2d, Conv2dInputGrad, Conv2dWeightGrad, conv2d, conv_transpose2d

__all__ = [
    "Conv2d",
    "Conv2dInputGrad",
    "Conv2dWeightGrad",
    "ConvSpec",
    "conv2d",
    "conv_transpose2d",
    "from_conv",
    "from_transpose",
]

"""What a convolution computes: unfold the image into columns, and multiply once.

With columns[n, (c, kh, kw), (i, j)] = x[n, c, i S + kh D - P, j S + kw D - P], the cells under the kernel at
output pixel (i, j), and the kernel as a matrix W[o, (c, kh, kw)],

    conv      y  = W columns                 (O, K) @ (N, K, OH OW)
    conv_x    gx = fold(W^T g)               its adjoint for fixed W: fold is the adjoint of unfold
    conv_w    gW = sum over n of g columns^T its adjoint for fixed x

Each group of channels is a convolution of its own: it adds an axis G in front of the matrices.

Chellapilla, Puri and Simard, "High performance convolutional neural networks for document processing", 2006.
"""

from __future__ import annotations

from minigan.backend import Array
from minigan.ops.conv.spec import ConvSpec
from minigan.ops.windows import fold, unfold


def conv(x: Array, weight: Array, spec: ConvSpec) -> Array:
    """(N, C, H, W), (O, C / G, KH, KW) -> (N, O, OH, OW)."""
    return (_matrix(weight, spec) @ _columns(x, spec)).reshape(spec.y_shape)


def conv_x(g: Array, weight: Array, spec: ConvSpec) -> Array:
    """(N, O, OH, OW), (O, C / G, KH, KW) -> (N, C, H, W)."""
    columns = _matrix(weight, spec).swapaxes(-2, -1) @ _pixels(g, spec)
    windows = columns.reshape(spec.N, spec.C, spec.KH, spec.KW, spec.OH, spec.OW)
    return fold(windows.transpose(0, 1, 4, 5, 2, 3), spec.axes)


def conv_w(x: Array, g: Array, spec: ConvSpec) -> Array:
    """(N, C, H, W), (N, O, OH, OW) -> (O, C / G, KH, KW)."""
    each = _pixels(g, spec) @ _columns(x, spec).swapaxes(-2, -1)
    return each.sum(axis=0).reshape(spec.weight_shape)


def _columns(x: Array, spec: ConvSpec) -> Array:
    """(N, C, H, W) -> (N, G, C / G KH KW, OH OW)."""
    columns = unfold(x, spec.axes).transpose(0, 1, 4, 5, 2, 3)
    return columns.reshape(spec.N, spec.groups, spec.C // spec.groups * spec.KH * spec.KW, spec.OH * spec.OW)


def _matrix(weight: Array, spec: ConvSpec) -> Array:
    """(O, C / G, KH, KW) -> (G, O / G, C / G KH KW)."""
    return weight.reshape(spec.groups, spec.O // spec.groups, weight[0].size)


def _pixels(g: Array, spec: ConvSpec) -> Array:
    """(N, O, OH, OW) -> (N, G, O / G, OH OW)."""
    return g.reshape(spec.N, spec.groups, spec.O // spec.groups, spec.OH * spec.OW)

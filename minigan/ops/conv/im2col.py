"""Convolution as one matrix product: unroll every patch of the image into a row (im2col).

Let columns[(n, i, j), (kh, kw, c)] = x[n, c, i SH + kh DH - PH, j SW + kw DW - PW], the input cells that
output pixel (n, i, j) looks at. Then with the kernel as a matrix of the same row order,

    y = columns @ weight         (N OH OW, KH KW C) @ (KH KW C, O)
    gweight = columns^T @ g      the derivative of that product by its second factor
    gx = col2im(g @ weight^T)    by its first; col2im, the adjoint of the unrolling, adds every row's cells
    back

Source: Chellapilla, Puri and Simard, "High performance convolutional neural networks for document processing"
(2006), section 3. They unroll (C, H, W) images; in channels-last memory the innermost KW * C cells of a row
are one contiguous run, which is most of the difference between this and the textbook version in speed.

Rows are unrolled a tile at a time, so that the product finds them in cache.
"""

from minigan import backend
from minigan.ops.conv.layout import nchw, nhwc, tap_matrix
from minigan.ops.conv.registry import Algorithm, register


def pad(image, spec):
    """(N, H, W, C) -> packed (N, H + 2 PH, W + 2 PW, C) with zeros around."""
    xp, (PH, PW) = backend.namespace(image), spec.padding
    if PH == PW == 0 and image.flags.c_contiguous:
        return image
    N, H, W, C = image.shape
    out = xp.zeros((N, H + 2 * PH, W + 2 * PW, C), image.dtype)
    out[:, PH : PH + H, PW : PW + W] = image
    return out


def tap(padded, spec, kh, kw):
    """The (N, OH, OW, C) view of a padded image that kernel tap (kh, kw) looks at."""
    (SH, SW), (DH, DW) = spec.stride, spec.dilation
    h, w = kh * DH, kw * DW
    return padded[:, h : h + (spec.OH - 1) * SH + 1 : SH, w : w + (spec.OW - 1) * SW + 1 : SW]


def im2col(x, spec):
    """(N, C, H, W) -> (N * OH * OW, KH * KW * C)."""
    padded = pad(nhwc(x), spec)
    columns = backend.namespace(x).empty((spec.N, spec.OH, spec.OW, spec.KH, spec.KW, spec.C), x.dtype)
    for kh in range(spec.KH):
        for kw in range(spec.KW):
            columns[:, :, :, kh, kw] = tap(padded, spec, kh, kw)
    return columns.reshape(spec.N * spec.OH * spec.OW, spec.KH * spec.KW * spec.C)


def col2im(columns, spec):
    """(N * OH * OW, KH * KW * C) -> (N, C, H, W): the adjoint of im2col. Overlapping cells add up."""
    (PH, PW), xp = spec.padding, backend.namespace(columns)
    columns = columns.reshape(spec.N, spec.OH, spec.OW, spec.KH, spec.KW, spec.C)
    padded = xp.zeros((spec.N, spec.H + 2 * PH, spec.W + 2 * PW, spec.C), columns.dtype)
    for kh in range(spec.KH):
        for kw in range(spec.KW):
            view = tap(padded, spec, kh, kw)
            view += columns[:, :, :, kh, kw]
    return nchw(padded[:, PH : PH + spec.H, PW : PW + spec.W])


def forward(x, weight, spec, prepared=None):
    """(N, C, H, W), (O, C, KH, KW) -> (N, O, OH, OW)."""
    y = im2col(x, spec) @ tap_matrix(weight)
    return nchw(y.reshape(spec.N, spec.OH, spec.OW, spec.O))


def input_grad(g, weight, spec, prepared=None):
    """(N, O, OH, OW), (O, C, KH, KW) -> (N, C, H, W)."""
    rows = nhwc(g).reshape(spec.N * spec.OH * spec.OW, spec.O)
    return col2im(rows @ tap_matrix(weight).T, spec)


def weight_grad(x, g, spec):
    """(N, C, H, W), (N, O, OH, OW) -> (O, C, KH, KW)."""
    rows = nhwc(g).reshape(spec.N * spec.OH * spec.OW, spec.O)
    gweight = rows.T @ im2col(x, spec)
    return gweight.reshape(spec.O, spec.KH, spec.KW, spec.C).transpose(0, 3, 1, 2)


def supports(spec, function):
    """Everything but groups."""
    return "one group only" if spec.groups > 1 else ""


def cost(spec, function):
    """The product at the machine's rate and the copy of the columns."""
    return spec.macs / 2e11 + spec.macs / spec.O * 4e-10 + 2e-5


register(Algorithm("im2col", forward, input_grad, weight_grad, supports, cost))

"""Depthwise convolution: every channel by itself, so no matrix product is left.

With as many groups as channels (Chollet, arXiv 1610.02357; Howard et al., MobileNets, arXiv 1704.04861,
section 3.1) the sum over channels is gone:

    y[n, c, i, j] = sum over kh, kw of  x[n, c, i S + kh D - P, j S + kw D - P] weight[c, kh, kw]

A tap is one element-wise multiply-add over all channels at once; tiles keep the passes in cache.
"""

from functools import partial

from minigan import backend
from minigan.kernels import blas, workspace
from minigan.kernels.conv import rates
from minigan.kernels.conv.layout import empty_image, even, nchw, nhwc
from minigan.kernels.conv.registry import Algorithm, register
from minigan.kernels.conv.shifted import blocks_of, padded, seen, taps


def forward(x, weight, spec, prepared=None):
    """(N, C, H, W), (C, 1, KH, KW) -> (N, C, OH, OW)."""
    xp, y = backend.namespace(x), empty_image(x, spec.N, spec.OH, spec.OW, spec.O)
    kernel = weight[:, 0].transpose(1, 2, 0)

    def tile(block):
        n0, n1, i0, i1 = block
        piece, out = padded(x, spec, block), y[n0:n1, i0:i1]
        out[...] = 0
        for kh, kw in taps(spec):
            product = workspace.take(x, "product", out.shape)
            out += xp.multiply(seen(piece, spec, kh, kw, i1 - i0), kernel[kh, kw], out=product)

    blas.run([partial(tile, block) for block in blocks_of(spec, x)])
    return nchw(y)


def input_grad(g, weight, spec, prepared=None):
    """(N, C, OH, OW), (C, 1, KH, KW) -> (N, C, H, W)."""
    xp, (PH, PW) = backend.namespace(g), spec.padding
    gx, kernel = empty_image(g, spec.N, spec.H, spec.W, spec.C), weight[:, 0].transpose(1, 2, 0)

    def tile(n0, n1):
        whole = workspace.take(g, "whole", (n1 - n0, spec.H + 2 * PH, spec.W + 2 * PW, spec.C))
        whole[...] = 0
        pixels = nhwc(g)[n0:n1]
        for kh, kw in taps(spec):
            view = seen(whole, spec, kh, kw, spec.OH)
            view += xp.multiply(pixels, kernel[kh, kw], out=workspace.take(g, "product", pixels.shape))
        gx[n0:n1] = whole[:, PH : PH + spec.H, PW : PW + spec.W]

    blas.run([partial(tile, *images) for images in even(spec.N, spec.N)] if spec.N else [])
    return nchw(gx)


def weight_grad(x, g, spec):
    """(N, C, H, W), (N, C, OH, OW) -> (C, 1, KH, KW)."""
    xp, blocks = backend.namespace(x), blocks_of(spec, x)
    sums = xp.zeros((max(1, len(blocks)), spec.KH, spec.KW, spec.C), x.dtype)

    def tile(into, block):
        n0, n1, i0, i1 = block
        piece, pixels = padded(x, spec, block), nhwc(g)[n0:n1, i0:i1]
        for kh, kw in taps(spec):
            product = workspace.take(x, "product", pixels.shape)
            xp.multiply(seen(piece, spec, kh, kw, i1 - i0), pixels, out=product)
            into[kh, kw] = product.reshape(-1, spec.C).sum(axis=0)

    blas.run([partial(tile, into, block) for into, block in zip(sums, blocks, strict=False)])
    return sums.sum(axis=0).transpose(2, 0, 1)[:, None]


def supports(spec, function):
    """One channel in and one out a group."""
    return "" if spec.groups == spec.C == spec.O else "as many groups as input and output channels only"


def cost(spec, function, frozen=False):
    """Two passes a tap."""
    return rates.add(2 * spec.macs, spec.C) + rates.CALL


register(Algorithm("depthwise", forward, input_grad, weight_grad, supports, cost))

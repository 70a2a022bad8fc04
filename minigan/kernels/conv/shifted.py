"""One product a kernel tap, on shifted views: nothing is unrolled.

    y[n, i, j] = sum over kh, kw of  x[n, i S + kh - P, j S + kw - P] @ weight[kh, kw]      ((C,) @ (C, O))

For each tap the pixels it looks at are a strided view of the padded image, so the convolution is KH * KW
products of (pixels, C) with (C, O), added up. It trades the copies of im2col for passes over the output,
one a tap, and wins where there is one tap: a 1x1 convolution is a plain matrix product. The idea, there for
whole images: Anderson, Vasudevan, Keane and Gregg, "Low-memory GEMM-based convolution algorithms", arXiv
1709.03395, section 3.
"""

from functools import partial

from minigan import backend
from minigan.kernels import blas, workspace
from minigan.kernels.conv import rates
from minigan.kernels.conv.layout import empty_image, even, nchw, nhwc, row_blocks, window
from minigan.kernels.conv.registry import Algorithm, register

TILE = 1 << 20  # bytes of input pixels a tile


def taps(spec):
    """Every (kh, kw)."""
    return [(kh, kw) for kh in range(spec.KH) for kw in range(spec.KW)]


def blocks_of(spec, like):
    """Blocks of output rows whose input fits a tile, a number of them that the threads can share."""
    row_bytes = spec.W * spec.C * spec.stride[0] * like.dtype.itemsize
    count = blas.workers() * -(-max(1, spec.N * spec.OH * row_bytes) // (blas.workers() * TILE))
    return row_blocks(spec.N, spec.OH, max(1, -(-spec.N * spec.OH // count)))


def padded(x, spec, block):
    """The padded input rows that a block of output rows needs: (images, rows, columns, C)."""
    n0, n1, i0, i1 = block
    (SH, SW), (DH, DW), (PH, PW) = spec.stride, spec.dilation, spec.padding
    rows, cols = (i1 - i0 - 1) * SH + (spec.KH - 1) * DH + 1, (spec.OW - 1) * SW + (spec.KW - 1) * DW + 1
    return window(nhwc(x)[n0:n1], i0 * SH - PH, rows, -PW, cols)


def seen(piece, spec, kh, kw, rows):
    """The view of a padded piece that one tap looks at: (images, rows, OW, C)."""
    (SH, SW), (DH, DW) = spec.stride, spec.dilation
    h, w = kh * DH, kw * DW
    return piece[:, h : h + rows * SH : SH, w : w + spec.OW * SW : SW]


def forward(x, weight, spec, prepared=None):
    """(N, C, H, W), (O, C, KH, KW) -> (N, O, OH, OW)."""
    y = empty_image(x, spec.N, spec.OH, spec.OW, spec.O)

    def tile(block):
        n0, n1, i0, i1 = block
        piece, out = padded(x, spec, block), y[n0:n1, i0:i1].reshape(-1, spec.O)
        for kh, kw in taps(spec):
            pixels, matrix = seen(piece, spec, kh, kw, i1 - i0).reshape(-1, spec.C), weight[:, :, kh, kw].T
            blas.product(pixels, matrix, out, add=(kh, kw) != (0, 0))

    blas.run([partial(tile, block) for block in blocks_of(spec, x)])
    return nchw(y)


def input_grad(g, weight, spec, prepared=None):
    """(N, O, OH, OW), (O, C, KH, KW) -> (N, C, H, W): every tap's product is added where it came from."""
    PH, PW = spec.padding
    gx = empty_image(g, spec.N, spec.H, spec.W, spec.C)
    alone = spec.KH == spec.KW == 1 and spec.stride == (1, 1) and spec.padding == (0, 0)
    parts = spec.N * spec.OH if alone else spec.N

    def tile(first, last):
        if alone:
            rows = nhwc(g).reshape(-1, spec.OW, spec.O)[first:last].reshape(-1, spec.O)
            out = gx.reshape(-1, spec.W, spec.C)[first:last].reshape(-1, spec.C)
            blas.product(rows, weight[:, :, 0, 0], out)
            return
        pixels = nhwc(g)[first:last].reshape(-1, spec.O)
        whole = workspace.take(g, "whole", (last - first, spec.H + 2 * PH, spec.W + 2 * PW, spec.C))
        whole[...] = 0
        for kh, kw in taps(spec):
            view = seen(whole, spec, kh, kw, spec.OH)
            view += (pixels @ weight[:, :, kh, kw]).reshape(view.shape)
        gx[first:last] = whole[:, PH : PH + spec.H, PW : PW + spec.W]

    if spec.N:
        blas.run([partial(tile, *part) for part in even(parts, 2 * blas.workers())])
    return nchw(gx)


def weight_grad(x, g, spec):
    """(N, C, H, W), (N, O, OH, OW) -> (O, C, KH, KW): for every tap, pixels^T @ g."""
    xp, blocks = backend.namespace(x), blocks_of(spec, x)
    shares = even(len(blocks), 2 * blas.workers())
    sums = xp.zeros((len(shares), spec.KH, spec.KW, spec.O, spec.C), x.dtype)

    def share(into, first, last):
        for n0, n1, i0, i1 in blocks[first:last]:
            piece = padded(x, spec, (n0, n1, i0, i1))
            rows = nhwc(g)[n0:n1, i0:i1].reshape(-1, spec.O).T
            for kh, kw in taps(spec):
                pixels = seen(piece, spec, kh, kw, i1 - i0).reshape(-1, spec.C)
                blas.product(rows, pixels, into[kh, kw], add=True)

    if blocks:
        blas.run([partial(share, into, *s) for into, s in zip(sums, shares, strict=True)])
    return sums.sum(axis=0).transpose(2, 3, 0, 1)


def supports(spec, function):
    """Everything but groups."""
    return "one group only" if spec.groups > 1 else ""


def cost(spec, function, frozen=False):
    """The products, each tap's pass over what it adds to, and copies where taps are not whole lines."""
    count, pixels = spec.KH * spec.KW, spec.N * spec.OH * spec.OW
    columns = spec.O if function == "forward" else spec.C
    run = spec.C * (spec.OW if spec.stride[1] == 1 else 1)
    if count == 1 and spec.stride == (1, 1):  # one product of what is there
        return rates.product(spec.macs, columns) + rates.CALL
    copies = rates.copy(count * pixels * spec.C, run)
    if function == "forward":  # BLAS adds, to whole rows
        adds = 2 * rates.copy((count - 1) * pixels * columns, pixels)
    elif function == "input_grad":
        adds = rates.add((count - 1) * pixels * columns, run)
    else:  # each share has its own sums: set to zero, and added up at the end
        adds = rates.add(4 * count * spec.C * spec.O, spec.C)
    slower = 1.2 if function == "weight_grad" else 1.1
    return slower * (rates.product(spec.macs, columns) + adds + copies) + (1 + count / 5) * rates.CALL


register(Algorithm("shifted", forward, input_grad, weight_grad, supports, cost))

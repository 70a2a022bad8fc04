"""Convolution as one matrix product: unroll every patch of the image into a row (im2col).

Let columns[(n, i, j), (kh, kw, c)] = x[n, c, i SH + kh DH - PH, j SW + kw DW - PW], the input cells that
output pixel (n, i, j) looks at. Then with the kernel as a matrix whose rows have the same order,

    y = columns @ weight         (N OH OW, KH KW C) @ (KH KW C, O)
    gweight = columns^T @ g      the derivative of that product by its second factor
    gx = col2im(g @ weight^T)    by its first; col2im, the adjoint of the unrolling, adds every cell back

Source: Chellapilla, Puri and Simard, "High performance convolutional neural networks for document
processing" (2006), section 3. They unroll (C, H, W) images; in channels-last memory the innermost KW * C
cells of a row are one contiguous run, which is most of the difference in speed to the textbook version.

With stride 1, col2im is not needed: gx is itself a convolution, of g padded by K - 1 - P with the flipped
kernel. Rows are unrolled a tile at a time, so that the product finds them in cache; every thread has tiles of
its own.
"""

from dataclasses import replace
from functools import partial

from minigan import backend
from minigan.kernels import blas, workspace
from minigan.kernels.conv import rates
from minigan.kernels.conv.layout import (
    empty_image,
    even,
    nchw,
    nhwc,
    row_blocks,
    strided,
    tap_matrix,
    window,
)
from minigan.kernels.conv.registry import Algorithm, register

SMALL = 1 << 23  # multiplications up to which one thread is done before another is awake
TILE = 4 << 20  # bytes of columns a tile: two such tiles and their products share the cache


def unroll(x, spec, block, taps=None):
    """The columns of one block of output rows: (rows * OW, KH * KW * C) in this thread's scratch memory.

    ``taps`` (first, one after the last) are the rows of the kernel, all of them unless given.
    """
    n0, n1, i0, i1 = block
    (SH, SW), (DH, DW), (PH, PW), C = spec.stride, spec.dilation, spec.padding, spec.C
    first, last = taps or (0, spec.KH)
    rows, cols = (i1 - i0 - 1) * SH + (last - first - 1) * DH + 1, (spec.OW - 1) * SW + (spec.KW - 1) * DW + 1
    piece = window(nhwc(x)[n0:n1], i0 * SH + first * DH - PH, rows, -PW, cols)
    n, h, w, c = piece.strides
    shape = (n1 - n0, i1 - i0, spec.OW, last - first, spec.KW, C)
    columns = workspace.take(x, "columns", shape)
    columns[...] = strided(piece, shape, (n, SH * h, SW * w, DH * h, DW * w, c))
    return columns.reshape(-1, (last - first) * spec.KW * C)


def tiles(spec, row_bytes):
    """Blocks of output rows, and ranges of output channels: together enough jobs for every thread.

    A product of few rows spends its time on rearranging the weight, so where there are few rows the output
    channels are divided instead, at the price of unrolling twice.
    """
    threads, rows = blas.workers() if spec.macs >= SMALL else 1, spec.N * spec.OH
    fitting = max(1, TILE // row_bytes, min(rows, 256 // spec.OW))
    count = max(1, -(-rows // fitting))
    if rows * spec.OW < 512 * threads and spec.O >= 64 * threads:
        return row_blocks(spec.N, spec.OH, fitting), even(spec.O, threads)
    even_rows = max(1, -(-rows // (threads * -(-count // threads))))
    return row_blocks(spec.N, spec.OH, min(fitting, even_rows)), [(0, spec.O)]


def forward(x, weight, spec, prepared=None):
    """(N, C, H, W), (O, C, KH, KW) -> (N, O, OH, OW)."""
    return forward_by_matrix(x, prepare(weight, spec, "forward") if prepared is None else prepared, spec)


def forward_by_matrix(x, matrix, spec):
    """The same with the kernel as a (KH * KW * C, O) matrix."""
    y = empty_image(x, spec.N, spec.OH, spec.OW, spec.O)
    blocks, channels = tiles(spec, spec.OW * matrix.shape[0] * x.dtype.itemsize)

    def tile(block, o0, o1):
        n0, n1, i0, i1 = block
        out = y[n0:n1, i0:i1].reshape(-1, spec.O)
        blas.product(unroll(x, spec, block), matrix[:, o0:o1], out[:, o0:o1])

    blas.run([partial(tile, block, o0, o1) for block in blocks for o0, o1 in channels])
    return nchw(y)


def input_grad(g, weight, spec, prepared=None):
    """(N, O, OH, OW), (O, C, KH, KW) -> (N, C, H, W)."""
    turned = mirrored(spec)
    matrix = prepare(weight, spec, "input_grad") if prepared is None else prepared
    if turned is not None:
        return forward_by_matrix(g, matrix, turned)
    return col2im_product(g, matrix, spec)


def prepare(weight, spec, function):
    """The kernel as a matrix: (KH KW C, O), for input gradients (KH KW O, C) or (O, KH KW C)."""
    if function == "forward":
        return tap_matrix(weight)
    if mirrored(spec) is None:
        return tap_matrix(weight).T
    return weight[:, :, ::-1, ::-1].transpose(2, 3, 0, 1).reshape(-1, spec.C)


def mirrored(spec):
    """The spec of the convolution that is this one's input gradient (of the flipped kernel), or None.

    It exists for stride 1 where padding does not exceed the kernel's reach.
    """
    reach = [D * (K - 1) - P for D, K, P in zip(spec.dilation, (spec.KH, spec.KW), spec.padding, strict=True)]
    if spec.stride != (1, 1) or min(reach) < 0:
        return None
    return replace(spec, C=spec.O, H=spec.OH, W=spec.OW, O=spec.C, padding=tuple(reach))


def col2im_product(g, matrix, spec):
    """col2im(g @ matrix), matrix (O, KH * KW * C), some images at a time; overlapping cells add up."""
    PH, PW = spec.padding
    gx = empty_image(g, spec.N, spec.H, spec.W, spec.C)
    image_bytes = spec.OH * spec.OW * matrix.shape[1] * g.dtype.itemsize
    threads = blas.workers()
    count = threads * -(-max(1, spec.N * image_bytes // TILE) // threads)
    shared = [(0, spec.C)] if spec.N >= threads else even(spec.C, threads)
    by_channel = matrix.reshape(spec.O, spec.KH, spec.KW, spec.C)

    def tile(n0, n1, c0, c1):
        padded = workspace.take(g, "padded", (n1 - n0, spec.H + 2 * PH, spec.W + 2 * PW, c1 - c0))
        padded[...] = 0
        part = by_channel[..., c0:c1].reshape(spec.O, -1)
        fitting = max(1, TILE * spec.OH // image_bytes)
        for i0, i1 in even(spec.OH, -(-spec.OH // fitting)):
            rows = nhwc(g)[n0:n1, i0:i1]
            out = workspace.take(g, "columns", (n1 - n0, i1 - i0, spec.OW, spec.KH, spec.KW, c1 - c0))
            blas.product(rows.reshape(-1, spec.O), part, out.reshape(-1, part.shape[1]))
            add_back(padded[:, i0 * spec.stride[0] :], out, spec)
        gx[n0:n1, :, :, c0:c1] = padded[:, PH : PH + spec.H, PW : PW + spec.W]

    blas.run([partial(tile, *images, *channels) for images in even(spec.N, count) for channels in shared])
    return nchw(gx)


def add_back(padded, columns, spec):
    """Add columns (n, rows, OW, KH, KW, C) into a padded (n, H, W, C) image, in place.

    SW neighbouring taps of neighbouring output pixels cover a row without gap or overlap: they go in one add.
    """
    n, rows, OW, KH, KW, C = columns.shape
    (SH, SW), (DH, DW) = spec.stride, spec.dilation
    for kh in range(KH):
        lines = padded[:, kh * DH : kh * DH + rows * SH : SH]
        if DW == 1 and KW % SW == 0:
            for kw in range(0, KW, SW):
                view = lines[:, :, kw : kw + OW * SW].reshape(n, rows, OW, SW * C)
                view += columns[:, :, :, kh, kw : kw + SW].reshape(n, rows, OW, SW * C)
        else:
            for kw in range(KW):
                view = lines[:, :, kw * DW : kw * DW + OW * SW : SW]
                view += columns[:, :, :, kh, kw]


def weight_grad(x, g, spec):
    """(N, C, H, W), (N, O, OH, OW) -> (O, C, KH, KW).

    The threads share out the rows of the kernel, and each writes its part of the result; where these do not
    divide evenly they share out the pixels, and their sums are added.
    """
    threads = blas.workers() if spec.macs >= SMALL else 1
    blocks = tiles(replace(spec, O=1), column_bytes(x, spec))[0]
    if spec.KH % threads == 0 and blocks:
        gweight = backend.namespace(x).empty((spec.O, spec.KH, spec.KW, spec.C), x.dtype)
        blas.run([partial(add_blocks, gweight, x, g, spec, blocks, taps) for taps in even(spec.KH, threads)])
        return nchw(gweight)
    shares = even(len(blocks), 2 * threads if spec.KH * spec.KW * spec.C * spec.O < 1 << 18 else threads)
    sums = backend.namespace(x).zeros((max(1, len(shares)), spec.O, spec.KH, spec.KW, spec.C), x.dtype)
    jobs = zip(sums, shares, strict=True) if blocks else ()
    blas.run([partial(add_blocks, into, x, g, spec, blocks[a:b], (0, spec.KH)) for into, (a, b) in jobs])
    gweight = sums[0]
    for more in sums[1:]:  # in a fixed order: the same result whichever thread was first
        gweight += more
    return nchw(gweight)


def add_blocks(into, x, g, spec, blocks, taps):
    """columns^T @ g of some blocks, for some rows of the kernel, to their place in (O, KH, KW, C)."""
    first, last = taps
    out = into.reshape(spec.O, spec.KH, -1)[:, first:last].reshape(spec.O, -1)  # a view: whole rows of taps
    for block in blocks:
        n0, n1, i0, i1 = block
        pixels = nhwc(g)[n0:n1, i0:i1].reshape(-1, spec.O)
        blas.product(pixels.T, unroll(x, spec, block, taps), out, add=block != blocks[0])


def column_bytes(x, spec):
    """Bytes of the columns of one output row."""
    return spec.OW * spec.KH * spec.KW * spec.C * x.dtype.itemsize


def supports(spec, function):
    """Everything but groups."""
    return "one group only" if spec.groups > 1 else ""


def cost(spec, function, frozen=False):
    """The product and the copies: of the columns, or for strided input gradients the adding back."""
    rows, K = spec.N * spec.OH * spec.OW, spec.KH * spec.KW * spec.C
    if function == "input_grad" and mirrored(spec) is None:
        return rates.product(spec.macs, K) + rates.add(rows * K, spec.stride[1] * spec.C) + rates.CALL
    if function == "input_grad":
        spec = mirrored(spec)
        rows, K = spec.N * spec.OH * spec.OW, spec.KH * spec.KW * spec.C
    seconds = rates.product(spec.macs, spec.O) * (1.13 if function == "weight_grad" else 1)
    run = (spec.KW if spec.dilation[1] == 1 else 1) * spec.C
    return seconds + rates.copy(rows * K, run) + rates.CALL


register(Algorithm("im2col", forward, input_grad, weight_grad, supports, cost, prepare))

"""im2col for images of few channels, plane by plane.

With one or three channels a pixel is too short a run to copy, and a product with one or three columns too
narrow for BLAS. So here the unrolled matrix lies on its side: a row for each (c, kh, kw), and along it all
output pixels, whose cells are neighbours in a plane of x and are copied in runs as long as a line of it:

    columns[(c, kh, kw), (n, i, j)] = x[n, c, i SH + kh - PH, j SW + kw - PW]
    y = columns^T @ weight,    gweight = columns @ g,    gx = col2im(weight @ g^T)

(Chellapilla, Puri and Simard 2006, section 3, in their own (C, H, W) order.) For a stride SW > 1 the planes
are first dealt out into SW phases, pixels j SW + b for each b, so that a tap's cells are neighbours again.

Few *output* channels, as in a last layer, are the same problem seen from the other side: with stride 1 a
convolution is the input gradient of its mirror image, with the flipped kernel.
"""

from functools import partial

from minigan import backend
from minigan.kernels import blas, workspace
from minigan.kernels.conv import rates
from minigan.kernels.conv.im2col import mirrored
from minigan.kernels.conv.layout import empty_image, even, nchw, nhwc, row_blocks
from minigan.kernels.conv.registry import Algorithm, register

FEW = 8  # channels
TILE = 1 << 20  # bytes of columns a tile


def planes(spec, like, count, rows):
    """Scratch planes of zeros, (C, images, rows, SW, phase width): dealt-out lines of the padded image."""
    SW = spec.stride[1]
    width = spec.OW + (spec.KW - 1) // SW
    out = workspace.take(like, "planes", (spec.C, count, rows, SW, width))
    out[...] = 0
    return out


def overlap(spec, first, rows):
    """Pairs (lines of the planes, lines of the image) for each phase b: where padded and real pixels meet.

    ``first`` is the padded line at which the planes begin.
    """
    (PH, PW), SW = spec.padding, spec.stride[1]
    width = spec.OW + (spec.KW - 1) // SW
    h0, h1 = max(0, first - PH), max(0, min(spec.H, first + rows - PH))
    lines = slice(h0 + PH - first, h1 + PH - first), slice(h0, h1)
    for b in range(SW):
        w0 = (b - PW) % SW if b < PW else b - PW  # the first real column of this phase
        count = min(len(range(w0, spec.W, SW)), width - (w0 + PW) // SW)
        if count > 0 and h1 > h0:
            start = (w0 + PW) // SW
            yield b, lines, slice(start, start + count), slice(w0, w0 + count * SW, SW)


def unroll(x, spec, block):
    """(C * KH * KW, pixels) of a block of output rows, in scratch memory."""
    n0, n1, i0, i1 = block
    SH, SW = spec.stride
    rows = (i1 - i0 - 1) * SH + spec.KH
    padded = planes(spec, x, n1 - n0, rows)
    for b, (to_lines, from_lines), to_columns, from_columns in overlap(spec, i0 * SH, rows):
        source = x[n0:n1, :, from_lines, from_columns]
        padded[:, :, to_lines, b, to_columns] = source.transpose(1, 0, 2, 3)
    columns = workspace.take(x, "columns", (spec.C, spec.KH, spec.KW, n1 - n0, i1 - i0, spec.OW))
    for kh in range(spec.KH):
        for kw in range(spec.KW):
            shift = kw // SW
            lines = padded[:, :, kh : kh + (i1 - i0) * SH : SH, kw % SW]
            columns[:, kh, kw] = lines[..., shift : shift + spec.OW]
    return columns.reshape(spec.C * spec.KH * spec.KW, -1)


def blocks_of(spec, rows, like, least=1):
    """Blocks of rows whose columns fit a tile, a number of them that the threads can share."""
    row_bytes = spec.OW * spec.C * spec.KH * spec.KW * like.dtype.itemsize
    threads = blas.workers()
    count = threads * -(-spec.N * rows * row_bytes // (threads * TILE))
    return row_blocks(spec.N, rows, max(least, -(-spec.N * rows // count)))


def gather(x, weight, spec):
    """The convolution of an image of few channels."""
    matrix = weight.reshape(spec.O, -1).T
    y = empty_image(x, spec.N, spec.OH, spec.OW, spec.O)

    def tile(block):
        n0, n1, i0, i1 = block
        blas.product(unroll(x, spec, block).T, matrix, y[n0:n1, i0:i1].reshape(-1, spec.O))

    blas.run([partial(tile, block) for block in blocks_of(spec, spec.OH, x)])
    return nchw(y)


def spread(g, weight, spec):
    """The transposed convolution to an image of few channels: (N, C, H, W) in C order.

    A tile owns some lines of the result. It unrolls every line of g that reaches them, and of what it adds up
    keeps only its own: tiles compute the lines at their border twice rather than wait for one another.
    """
    xp, (SH, SW), PH = backend.namespace(g), spec.stride, spec.padding[0]
    matrix = weight.transpose(1, 2, 3, 0).reshape(-1, spec.O)
    gx = xp.empty(spec.x_shape, g.dtype)

    def tile(n0, n1, h0, h1):
        i0 = max(0, -(-(h0 + PH - spec.KH + 1) // SH))
        i1 = max(i0, min(spec.OH, (h1 - 1 + PH) // SH + 1))
        first, rows = i0 * SH, max(1, (i1 - i0 - 1) * SH + spec.KH)
        padded = planes(spec, g, n1 - n0, rows)
        pixels = nhwc(g)[n0:n1, i0:i1].reshape(-1, spec.O)
        columns = workspace.take(g, "columns", (matrix.shape[0], pixels.shape[0]))
        blas.product(matrix, pixels.T, columns)
        columns = columns.reshape(spec.C, spec.KH, spec.KW, n1 - n0, i1 - i0, spec.OW)
        for kh in range(spec.KH):
            for kw in range(spec.KW):
                lines = padded[:, :, kh : kh + (i1 - i0) * SH : SH, kw % SW]
                lines[..., kw // SW : kw // SW + spec.OW] += columns[:, kh, kw]
        out = gx[n0:n1].transpose(1, 0, 2, 3)
        out[:, :, h0:h1] = 0
        for b, (from_lines, to_lines), from_columns, to_columns in overlap(spec, first, rows):
            low, high = max(h0, to_lines.start), min(h1, to_lines.stop)
            if high > low:
                offset = from_lines.start - to_lines.start
                out[:, :, low:high, to_columns] = padded[:, :, low + offset : high + offset, b, from_columns]

    blas.run([partial(tile, *block) for block in blocks_of(spec, spec.H, g, 4 * spec.KH)])
    return gx


def products(x, g, spec):
    """The weight gradient for an image of few channels: (O, C, KH, KW)."""
    xp, blocks = backend.namespace(x), blocks_of(spec, spec.OH, x)
    shares = even(len(blocks), 2 * blas.workers())
    sums = xp.zeros((len(shares), spec.C * spec.KH * spec.KW, spec.O), x.dtype)

    def share(into, first, last):
        for n0, n1, i0, i1 in blocks[first:last]:
            pixels = nhwc(g)[n0:n1, i0:i1].reshape(-1, spec.O)
            blas.product(unroll(x, spec, (n0, n1, i0, i1)), pixels, into, add=True)

    blas.run([partial(share, into, *s) for into, s in zip(sums, shares, strict=True)])
    return sums.sum(axis=0).T.reshape(spec.weight_shape)


def flipped(weight):
    """(O, C, KH, KW) -> (C, O, KH, KW) with the taps in reverse."""
    return weight[:, :, ::-1, ::-1].transpose(1, 0, 2, 3)


def forward(x, weight, spec, prepared=None):
    """(N, C, H, W), (O, C, KH, KW) -> (N, O, OH, OW)."""
    if spec.C <= FEW:
        return gather(x, weight, spec)
    return spread(x, flipped(weight), mirrored(spec))


def input_grad(g, weight, spec, prepared=None):
    """(N, O, OH, OW), (O, C, KH, KW) -> (N, C, H, W)."""
    if spec.C <= FEW:
        return spread(g, weight, spec)
    return gather(g, flipped(weight), mirrored(spec))


def weight_grad(x, g, spec):
    """(N, C, H, W), (N, O, OH, OW) -> (O, C, KH, KW)."""
    if spec.C <= FEW:
        return products(x, g, spec)
    return flipped(products(g, x, mirrored(spec)))


def supports(spec, function):
    """Few channels in, or few out with stride 1."""
    if spec.groups > 1 or spec.dilation != (1, 1):
        return "one group without dilation only"
    if spec.C > FEW and (spec.O > FEW or mirrored(spec) is None):
        return f"at most {FEW} channels in, or out with stride 1"
    return "" if spec.N else "no pixels in an empty batch"


def cost(spec, function, frozen=False):
    """The copies along lines, and products that are narrow or deep."""
    few_in = spec.C <= FEW
    cells, many = (spec.macs // spec.O, spec.O) if few_in else (spec.macs // spec.C, spec.C)
    spreads = function == ("input_grad" if few_in else "forward")
    width = spec.OW if few_in else spec.W
    copies = 0.8 * rates.add(4 * cells, width) if spreads else 1.6 * rates.copy(4 * cells, 4 * width)
    return copies + 0.9 * rates.product(spec.macs, many) + rates.CALL


register(Algorithm("planar", forward, input_grad, weight_grad, supports, cost))

"""Memory-efficient convolution: unroll one axis only, and let the product slide along the other.

im2col writes every input cell KH * KW / S^2 times. Cho and Brand ("MEC: Memory-efficient Convolution for
Deep Neural Network", arXiv 1706.06873, section 3) unroll one axis, here the height,

    lines[n, i, w, (kh, c)] = x[n, c, i SH + kh - PH, w - PW]           KH / SH times the input

so that the patch of output pixel j is one contiguous run, KW * KH * C cells from w = j SW on: the rows of
the im2col matrix lie in memory already, overlapping one another. BLAS wants rows that do not overlap, so
pixels go in R = ceil(KW / SW) classes, j = r, r + R, r + 2 R, ...: within a class patches are R SW >= KW
pixels apart, and each class is one product on a view, without a copy.

Lines are made a multiple of R SW pixels long, so that one view runs through all lines of a tile; the few
patches that straddle two lines are computed and dropped.
"""

from functools import partial

from minigan import backend
from minigan.kernels import blas, workspace
from minigan.kernels.conv import rates
from minigan.kernels.conv.im2col import mirrored
from minigan.kernels.conv.layout import empty_image, even, nchw, nhwc, row_blocks, strided, window
from minigan.kernels.conv.registry import Algorithm, register

TILE = 2 << 20  # bytes of lines a tile


def classes(spec):
    """(R, Q): the number of classes, and of patches of each class in a line."""
    SW = spec.stride[1]
    R = -(-spec.KW // SW)
    return R, -(-((spec.OW - 1) * SW + spec.KW) // (SW * R))


def patches(x, spec, block):
    """For each class its (rows * Q, KW * KH * C) matrix of patches, views of this thread's scratch memory."""
    n0, n1, i0, i1 = block
    (SH, SW), (PH, PW), C, (R, Q) = spec.stride, spec.padding, spec.C, classes(spec)
    width, count = R * Q * SW, (n1 - n0) * (i1 - i0)
    piece = window(nhwc(x)[n0:n1], i0 * SH - PH, (i1 - i0 - 1) * SH + spec.KH, -PW, width)
    n, h, w, c = piece.strides
    lines = workspace.take(x, "lines", (count * width + R * SW, spec.KH * C))
    lines[count * width :] = 0  # where the last line's last patches run on
    view = strided(piece, (n1 - n0, i1 - i0, width, spec.KH, C), (n, SH * h, w, h, c))
    lines[: count * width].reshape(view.shape)[...] = view
    step = lines.strides[0]
    shape = (count * Q, spec.KW * spec.KH * C)
    return [strided(lines[r * SW :], shape, (R * SW * step, x.dtype.itemsize)) for r in range(R)]


def blocks_of(spec, like):
    """Blocks of output rows whose lines fit a tile, a number of them that the threads can share."""
    R, Q = classes(spec)
    row_bytes = R * Q * spec.stride[1] * spec.KH * spec.C * like.dtype.itemsize
    count = blas.workers() * -(-max(1, spec.N * spec.OH * row_bytes) // (blas.workers() * TILE))
    return row_blocks(spec.N, spec.OH, max(1, -(-spec.N * spec.OH // count)))


def prepare(weight, spec, function):
    """(KW * KH * C, O): rows in the order of a patch; of the flipped kernel for an input gradient."""
    if function == "input_grad":
        weight = weight[:, :, ::-1, ::-1].transpose(1, 0, 2, 3)
    return weight.transpose(3, 2, 1, 0).reshape(-1, weight.shape[0])


def forward(x, weight, spec, prepared=None):
    """(N, C, H, W), (O, C, KH, KW) -> (N, O, OH, OW)."""
    return products(x, prepare(weight, spec, "forward") if prepared is None else prepared, spec)


def input_grad(g, weight, spec, prepared=None):
    """(N, O, OH, OW), (O, C, KH, KW) -> (N, C, H, W): the mirrored convolution."""
    matrix = prepare(weight, spec, "input_grad") if prepared is None else prepared
    return products(g, matrix, mirrored(spec))


def products(x, matrix, spec):
    """The convolution with the kernel as a (KW * KH * C, O) matrix."""
    R, Q = classes(spec)
    y = empty_image(x, spec.N, spec.OH, spec.OW, spec.O)

    def tile(block):
        n0, n1, i0, i1 = block
        shape = (n1 - n0, i1 - i0, Q, R, spec.O)
        exact = Q * R == spec.OW
        out = y[n0:n1, i0:i1].reshape(shape) if exact else workspace.take(x, "product", shape)
        for r, rows in enumerate(patches(x, spec, block)):
            blas.product(rows, matrix, out.reshape(-1, R, spec.O)[:, r])
        if not exact:
            y[n0:n1, i0:i1] = out.reshape(n1 - n0, i1 - i0, Q * R, spec.O)[:, :, : spec.OW]

    blas.run([partial(tile, block) for block in blocks_of(spec, x)])
    return nchw(y)


def weight_grad(x, g, spec):
    """(N, C, H, W), (N, O, OH, OW) -> (O, C, KH, KW): each class's patches^T @ g."""
    xp, (R, Q), blocks = backend.namespace(x), classes(spec), blocks_of(spec, x)
    shares = even(len(blocks), blas.workers())
    K = spec.KW * spec.KH * spec.C
    sums = xp.zeros((max(1, len(shares)), K, spec.O), x.dtype)

    def share(into, first, last):
        for n0, n1, i0, i1 in blocks[first:last]:
            wide = workspace.take(x, "wide", (n1 - n0, i1 - i0, Q * R, spec.O))
            wide[:, :, spec.OW :] = 0
            wide[:, :, : spec.OW] = nhwc(g)[n0:n1, i0:i1]
            for r, rows in enumerate(patches(x, spec, (n0, n1, i0, i1))):
                pixels = wide.reshape(-1, R, spec.O)[:, r]
                blas.product(rows.T, pixels, into, add=True)

    blas.run([partial(share, into, *s) for into, s in zip(sums, shares, strict=True)])
    total = sums.sum(axis=0).reshape(spec.KW, spec.KH, spec.C, spec.O)
    return total.transpose(3, 2, 1, 0)


def supports(spec, function):
    """No groups, no dilation; input gradients with stride 1."""
    if spec.groups > 1 or spec.dilation != (1, 1):
        return "one group without dilation only"
    if function == "input_grad" and mirrored(spec) is None:
        return "input gradients with stride 1 and padding below the kernel only"
    return ""


def cost(spec, function, frozen=False):
    """Products with the share of dropped patches, and the copy of one axis."""
    turned = mirrored(spec) if function == "input_grad" else spec
    R, Q = classes(turned)
    lines = turned.N * turned.OH * R * Q * turned.stride[1] * turned.KH * turned.C
    slower = 1.25 if function == "weight_grad" else 1.07
    products = rates.product(turned.macs * R * Q / turned.OW, turned.O) * slower
    return products + rates.copy(lines, turned.C) + 1.5 * rates.CALL


register(Algorithm("mec", forward, input_grad, weight_grad, supports, cost, prepare))

"""Winograd's filtering along the width only: it saves less than in both directions, and costs hardly more.

Along a row the identity y = A^T [ (G w) * (B^T d) ] of winograd.py is used as it stands: m outputs of a
filter of r taps from n = m + r - 1 products (Winograd, "Arithmetic Complexity of Computations", 1980). Rows
of the kernel are added up directly. With a stride S, blocks of S x S pixels are one coarse pixel of S^2 C
channels, and r = ceil(K / S) taps remain each way, as in winograd.py; so for 4x4 with stride 2, F(4, 2) does
5 multiplications where the direct sum does 8, with half of winograd.py's transforms.

Memory order makes the rest cheap. With the batch inside, (n, lines, tiles, images, channels), the tiles that
meet row q of the kernel at output lines i0 .. i1 - 1 are the lines i0 + q .. of one dense matrix:

    Y[p] = sum over q of  D[p][lines from q on] @ U[p, q]          D = B^T d,  U = G w,  y = A^T Y

which is a few large products on views, with nothing copied. The input gradient is the same with input and
output channels in swapped parts, for each of the S x S phases of the result by itself, so that no coarse
pixel is computed which lies half outside. The weight gradient: gU[p, q] = (A g)[p]^T @ D[p][lines from q
on], gw = G^T gU.
"""

from functools import lru_cache, partial

from minigan import backend
from minigan.kernels import blas, workspace
from minigan.kernels.conv import rates
from minigan.kernels.conv.layout import empty_image, even, nchw, nhwc, strided, window
from minigan.kernels.conv.registry import Algorithm, register
from minigan.kernels.conv.winograd import transforms

SIZES = (2, 3, 4)  # outputs of a tile
TILE = 3 << 20  # bytes of transformed cells a job works on
ROWS = 128  # of a product, at least


def taps_of(spec):
    """Taps of a phase: (rows of the kernel, r along the width)."""
    return -(-spec.KH // spec.stride[0]), -(-spec.KW // spec.stride[1])


def gathered(image, block, top, left, steps, counts, m, r):
    """D = B^T d of a block of images: (n, lines, tiles, images, channels of a coarse pixel).

    ``image`` is (N, H, W, C); ``top`` and ``left`` are the first pixel, ``steps`` the sides of a coarse
    pixel, ``counts`` lines and tiles.
    """
    (n0, n1), (SH, SW), (lines, tiles), n = block, steps, counts, m + r - 1
    channels = image.shape[3]
    piece = window(image[n0:n1], top, SH * lines, left, SW * (tiles * m + r - 1))
    each, h, w, c = piece.strides
    shape = (n, lines, tiles, n1 - n0, SH, SW * channels)
    cells = workspace.take(image, "cells", shape)
    cells[...] = strided(piece, shape, (SW * w, SH * h, m * SW * w, each, h, c))
    out = workspace.take(image, "inputs", (n, cells.size // n))
    blas.product(transforms(image, m, r)[2], cells.reshape(n, -1), out)
    return out.reshape(n, lines * tiles * (n1 - n0), SH * SW * channels)


def blocks_of(spec, lines, tiles, image_bytes):
    """Ranges of images, and of lines where that makes too few: jobs of one tile of memory each."""
    threads = blas.workers()
    jobs = max(1, min(-(-spec.N * image_bytes // TILE), spec.N * lines * tiles // ROWS))
    jobs = threads * -(-jobs // threads)
    parts = -(-jobs // spec.N)
    return [(images, part) for images in even(spec.N, jobs) for part in even(lines, parts)]


def forward(x, weight, spec, prepared=None):
    """(N, C, H, W), (O, C, KH, KW) -> (N, O, OH, OW)."""
    m = size_of(prepared, spec) if prepared is not None else best_size(spec, "forward")
    kernel = prepare(weight, spec, "forward", m) if prepared is None else prepared
    (q_count, r), (SH, SW), (PH, PW) = taps_of(spec), spec.stride, spec.padding
    n, T = m + r - 1, -(-spec.OW // m)
    y = empty_image(x, spec.N, spec.OH, spec.OW, spec.O)

    def tile(images, part, o0, o1):
        (n0, n1), (i0, i1) = images, part
        counts = (i1 - i0 + q_count - 1, T)
        inputs = gathered(nhwc(x), images, i0 * SH - PH, -PW, spec.stride, counts, m, r)
        step = T * (n1 - n0)
        products = workspace.take(x, "cells", (n, (i1 - i0) * step, o1 - o0))
        for p in range(n):
            for q in range(q_count):
                rows = inputs[p, q * step : q * step + (i1 - i0) * step]
                blas.product(rows, kernel[p, q, o0:o1].T, products[p], add=q > 0)
        outputs = workspace.take(x, "inputs", (m, products.size // n))
        blas.product(transforms(x, m, r)[0], products.reshape(n, -1), outputs)
        outputs = outputs.reshape(m, i1 - i0, T, n1 - n0, o1 - o0)
        for k in range(min(m, spec.OW)):
            target = y[n0:n1, i0:i1, k::m, o0:o1]
            target[...] = outputs[k, :, : target.shape[2]].transpose(2, 0, 1, 3)

    image_bytes = n * spec.OH * T * SH * SW * spec.C * x.dtype.itemsize
    blocks, shares = blocks_of(spec, spec.OH, T, image_bytes), [(0, spec.O)]
    if spec.N * spec.OH * T < ROWS * blas.workers() and spec.O >= 64 * blas.workers():
        blocks, shares = [((0, spec.N), (0, spec.OH))], even(spec.O, blas.workers())
    blas.run([partial(tile, *block, *share) for block in blocks for share in shares])
    return nchw(y)


def input_grad(g, weight, spec, prepared=None):
    """(N, O, OH, OW), (O, C, KH, KW) -> (N, C, H, W)."""
    m = size_of(prepared, spec) if prepared is not None else best_size(spec, "input_grad")
    kernel = prepare(weight, spec, "input_grad", m) if prepared is None else prepared
    (q_count, r), (SH, SW) = taps_of(spec), spec.stride
    n = m + r - 1
    gx = empty_image(g, spec.N, spec.H, spec.W, spec.C)
    lines, T = -(-spec.H // SH), -(-spec.W // (SW * m))

    def tile(images, part, c0, c1):
        (n0, n1), (u0, u1) = images, part
        step, count = T * (n1 - n0), u1 - u0 + q_count
        top = min(phase_start(spec, a, 0) for a in range(SH))
        for b in range(SW):
            first = phase_start(spec, b, 1)
            inputs = gathered(nhwc(g), images, u0 + top, first, (1, 1), (count, T), m, r)
            for a in range(SH):
                products = workspace.take(g, "products", (n, (u1 - u0) * step, c1 - c0))
                down = phase_start(spec, a, 0) - top
                for p in range(n):
                    for q in range(q_count):
                        rows = inputs[p, (q + down) * step :][: (u1 - u0) * step]
                        blas.product(rows, kernel[p, b, a, q, :, c0:c1], products[p], add=q > 0)
                outputs = workspace.take(g, "outputs", (m, products.size // n))
                blas.product(transforms(g, m, r)[0], products.reshape(n, -1), outputs)
                outputs = outputs.reshape(m, u1 - u0, T, n1 - n0, c1 - c0)
                for k in range(m):
                    target = gx[n0:n1, u0 * SH + a : u1 * SH : SH, b + k * SW :: m * SW, c0:c1]
                    found = outputs[k, : target.shape[1], : target.shape[2]]
                    target[...] = found.transpose(2, 0, 1, 3)

    image_bytes = n * lines * T * spec.O * g.dtype.itemsize
    blocks, shares = blocks_of(spec, lines, T, image_bytes), [(0, spec.C)]
    if spec.N * lines * T < ROWS * blas.workers() and spec.C >= 64 * blas.workers():
        blocks, shares = [((0, spec.N), (0, lines))], even(spec.C, blas.workers())
    blas.run([partial(tile, *block, *share) for block in blocks for share in shares])
    return nchw(gx)


def phase_start(spec, a, axis):
    """The first output cell that input cells a, a + S, ... look at, when all ceil(K / S) taps are counted."""
    S, P, K = spec.stride[axis], spec.padding[axis], (spec.KH, spec.KW)[axis]
    return (a + P) // S - (-(-K // S) - 1)


def weight_grad(x, g, spec):
    """(N, C, H, W), (N, O, OH, OW) -> (O, C, KH, KW).

    First everything is transformed, then each job makes one product from all of it: no sums of parts.
    """
    xp, m = backend.namespace(x), best_size(spec, "weight_grad")
    (q_count, r), (SH, SW), (PH, PW) = taps_of(spec), spec.stride, spec.padding
    AT, G, _ = transforms(x, m, r)
    n, T, K = m + r - 1, -(-spec.OW // m), SH * SW * spec.C
    lines = spec.OH + q_count - 1
    jobs = blas.workers() * -(-spec.N * n * lines * T * K * x.itemsize // (blas.workers() * TILE))
    inputs = workspace.take(x, "all inputs", (n, lines, T, spec.N, K))
    cotangents = workspace.take(x, "all outputs", (n, spec.OH, T, spec.N, spec.O))

    def transform(n0, n1):
        counts = (lines, T)
        found = gathered(nhwc(x), (n0, n1), -PH, -PW, spec.stride, counts, m, r)
        inputs[:, :, :, n0:n1] = found.reshape(n, lines, T, n1 - n0, K)
        piece = window(nhwc(g)[n0:n1], 0, spec.OH, 0, T * m)
        cells = workspace.take(x, "cells", (m, spec.OH, T, n1 - n0, spec.O))
        cells[...] = piece.reshape(n1 - n0, spec.OH, T, m, spec.O).transpose(3, 1, 2, 0, 4)
        out = workspace.take(x, "inputs", (n, cells.size // m))
        blas.product(AT.T, cells.reshape(m, -1), out)
        cotangents[:, :, :, n0:n1] = out.reshape(n, spec.OH, T, n1 - n0, spec.O)

    blas.run([partial(transform, *some) for some in even(spec.N, jobs)])
    sums = workspace.take(x, "sums", (n, q_count, spec.O, K))
    step = T * spec.N
    flat, gflat = inputs.reshape(n, -1, K), cotangents.reshape(n, -1, spec.O)

    def multiply(p, q):
        blas.product(gflat[p].T, flat[p, q * step : (q + spec.OH) * step], sums[p, q])

    blas.run([partial(multiply, p, q) for p in range(n) for q in range(q_count)])
    planes = blas.matmul(G.T, sums.reshape(n, -1)).reshape(r, q_count, spec.O, SH, SW, spec.C)
    whole = xp.empty((spec.O, q_count * SH, r * SW, spec.C), x.dtype)
    whole.reshape(spec.O, q_count, SH, r, SW, spec.C)[...] = planes.transpose(2, 1, 3, 0, 4, 5)
    return nchw(whole[:, : spec.KH, : spec.KW])


def prepare(weight, spec, function, m=None):
    """U = G w: (n, rows, O, SH SW C), for input gradients (n, SW, SH, rows, O, C)."""
    m = m or best_size(spec, function, frozen=True)
    xp, (q_count, r), (SH, SW) = backend.namespace(weight), taps_of(spec), spec.stride
    forwards, kernel = function == "forward", nhwc(weight)
    if forwards:
        planes = xp.zeros((r, q_count, spec.O, SH, SW, spec.C), weight.dtype)
    else:
        planes = xp.zeros((r, SW, SH, q_count, spec.O, spec.C), weight.dtype)
    for kh in range(spec.KH):
        for kw in range(spec.KW):
            if forwards:
                planes[kw // SW, kh // SH, :, kh % SH, kw % SW] = kernel[:, kh, kw]
                continue
            a, b = (kh - spec.padding[0]) % SH, (kw - spec.padding[1]) % SW
            q = (a + spec.padding[0] - kh) // SH - phase_start(spec, a, 0)
            s = (b + spec.padding[1] - kw) // SW - phase_start(spec, b, 1)
            planes[s, b, a, q] = kernel[:, kh, kw]
    G = transforms(weight, m, r)[1]
    out = xp.empty((len(G), planes.size // r), weight.dtype)
    parts = even(out.shape[1], max(blas.workers(), out.shape[1] >> 16))
    flat = planes.reshape(r, -1)
    blas.run([partial(blas.product, G, flat[:, a:b], out[:, a:b]) for a, b in parts])
    if forwards:
        return out.reshape(len(G), q_count, spec.O, SH * SW * spec.C)
    return out.reshape(len(G), SW, SH, q_count, spec.O, spec.C)


def size_of(prepared, spec):
    """The tile size m that a kernel was prepared for."""
    return len(prepared) - taps_of(spec)[1] + 1


@lru_cache(4096)
def best_size(spec, function, frozen=False):
    """The tile size of the lowest estimated cost."""
    return min(SIZES, key=lambda m: size_cost(spec, function, frozen, m))


def size_cost(spec, function, frozen, m):
    """Seconds: the products, the gathering and the transforms, and those of the kernel."""
    (q_count, r), (SH, SW) = taps_of(spec), spec.stride
    n, K = m + r - 1, SH * SW * spec.C
    if function == "input_grad":
        tiles = spec.N * -(-spec.H // SH) * -(-spec.W // (SW * m))
        gathers, scatters, narrow = SW * spec.O, K, spec.C
    else:
        tiles = spec.N * spec.OH * -(-spec.OW // m)
        gathers, scatters, narrow = K, spec.O, spec.O
    products = rates.product(tiles * n * q_count * K * spec.O, narrow)
    copies = rates.copy(tiles * n * gathers, SW * spec.C) + rates.copy(tiles * (n + m) * scatters, narrow)
    transforms = tiles * n * (n * gathers + m * scatters) / rates.THIN
    each = rates.here(3e-10 if frozen and function != "weight_grad" else 4e-10)
    weights = n * q_count * K * spec.O * each
    slower = {"forward": 1.25, "input_grad": 1.35, "weight_grad": 1.55}[function]  # as measured
    return slower * (products + copies + transforms + weights) + 3 * rates.CALL


def supports(spec, function):
    """Two or three taps a phase along the width."""
    if spec.groups > 1:
        return "one group only"
    if spec.dilation != (1, 1) or taps_of(spec)[1] not in (2, 3):
        return "two or three taps a phase along the width only, without dilation"
    return "" if spec.N else "no tiles in an empty batch"


def cost(spec, function, frozen=False):
    """That of the best tile size."""
    return size_cost(spec, function, frozen, best_size(spec, function, frozen))


register(Algorithm("winograd1d", forward, input_grad, weight_grad, supports, cost, prepare))

"""Winograd's minimal filtering: m outputs of an r-tap filter with m + r - 1 products instead of m r.

Let d be n = m + r - 1 neighbouring inputs, w the r taps. Read both as polynomials: y = the m middle
coefficients of a product, and a product of polynomials can be had by evaluating both at n points,
multiplying point by point, and interpolating. Written out and transposed (Winograd, "Arithmetic Complexity
of Computations", 1980),

    y = A^T [ (G w) * (B^T d) ]        with constant matrices A^T (m, n), G (n, r), B^T (n, n)

and in two dimensions Y = A^T [ (G w G^T) * (B^T d B) ] A, which is F(m x m, r x r). Summed over input
channels, "*" becomes one matrix product for each of the n^2 points (Lavin and Gray, arXiv 1509.09308,
section 4.1): F(4x4, 3x3) does 36 multiplications where the direct sum does 144. It is linear in each of its
three factors, so the weight gradient is the same identity read the other way: gw = G^T [ sum over tiles
(B^T d B) * (A g A^T) ] G.

Strides. A kernel of K taps with stride S is S phases of r = ceil(K / S) taps each: input cells S u + a meet
taps S q + a only. Over images whose S x S blocks of pixels count as S^2 C channels of one coarse pixel
(space to depth) it is a convolution of stride 1 with r x r taps. The input gradient (transposed
convolution) is the same the other way round: S^2 C output channels, spread out to S x S blocks. So 4x4 with
stride 2, the kernel of DCGAN, becomes F(m x m, 2x2), and nothing is ever scattered with overlap.

How it is computed. The n x n cells of a tile are gathered to the front, (n, n, tiles * C), so that each
transform is two matrix products of a few rows and very many columns, one along either axis. Which points:
infinity and few, small and unlike ones, for small rounding errors (Barabasz et al., arXiv 1803.10986); about
2e-6 relative in float32.
"""

from dataclasses import dataclass, replace
from functools import cache, lru_cache, partial
from itertools import accumulate

import numpy as np

from minigan import backend
from minigan.kernels import blas, workspace
from minigan.kernels.conv import rates
from minigan.kernels.conv.layout import empty_image, even, nchw, nhwc, row_blocks, strided, window
from minigan.kernels.conv.registry import Algorithm, register

# How many finite points -> which; each set measured against the others, in float32.
POINTS = {1: [0], 2: [0, 1], 3: [0, 1, -1], 4: [0, -1, 2, 0.5], 5: [0, 1, -1, 2, -0.5]}
TILE = 3 << 19  # bytes of transformed tiles a job works on; there are four such arrays a thread
ALL = 24 << 20  # and of those that a weight gradient's products go over at once
LEAST = 64  # tiles a job: shorter products are slow


def matrices(m, r):
    """A^T (m, n), G (n, r), B^T (n, n) of F(m, r), exact, from n - 1 points and infinity."""
    from fractions import Fraction  # not at the top: importing minigan stays light

    n = m + r - 1
    points = [Fraction(p) for p in POINTS[n - 1]]
    AT = [[p**i for p in points] + [Fraction(i == m - 1)] for i in range(m)]
    G, BT = [], []
    for j, p in enumerate(points):
        others = points[:j] + points[j + 1 :]
        scale = Fraction(1)
        for q in others:
            scale *= p - q
        G.append([p**k / scale for k in range(r)])
        BT.append([*polynomial(others), Fraction(0)])
    G.append([Fraction(k == r - 1) for k in range(r)])
    BT.append(polynomial(points))
    return AT, G, BT


def polynomial(roots):
    """Coefficients, constant first, of the product of (x - root)."""
    coefficients = [1]
    for root in roots:
        up, down = [0, *coefficients], [*coefficients, 0]
        coefficients = [a - root * b for a, b in zip(up, down, strict=True)]
    return coefficients


@cache
def along_one_axis(m, r, dtype, device):
    """A^T (m, n), G (n, r) and B^T (n, n) as arrays."""
    return tuple(
        backend.to_device(np.array(matrix, float).astype(dtype), device) for matrix in matrices(m, r)
    )


def transforms(like, m, r):
    """The matrices of F(m, r) in the type and on the device of an array."""
    return along_one_axis(m, r, like.dtype.char, backend.of(like).name)


def along_both(matrix, cells, out):
    """(p, n), (n, n, L) -> (p, p, L): matrix @ cells @ matrix^T for each of the L, written to ``out``."""
    p, n = matrix.shape
    half = workspace.take(cells, "half", (p, n, cells.shape[2]))
    blas.product(matrix, cells.reshape(n, -1), half.reshape(p, -1))
    return blas.product(matrix, half, out)


@dataclass(frozen=True)
class Plan:
    """Where tiles lie. Tile (t, u) yields outputs (t m .. t m + m - 1, u m ..) of the coarse image.

    ``gather`` (S): input cells are S x S blocks, ``Cin`` counts all channels of a block; the first cell is
    input pixel (``top``, ``left``), zeros outside. ``spread`` (S): outputs are S x S blocks of ``Cout``
    channels in all, of which the first ``crop`` pixels are cut off; (``H``, ``W``) is what remains.
    """

    N: int
    H: int
    W: int
    Cin: int
    Cout: int
    m: int
    r: int
    gather: int
    spread: int
    top: int
    left: int
    crop: tuple[int, int]

    @property
    def n(self):
        """Side of an input tile."""
        return self.m + self.r - 1

    @property
    def TH(self):
        """Rows of tiles."""
        return -(-(self.H + self.crop[0]) // (self.m * self.spread))

    @property
    def TW(self):
        """Columns of tiles."""
        return -(-(self.W + self.crop[1]) // (self.m * self.spread))


def plans(spec, function):
    """The plan of a forward pass (or weight gradient) or input gradient for each tile size m = 2, 3, 4."""
    S, (PH, PW) = spec.stride[0], spec.padding
    r = -(-spec.KH // S)
    if function == "input_grad":
        first = (PH // S, PW // S)
        base = Plan(spec.N, spec.H, spec.W, spec.O, S * S * spec.C, 0, r, 1, S,
                    first[0] - (r - 1), first[1] - (r - 1), (PH % S, PW % S))  # fmt: skip
    else:
        base = Plan(spec.N, spec.OH, spec.OW, S * S * spec.C, spec.O, 0, r, S, 1, -PH, -PW, (0, 0))
    return [replace(base, m=m) for m in (2, 3, 4)]


@lru_cache(4096)
def best_plan(spec, function, frozen=False):
    """The plan of the lowest estimated cost."""
    return min(plans(spec, function), key=lambda plan: plan_cost(plan, function, frozen))


def plan_cost(plan, function, frozen):
    """Seconds: copies and products of all tiles, and the traffic of the transformed weight."""
    n2, m2, sizes = plan.n**2, plan.m**2, plan.Cin * plan.Cout
    tiles = plan.N * plan.TH * plan.TW
    slower = 2 if plan.gather > 1 else 1  # blocks of pixels come in shorter runs than channels alone
    copies = slower * rates.copy(n2 * plan.Cin, plan.Cin) + rates.copy(m2 * plan.Cout, plan.Cout)
    transforms = (2 * plan.n**3 * plan.Cin + plan.m * plan.n * (plan.m + plan.n) * plan.Cout) / rates.THIN
    rows = max(1, min(tiles, max(LEAST, TILE // (n2 * max(plan.Cin, plan.Cout) * 4))))
    products = rates.product(n2 * sizes, plan.Cout) * (1 + 12 / rows)  # short products are slow
    seconds = 1.15 * tiles * (copies + transforms + products) + 3 * rates.CALL
    if function == "weight_grad":
        return 1.35 * seconds + rates.here(n2 * sizes * 4e-10)
    if frozen:  # for three passes at least: that many a GAN's discriminator is frozen for
        return seconds + rates.here(n2 * sizes * 3.5e-10)
    return seconds + rates.here(n2 * sizes * 1.3e-9) + 3 * rates.CALL


def tap_planes(weight, spec):
    """(O, C, K, K) -> (r, r, O, S * S * C): the taps of all phases, zeros where S does not divide K."""
    xp, S, K = backend.namespace(weight), spec.stride[0], spec.KH
    r = -(-K // S)
    planes = xp.zeros((r, r, spec.O, S, S, spec.C), weight.dtype)
    for kh in range(K):
        for kw in range(K):
            planes[kh // S, kw // S, :, kh % S, kw % S] = weight[:, :, kh, kw]
    return planes.reshape(r, r, spec.O, S * S * spec.C)


def prepare(weight, spec, function, plan=None):
    """The transformed weight G w G^T: (n^2, Cin, Cout) in C order."""
    plan = plan or best_plan(spec, function, frozen=True)
    xp, planes = backend.namespace(weight), tap_planes(weight, spec)
    planes = planes[::-1, ::-1] if function == "input_grad" else planes.swapaxes(2, 3)
    G = transforms(weight, plan.m, plan.r)[1]
    flat = planes.reshape(plan.r, -1)  # a copy: in C order
    out = xp.empty((plan.n, plan.n, plan.Cin * plan.Cout), weight.dtype)

    def row(i):
        half = workspace.take(weight, "half", (1, flat.shape[1]))
        blas.product(G[i : i + 1], flat, half)
        blas.product(G, half.reshape(plan.r, -1), out[i])

    blas.run([partial(row, i) for i in range(plan.n)])
    return out.reshape(plan.n**2, plan.Cin, plan.Cout)


def gathered(image, plan, block, out=None):
    """B^T d B of a block of tiles: (n^2, tiles, Cin) in scratch memory. ``image`` is (N, H, W, C).

    With ``out``, (n, n, tiles * Cin), there instead.
    """
    n0, n1, t0, t1 = block
    S, m, n = plan.gather, plan.m, plan.n
    rows, cols = S * ((t1 - t0) * m + plan.r - 1), S * (plan.TW * m + plan.r - 1)
    piece = window(image[n0:n1], t0 * m * S + plan.top, rows, plan.left, cols)
    each, h, w, c = piece.strides
    shape = (n, n, n1 - n0, t1 - t0, plan.TW, S, plan.Cin // S)  # the last: S neighbours' channels in one run
    cells = workspace.take(image, "cells", shape)
    cells[...] = strided(piece, shape, (S * h, S * w, each, m * S * h, m * S * w, h, c))
    if out is None:
        out = workspace.take(image, "inputs", (n, n, cells.size // (n * n)))
    along_both(transforms(image, m, plan.r)[2], cells.reshape(n, n, -1), out)
    return out.reshape(n * n, -1, plan.Cin)


def tile_blocks(plan, size):
    """Blocks (n0, n1, t0, t1) of rows of tiles of about ``size`` bytes, enough for every thread."""
    width = plan.n**2 * max(plan.Cin, plan.Cout) * 4
    fitting = max(LEAST, size // width)
    total = plan.N * plan.TH * plan.TW
    threads = blas.workers()
    count = threads * -(-total // (threads * fitting))
    if total < threads * LEAST and plan.spread == 1:  # then the threads share out the output channels
        count = -(-total // fitting)
    return row_blocks(plan.N, plan.TH, max(1, -(-total // count) // plan.TW))


def run(image, weight, plan):
    """An (N, H, W, C) image and a transformed weight (n^2, Cin, Cout) -> (N, plan.H, plan.W, C)."""
    m = plan.m
    AT = transforms(image, m, plan.r)[0]
    y = empty_image(image, plan.N, plan.H, plan.W, plan.Cout // plan.spread**2)

    wide = max(plan.Cin, plan.Cout) >= 256 and plan.gather == plan.spread == 1
    blocks = tile_blocks(plan, 2 * TILE if wide else TILE)  # wide products are slow if they are short
    shares = [(0, plan.Cout)]
    if len(blocks) < blas.workers() and plan.spread == 1 and plan.Cout >= 64:
        shares = even(plan.Cout, blas.workers())

    def tile(block, o0, o1):
        inputs = gathered(image, plan, block)
        products = workspace.take(image, "cells", (plan.n**2, inputs.shape[1], o1 - o0))
        blas.product(inputs, weight[:, :, o0:o1], products)
        outputs = workspace.take(image, "inputs", (m, m, inputs.shape[1] * (o1 - o0)))
        along_both(AT, products.reshape(plan.n, plan.n, -1), outputs)
        scatter(y[..., o0:o1] if o1 - o0 < plan.Cout else y, outputs, plan, block)

    blas.run([partial(tile, block, *share) for block in blocks for share in shares])
    return y


def scatter(y, outputs, plan, block):
    """Put (m, m, tiles * Cout) where it belongs in y, cutting off what lies outside."""
    n0, n1, t0, t1 = block
    m, S, C = plan.m, plan.spread, y.shape[3]
    count, down = n1 - n0, (t1 - t0) * m * S
    outputs = outputs.reshape(m, m, count, t1 - t0, plan.TW, S, S * C)
    fits = plan.crop == (0, 0) and (plan.TH * m * S, plan.TW * m * S) == y.shape[1:3]
    if fits and y.flags.c_contiguous:
        target = y[n0:n1, t0 * m * S : t1 * m * S]
    else:
        target = workspace.take(y, "window", (count, down, plan.TW * m * S, C))
    whole = target.reshape(count, t1 - t0, m, S, plan.TW, m, S * C)
    whole[...] = outputs.transpose(2, 3, 0, 5, 4, 1, 6)
    if not (fits and y.flags.c_contiguous):
        start = t0 * m * S - plan.crop[0]
        first, last = max(0, start), min(plan.H, start + down)
        left = plan.crop[1]
        y[n0:n1, first:last] = target[:, first - start : last - start, left : left + plan.W]


def forward(x, weight, spec, prepared=None):
    """(N, C, H, W), (O, C, K, K) -> (N, O, OH, OW)."""
    return image_function(x, weight, spec, prepared, "forward")


def input_grad(g, weight, spec, prepared=None):
    """(N, O, OH, OW), (O, C, K, K) -> (N, C, H, W)."""
    return image_function(g, weight, spec, prepared, "input_grad")


def image_function(image, weight, spec, prepared, function):
    """Both, with the plan's tile size read off the prepared weight where there is one."""
    if prepared is None:
        plan = best_plan(spec, function)
        prepared = prepare(weight, spec, function, plan)
    else:
        plan = next(p for p in plans(spec, function) if p.n**2 == prepared.shape[0])
    return nchw(run(nhwc(image), prepared, plan))


def weight_grad(x, g, spec):
    """(N, C, H, W), (N, O, OH, OW) -> (O, C, K, K).

    First many tiles are transformed, then each job makes one product from all of them: no sums of parts.
    """
    xp, plan = backend.namespace(x), best_plan(spec, "weight_grad")
    n, O = plan.n, spec.O
    sums = xp.empty((n * n, O, plan.Cin), x.dtype)
    groups = groups_of(tile_blocks(plan, TILE), plan, x.dtype.itemsize)
    for group in groups:
        add_group(sums, nhwc(x), nhwc(g), plan, group, add=group is not groups[0])
    S, r, G = plan.gather, plan.r, transforms(x, plan.m, plan.r)[1]
    planes = along_both(G.T, sums.reshape(n, n, -1), xp.empty((r, r, O * plan.Cin), x.dtype))
    taps = planes.reshape(r, r, O, S, S, spec.C).transpose(2, 0, 3, 1, 4, 5)
    whole = taps.reshape(O, r * S, r * S, spec.C)
    return whole[:, : spec.KH, : spec.KW].transpose(0, 3, 1, 2)


def add_group(sums, x, g, plan, blocks, *, add):
    """Write or add the products of these blocks' tiles at every point to ``sums``, (n^2, O, Cin)."""
    xp, (points, O, Cin), n = backend.namespace(x), sums.shape, plan.n
    edges = [0, *accumulate((n1 - n0) * (t1 - t0) * plan.TW for n0, n1, t0, t1 in blocks)]
    inputs = xp.empty((n, n, edges[-1] * Cin), x.dtype)
    cotangents = xp.empty((n, n, edges[-1] * O), x.dtype)

    def transform(block, first, last):
        gathered(x, plan, block, inputs[:, :, first * Cin : last * Cin])
        spread_cotangents(g, plan, block, cotangents[:, :, first * O : last * O])

    blas.run([partial(transform, *job) for job in zip(blocks, edges, edges[1:], strict=False)])
    flat, gflat = inputs.reshape(points, -1, Cin), cotangents.reshape(points, -1, O)
    blas.run([partial(blas.product, gflat[p].T, flat[p], sums[p], add=add) for p in range(points)])


def groups_of(blocks, plan, itemsize):
    """Consecutive blocks in groups of about ``ALL`` bytes of transformed tiles."""
    bytes_each = plan.n**2 * (plan.Cin + plan.Cout) * itemsize
    tiles = sum((n1 - n0) * (t1 - t0) for n0, n1, t0, t1 in blocks) * plan.TW
    return [blocks[a:b] for a, b in even(len(blocks), -(-tiles * bytes_each // ALL))]


def spread_cotangents(g, plan, block, out):
    """A g A^T of a block of tiles of an (N, OH, OW, O) cotangent, to ``out``, (n, n, tiles * O)."""
    n0, n1, t0, t1 = block
    m, O = plan.m, g.shape[3]
    piece = window(g[n0:n1], t0 * m, (t1 - t0) * m, 0, plan.TW * m)
    cells = workspace.take(g, "cells", (m, m, n1 - n0, t1 - t0, plan.TW, O))
    cells[...] = piece.reshape(n1 - n0, t1 - t0, m, plan.TW, m, O).transpose(2, 4, 0, 1, 3, 5)
    along_both(transforms(g, m, plan.r)[0].T, cells.reshape(m, m, -1), out)


def supports(spec, function):
    """Square kernels of stride 1 or 2 with two or three taps a phase."""
    if spec.groups > 1:
        return "one group only"
    if spec.KH != spec.KW or spec.stride[0] != spec.stride[1] or spec.dilation != (1, 1):
        return "square kernels without dilation only"
    if spec.stride[0] > 2 or -(-spec.KH // spec.stride[0]) not in (2, 3):
        return "two or three taps a phase only: kernels 2, 3 (stride 1), 3 to 6 (stride 2)"
    return "" if spec.N else "no tiles in an empty batch"


def cost(spec, function, frozen=False):
    """That of the best tile size."""
    return plan_cost(best_plan(spec, function, frozen), function, frozen)


register(Algorithm("winograd", forward, input_grad, weight_grad, supports, cost, prepare))

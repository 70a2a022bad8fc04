"""im2col on a GPU: one kernel lays the patches out, one cuBLAS product does the work, one kernel adds back.

    forward       y  = columns @ weight         (P, KH KW C) @ (KH KW C, O), P = N OH OW pixels
    weight_grad   gweight = g^T @ columns       (O, P) @ (P, KH KW C)
    input_grad    gx = col2im(g @ weight^T)     (P, O) @ (O, KH KW C), then every cell gathers its terms

(Chellapilla, Puri and Simard 2006, section 3; see im2col.py for the derivation.) On a processor the copies
are cut into tiles for the cache; a GPU wants few large calls, so tiles here are as large as memory allows.
Products are 2-d: CuPy's n-d matmul makes copies of transposed factors and ignores `set_matmul_precision`. A
kernel of one cell, or as large as the image, has the image itself for columns and copies nothing.
"""

from minigan import backend
from minigan.kernels import blas, cuda
from minigan.kernels.conv import im2col, rates
from minigan.kernels.conv.im2col import mirrored
from minigan.kernels.conv.layout import nchw, nhwc, row_blocks, tap_matrix
from minigan.kernels.conv.registry import Algorithm, register

MANY = 16  # channels from which threads stand along them, as in patches.cu
TILE = 1 << 28  # bytes of columns at a time: what a product of full speed needs many times over


def needs_no_copy(spec):
    """Whether the columns are the image as it lies in channels-last memory."""
    if spec.padding != (0, 0):
        return False
    kernel = (spec.KH, spec.KW)
    return kernel == (1, 1) and spec.stride == (1, 1) or kernel == (spec.H, spec.W)


def gathers(spec):
    """Whether the input gradient is made as a convolution of g: its columns are no more than col2im's."""
    return not needs_no_copy(spec) and mirrored(spec) is not None and spec.O <= spec.C


def prepare(weight, spec, function):
    """The kernel as a matrix: (KH KW C, O); for input gradients its transpose, or (KH KW O, C) to gather."""
    if function == "input_grad" and not gathers(spec):
        return tap_matrix(weight).T
    return im2col.prepare(weight, spec, function)


def matrix_of(image):
    """(N, C, H, W) in any layout -> (N H W, C), a view of channels-last memory."""
    pixels = nhwc(image)
    return backend.namespace(image).ascontiguousarray(pixels).reshape(-1, image.shape[1])


def unroll(x, spec, block):
    """The columns of one block of output rows (n0, n1, i0, i1): (rows * OW, KH * KW * C)."""
    n0, n1, i0, i1 = block
    images = x if n1 - n0 == spec.N else x[n0:n1]
    rows, K = (n1 - n0) * (i1 - i0) * spec.OW, spec.KH * spec.KW * spec.C
    columns = backend.namespace(x).empty((rows, K), x.dtype)
    (SH, SW), (PH, PW), (DH, DW) = spec.stride, spec.padding, spec.dilation
    cuda.launch(
        "im2col", cuda.table(rows, spec.C if spec.C >= MANY else K), x, columns, cuda.Strided(images),
        spec.C, spec.H, spec.W, spec.KH, spec.KW, spec.OW, SH, SW, PH, PW, DH, DW, i0, i1 - i0, rows,
    )  # fmt: skip
    return columns


def add_back(columns, spec, gx):
    """Write col2im of (n * OH * OW, KH * KW * C) to gx, (n, H, W, C) in C order."""
    (SH, SW), (DH, DW) = spec.stride, spec.dilation
    pixels = gx.size // spec.C
    grid = cuda.table(pixels, -(-spec.C // 4)) if spec.C >= MANY else cuda.lines(gx.size)
    cuda.launch(
        "col2im", grid, gx, gx, columns, spec.C, spec.H, spec.W, spec.KH, spec.KW,
        spec.OH, spec.OW, SH, SW, *spec.padding, DH, DW,
        cuda.taps_between(SH, DH), cuda.taps_between(SW, DW), gx.size,
    )  # fmt: skip


def tiles(x, spec):
    """For each part of the output: which rows of the (P, ...) matrices are its pixels, and its columns."""
    if needs_no_copy(spec):
        P, K = spec.N * spec.OH * spec.OW, spec.KH * spec.KW * spec.C
        yield slice(None), backend.namespace(x).ascontiguousarray(nhwc(x)).reshape(P, K)
        return
    row_bytes = spec.OW * spec.KH * spec.KW * spec.C * x.dtype.itemsize
    for block in row_blocks(spec.N, spec.OH, max(1, TILE // row_bytes)):
        n0, n1, i0, i1 = block
        first, last = (n0 * spec.OH + i0) * spec.OW, ((n1 - 1) * spec.OH + i1) * spec.OW
        yield slice(first, last), unroll(x, spec, block)


def part(array, rows):
    """Some rows of an array; itself for all of them, as a view of everything is an array more to make."""
    return array if rows.stop is None or rows.stop - rows.start == len(array) else array[rows]


def forward(x, weight, spec, prepared=None):
    """(N, C, H, W), (O, C, KH, KW) -> (N, O, OH, OW)."""
    return forward_by_matrix(x, prepare(weight, spec, "forward") if prepared is None else prepared, spec)


def forward_by_matrix(x, matrix, spec):
    """The same with the kernel as a (KH * KW * C, O) matrix."""
    y = backend.namespace(x).empty((spec.N * spec.OH * spec.OW, spec.O), x.dtype)
    for rows, columns in tiles(x, spec):
        blas.product(columns, matrix, part(y, rows))
    return nchw(y.reshape(spec.N, spec.OH, spec.OW, spec.O))


def input_grad(g, weight, spec, prepared=None):
    """(N, O, OH, OW), (O, C, KH, KW) -> (N, C, H, W)."""
    matrix = prepare(weight, spec, "input_grad") if prepared is None else prepared
    if gathers(spec):
        return forward_by_matrix(g, matrix, mirrored(spec))
    xp, pixels = backend.namespace(g), matrix_of(g)
    if needs_no_copy(spec):
        return nchw(blas.matmul(pixels, matrix).reshape(spec.N, spec.H, spec.W, spec.C))
    gx = xp.empty((spec.N, spec.H, spec.W, spec.C), g.dtype)
    image_bytes = spec.OH * spec.OW * matrix.shape[1] * g.dtype.itemsize
    step = max(1, TILE // image_bytes)
    if step >= spec.N:
        add_back(blas.matmul(pixels, matrix), spec, gx)
        return nchw(gx)
    for n in range(0, spec.N, step):
        rows = slice(n * spec.OH * spec.OW, (n + step) * spec.OH * spec.OW)
        add_back(blas.matmul(pixels[rows], matrix), spec, gx[n : n + step])
    return nchw(gx)


def weight_grad(x, g, spec):
    """(N, C, H, W), (N, O, OH, OW) -> (O, C, KH, KW)."""
    gweight, pixels = None, matrix_of(g)
    for rows, columns in tiles(x, spec):
        product = blas.matmul(part(pixels, rows).T, columns)
        gweight = product if gweight is None else gweight + product
    if gweight is None:
        gweight = backend.namespace(x).zeros((spec.O, spec.KH * spec.KW * spec.C), x.dtype)
    return nchw(gweight.reshape(spec.O, spec.KH, spec.KW, spec.C))


def supports(spec, function):
    """Everything but groups; the registry sees to it that the arrays are on a GPU."""
    return "one group only" if spec.groups > 1 else ""


def cost(spec, function, frozen=False):
    """As the processor's im2col: on a GPU it is the only candidate wherever it applies."""
    return rates.product(spec.macs, spec.O) + rates.CALL


register(Algorithm("cuda_im2col", forward, input_grad, weight_grad, supports, cost, prepare, cuda=True))

"""Channels-last memory under (N, C, H, W) shapes, and the pieces of an image that tiles work on.

The algorithms work on (N, H, W, C) memory: a pixel's channels lie side by side, so that a patch is a few
long runs instead of many short ones, and a matrix product over channels reads memory in order. To the
outside the axes stay (N, C, H, W); transposing is a change of strides and costs nothing. Whatever layout
comes in, images go out channels-last, and element-wise operations keep that memory order, so a whole net
stays in it.
"""

from minigan import backend
from minigan.kernels import workspace


def nhwc(image):
    """(N, C, H, W) in any memory layout -> an (N, H, W, C) view of it."""
    return image.transpose(0, 2, 3, 1)


def nchw(image):
    """(N, H, W, C) -> the (N, C, H, W) view of it."""
    return image.transpose(0, 3, 1, 2)


def empty_image(like, N, H, W, C):
    """A fresh (N, H, W, C) array in C order, of the type and device of ``like``."""
    return backend.namespace(like).empty((N, H, W, C), like.dtype)


def strided(array, shape, strides):
    """A view of ``array``'s memory with this shape and these strides in bytes; overlaps are allowed."""
    return backend.namespace(array).lib.stride_tricks.as_strided(array, shape, strides)


def tap_matrix(weight):
    """(O, C, KH, KW) -> (KH * KW * C, O), rows in the order in which a channels-last patch lies in memory.

    A view where the weight itself is in channels-last memory.
    """
    O, C, KH, KW = weight.shape
    return weight.transpose(0, 2, 3, 1).reshape(O, KH * KW * C).T


def window(image, top, rows, left, cols):
    """Rows and columns of an (N, H, W, C) image as packed memory, zeros where they lie outside it.

    Returns a view of the image where that will do, else a copy in this thread's scratch memory.
    """
    N, H, W, C = image.shape
    inside = top >= 0 and left == 0 and top + rows <= H and cols == W
    if inside and image.flags.c_contiguous:
        return image[:, top : top + rows]
    out = workspace.take(image, "window", (N, rows, cols, C))
    h0, h1 = max(top, 0), max(min(top + rows, H), max(top, 0))
    w0, w1 = max(left, 0), max(min(left + cols, W), max(left, 0))
    out[:, : h0 - top] = 0
    out[:, h1 - top :] = 0
    middle = out[:, h0 - top : h1 - top]
    middle[:, :, : w0 - left] = 0
    middle[:, :, w1 - left :] = 0
    middle[:, :, w0 - left : w1 - left] = image[:, h0:h1, w0:w1]
    return out


def row_blocks(N, rows, limit):
    """Split N images of ``rows`` rows into blocks (n0, n1, i0, i1) of at most about ``limit`` rows.

    Whole images where several fit, else ranges of rows of one image; blocks are as even as they can be.
    """
    if N == 0:
        return []
    if limit >= rows:
        count = -(-N // (limit // rows))
        return [(n0, n1, 0, rows) for n0, n1 in even(N, count)]
    count = -(-rows // max(1, limit))
    return [(n, n + 1, i0, i1) for n in range(N) for i0, i1 in even(rows, count)]


def even(size, count):
    """``count`` (or fewer) consecutive ranges that cover range(size), sizes differing by at most one."""
    count = max(1, min(size, count))
    edges = [size * k // count for k in range(count + 1)]
    return list(zip(edges[:-1], edges[1:], strict=True))

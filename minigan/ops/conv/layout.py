"""Channels-last memory under (N, C, H, W) shapes.

The algorithms work on (N, H, W, C) memory: a pixel's channels lie side by side, so that a patch is a few long
runs instead of many short ones, and a matrix product over channels reads memory in order. To the outside the
axes stay (N, C, H, W); transposing is a change of strides and costs nothing. Whatever layout comes in,
results go out channels-last, and element-wise operations keep that memory order, so a whole net stays in
it.
"""

from minigan import backend


def nhwc(image):
    """(N, C, H, W) in any memory layout -> an (N, H, W, C) view of it."""
    return image.transpose(0, 2, 3, 1)


def nchw(image):
    """(N, H, W, C) -> the (N, C, H, W) view of it."""
    return image.transpose(0, 3, 1, 2)


def is_packed(image):
    """Whether an (N, H, W, C) view is plain C-order memory."""
    return bool(image.flags.c_contiguous)


def packed(image):
    """An (N, H, W, C) array in C order: the array itself where it is one already."""
    return backend.namespace(image).ascontiguousarray(image)


def tap_matrix(weight):
    """(O, C, KH, KW) -> (KH * KW * C, O), rows in the order in which a channels-last patch lies in memory."""
    O, C, KH, KW = weight.shape  # noqa: E741
    return weight.transpose(2, 3, 1, 0).reshape(KH * KW * C, O)


def tap_matrix_t(weight):
    """(O, C, KH, KW) -> (O, KH * KW * C): tap_matrix transposed; a view where the weight is channels-last."""
    O, C, KH, KW = weight.shape  # noqa: E741
    return weight.transpose(0, 2, 3, 1).reshape(O, KH * KW * C)

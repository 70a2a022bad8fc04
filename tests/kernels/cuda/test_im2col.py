"""im2col's way of cutting and its choice of formulas, with the two kernels played by NumPy."""

import numpy as np
import pytest

from minigan.kernels import workspace
from minigan.kernels.conv import cuda_im2col, im2col, naive
from minigan.ops.conv.spec import ConvSpec


@pytest.fixture
def blocks(monkeypatch):
    """The blocks of rows that are unrolled; both kernels are im2col.py's functions."""
    seen = []

    def unroll(x, spec, block):
        seen.append(block)
        return im2col.unroll(x, spec, block).copy()

    def add_back(columns, spec, gx):
        seen.append(len(gx))
        (PH, PW), n = spec.padding, len(gx)
        padded = np.zeros((n, spec.H + 2 * PH, spec.W + 2 * PW, spec.C))
        im2col.add_back(padded, columns.reshape(n, spec.OH, spec.OW, spec.KH, spec.KW, spec.C), spec)
        gx[...] = padded[:, PH : PH + spec.H, PW : PW + spec.W]

    monkeypatch.setattr(cuda_im2col, "unroll", unroll)
    monkeypatch.setattr(cuda_im2col, "add_back", add_back)
    return seen


def results(spec):
    """Check the three functions against the loops."""
    rng = np.random.default_rng(0)
    x, weight, g = (rng.normal(size=shape) for shape in (spec.x_shape, spec.weight_shape, spec.y_shape))
    for function, given in (("forward", (x, weight)), ("input_grad", (g, weight)), ("weight_grad", (x, g))):
        found = getattr(cuda_im2col, function)(*given, spec)
        wanted = getattr(naive, function)(*given, spec)
        np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-9, err_msg=function)
        assert found.transpose(0, 2, 3, 1).flags.c_contiguous


@pytest.mark.parametrize(
    "spec, free",
    (
        (ConvSpec(2, 3, 4, 5, 6, 1, 1), True),
        (ConvSpec(2, 3, 4, 5, 6, 4, 5), True),  # as large as the image
        (ConvSpec(2, 3, 4, 5, 6, 4, 5, stride=2), True),
        (ConvSpec(2, 3, 4, 5, 6, 1, 1, stride=(1, 2)), False),
        (ConvSpec(2, 3, 4, 5, 6, 1, 1, padding=(0, 1)), False),
        (ConvSpec(2, 3, 4, 5, 6, 4, 4), False),
        (ConvSpec(2, 3, 4, 5, 6, 1, 2), False),
        (ConvSpec(2, 3, 4, 5, 6, 2, 1), False),
        (ConvSpec(2, 3, 1, 1, 6, 1, 1, stride=2), True),
    ),
    ids=str,
)
def test_one_cell_and_whole_images_copy_nothing(spec, free, blocks):
    assert cuda_im2col.needs_no_copy(spec) == free
    results(spec)
    assert (not blocks) == free


def test_gathering_where_its_columns_are_no_more():
    gathers = cuda_im2col.gathers
    assert gathers(ConvSpec(2, 6, 5, 5, 6, 3, 3)) and gathers(ConvSpec(2, 6, 5, 5, 5, 3, 3))
    assert not gathers(ConvSpec(2, 6, 5, 5, 7, 3, 3))  # more columns
    assert not gathers(ConvSpec(2, 6, 5, 5, 6, 3, 3, stride=2))  # no mirror
    assert not gathers(ConvSpec(2, 6, 5, 5, 6, 1, 1))  # no columns at all


@pytest.mark.parametrize("rows, cut", ((15, 1), (14, 3), (5, 3), (4, 6), (2, 9), (1, 15), (0, 15)))
def test_tiles_cover_the_output_within_their_memory(rows, cut, blocks, monkeypatch):
    spec = ConvSpec(3, 2, 5, 6, 4, 3, 3, padding=1)
    row_bytes = 6 * 9 * 2 * 8
    monkeypatch.setattr(cuda_im2col, "TILE", max(1, rows * row_bytes))
    found = list(cuda_im2col.tiles(np.ones(spec.x_shape), spec))
    assert [i for part, _ in found for i in range(90)[part]] == list(range(90))
    for (part, columns), (n0, n1, i0, i1) in zip(found, blocks, strict=True):
        assert columns.shape == (part.stop - part.start, 18)
        assert (n1 - n0) * (i1 - i0) <= max(1, rows)
    assert len(found) == (2 if rows == 14 else cut)
    blocks.clear()
    results(spec)


@pytest.mark.parametrize("images, steps", ((3, [3]), (2, [2, 1]), (1, [1, 1, 1]), (0, [1, 1, 1])))
def test_adding_back_takes_as_many_images_as_fit(images, steps, blocks, monkeypatch):
    spec = ConvSpec(3, 2, 8, 6, 4, 4, 4, stride=2, padding=1)
    monkeypatch.setattr(cuda_im2col, "TILE", max(1, images * spec.OH * spec.OW * 32 * 8))
    results(spec)
    assert [part for part in blocks if isinstance(part, int)] == steps


def test_an_empty_batch_and_prepared_weights(blocks):
    empty = ConvSpec(0, 2, 8, 6, 4, 4, 4, stride=2, padding=1)
    results(empty)
    rng = np.random.default_rng(0)
    for spec in (ConvSpec(2, 6, 5, 5, 4, 3, 3, padding=1), ConvSpec(2, 2, 5, 5, 4, 3, 3, padding=1)):
        x, weight, g = (rng.normal(size=shape) for shape in (spec.x_shape, spec.weight_shape, spec.y_shape))
        for function, image in (("forward", x), ("input_grad", g)):
            run, prepared = getattr(cuda_im2col, function), cuda_im2col.prepare(weight, spec, function)
            np.testing.assert_array_equal(run(image, weight, spec, prepared), run(image, weight, spec))


def test_pixels_are_a_view_of_channels_last_memory():
    image = np.ones((2, 4, 5, 3)).transpose(0, 3, 1, 2)
    pixels = cuda_im2col.matrix_of(image)
    assert pixels.shape == (40, 3) and np.shares_memory(pixels, image)
    workspace.clear()

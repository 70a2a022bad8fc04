"""Size arithmetic: against counting, against PyTorch's rule for the transpose, and what is refused."""

import numpy as np
import pytest

from minigan.errors import ArgumentError, ShapeError
from minigan.ops.conv.spec import ConvSpec, from_conv, from_transpose


def placements(size, k, s, p, d):
    """How many kernel placements fit: counted, not computed."""
    last = size + 2 * p - 1
    return sum(1 for start in range(0, last + 1, s) if start + d * (k - 1) <= last)


@pytest.mark.parametrize("s", (1, 2, 3))
@pytest.mark.parametrize("d", (1, 2))
def test_output_size_counts_the_placements(s, d):
    for size in range(1, 9):
        for k in (1, 2, 3, 4):
            for p in (0, 1, 2):
                expected = placements(size, k, s, p, d)
                if expected:
                    spec = from_conv(
                        (1, 1, size, 50), (1, 1, k, 1), stride=(s, 1), padding=(p, 0), dilation=(d, 1)
                    )
                    assert (spec.OH, spec.OW) == (expected, 50)
                else:
                    with pytest.raises(ShapeError, match="output height"):
                        from_conv(
                            (1, 1, size, 50), (1, 1, k, 1), stride=(s, 1), padding=(p, 0), dilation=(d, 1)
                        )


def test_transpose_inverts_every_input_size_through_output_padding():
    for size in range(4, 12):
        spec = from_conv((2, 3, size, size + 1), (5, 3, 4, 3), stride=(3, 2), padding=(1, 0))
        smallest = from_transpose(spec.y_shape, (5, 3, 4, 3), stride=(3, 2), padding=(1, 0))
        extra = (spec.H - smallest.H, spec.W - smallest.W)
        assert (
            from_transpose(spec.y_shape, (5, 3, 4, 3), stride=(3, 2), padding=(1, 0), output_padding=extra)
            == spec
        )


def test_shapes_and_work():
    spec = ConvSpec(2, 6, 9, 7, 4, 3, 2, stride=2, padding=(1, 0), groups=2)
    assert spec.x_shape == (2, 6, 9, 7)
    assert spec.weight_shape == (4, 3, 3, 2)
    assert spec.y_shape == (2, 4, 5, 3)
    assert spec.macs == 2 * 4 * 5 * 3 * 3 * 3 * 2
    assert spec.group() == ConvSpec(2, 3, 9, 7, 2, 3, 2, stride=(2, 2), padding=(1, 0))


@pytest.mark.parametrize(
    "settings, error, match",
    [
        ({"stride": 0}, ArgumentError, "stride must be"),
        ({"stride": (1, 2, 3)}, ArgumentError, "stride must be"),
        ({"stride": 1.5}, ArgumentError, "stride must be"),
        ({"padding": -1}, ArgumentError, "padding must be"),
        ({"dilation": 0}, ArgumentError, "dilation must be"),
        ({"groups": 0}, ArgumentError, "groups must be"),
        ({"groups": 3}, ArgumentError, "groups must be"),
        ({"groups": 2}, ShapeError, "4 input channels a group, expected 2"),
        ({"dilation": 9}, ShapeError, "output height would be -12"),
    ],
)
def test_refused_settings_of_a_convolution(settings, error, match):
    with pytest.raises(error, match=match):
        from_conv((1, 4, 6, 7), (2, 4, 3, 3), **settings)


@pytest.mark.parametrize(
    "settings, error, match",
    [
        ({"output_padding": 2, "stride": 2}, ArgumentError, "output_padding"),
        ({"output_padding": (0, 3), "stride": 2, "dilation": 3}, ArgumentError, "output_padding"),
        ({"output_padding": -1, "stride": 2}, ArgumentError, "output_padding"),
        ({"padding": 9}, ShapeError, "would be"),
        ({"groups": 3}, ArgumentError, "groups must be"),
    ],
)
def test_refused_settings_of_a_transposed_convolution(settings, error, match):
    if settings.get("dilation") == 3:
        from_transpose((1, 4, 6, 7), (4, 2, 3, 3), **{**settings, "output_padding": (0, 2)})
    with pytest.raises(error, match=match):
        from_transpose((1, 4, 6, 7), (4, 2, 3, 3), **settings)


def test_refused_shapes():
    with pytest.raises(ShapeError, match="must be 4-d"):
        from_conv((4, 6, 7), (2, 4, 3, 3))
    with pytest.raises(ShapeError, match="must be 4-d"):
        from_conv((1, 4, 6, 7), (2, 4, 3))
    with pytest.raises(ShapeError, match="positive"):
        from_conv((1, 4, 6, 7), (0, 4, 3, 3))
    with pytest.raises(ShapeError, match="for 3 input channels"):
        from_transpose((1, 4, 6, 7), (3, 4, 3, 3))
    assert from_conv((0, 4, 6, 7), (2, 4, 3, 3)).y_shape == (0, 2, 4, 5)


def test_small_integers_of_numpy_count_as_pythons():
    """C = 300 channels in 100 groups of three: in 8 bits that would be 44."""
    spec = from_transpose((1, 100, 4, 4), (100, 3, 3, 3), groups=np.uint8(100), stride=np.uint8(2))
    assert spec.C == 300 and spec == from_transpose((1, 100, 4, 4), (100, 3, 3, 3), groups=100, stride=2)
    spec = from_conv((1, 6, 4, 4), (6, 3, 3, 3), groups=np.uint8(2), padding=np.uint8(1))
    assert all(type(number) is int for number in (spec.groups, *spec.padding, spec.OH, spec.group().O))

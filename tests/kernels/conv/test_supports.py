"""Which algorithm takes which convolution."""

import pytest

from minigan.kernels.conv import registry
from minigan.ops.conv import ConvSpec

SPECS = {
    "3x3": ConvSpec(2, 4, 9, 11, 6, 3, 3, padding=1),
    "3x3 stride 2": ConvSpec(2, 4, 9, 11, 6, 3, 3, stride=2, padding=1),
    "4x4 stride 2": ConvSpec(2, 4, 8, 10, 6, 4, 4, stride=2, padding=1),
    "6x6 stride 2": ConvSpec(2, 4, 8, 10, 6, 6, 6, stride=2, padding=2),
    "2x2": ConvSpec(2, 4, 8, 10, 6, 2, 2),
    "7x7 stride 3": ConvSpec(2, 4, 18, 20, 6, 7, 7, stride=3),
    "5x5": ConvSpec(2, 4, 18, 20, 6, 5, 5, padding=2),
    "3x5": ConvSpec(2, 4, 18, 20, 6, 3, 5, padding=1),
    "1x1": ConvSpec(2, 4, 8, 10, 6, 1, 1),
    "dilation": ConvSpec(2, 4, 9, 11, 6, 3, 3, padding=2, dilation=2),
    "two groups": ConvSpec(2, 4, 9, 11, 6, 3, 3, padding=1, groups=2),
    "depthwise": ConvSpec(2, 4, 9, 11, 4, 3, 3, padding=1, groups=4),
    "whole image": ConvSpec(2, 4, 5, 7, 6, 5, 7),
    "31x31": ConvSpec(1, 4, 40, 44, 6, 31, 31, padding=15),
    "stride (1, 2)": ConvSpec(2, 4, 9, 11, 6, 3, 3, stride=(1, 2), padding=1),
    "empty batch": ConvSpec(0, 4, 9, 11, 6, 3, 3, padding=1),
}
GROUPS = {"two groups", "depthwise"}
LARGE = {"5x5", "3x5", "1x1", "whole image", "31x31"}  # kernels without two or three taps a phase
REFUSED = {
    "naive": set(),
    "im2col": GROUPS,
    "shifted": GROUPS,
    "fft": GROUPS | {"empty batch"},
    "planar": GROUPS | {"dilation", "empty batch"},
    "mec": GROUPS | {"dilation"},
    "winograd": GROUPS | LARGE | {"dilation", "empty batch", "7x7 stride 3", "stride (1, 2)"},
    "winograd1d": GROUPS | LARGE | {"dilation", "empty batch"},
    "whole": set(SPECS) - {"whole image"},
    "grouped": set(SPECS) - GROUPS,
    "depthwise": set(SPECS) - {"depthwise"},
    "cuda_im2col": set(SPECS),  # arrays on a GPU only
}
STRIDED = {"3x3 stride 2", "4x4 stride 2", "6x6 stride 2", "7x7 stride 3", "stride (1, 2)"}


@pytest.mark.parametrize("function", registry.FUNCTIONS)
@pytest.mark.parametrize("name", registry.names())
def test_who_takes_what(name, function):
    algorithm = registry.get(name)
    refused = REFUSED[name] | (STRIDED if (name, function) == ("mec", "input_grad") else set())
    assert {which for which, spec in SPECS.items() if registry.why_not(algorithm, spec, function)} == refused


def test_every_reason_is_a_sentence_of_its_own():
    for name in registry.names():
        for which in REFUSED[name]:
            assert len(registry.why_not(registry.get(name), SPECS[which], "forward")) > 8, (name, which)

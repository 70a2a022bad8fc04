"""Cases of `ops.conv`: the convolution triad, against scipy's correlation and plain loops."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigan.errors import ArgumentError, ShapeError
from minigan.ops.conv.spec import from_conv
from minigan.ops.conv.triad import Conv2d, Conv2dInputGrad, Conv2dWeightGrad, conv2d, conv_transpose2d
from minigan.testing import oracles
from minigan.testing.case import BadInput, OpCase, Sample
from minigan.testing.strategies import arrays, booleans, composite, conv_configs, conv_transpose_configs


@composite
def convolutions(draw: Any, transposed: bool = False) -> Sample:
    """Image, weight and, now and then, a bias."""
    config = draw(conv_transpose_configs() if transposed else conv_configs())
    inputs = [draw(arrays(config.x_shape)), draw(arrays(config.weight_shape))]
    if draw(booleans()):
        inputs.append(draw(arrays((config.out_shape[1],))))
    return Sample(tuple(inputs), config.kwargs)


@composite
def weight_gradients(draw: Any) -> Sample:
    """Image and output gradient."""
    config = draw(conv_configs())
    kwargs = {**config.kwargs, "kernel": config.weight_shape[2:]}
    return Sample((draw(arrays(config.x_shape)), draw(arrays(config.out_shape))), kwargs)


def weight_gradient(x: Any, g: Any, *, kernel: Any, groups: int, **settings: Any) -> Any:
    """The third operation of the triad, called as the backward of a convolution calls it."""
    shape = (g.shape[1], x.shape[1] // groups, *kernel)
    return Conv2dWeightGrad(from_conv(x.shape, shape, groups=groups, **settings))(x, g)


def ones(*shape: int) -> np.ndarray:
    """Any array of a shape."""
    return np.ones(shape)


X, W = ones(2, 4, 5, 6), ones(4, 4, 3, 2)

CASES = [
    OpCase("conv2d", conv2d, convolutions(), oracles.conv2d, (Conv2d,), linear=True,
           torch=lambda torch, x, w, b=None, **settings: torch.nn.functional.conv2d(x, w, b, **settings),
           bad=(BadInput("a weight for other channels", (X, ones(2, 3, 3, 3)), {}, ShapeError),
                BadInput("a kernel larger than the image", (X, ones(2, 4, 7, 3)), {}, ShapeError),
                BadInput("an image without a batch", (ones(4, 5, 6), W), {}, ShapeError),
                BadInput("a bias of the wrong size", (X, W, ones(3)), {}, ShapeError, "bias"),
                BadInput("stride 0", (X, W), {"stride": 0}, ArgumentError, "stride"),
                BadInput("padding below 0", (X, W), {"padding": -1}, ArgumentError, "padding"),
                BadInput("dilation 0", (X, W), {"dilation": 0}, ArgumentError, "dilation"),
                BadInput("groups that do not divide", (X, ones(4, 1, 3, 3)), {"groups": 3}, ArgumentError,
                         "groups"))),
    OpCase("conv_transpose2d", conv_transpose2d, convolutions(transposed=True), oracles.conv_transpose2d,
           (Conv2dInputGrad,), linear=True,
           torch=lambda torch, x, w, b=None, **settings: torch.nn.functional.conv_transpose2d(x, w, b,
           **settings),
           bad=(BadInput("a weight for other channels", (X, ones(3, 2, 3, 3)), {}, ShapeError),
                BadInput("output_padding as large as the stride", (X, W), {"stride": 2, "output_padding": 2},
                         ArgumentError, "output_padding"),
                BadInput("more padding than there is output", (ones(1, 4, 1, 1), W), {"padding": 2},
                         ShapeError),
                BadInput("a bias of the wrong size", (X, W, ones(3)), {}, ShapeError, "bias"))),
    OpCase("conv2d weight gradient", weight_gradient, weight_gradients(), oracles.conv2d_weight_grad,
           (Conv2dWeightGrad,), linear=True),
]  # fmt: skip

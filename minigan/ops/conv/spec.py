"""ConvSpec: every size of one convolution, worked out and checked once.

Along one axis, a kernel of K taps spaced by the dilation D spans D (K - 1) + 1 input cells. It is laid on the
input padded by P cells at both ends, moved by the stride S, so

    out = floor((in + 2 P - D (K - 1) - 1) / S) + 1

(Dumoulin and Visin, "A guide to convolution arithmetic for deep learning", arXiv 1603.07285, relationship
15). The floor loses information: S input sizes share one output size. A spec therefore keeps the *input*
size, and the gradient with respect to the input, which is the transposed convolution, reads it there
instead of inverting the formula; a transposed convolution says which of the S sizes it means by
``output_padding``.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from minigan.errors import ArgumentError, ShapeError
from minigan.ops.windows import Axes, Windows, pair


@dataclass(frozen=True)
class ConvSpec:
    """Sizes and settings of a convolution (N, C, H, W) -> (N, O, OH, OW), kernel (O, C / groups, KH, KW).

    ``stride``, ``padding`` and ``dilation`` are pairs, height first. Raises ShapeError where the sizes do not
    fit together and ArgumentError where a setting is out of range.
    """

    N: int
    C: int
    H: int
    W: int
    O: int  # noqa: E741 - the house name of the number of output channels
    KH: int
    KW: int
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int] = (0, 0)
    dilation: tuple[int, int] = (1, 1)
    groups: int = 1

    def __post_init__(self):
        """Check every setting, so that no algorithm has to."""
        object.__setattr__(self, "stride", pair(self.stride, "stride", minimum=1))
        object.__setattr__(self, "padding", pair(self.padding, "padding", minimum=0))
        object.__setattr__(self, "dilation", pair(self.dilation, "dilation", minimum=1))
        object.__setattr__(self, "groups", _plain(self.groups))
        _check_groups(self.groups, self.C, self.O)
        if min(self.N, self.H, self.W) < 0 or min(self.C, self.O, self.KH, self.KW) < 1:
            raise ShapeError(
                f"convolution sizes must be positive (the batch may be empty): got input {self.x_shape}, "
                f"weight {self.weight_shape}; check the order of the axes (N, C, H, W) and (O, C, KH, KW)"
            )
        for name, size, out, k, axis in (
            ("height", self.H, self.OH, self.KH, 0),
            ("width", self.W, self.OW, self.KW, 1),
        ):
            if out < 1:
                s, p, d = self.stride[axis], self.padding[axis], self.dilation[axis]
                raise ShapeError(
                    f"convolution output {name} would be {out}: "
                    "floor((in + 2 padding - dilation (kernel - 1) - 1) / stride) + 1 "
                    f"with in={size}, padding={p}, dilation={d}, kernel={k}, stride={s} must be at least 1; "
                    "use a larger input or more padding"
                )

    @cached_property
    def axes(self) -> Axes:
        """The places of the kernel along height and width."""
        rows, columns = zip(self.stride, self.padding, self.dilation, strict=True)
        return Windows(self.H, self.KH, *rows), Windows(self.W, self.KW, *columns)

    @cached_property
    def OH(self):
        """Output height."""
        return self.axes[0].out

    @cached_property
    def OW(self):
        """Output width."""
        return self.axes[1].out

    @property
    def x_shape(self):
        """Shape of the convolution's input."""
        return (self.N, self.C, self.H, self.W)

    @property
    def y_shape(self):
        """Shape of the convolution's output."""
        return (self.N, self.O, self.OH, self.OW)

    @property
    def weight_shape(self):
        """Shape of the kernel."""
        return (self.O, self.C // self.groups, self.KH, self.KW)

    @property
    def macs(self):
        """Multiplications (each with its addition) of the direct sum, those with padding's zeros included."""
        return self.N * self.OH * self.OW * self.O * (self.C // self.groups) * self.KH * self.KW

    def group(self):
        """The spec of one of the ``groups`` independent convolutions."""
        G = self.groups
        return ConvSpec(self.N, self.C // G, self.H, self.W, self.O // G, self.KH, self.KW,
                        self.stride, self.padding, self.dilation)  # fmt: skip


def from_conv(x_shape, weight_shape, *, stride=1, padding=0, dilation=1, groups=1):
    """The spec of a convolution of an (N, C, H, W) input with an (O, C / groups, KH, KW) weight.

    Settings are ints or (height, width) pairs. Raises ShapeError or ArgumentError (see ConvSpec).
    """
    N, C, H, W = _four(x_shape, "input", "(N, C, H, W)")
    O, Cg, KH, KW = _four(weight_shape, "weight", "(O, C / groups, KH, KW)")  # noqa: E741
    groups = _plain(groups)
    _check_groups(groups, C, O)
    if Cg * groups != C:
        raise ShapeError(
            f"conv2d weight {tuple(weight_shape)} has {Cg} input channels a group, expected {C // groups} "
            f"(= {C} channels of the input {tuple(x_shape)} / {groups} groups); check the channel counts"
        )
    return ConvSpec(N, C, H, W, O, KH, KW, stride, padding, dilation, groups)


def from_transpose(y_shape, weight_shape, *, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    """The spec whose *input gradient* is the wanted transposed convolution.

    ``y_shape`` (N, O, OH, OW) is what the transposed convolution reads and ``weight_shape`` is PyTorch's
    (in_channels, out_channels / groups, KH, KW), which is exactly the kernel (O, C / groups, KH, KW) of that
    convolution. The result's (C, H, W) is the size of what the transposed convolution returns:

        H = (OH - 1) S - 2 P + D (KH - 1) + output_padding + 1        (relationship 14 of the guide, dilated)

    An output_padding of a stride or more (allowed below the dilation) makes the spec's OH, OW larger than
    ``y_shape`` says: the rows beyond are zeros.

    Raises ShapeError or ArgumentError, also for an output_padding that is not below max(stride, dilation).
    """
    N, O, OH, OW = _four(y_shape, "input", "(N, C, H, W)")  # noqa: E741
    in_channels, Cg, KH, KW = _four(weight_shape, "weight", "(C, O / groups, KH, KW)")
    stride, padding = pair(stride, "stride", minimum=1), pair(padding, "padding", minimum=0)
    dilation, extra = pair(dilation, "dilation", minimum=1), pair(output_padding, "output_padding", minimum=0)
    if in_channels != O:
        raise ShapeError(
            f"conv_transpose2d weight {tuple(weight_shape)} is for {in_channels} input channels, got input "
            f"{tuple(y_shape)} with {O}; its layout is (in_channels, out_channels / groups, KH, KW)"
        )
    for e, s, d in zip(extra, stride, dilation, strict=True):
        if e >= max(s, d):
            raise ArgumentError(
                f"output_padding {extra} must be below max(stride {stride}, dilation {dilation}) "
                "on each axis; "
                "it only chooses among the sizes that the stride makes ambiguous"
            )
    sizes = [
        (o - 1) * s - 2 * p + d * (k - 1) + e + 1
        for o, s, p, d, k, e in zip((OH, OW), stride, padding, dilation, (KH, KW), extra, strict=True)
    ]
    if min(sizes) < 1 or min(OH, OW) < 1:
        raise ShapeError(
            f"conv_transpose2d output would be {tuple(sizes)}: (in - 1) stride - 2 padding + "
            f"dilation (kernel - 1) + output_padding + 1 with in={(OH, OW)}, stride={stride}, "
            f"padding={padding}, dilation={dilation}, "
            f"kernel={(KH, KW)} must be at least 1; use less padding"
        )
    groups = _plain(groups)
    _check_groups(groups, Cg * groups, O)
    return ConvSpec(N, Cg * groups, sizes[0], sizes[1], O, KH, KW, stride, padding, dilation, groups)


def _four(shape, what, layout):
    if len(shape) != 4:
        raise ShapeError(
            f"convolution {what} must be 4-d {layout}, got shape {tuple(shape)}; "
            "reshape it or add the missing axis"
        )
    return shape


def _plain(number):
    """A whole number of NumPy's as Python's, which does not overflow."""
    return int(number) if isinstance(number, np.integer) else number


def _check_groups(groups, C, O):  # noqa: E741
    if not isinstance(groups, (int, np.integer)) or groups < 1 or C % groups or O % groups:
        raise ArgumentError(
            f"groups must be a positive int that divides both channel counts, got groups={groups!r} "
            f"with {C} input and {O} output channels"
        )

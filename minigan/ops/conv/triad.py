"""The triad: convolution, its input gradient, its weight gradient; each one's backward is the other two.

Convolution is bilinear. Write conv(x, w) for it, and for a fixed cotangent g let the two adjoints be
defined by

    <g, conv(x, w)> = <conv_x(g, w), x> = <conv_w(x, g), w>      for all x, w, g

All three brackets are one number, linear in each of x, w and g. So the derivative of any of the three maps is
read off the other two brackets, and derivatives of every order stay among three functions:

    Conv2d            y  = conv(x, w)       gx = conv_x(gy, w)      gw = conv_w(x, gy)
    Conv2dInputGrad   gx = conv_x(g, w)     gg = conv(ggx, w)       gw = conv_w(ggx, g)
    Conv2dWeightGrad  gw = conv_w(x, g)     gx = conv_x(g, ggw)     gg = conv(x, ggw)

conv_x is also known as the transposed convolution (Dumoulin and Visin, arXiv 1603.07285, chapter 4).
"""

from minigan.errors import ShapeError
from minigan.ops.arithmetic import Product
from minigan.ops.conv.definition import conv, conv_w, conv_x
from minigan.ops.conv.spec import from_conv, from_transpose
from minigan.ops.shape import pad


class _Convolution(Product):
    """What the three share: a spec, and a check of both factors against it."""

    def __init__(self, spec):
        self.spec = spec

    def __call__(self, *inputs):
        """Check both factors against the spec, then as every Op."""
        for tensor, (what, shape) in zip(inputs, self.expected().items(), strict=False):
            if tensor.shape != shape:
                raise ShapeError(
                    f"{self.name}: expected {what} of shape {shape}, got {tensor.shape}; check the spec"
                )
        return super().__call__(*inputs)


class Conv2d(_Convolution):
    """(N, C, H, W), (O, C / groups, KH, KW) [, (O,)] -> (N, O, OH, OW).

    y[n, o, i, j] = bias[o]
        + sum over c, kh, kw of x[n, c, i S + kh D - P, j S + kw D - P] weight[o, c, kh, kw].
    gx = Conv2dInputGrad(g, weight); gweight = Conv2dWeightGrad(x, g); gbias = sum of g over n, i, j.
    Dumoulin and Visin, arXiv 1603.07285, chapter 2.
    """

    def expected(self):
        """What the inputs are, and their shapes."""
        return {"input": self.spec.x_shape, "weight": self.spec.weight_shape}

    def forward(self, x, weight, bias=None):
        return _with_bias(conv(x, weight, self.spec), bias)

    def backward(self, g):
        gx = Conv2dInputGrad(self.spec)(g, self.input(1)) if self.needs(0) else None
        gweight = Conv2dWeightGrad(self.spec)(self.input(0), g) if self.needs(1) else None
        return _with_bias_grad(self, gx, gweight, g)


class Conv2dInputGrad(_Convolution):
    """(N, O, OH, OW), (O, C / groups, KH, KW) [, (C,)] -> (N, C, H, W): the transposed convolution.

    gx[n, c, h, w] = bias[c]
        + sum of g[n, o, i, j] weight[o, c, kh, kw] over the terms in which Conv2d multiplies x[n, c, h, w].
    gg = Conv2d(ggx, weight); gweight = Conv2dWeightGrad(ggx, g).
    Dumoulin and Visin, arXiv 1603.07285, chapter 4.
    """

    def expected(self):
        """What the inputs are, and their shapes."""
        return {"input": self.spec.y_shape, "weight": self.spec.weight_shape}

    def forward(self, g, weight, bias=None):
        """Add every output pixel's share back to the cells it was made of, then the bias."""
        return _with_bias(conv_x(g, weight, self.spec), bias)

    def backward(self, ggx):
        """The forward convolution, and the weight gradient with image and cotangent in swapped parts."""
        gg = Conv2d(self.spec)(ggx, self.input(1)) if self.needs(0) else None
        gweight = Conv2dWeightGrad(self.spec)(ggx, self.input(0)) if self.needs(1) else None
        return _with_bias_grad(self, gg, gweight, ggx)


class Conv2dWeightGrad(_Convolution):
    """(N, C, H, W), (N, O, OH, OW) -> (O, C / groups, KH, KW).

    gweight[o, c, kh, kw] = sum over n, i, j of g[n, o, i, j] x[n, c, i S + kh D - P, j S + kw D - P].
    gx = Conv2dInputGrad(g, ggweight); gg = Conv2d(x, ggweight).
    """

    def expected(self):
        """What the inputs are, and their shapes."""
        return {"input": self.spec.x_shape, "output gradient": self.spec.y_shape}

    def forward(self, x, g):
        return conv_w(x, g, self.spec)

    def backward(self, ggweight):
        """ggweight takes the place of the kernel."""
        gx = Conv2dInputGrad(self.spec)(self.input(1), ggweight) if self.needs(0) else None
        gg = Conv2d(self.spec)(self.input(0), ggweight) if self.needs(1) else None
        return gx, gg


def conv2d(x, weight, bias=None, *, stride=1, padding=0, dilation=1, groups=1):
    """Convolve (N, C, H, W) with an (O, C / groups, KH, KW) weight and add an (O,) bias -> (N, O, OH, OW).

    What the field calls convolution: the kernel is not flipped. ``stride``, ``padding`` (zeros on both
    ends) and ``dilation`` are ints or (height, width) pairs; ``OH = floor((H + 2 P - D (KH - 1) - 1) / S) +
    1``. The batch may be empty. Raises ShapeError where sizes do not fit, ArgumentError for a setting out
    of range. Formula and gradients: Conv2d; source: Dumoulin and Visin, arXiv 1603.07285.
    """
    spec = from_conv(x.shape, weight.shape, stride=stride, padding=padding, dilation=dilation, groups=groups)
    return _apply(Conv2d, spec, x, weight, bias, spec.O)


def conv_transpose2d(x, weight, bias=None, *, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    """Transposed convolution of (N, C, H, W) with a (C, O / groups, KH, KW) weight -> (N, O, OH, OW).

    The gradient of conv2d with respect to its input, used forwards:
    ``OH = (H - 1) S - 2 P + D (KH - 1) + output_padding + 1``. ``output_padding`` < max(stride, dilation)
    picks one of the sizes that the stride makes ambiguous; it adds rows and columns at the far end only.
    Raises ShapeError where sizes do not fit, ArgumentError for a setting out of range. Formula and
    gradients: Conv2dInputGrad; source: Dumoulin and Visin, arXiv 1603.07285, chapter 4.
    """
    spec = from_transpose(x.shape, weight.shape, stride=stride, padding=padding,
                          output_padding=output_padding, groups=groups, dilation=dilation)  # fmt: skip
    more = (spec.OH - x.shape[2], spec.OW - x.shape[3])
    if any(more):  # dilation > stride: an output_padding of a whole stride reads g beyond its end, zeros
        x = pad(x, (0, more[1], 0, more[0]))
    return _apply(Conv2dInputGrad, spec, x, weight, bias, spec.C)


def _apply(op, spec, x, weight, bias, channels):
    if bias is None:
        return op(spec)(x, weight)
    if bias.shape != (channels,):
        raise ShapeError(
            f"convolution bias must have shape ({channels},), one value an output channel, got {bias.shape}"
        )
    return op(spec)(x, weight, bias)


def _with_bias(y, bias):
    """y[n, o, i, j] + bias[o]."""
    return y if bias is None else y + bias.reshape(1, len(bias), 1, 1)


def _with_bias_grad(op, first, second, g):
    """The backward's return value: a third gradient where the op was given a bias."""
    if len(op.parents) == 2:
        return first, second
    return first, second, g.sum(axis=(0, 2, 3)) if op.needs(2) else None

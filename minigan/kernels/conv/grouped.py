"""Groups: G independent convolutions side by side.

Group k maps input channels k C/G .. (k+1) C/G - 1 to output channels k O/G .. (k+1) O/G - 1 with its own
rows of the weight, so each function is G calls of the best algorithm for one group. With one input channel
a group ("depthwise", Howard et al., MobileNets, arXiv 1704.04861, section 3.1) a matrix product would have
inner size KH * KW; depthwise.py does that case with element-wise products over all channels at once.
"""

from minigan import backend
from minigan.kernels.conv.layout import nchw
from minigan.kernels.conv.registry import Algorithm, choose, register


def groups_of(spec):
    """For every group: its slice of the input channels and its slice of the output channels."""
    C, O = spec.C // spec.groups, spec.O // spec.groups  # noqa: E741
    return [(slice(k * C, (k + 1) * C), slice(k * O, (k + 1) * O)) for k in range(spec.groups)]


def forward(x, weight, spec, prepared=None):
    """(N, C, H, W), (O, C / G, KH, KW) -> (N, O, OH, OW)."""
    part = spec.group()
    y = nchw(backend.namespace(x).empty((spec.N, spec.OH, spec.OW, spec.O), x.dtype))
    for inputs, outputs in groups_of(spec):
        y[:, outputs] = choose(part, like=x).forward(x[:, inputs], weight[outputs], part)
    return y


def input_grad(g, weight, spec, prepared=None):
    """(N, O, OH, OW), (O, C / G, KH, KW) -> (N, C, H, W)."""
    part = spec.group()
    gx = nchw(backend.namespace(g).empty((spec.N, spec.H, spec.W, spec.C), g.dtype))
    for inputs, outputs in groups_of(spec):
        gx[:, inputs] = choose(part, "input_grad", like=g).input_grad(g[:, outputs], weight[outputs], part)
    return gx


def weight_grad(x, g, spec):
    """(N, C, H, W), (N, O, OH, OW) -> (O, C / G, KH, KW)."""
    part = spec.group()
    gweight = backend.namespace(x).empty(spec.weight_shape, x.dtype)
    for inputs, outputs in groups_of(spec):
        gweight[outputs] = choose(part, "weight_grad", like=x).weight_grad(x[:, inputs], g[:, outputs], part)
    return gweight


def supports(spec, function):
    """Two groups or more."""
    return "" if spec.groups > 1 else "more than one group only"


def cost(spec, function, frozen=False):
    """The groups' costs added up."""
    part = spec.group()
    return spec.groups * (choose(part, function).cost(part, function) + 1e-5)


register(Algorithm("grouped", forward, input_grad, weight_grad, supports, cost))

"""Convolution as its definition says: one loop an index. Slow, obvious, and the oracle of all the others.

    y[n, o, i, j] = sum over c, kh, kw of  x[n, c, i SH + kh DH - PH, j SW + kw DW - PW] weight[o, c, kh, kw]

with zeros outside x. The sum is linear in x and linear in weight, so each gradient is the same sum with
another of the three arrays on its left: every term "x times weight goes into y" sends g times weight back
into gx and x times g into gweight. That is why there is one loop here, and three one-line uses of it.

With groups, output channel o only sees the C / groups input channels of its own group.
"""

from minigan import backend
from minigan.kernels.conv.registry import Algorithm, register


def terms(spec):
    """Every term as its place in y (n, o, i, j), in x (n, c, h, w) and in weight (o, c, kh, kw)."""
    (SH, SW), (PH, PW), (DH, DW) = spec.stride, spec.padding, spec.dilation
    Cg, Og = spec.C // spec.groups, spec.O // spec.groups
    for n in range(spec.N):
        for o in range(spec.O):
            for i in range(spec.OH):
                for j in range(spec.OW):
                    for kh in range(spec.KH):
                        for kw in range(spec.KW):
                            h, w = i * SH + kh * DH - PH, j * SW + kw * DW - PW
                            if 0 <= h < spec.H and 0 <= w < spec.W:
                                for c in range(Cg):
                                    yield (n, o, i, j), (n, (o // Og) * Cg + c, h, w), (o, c, kh, kw)


def forward(x, weight, spec, prepared=None):
    """(N, C, H, W), (O, C / groups, KH, KW) -> (N, O, OH, OW)."""
    y = backend.namespace(x).zeros(spec.y_shape, x.dtype)
    for at_y, at_x, at_weight in terms(spec):
        y[at_y] += x[at_x] * weight[at_weight]
    return y


def input_grad(g, weight, spec, prepared=None):
    """(N, O, OH, OW), (O, C / groups, KH, KW) -> (N, C, H, W): the transposed convolution."""
    gx = backend.namespace(g).zeros(spec.x_shape, g.dtype)
    for at_y, at_x, at_weight in terms(spec):
        gx[at_x] += g[at_y] * weight[at_weight]
    return gx


def weight_grad(x, g, spec):
    """(N, C, H, W), (N, O, OH, OW) -> (O, C / groups, KH, KW)."""
    gweight = backend.namespace(x).zeros(spec.weight_shape, x.dtype)
    for at_y, at_x, at_weight in terms(spec):
        gweight[at_weight] += x[at_x] * g[at_y]
    return gweight


def supports(spec, function):
    """Everything."""
    return ""


def cost(spec, function, frozen=False):
    """About a third of a microsecond a term: never the cheapest."""
    return 3e-7 * spec.macs + 1.0


register(Algorithm("naive", forward, input_grad, weight_grad, supports, cost))

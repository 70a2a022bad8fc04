"""Convolution whose kernel covers the whole image: a dense layer, one matrix product and no copies.

With one output pixel, H = KH, W = KW and no padding, every sum runs over all cells of the image, so with
cells = (H W C) in channels-last order

    y = x @ weight^T       (N, cells) @ (cells, O)
    gx = g @ weight        (N, O) @ (O, cells)
    gweight = g^T @ x      (O, N) @ (N, cells)

A DCGAN's first layer (from the latent vector to the first small picture) and its discriminator's last one
are of this kind; Radford et al., arXiv 1511.06434, figure 1.
"""

from minigan.kernels import blas
from minigan.kernels.conv import rates
from minigan.kernels.conv.layout import nchw, nhwc
from minigan.kernels.conv.registry import Algorithm, register


def cells(image, spec):
    """(N, C, H, W) or a weight (O, C, KH, KW) -> (N or O, H W C): a view of channels-last memory."""
    return nhwc(image).reshape(image.shape[0], spec.H * spec.W * spec.C)


def forward(x, weight, spec, prepared=None):
    """(N, C, H, W), (O, C, H, W) -> (N, O, 1, 1)."""
    return blas.matmul(cells(x, spec), cells(weight, spec).T).reshape(spec.y_shape)


def input_grad(g, weight, spec, prepared=None):
    """(N, O, 1, 1), (O, C, H, W) -> (N, C, H, W)."""
    gx = blas.matmul(g.reshape(spec.N, spec.O), cells(weight, spec))
    return nchw(gx.reshape(spec.N, spec.H, spec.W, spec.C))


def weight_grad(x, g, spec):
    """(N, C, H, W), (N, O, 1, 1) -> (O, C, H, W)."""
    gweight = blas.matmul(g.reshape(spec.N, spec.O).T, cells(x, spec))
    return nchw(gweight.reshape(spec.O, spec.KH, spec.KW, spec.C))


def supports(spec, function):
    """One output pixel that sees every input cell once."""
    if spec.groups > 1:
        return "one group only"
    if (spec.H, spec.W) != (spec.KH, spec.KW) or spec.padding != (0, 0):
        return "the kernel must cover the whole image, without padding"
    return ""


def cost(spec, function, frozen=False):
    """One product."""
    return rates.product(spec.macs, max(spec.O, spec.C)) + 1e-5


register(Algorithm("whole", forward, input_grad, weight_grad, supports, cost))

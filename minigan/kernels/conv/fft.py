"""Convolution as a product of Fourier transforms, whose cost does not grow with the kernel.

By the convolution theorem a cyclic correlation over P x Q cells is, frequency by frequency, a product:

    Y[f] = sum over c of  X[c, f] conj(W[o, c, f])      one small complex product (N, C) @ (C, O) for each f

(Mathieu, Henaff and LeCun, "Fast training of convolutional networks through FFTs", arXiv 1312.5851). Zeros
up to H + 2 PH and beyond keep what wraps around out of the part that is used. The same three transforms,
with the conjugate on another factor, give both gradients: X[f] = sum over o of G[o, f] W[o, c, f] and W[f]
= sum over n of X[n, c, f] conj(G[n, o, f]). Strides keep every S-th pixel of y, or put zeros between those
of g.
"""

from functools import partial

from minigan import backend
from minigan.kernels import blas
from minigan.kernels.conv import rates
from minigan.kernels.conv.layout import even, nchw
from minigan.kernels.conv.registry import Algorithm, register


def fast_size(size):
    """The next size with no prime factor above 5."""
    while True:
        rest = size
        for prime in (2, 3, 5):
            while rest % prime == 0:
                rest //= prime
        if rest == 1:
            return size
        size += 1


def sizes(spec):
    """Cells of the transform: the padded image, a size with small factors."""
    return tuple(fast_size(n + 2 * p) for n, p in zip((spec.H, spec.W), spec.padding, strict=True))


def transform(images, cells):
    """(A, B, H, W) real -> (frequencies, A, B) complex."""
    xp = backend.namespace(images)
    A, B, height, width = images.shape
    P, Q = cells
    out = xp.empty((P * (Q // 2 + 1), A, B), xp.result_type(images.dtype, "complex64"))

    def part(first, last):
        planes = xp.fft.rfft2(images[:, first:last], s=cells)
        out[:, :, first:last] = planes.transpose(2, 3, 0, 1).reshape(len(out), A, last - first)

    blas.run([partial(part, *some) for some in even(B, 2 * blas.workers())])
    return out


def inverse(frequencies, cells, rows, columns):
    """(frequencies, A, B) -> rows and columns (slices) of the (A, H, W, B) real image."""
    xp, (P, Q) = backend.namespace(frequencies), cells
    A, B = frequencies.shape[1:]
    real = frequencies.real.dtype
    out = xp.empty((A, len(range(P)[rows]), len(range(Q)[columns]), B), real)

    def part(first, last):
        planes = frequencies[:, :, first:last].reshape(P, Q // 2 + 1, A, last - first).transpose(2, 3, 0, 1)
        image = xp.fft.irfft2(planes, s=cells)[:, :, rows, columns]
        out[..., first:last] = image.transpose(0, 2, 3, 1)

    blas.run([partial(part, *some) for some in even(B, 2 * blas.workers())])
    return out


def spaced(image, spec, shape, at, steps):
    """Zeros of ``shape``, with the image's rows and columns from ``at`` on, ``steps`` apart."""
    xp = backend.namespace(image)
    out = xp.zeros(image.shape[:2] + shape, image.dtype)
    ends = [a + n * s for a, n, s in zip(at, image.shape[2:], steps, strict=True)]
    out[:, :, at[0] : ends[0] : steps[0], at[1] : ends[1] : steps[1]] = image
    return out


def multiply(left, right):
    """left @ right for each frequency, which the threads share out."""
    xp = backend.namespace(left)
    out = xp.empty((len(left), left.shape[1], right.shape[2]), left.dtype)

    def part(first, last):
        xp.matmul(left[first:last], right[first:last], out=out[first:last])

    blas.run([partial(part, *some) for some in even(len(left), blas.workers())])
    return out


def image_spectrum(x, spec):
    """Of the padded input."""
    return transform(spaced(x, spec, sizes(spec), spec.padding, (1, 1)), sizes(spec))


def gradient_spectrum(g, spec):
    """Of the output gradient with its pixels a stride apart."""
    return transform(spaced(g, spec, sizes(spec), (0, 0), spec.stride), sizes(spec))


def prepare(weight, spec, function):
    """Spectrum of the kernel with its taps a dilation apart: (frequencies, O, C)."""
    return transform(spaced(weight, spec, sizes(spec), (0, 0), spec.dilation), sizes(spec))


def forward(x, weight, spec, prepared=None):
    """(N, C, H, W), (O, C, KH, KW) -> (N, O, OH, OW)."""
    kernel = prepare(weight, spec, "forward") if prepared is None else prepared
    product = multiply(image_spectrum(x, spec), kernel.conj().transpose(0, 2, 1))
    (SH, SW), (OH, OW) = spec.stride, (spec.OH, spec.OW)
    y = inverse(product, sizes(spec), slice(0, OH * SH, SH), slice(0, OW * SW, SW))
    return nchw(y)


def input_grad(g, weight, spec, prepared=None):
    """(N, O, OH, OW), (O, C, KH, KW) -> (N, C, H, W)."""
    kernel = prepare(weight, spec, "input_grad") if prepared is None else prepared
    (PH, PW), product = spec.padding, multiply(gradient_spectrum(g, spec), kernel)
    return nchw(inverse(product, sizes(spec), slice(PH, PH + spec.H), slice(PW, PW + spec.W)))


def weight_grad(x, g, spec):
    """(N, C, H, W), (N, O, OH, OW) -> (O, C, KH, KW)."""
    product = multiply(gradient_spectrum(g, spec).conj().transpose(0, 2, 1), image_spectrum(x, spec))
    (DH, DW), (KH, KW) = spec.dilation, (spec.KH, spec.KW)
    gweight = inverse(product, sizes(spec), slice(0, KH * DH, DH), slice(0, KW * DW, DW))
    return nchw(gweight)


def supports(spec, function):
    """Everything but groups."""
    return "one group only" if spec.groups > 1 else "" if spec.N else "no pixels in an empty batch"


def cost(spec, function, frozen=False):
    """Three sets of transforms, one small product a frequency."""
    P, Q = sizes(spec)
    frozen = frozen and function != "weight_grad"  # whose third set is the result's
    planes = spec.N * spec.C + spec.N * spec.O + (0 if frozen else spec.O * spec.C)
    return P * Q * rates.here(planes * 3e-9 + spec.N * spec.O * spec.C * 1e-10 + 1e-7) + 2 * rates.CALL


register(Algorithm("fft", forward, input_grad, weight_grad, supports, cost, prepare))

"""One row for each name of `minigan.nn.functional`: how its positional arguments are drawn."""

import numpy as np


class Fixed:
    """An array that is not differentiated: labels, targets, running statistics."""

    def __init__(self, array):
        self.array = np.asarray(array)


class Draw:
    """What the rows below draw their arguments with."""

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)

    def x(self, *shape, low=-2.0, high=2.0):
        return self.rng.uniform(low, high, shape)

    def away(self, *shape):
        """Numbers away from 0, near which the length of a vector cancels its digits."""
        return self.x(*shape, low=0.3) * self.rng.choice([-1.0, 1.0], shape)

    def n(self, low=1, high=4):
        return int(self.rng.integers(low, high))

    def one(self, *choices):
        return choices[self.n(0, len(choices))]

    def shape(self, least=1, most=4):
        return tuple(self.n() for _ in range(self.n(least, most + 1)))

    def any(self, **limits):
        return self.x(*self.shape(), **limits)

    def labels(self, *shape, of):
        return Fixed(self.rng.integers(0, of, shape))

    def reduction(self):
        return self.one("mean", "sum", "none")


def call(*args, **kwargs):
    return args, kwargs


def soft(d):
    x = d.any()
    return call(x, d.n(-x.ndim, x.ndim))


def two(d, **settings):
    """A prediction and a target of one shape, reduction by keyword."""
    shape = d.shape()
    drawn = {name: d.one(*values) for name, values in settings.items()}
    return call(d.x(*shape), d.x(*shape), reduction=d.reduction(), **drawn)


def weighted(d):
    shape = d.shape()
    return call(d.x(*shape), d.x(*shape), None, None, d.reduction(), Fixed(d.x(*shape, low=0.2)))


def probabilities(d):
    shape = (d.n(), d.n())
    weight = d.one(None, Fixed(d.x(shape[1], low=0.2)))
    return call(d.x(*shape, low=0.05, high=0.95), d.x(*shape, low=0.0, high=1.0), weight,
                reduction=d.reduction())  # fmt: skip


def logits(d):
    N, C = d.n(), d.n()
    weight, positive = (d.one(None, Fixed(d.x(C, low=0.2))) for _ in range(2))
    return call(d.x(N, C), d.x(N, C, low=0.0, high=1.0), weight, reduction=d.reduction(), pos_weight=positive)


def classes(d, smooth=False):
    C, rest = d.n(2, 5), d.shape(0, 2)
    lead = d.one((), (d.n(),))
    rest = rest if lead else ()
    weight = d.one(None, Fixed(d.x(C, low=0.2)))
    labels = d.rng.integers(0, C, (*lead, *rest))
    ignored = d.one(-100, 1, -100) if labels.size > 1 and (labels != 1).any() else -100
    settings = {"label_smoothing": d.one(0.0, 0.1, 1.0)} if smooth else {}
    return call(
        d.x(*lead, C, *rest), Fixed(labels), weight, None, ignored, reduction=d.reduction(), **settings
    )


def cross_entropy(d):
    if d.one(True, False):
        return classes(d, smooth=True)
    shape = (d.n(), d.n(2, 5), *d.shape(0, 2))
    target = d.x(*shape, low=0.0, high=1.0)
    weight = d.one(None, Fixed(d.x(shape[1], low=0.2)))
    return call(d.x(*shape), target / target.sum(1, keepdims=True), weight, reduction=d.reduction(),
                label_smoothing=d.one(0.0, 0.2))  # fmt: skip


def divergence(d):
    shape, log = (d.n(), d.n()), d.one(True, False)
    target = d.x(*shape) if log else d.x(*shape, low=0.01, high=1.0)
    return call(d.x(*shape), target, None, None, d.one("mean", "sum", "none", "batchmean"), log)


def signs(d, *shape):
    return Fixed(d.rng.choice([-1.0, 1.0], shape))


def hinge(d):
    shape = d.shape()
    return call(d.x(*shape), signs(d, *shape), d.one(1.0, 0.3), reduction=d.reduction())


def cosine_embedding(d):
    N, D = d.n(), d.n(2, 5)
    return call(d.x(N, D), d.x(N, D), signs(d, N), d.one(0.0, 0.3), reduction=d.reduction())


def ranking(d):
    shape = d.shape()
    return call(d.x(*shape), d.x(*shape), signs(d, *shape), d.one(0.0, 0.3), reduction=d.reduction())


def margin(d):
    shape = d.shape()
    return call(d.x(*shape), signs(d, *shape), reduction=d.reduction())


def triplet(d):
    shape = (d.n(), d.n(2, 5))
    return call(*(d.x(*shape) for _ in range(3)), d.one(1.0, 3.0), d.one(2.0, 1.0), 1e-6, d.one(True, False),
                reduction=d.reduction())  # fmt: skip


def convolution(d, axes, transposed=False):
    groups = d.n(1, 3)
    kernel, stride, dilation = ([d.n() for _ in range(axes)] for _ in range(3))
    size = [q * (k - 1) + d.n(2, 5) for k, q in zip(kernel, dilation, strict=True)]
    inputs, outputs = groups * d.n(1, 3), groups * d.n(1, 3)
    first, second = (inputs, outputs) if transposed else (outputs, inputs)
    weight, bias = d.x(first, second // groups, *kernel), d.one(None, d.x(outputs))
    x = d.x(*d.one((), (d.n(),)), inputs, *size)
    if transposed:
        padding = [d.n(0, q * (k - 1) // 2 + 1) for k, q in zip(kernel, dilation, strict=True)]
        extra = [d.n(0, max(s, q)) for s, q in zip(stride, dilation, strict=True)]
        return call(x, weight, bias, tuple(stride), tuple(padding), tuple(extra), groups, tuple(dilation))
    padding = d.one("same", "valid", 1, tuple(d.n(0, 3) for _ in range(axes)))
    return call(x, weight, bias, 1 if padding == "same" else tuple(stride), padding, tuple(dilation), groups)


def pooling(d, axes, kind):
    x = d.x(*d.one((), (d.n(),)), d.n(), *(d.n(4, 8) for _ in range(axes)))
    kernel = d.one(2, 3, (3,) if axes == 1 else (2, 3))
    stride, padding, ceil = d.one(None, 1, 2), d.one(0, 1), d.one(True, False)
    if kind == "max":
        return call(x, kernel, stride, padding, d.one(1, 2) if kernel == 2 and not padding else 1, ceil)
    divisor = (d.one(None, 3),) if axes == 2 else ()
    return call(x, kernel, stride, padding, ceil, d.one(True, False), *divisor)


def adaptive(d, axes=2):
    x = d.x(*d.one((), (d.n(),)), d.n(), *(d.n(1, 7) for _ in range(axes)))
    return call(x, d.n() if axes == 1 else d.one(d.n(), (d.n(), d.n()), (d.n(), None), (None, d.n())))


def padding(d):
    mode = d.one("constant", "reflect", "replicate", "circular")
    axes = d.n(1, 3)
    x = d.x(d.n(), d.n(), *(d.n(3, 6) for _ in range(axes)))
    if mode == "constant":
        return call(x, tuple(d.n(-1, 3) for _ in range(2 * d.n(1, x.ndim + 1 if min(x.shape) > 2 else 2))),
                    mode, d.one(None, 0.5))  # fmt: skip
    return call(x, tuple(d.n(0, 3) for _ in range(2 * axes)), mode)


def resizing(d, older=False):
    axes = d.n(1, 3)
    x = d.x(d.n(), d.n(), *(d.n(1, 5) for _ in range(axes)))
    mode = d.one("nearest", "area", "linear" if axes == 1 else "bilinear")
    corners = (d.one(None, False, True),) if "linear" in mode else (None,)
    how = d.one((tuple(d.n(1, 8) for _ in range(axes)), None), (d.n(1, 8), None), (None, d.one(2, 2.0, 1.7)))
    again = () if older else (d.one(None, True) if how[1] else None,)
    return call(x, *how, mode, *corners, *again)


def shuffle(d):
    r = d.n(1, 4)
    return call(d.x(*d.shape(0, 2), r * r * d.n(1, 3), d.n(), d.n()), r)


def unshuffle(d):
    r = d.n(1, 4)
    return call(d.x(*d.shape(0, 2), d.n(), r * d.n(), r * d.n()), r)


def affine(d, *shape):
    return d.one((None, None), (d.x(*shape), d.x(*shape)))


def batch(d):
    x = d.x(d.n(2, 4), d.n(), *d.shape(0, 2))
    C = x.shape[1]
    running = Fixed(d.x(C)), Fixed(d.x(C, low=0.5))
    training = d.one(True, False)
    running = d.one(running, (None, None)) if training else running
    return call(x, *running, *affine(d, C), training, d.one(0.1, 0.7), d.one(1e-5, 0.8))


def instance(d):
    x = d.x(d.n(), d.n(), d.n(2, 4), *d.shape(0, 1))
    C = x.shape[1]
    running = Fixed(d.x(C)), Fixed(d.x(C, low=0.5))
    own = d.one(True, False)
    return call(
        x, *(d.one(running, (None, None)) if own else running), *affine(d, C), own, 0.3, d.one(1e-5, 0.8)
    )


def layers(d):
    x = d.x(*d.shape(1, 3), d.n(2, 4))
    shape = x.shape[d.n(0, x.ndim) :]
    return call(x, shape, *affine(d, *shape), d.one(1e-5, 0.8))


def grouped(d):
    groups, each = d.n(), d.n()
    x = d.x(d.n(), groups * each, d.n(2, 4), *d.shape(0, 1))
    return call(x, groups, *affine(d, groups * each), d.one(1e-5, 0.8))


def normalising(d):
    x = d.away(*d.shape())
    return call(x, d.one(2.0, 1.0, 3.0, float("inf")), d.n(-x.ndim, x.ndim), d.one(1e-12, 2.0))


def cosine(d):
    x = d.away(*d.shape())
    return call(x, d.away(*x.shape), d.n(-x.ndim, x.ndim), d.one(1e-8, 2.0))


def distance(d):
    x = d.away(*d.shape())
    return call(x, d.away(*x.shape), d.one(2.0, 1.0, 3.0), 1e-6, d.one(True, False))


def dense(d):
    A, B = d.n(), d.n()
    return call(d.x(*d.shape(0, 2), A), d.x(B, A), d.one(None, d.x(B)))


def double_dense(d):
    A, B, O, lead = d.n(), d.n(), d.n(), d.shape(1, 2)
    return call(d.x(*lead, A), d.x(*lead, B), d.x(O, A, B), d.one(None, d.x(O)))


def lookup(d):
    rows = d.n(2, 5)
    return call(d.labels(*d.shape(0, 2), of=rows), d.x(rows, d.n()), d.one(None, 1, -1))


def slopes(d):
    shape = d.shape()
    C = shape[1] if len(shape) > 1 else 1
    return call(d.x(*shape), d.x(d.one(1, C)))


def halves(d):
    shape = list(d.shape())
    axis = d.n(0, len(shape))
    shape[axis] *= 2
    return call(d.x(*shape), d.one(axis, axis - len(shape)))


def plain(d):
    return call(d.any(high=4.0, low=-4.0))


def in_place(*settings):
    """One array, a choice of settings, and PyTorch's `inplace`."""
    return lambda d: call(d.any(high=4.0, low=-4.0), *(d.one(*values) for values in settings), False)


def columns(d, back=False):
    kernel, stride, padding, dilation = (d.one(1, 2), d.n(1, 3)), d.n(1, 3), d.n(0, 2), (1, d.n(1, 3))
    C, H, W = d.n(1, 3), d.n(4, 7), d.n(4, 7)
    if not back:
        return call(d.x(*d.one((), (2,)), C, H, W), kernel, dilation, padding, stride)
    out = [
        (n + 2 * padding - q * (k - 1) - 1) // stride + 1
        for n, k, q in zip((H, W), kernel, dilation, strict=True)
    ]
    x = d.x(*d.one((), (2,)), C * kernel[0] * kernel[1], out[0] * out[1])
    return call(x, (H, W), kernel, dilation, padding, stride)


def along_a_grid(d):
    H, W, padding, corners = d.n(2, 5), d.n(2, 5), d.one("zeros", "border"), d.one(True, False)
    grid = np.stack([inside_cells(d, n, corners, (2, 3, 2)) for n in (W, H)], -1)
    return call(d.x(2, d.n(1, 3), H, W), grid, "bilinear", padding, corners)


def inside_cells(d, n, corners, shape):
    """Places from -1.5 to 1.5 that lie between cells, not on one."""
    cell = d.rng.integers(-1, n, shape) + d.rng.uniform(0.1, 0.9, shape)
    return 2 * cell / (n - 1) - 1 if corners else (2 * cell + 1) / n - 1


def variances(d):
    shape = d.shape(1, 3)
    var = d.x(*d.one(shape, shape[:-1], (*shape[:-1], 1)), low=0.3)
    return call(d.x(*shape), d.x(*shape), var, full=d.one(True, False), reduction=d.reduction())


TABLE = {
    "unfold": columns, "fold": lambda d: columns(d, True), "grid_sample": along_a_grid,
    "affine_grid": lambda d: call(d.x(2, 2, 3), [2, 3, d.n(1, 4), d.n(1, 4)], d.one(True, False)),
    "local_response_norm": lambda d: call(d.x(2, d.n(1, 5), *d.shape(1, 2)), d.n(1, 5), 0.3, 0.7, 1.2),
    "gaussian_nll_loss": variances,
    "relu": in_place(), "leaky_relu": in_place((0.2, 0.01)), "elu": in_place((1.0, 0.5)), "selu": in_place(),
    "celu": in_place((1.0, 0.5)), "sigmoid": plain, "logsigmoid": plain, "tanh": plain, "tanhshrink": plain,
    "hardtanh": in_place((-1.0, -0.5), (1.0, 0.7)), "relu6": in_place(), "hardsigmoid": in_place(),
    "hardswish": in_place(), "softplus": lambda d: call(d.any(), d.one(1.0, 3.0), d.one(20.0, 1.5)),
    "softsign": plain, "gelu": lambda d: call(d.any(), approximate=d.one("none", "tanh")), "silu": in_place(),
    "mish": in_place(), "prelu": slopes, "threshold": in_place((0.3, -0.4), (7.0, 0.0)), "glu": halves,
    "softmax": soft, "log_softmax": soft, "softmin": soft,
    "mse_loss": lambda d: d.one(two, weighted)(d), "l1_loss": lambda d: d.one(two, weighted)(d),
    "smooth_l1_loss": lambda d: two(d, beta=(1.0, 0.3, 0.0)), 
    "huber_loss": lambda d: two(d, delta=(1.0, 0.3)),
    "binary_cross_entropy": probabilities, "binary_cross_entropy_with_logits": logits,
    "cross_entropy": cross_entropy, "nll_loss": classes, "kl_div": divergence, "hinge_embedding_loss": hinge,
    "cosine_embedding_loss": cosine_embedding, "margin_ranking_loss": ranking, "soft_margin_loss": margin,
    "triplet_margin_loss": triplet,
    "conv1d": lambda d: convolution(d, 1), "conv2d": lambda d: convolution(d, 2),
    "conv_transpose1d": lambda d: convolution(d, 1, True),
    "conv_transpose2d": lambda d: convolution(d, 2, True),
    "max_pool1d": lambda d: pooling(d, 1, "max"), "max_pool2d": lambda d: pooling(d, 2, "max"),
    "avg_pool1d": lambda d: pooling(d, 1, "avg"), "avg_pool2d": lambda d: pooling(d, 2, "avg"),
    "adaptive_avg_pool1d": lambda d: adaptive(d, 1), "adaptive_avg_pool2d": adaptive,
    "adaptive_max_pool2d": adaptive, "pad": padding, "interpolate": resizing,
    "upsample": lambda d: resizing(d, older=True), "pixel_shuffle": shuffle, "pixel_unshuffle": unshuffle,
    "batch_norm": batch, "instance_norm": instance, "layer_norm": layers, "group_norm": grouped,
    "normalize": normalising, "cosine_similarity": cosine, "pairwise_distance": distance, "linear": dense,
    "bilinear": double_dense, "embedding": lookup,
    "one_hot": lambda d: call(d.labels(*d.shape(), of=3), d.one(3, 5, -1)),
    "dropout": lambda d: call(d.any(), d.one(0.0, 1.0), d.one(True, False), False),
    "dropout2d": lambda d: call(d.x(2, 3, 2, 2), d.one(0.0, 1.0), d.one(True, False), False),
}  # fmt: skip

RANDOM = {"gumbel_softmax"}  # held to its formula
ONCE = {"hardsigmoid"}  # of which PyTorch has no second derivative, and a first one in single precision

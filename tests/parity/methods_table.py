"""One row for each name on Tensor that computes: how the tensor and its arguments are drawn.

Arrays are differentiated, `Fixed` ones are not.  A name that ends in "_" has the row of the name without.
"""

import importlib.util
from pathlib import Path

import numpy as np

_spec = importlib.util.spec_from_file_location(
    "functional_table", Path(__file__).parents[1] / "nn" / "functional_table.py"
)
_functional = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_functional)
Draw, Fixed, call = _functional.Draw, _functional.Fixed, _functional.call


def plain(**limits):
    return lambda d: call(d.any(**limits))


def apart(d, *shape):
    """Numbers of which no two are equal, nor near."""
    count = int(np.prod(shape))
    return (d.rng.permutation(count) + d.rng.uniform(0.1, 0.4, count)).reshape(shape) - count / 2


def off_the_jumps(d, *shape):
    return d.rng.integers(-4, 4, shape) + d.rng.uniform(0.1, 0.4, shape)


def pair(**limits):
    """Two tensors that broadcast, or a tensor and a number."""

    def drawn(d):
        shape = d.shape(1, 3)
        other = d.one(shape, shape[-1:], (*shape[:-1], 1))
        return call(d.x(*shape), d.one(d.x(*other, **limits), d.one(2.5, 2)))

    return drawn


def whole(d, *shape, low=0, high=6):
    return Fixed(d.rng.integers(low, high, shape))


def compared(d):
    shape = d.shape(1, 3)
    return call(d.one(d.x(*shape), whole(d, *shape)), d.one(whole(d, *shape), whole(d, shape[-1]), 1))


def truths(d):
    shape = d.shape(1, 3)
    return call(Fixed(d.rng.random(shape) < 0.5), Fixed(d.rng.random(shape[-1:]) < 0.5))


def bits(d):
    shape = d.shape(1, 3)
    return d.one(truths(d), call(whole(d, *shape), whole(d, *shape)))


def along(make=None, **settings):
    """A tensor of at least one axis, an axis of it, keepdim."""

    def drawn(d):
        shape = tuple(d.n(2, 4) for _ in range(d.n(1, 4)))
        x = (make or d.x)(*shape) if make is None else make(d, *shape)
        keep = {} if settings.get("bare") else {"keepdim": d.one(True, False)}
        return call(x, dim=d.n(-len(shape), len(shape)), **keep)

    return drawn


def reduced(make=None):
    """Over all, one axis or several."""

    def drawn(d):
        x = d.x(2, 3, 2) if make is None else make(d, 2, 3, 2)
        where = d.one({}, {"dim": d.one(0, -1, (0, 2), [1]), "keepdim": d.one(True, False)})
        return call(x, **where)

    return drawn


def extreme(d):
    x = apart(d, 2, 3, 2)
    return d.one(call(x), call(x, d.n(-3, 3)), call(x, d.n(-3, 3), keepdim=True), call(x, apart(d, 3, 1)))


def spread(d):
    x = d.x(2, 3, 2)
    return d.one(
        call(x), call(x, 1), call(x, dim=(0, 2), unbiased=False), call(x, dim=1, correction=0, keepdim=True)
    )


def matrix(d, *lead):
    """Well away from singular."""
    n = d.n(1, 4)
    return d.x(*lead, n, n) * 0.2 + np.eye(n) * 2


def index_of(d, shape, axis, n):
    return Fixed(d.rng.integers(0, shape[axis], n))


def gathered(d, lead=()):
    x, axis = d.x(2, 3, 4), d.n(-3, 3)
    shape = [2, 3, 4]
    shape[axis] = d.n(1, 5)
    return call(x, axis, Fixed(d.rng.integers(0, (2, 3, 4)[axis], shape)))


def scattered(d, put=False):
    """Places that come once where numbers are put, any where they are added."""
    x, axis = d.x(2, 3, 4), d.n(-3, 3)
    n = (2, 3, 4)[axis]
    if put:
        index = d.rng.random((2, 3, 4)).argsort(axis)
        index = index.take(range(d.n(1, n + 1)), axis)
    else:
        index = gathered(d)[0][2].array
        index = d.rng.integers(0, n, [min(m, k) if i != axis % 3 else m for i, (m, k) in
                                      enumerate(zip((2, 3, 4), (2, 3, 4), strict=True))])  # fmt: skip
    source = d.x(*index.shape)
    return call(x, axis, Fixed(index), d.one(source, 1.5) if put else source)


def slices(d, put=False):
    axis = d.n(-3, 3)
    n = (2, 3, 4)[axis]
    index = d.rng.permutation(n)[: d.n(1, n + 1)] if put else d.rng.integers(0, n, d.n(1, 5))
    shape = [2, 3, 4]
    shape[axis] = len(index)
    return call(d.x(2, 3, 4), axis, Fixed(index), d.x(*shape))


def filled(d):
    args, _ = slices(d, True)
    return call(*args[:3], 7.0)


def masked(*rest):
    return lambda d: call(d.x(2, 3, 4), Fixed(d.rng.random(d.one((2, 3, 4), (3, 1))) < 0.5), *rest)


def sized(*choices, base=(2, 3, 4)):
    """x of one shape and one of several positional settings."""
    return lambda d: call(d.x(*base), *d.one(*choices))


def vectors(d):
    n = d.n()
    return call(d.x(n), d.x(n))


def product(d):
    b, m, k, n = (d.n() for _ in range(4))
    return d.one(
        call(d.x(m, k), d.x(k, n)),
        call(d.x(b, m, k), d.x(k, n)),
        call(d.x(k), d.x(k, n)),
        call(d.x(m, k), d.x(k)),
    )


def mm(d):
    m, k, n = (d.n() for _ in range(3))
    return call(d.x(m, k), d.x(k, n))


def with_addend(*lead):
    def drawn(d):
        m, k, n = (d.n() for _ in range(3))
        return call(d.x(*lead, m, n), d.x(*lead, m, k), d.x(*lead, k, n), beta=0.5, alpha=2.0)

    return drawn


POSITIVE = plain(low=0.2)
UNIT = plain(low=-0.9, high=0.9)
SHARE = plain(low=0.05, high=0.95)
JUMPS = lambda d: call(off_the_jumps(d, *d.shape()))  # noqa: E731


def divided(d):
    shape = d.shape(1, 3)
    return call(
        d.rng.integers(-3, 4, shape) * 1.4 + d.x(*shape, low=0.2, high=0.3),
        d.one(1.4, d.x(*shape, low=1.39, high=1.41)),
    )


def powers(d):
    shape = d.shape(1, 3)
    return d.one(call(d.x(*shape), d.one(2, 3, 0)), call(d.x(*shape, low=0.3), d.one(0.5, -1.5, d.x(*shape))))


def bounded(d):
    shape = d.shape(1, 3)
    x = d.x(*shape)
    return d.one(
        call(x, -1.0, 1.0),
        call(x, min=0.25),
        call(x, max=0.25),
        call(x, d.x(*shape, high=-0.5), d.x(*shape, low=0.5)),
    )


def chosen(d):
    shape = d.shape(1, 3)
    return call(d.x(*shape), Fixed(d.rng.random(shape) < 0.5), d.one(d.x(*shape), 1.0))


def three(d):
    shape = d.shape(1, 3)
    return call(d.x(*shape), d.x(*shape), d.x(*shape, low=0.5), value=0.7)


def odd(d):
    """Numbers, NaN and infinities, which are constants."""
    x = d.x(3, 4)
    x[d.rng.random((3, 4)) < 0.3] = d.one(np.nan, np.inf, -np.inf)
    return call(Fixed(x))


def close(d):
    x = d.x(3, 4)
    return call(Fixed(x), Fixed(d.one(x.copy(), x + 1e-7, x + 1)))


TABLE = {
    **dict.fromkeys("exp relu sigmoid tanh sin cos sinh cosh expm1 exp2 erf neg negative square tan clone "
                    "contiguous "
                    "abs absolute leaky_relu float double atan sinc".split(), plain(low=-1.4, high=1.4)),
    **dict.fromkeys("log sqrt rsqrt reciprocal log1p log2 log10".split(), POSITIVE),
    **dict.fromkeys("asin acos".split(), UNIT), "logit": SHARE,
    **dict.fromkeys("floor ceil round trunc frac sign".split(), JUMPS),
    **dict.fromkeys("add sub subtract mul multiply".split(), pair()),
    **dict.fromkeys("div divide true_divide".split(), pair(low=0.4)),
    **dict.fromkeys("maximum minimum hypot logaddexp".split(),
        lambda d: call(d.x(2, 3), d.one(d.x(3), d.x(2, 1)))),
    "atan2": lambda d: call(d.away(2, 3), d.away(2, 3)),
    "xlogy": lambda d: call(d.x(2, 3), d.x(2, 3, low=0.3)),
    **dict.fromkeys("remainder fmod".split(), divided),
    "floor_divide": lambda d: call(Fixed(d.x(2, 3)), d.one(2.0, 0.7)),
    "pow": powers, "clamp": bounded, "clip": bounded, "where": chosen,
    "clamp_min": lambda d: call(d.x(2, 3), 0.3), "clamp_max": lambda d: call(d.x(2, 3), 0.3),
    "lerp": lambda d: call(d.x(2, 3), d.x(2, 3), d.one(0.3, d.x(2, 3))), "addcmul": three, "addcdiv": three,
    **dict.fromkeys("eq ne lt le gt ge greater greater_equal less less_equal not_equal".split(), compared),
    **dict.fromkeys("logical_and logical_or logical_xor".split(), truths),
    "logical_not": lambda d: call(whole(d, 2, 3, high=2)), "bitwise_not": lambda d: call(whole(d, 2, 3)),
    **dict.fromkeys("bitwise_and bitwise_or bitwise_xor".split(), bits),
    **dict.fromkeys("isnan isinf isfinite".split(), odd), "nan_to_num": odd, "nansum": odd, "nanmean": odd,
    "isclose": close, "allclose": close, "equal": close,
    **dict.fromkeys("sum mean".split(), reduced()), "amax": reduced(apart), "amin": reduced(apart),
    "logsumexp": lambda d: call(d.x(2, 3, 2), d.one(0, -1, (0, 2)), d.one(True, False)),
    "var": spread, "std": spread, "max": extreme, "min": extreme,
    "prod": lambda d: d.one(call(d.x(2, 3)), call(d.x(2, 3), 1), call(d.x(2, 3), 0, keepdim=True)),
    "norm": lambda d: d.one(call(d.x(2, 3)), call(d.x(2, 3), 1), call(d.x(2, 3), 2, 1),
        call(d.x(2, 3), p=3, dim=0, keepdim=True)),
    **dict.fromkeys("cumsum cumprod softmax log_softmax".split(), along(bare=True)),
    **dict.fromkeys("argmax argmin".split(),
        lambda d: d.one(call(apart(d, 2, 3)), call(apart(d, 2, 3), 1, True))),
    **dict.fromkeys("any all".split(),
        lambda d: d.one(call(whole(d, 2, 3, high=2)), call(whole(d, 2, 3, high=2), 1))),
    "sort": lambda d: call(apart(d, 2, 3), d.n(-2, 2), d.one(True, False)),
    "argsort": lambda d: call(apart(d, 2, 3), d.n(-2, 2), d.one(True, False)),
    "topk": lambda d: call(apart(d, 2, 3), 2, d.n(-1, 2) % 2 * 0 + 1, d.one(True, False)),
    "kthvalue": lambda d: call(apart(d, 2, 3), 2, 1, d.one(True, False)),
    "median": lambda d: d.one(call(apart(d, 2, 3)), call(apart(d, 2, 3), 1), call(apart(d, 2, 3), 0, True)),
    "quantile": lambda d: d.one(call(apart(d, 2, 3), 0.3), call(apart(d, 2, 3), 0.7, 1, True),
                                call(apart(d, 2, 3), Fixed(np.array([0.2, 0.5])), 0)),
    "aminmax": lambda d: d.one(call(apart(d, 2, 3)), call(apart(d, 2, 3), dim=1, keepdim=True)),
    "unique": lambda d: d.one(call(whole(d, 3, 4)),
        call(whole(d, 3, 4), return_inverse=True, return_counts=True)),
    "bincount": lambda d: d.one(call(whole(d, 9)), call(whole(d, 9), minlength=8)),
    "histc": lambda d: call(Fixed(d.x(9)), 5, -1.5, 1.5), "nonzero": lambda d: call(whole(d, 3, 4, high=2)),
    "argwhere": lambda d: call(whole(d, 3, 4, high=2)),
    "count_nonzero": lambda d: d.one(call(whole(d, 3, 4, high=2)), call(whole(d, 3, 4, high=2), 1)),
    "matmul": product, "mm": mm, "bmm": lambda d: call(d.x(2, 3, 2), d.x(2, 2, 4)), "dot": vectors,
    "inner": vectors,
    "mv": lambda d: call(d.x(2, 3), d.x(3)), "outer": lambda d: call(d.x(2), d.x(3)),
    "addmm": with_addend(), "baddbmm": with_addend(2), "cross": lambda d: call(d.x(2, 3), d.x(2, 3)),
    "diag": lambda d: d.one(call(d.x(3), d.n(-1, 2)), call(d.x(3, 4), d.n(-1, 2))),
    "diagonal": sized((), (1,), (-1, 1, 2), (0, -1, 0)), "trace": lambda d: call(d.x(3, d.n(2, 5))),
    "inverse": lambda d: call(matrix(d, *d.one((), (2,)))), "logdet": lambda d: call(matrix(d)),
    "slogdet": lambda d: call(matrix(d, *d.one((), (2,)))),
    "dist": lambda d: call(d.x(2, 3), d.x(2, 3), d.one(2, 1, 3)),
    "reshape": sized((6, 4), (-1, 2), ((4, 6),)), "view": sized((6, 4), (-1, 2), ((4, 6),)),
    "view_as": lambda d: call(d.x(2, 6), Fixed(d.x(3, 4))),
    "reshape_as": lambda d: call(d.x(2, 6), Fixed(d.x(3, 4))),
    "expand_as": lambda d: call(d.x(2, 1), Fixed(d.x(3, 2, 4))),
    "type_as": lambda d: call(d.x(2), whole(d, 2)),
    "permute": sized((2, 0, 1), ((0, 2, 1),)), "transpose": sized((0, 1), (-1, 0)),
    "flatten": sized((), (1,), (0, 1)),
    "swapaxes": sized((0, 1), (-1, 0)), "swapdims": sized((0, 1)), "flip": sized((0,), ([0, 2],)),
    "broadcast_to": lambda d: call(d.x(3, 1), (2, 3, 4)), "expand": lambda d: call(d.x(3, 1), 2, -1, 4),
    "unsqueeze": sized((0,), (-1,)), "squeeze": sized((), (0,), (-1,), base=(1, 3, 1)), "ravel": sized(()),
    "repeat": sized((2, 1, 3), (2, 1, 1, 2)), "tile": sized((2,), (2, 1, 2)),
    "repeat_interleave": lambda d: call(d.x(2, 3), 2, dim=d.n(0, 2)),
    "split": sized((2, 1), ([1, 2], 1), (2,)), "chunk": sized((2, 1), (2, -1)), "unbind": sized((), (1,)),
    "tensor_split": sized((2, 1), ([1], 1)), "unflatten": sized((2, (2, 2)), (-1, (2, -1))),
    "select": sized((1, 2), (-1, 0)), "narrow": sized((1, 0, 2), (2, 1, 3)),
    "unfold": sized((2, 2, 1), (1, 2, 1)),
    "take": lambda d: call(d.x(2, 3), whole(d, 2, 2)),
    "take_along_dim": lambda d: call(d.x(2, 3), whole(d, 2, 2, high=3), 1),
    "gather": gathered, "index_select": lambda d: call(d.x(2, 3, 4), 1, whole(d, 4, high=3)),
    "scatter": lambda d: scattered(d, True), "scatter_add": scattered, "index_add": slices,
    "index_copy": lambda d: slices(d, True), "index_fill": filled,
    "masked_scatter": masked(Fixed(np.arange(24.0))),
    "masked_fill": masked(7.0), "masked_select": masked(), "roll": sized((1, 1), ((-2, 3), (0, 2)), (5,)),
    "tril": sized((), (1,)), "triu": sized((), (-1,)), "movedim": sized((0, -1)), "moveaxis": sized((0, -1)),
    "rot90": sized((1, (0, 1)), (3, (1, 2)), (2, (0, 2))), "fliplr": sized(()), "flipud": sized(()),
    "t": sized((), base=(2, 3)), "fill_": lambda d: call(d.x(2, 3), 2.0), "zero_": plain(),
    "copy_": lambda d: call(d.x(2, 3), d.x(2, 3)), "fill_diagonal_": lambda d: call(d.x(3, 3), 5.0),
    "T": sized((), base=(2, 3)), "mT": sized(()),
    **dict.fromkeys("numel nelement dim ndimension tolist element_size stride is_contiguous "
                    "is_floating_point "
                    "nbytes itemsize get_device shape is_cpu is_cuda is_sparse ndim item".split(),
                    lambda d: call(Fixed(d.x(1)))),
    **{name: lambda d: call(Fixed(d.x(2, 3) * 2)) for name in "int long short char bool half".split()},
    "byte": lambda d: call(whole(d, 2, 3)), "size": sized((), (1,), (-1,)),
    "new_zeros": sized((2, 3)), "new_ones": sized(((2, 3),)), "new_full": sized(((2,), 3.0)),
    "new_tensor": sized(([1.0, 2.0],)),
    "__add__": pair(), "__radd__": sized((2.5,)), "__sub__": pair(), "__rsub__": sized((2.5,)),
    "__mul__": pair(),
    "__rmul__": sized((2.5,)), "__truediv__": pair(low=0.4), "__pow__": powers, "__matmul__": mm,
    "__rtruediv__": lambda d: call(d.away(2, 3), 2.5), "__rpow__": sized((2.5,)),
    "__floordiv__": lambda d: call(Fixed(d.x(2, 3)), 0.7), "__mod__": divided,
    **dict.fromkeys("__and__ __or__ __xor__".split(), bits), "__invert__": lambda d: call(whole(d, 2, 3)),
    "__neg__": plain(), "__abs__": plain(),
    "__getitem__": sized((0,), ((slice(None), [0, 2]),), ((..., None, 1),)),
    **dict.fromkeys("__eq__ __ne__ __lt__ __le__ __gt__ __ge__".split(), compared),
    **dict.fromkeys("__iadd__ __isub__ __imul__".split(), lambda d: call(d.x(2, 3), d.x(3))),
    "__itruediv__": lambda d: call(d.x(2, 3), d.x(3, low=0.4)),
    **dict.fromkeys("__bool__ __int__ __float__ __len__".split(), lambda d: call(Fixed(d.x(1)))),
    "__format__": lambda d: call(Fixed(d.x()), ".2f"),
    "__index__": lambda d: call(whole(d)),
}  # fmt: skip

# Drawn at random, to be filled, or about graph, memory and device: no numbers to compare.
OTHERS = set(
    """normal_ uniform_ bernoulli_ random_ bernoulli multinomial new new_empty resize_ resize_as_ backward
register_hook retain_grad detach detach_ data grad grad_fn is_leaf requires_grad requires_grad_ to cpu cuda
numpy type
device dtype data_ptr pin_memory share_memory_ __iter__ __setitem__ __array__ __array_function__""".split()
)
OURS = set(
    "astype array version cache hooks node bump move leaky_relu __rmatmul__".split()
)  # PyTorch has them not

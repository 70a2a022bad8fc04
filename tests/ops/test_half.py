"""float16: values and gradients are those of float64, rounded, where float16's own sums would not be."""

import numpy as np
import pytest

from minigan import Tensor, grad, nn, ops
from minigan.ops.half import in_single

NORMAL = np.random.default_rng(0).standard_normal
TARGET = np.zeros(900, int)

# function, inputs; in each a sum, a square or an epsilon leaves float16's range, the result does not
CASES = {
    "mean": (lambda x: x.mean(axis=0), [np.full((900, 2), 500.0)]),
    "sum of both signs": (lambda x: x.sum(), [np.r_[np.full(90, 3e4), np.full(90, -3e4)]]),
    "var": (lambda x: x.var(), [NORMAL(9000) * 100]),
    "logsumexp": (lambda x: x.logsumexp(), [np.zeros(70000)]),
    "softmax": (lambda x: ops.softmax(x), [np.zeros((1, 70000))]),
    "log_softmax": (lambda x: ops.log_softmax(x), [np.zeros((1, 70000))]),
    "avg_pool2d": (lambda x: ops.avg_pool2d(x, 5), [np.full((1, 2, 5, 5), 4e4)]),
    "global_avg_pool2d": (ops.global_avg_pool2d, [np.full((1, 2, 50, 50), 400.0)]),
    "batch_norm": (lambda x, w, b: ops.batch_norm(x, weight=w, bias=b, training=True),
                   [NORMAL((9, 2, 30, 30)) * 500, NORMAL(2), NORMAL(2)]),
    "batch_norm with running statistics":
        (lambda x: ops.batch_norm(x, np.zeros(2, x.dtype), np.full(2, 2.0**-23, x.dtype), eps=1e-8),
         [NORMAL((3, 2)) * 1e-4]),
    "instance_norm": (ops.instance_norm, [NORMAL((1, 2, 20, 20)) * 900]),
    "layer_norm": (lambda x: ops.layer_norm(x, 50), [NORMAL((2, 50)) * 900]),
    "group_norm": (lambda x: ops.group_norm(x, 2), [NORMAL((2, 4, 3, 3)) * 900]),
    "pixel_norm": (ops.pixel_norm, [NORMAL((2, 4, 3)) * 900]),
    "pixel_norm of zeros": (ops.pixel_norm, [np.zeros((2, 4, 3))]),
    "mse_loss": (lambda x: ops.mse_loss(x, 0.0), [np.r_[400.0, np.zeros(99)]]),
    "huber_loss": (lambda x: ops.huber_loss(x, 0.0, delta=500.0), [np.r_[400.0, np.zeros(99)]]),
    "cross_entropy": (lambda x: ops.cross_entropy(x, TARGET), [NORMAL((900, 4)) * 200]),
    "linear": (ops.linear, [np.ones((3000, 2)), np.ones((2, 2)), np.ones(2)]),
    "matmul": (lambda x, y: x @ y, [np.repeat([[300.0, -300.0]], 9, axis=1), np.full((18, 1), 300.0)]),
    "gram": (ops.gram, [np.ones((3000, 2))]),
    "conv2d": (ops.conv2d, [NORMAL((1, 40, 9, 9)), NORMAL((2, 40, 3, 3)), NORMAL(2)]),
    "conv_transpose2d": (ops.conv_transpose2d, [NORMAL((1, 40, 5, 5)), NORMAL((40, 2, 3, 3))]),
    "a bias": (lambda x, b: (x + b) * 0.5, [np.zeros((5000, 2)), np.ones(2)]),
    "indexing": (lambda x: x[TARGET], [np.ones(2)]),
    "nearest": (lambda x: ops.interpolate(x, size=(60, 60)), [np.ones((1, 1, 2, 2))]),
    "gelu": (lambda x: ops.gelu(x, approximate="tanh"), [NORMAL(9) * 90]),
    "MinibatchStdDev": (nn.MinibatchStdDev(), [NORMAL((5, 2, 3, 3)) * 900]),
    "MinibatchStdDev of equals": (nn.MinibatchStdDev(), [np.ones((5, 2, 3, 3))]),
}  # fmt: skip


def both(function, arrays, dtype, recorded):
    leaves = [Tensor(np.asarray(a).astype(np.float16).astype(dtype), requires_grad=True) for a in arrays]
    y = function(*leaves)
    seed = np.random.default_rng(1).choice([1.0, -0.5, 2.0], y.shape).astype(dtype)
    found = [y, *grad(y, leaves, Tensor(np.asarray(seed)), create_graph=recorded)]
    assert all(t.dtype == dtype for t in found)
    return [t.numpy() for t in found]


@pytest.mark.parametrize("recorded", [False, True])
@pytest.mark.parametrize("name", CASES)
def test_values_and_gradients_are_float64s_rounded(name, recorded):
    function, arrays = CASES[name]
    exact = both(function, arrays, np.float64, recorded)
    for got, want in zip(both(function, arrays, np.float16, recorded), exact, strict=True):
        assert np.isfinite(got).all()
        np.testing.assert_allclose(got, want, rtol=1e-3, atol=1e-3 * np.abs(want).max() + 6e-8)


def test_a_second_derivative():
    x = Tensor(np.full(900, 30.0, np.float16), requires_grad=True)
    (g,) = grad((x * x * x).mean(), x, create_graph=True)
    (second,) = grad(g.sum(), x)
    np.testing.assert_allclose(second.numpy(), 6 * 30 / 900, rtol=1e-2)


def test_running_statistics_move_in_float16_too():
    mean, var = Tensor(np.zeros(1, np.float16)), Tensor(np.ones(1, np.float16))
    x = 100.0 + 90.0 * NORMAL((64, 1, 8, 8))
    ops.batch_norm(Tensor(x.astype(np.float16)), mean, var, training=True)
    assert mean.dtype == var.dtype == np.float16
    assert mean.item() == pytest.approx(0.1 * x.mean(), rel=1e-2)
    assert var.item() == pytest.approx(0.9 + 0.1 * x.var(ddof=1), rel=1e-2)


def test_spectral_norm_in_float16():
    layer = nn.spectral_norm(nn.Linear(3000, 2), generator=np.random.default_rng(0))
    layer.weight_orig.array = np.full((2, 3000), 9.0, np.float32)
    layer.to(dtype="float16")
    assert np.linalg.norm(layer.weight.numpy().astype(float), 2) == pytest.approx(1, rel=1e-2)
    assert layer.weight_u.dtype == np.float16


def test_what_rounds_nothing_stays_a_view():
    x = Tensor(np.zeros((2, 3), np.float16))
    for y in (x.reshape(3, 2), x.transpose(), x[1], x.broadcast_to((4, 2, 3))):
        assert y.dtype == np.float16 and np.shares_memory(y.numpy(), x.numpy())


def test_mixed_types_take_the_wider_one():
    half, single = (Tensor(np.ones(2, dtype)) for dtype in (np.float16, np.float32))
    assert (half * single).dtype == (single - half).dtype == np.float32


def test_in_single_leaves_other_types_alone():
    @in_single
    def twice(x):
        seen.append(x.dtype)
        return x * 2.0

    seen = []
    for dtype, inside in ((np.float16, np.float32), (np.float32, np.float32), (np.float64, np.float64)):
        assert twice(Tensor(np.ones(2, dtype))).dtype == dtype and seen.pop() == inside

"""Every kernel, as it is called, against its Python loops: random settings, both number and index types."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from minigan import backend
from minigan.kernels import cuda
from minigan.kernels.conv import cuda_im2col, naive
from minigan.kernels.cuda import bands, chains, many, norms, plain, windows
from minigan.ops.conv.spec import ConvSpec
from minigan.ops.pool import Windows
from minigan.testing.strategies import seeds

host = backend.to_host
PRECISION = {np.float32: 1e-5, np.float64: 1e-12}
fixed = settings(suppress_health_check=list(HealthCheck))  # the fixtures serve all examples alike
reals = st.sampled_from((np.float32, np.float64))


@pytest.fixture
def beside(monkeypatch, device):
    """Run every kernel's loops beside it and compare all it wrote; the list of names that ran."""
    ran, launch = [], cuda.launch

    def both(name, grid, like, *arguments):
        copies = [_flat(a) for a in arguments]
        launch(name, grid, like, *arguments)
        with np.errstate(all="ignore"):
            getattr(plain, name)(*_spread(copies))
        for got, wanted in zip(arguments, copies, strict=True):
            if isinstance(wanted, np.ndarray):
                _assert_close(_flat(got), wanted)
        ran.append(name)

    for module in (cuda, windows, bands, chains, norms, many, cuda_im2col.cuda):
        monkeypatch.setattr(module, "launch", both)
    return ran


def _flat(argument):
    if isinstance(argument, (bool, int, float)):
        return argument
    if isinstance(argument, cuda.Strided):
        return cuda.Strided(np.array(host(argument.array), order="C"))
    if isinstance(argument, cuda.Flat):
        return np.array(host(argument.array)).ravel(order="K")
    return np.array(host(argument)).ravel()


def _spread(arguments):
    """Replace a strided array by the memory of its copy and that one's strides, in elements."""
    for argument in arguments:
        if isinstance(argument, cuda.Strided):
            yield argument.array.ravel()
            yield from (step // argument.array.itemsize for step in argument.array.strides)
        else:
            yield argument


def _assert_close(got, wanted):
    scale = max(np.abs(wanted[np.isfinite(wanted)]).max(initial=0), 1.0)
    np.testing.assert_allclose(got, wanted, rtol=0, atol=PRECISION.get(got.dtype.type, 0) * scale)


def draw(seed, *shapes, dtype):
    generator = np.random.default_rng(seed)
    return [generator.normal(size=shape).astype(dtype) for shape in shapes]


@st.composite
def conv_specs(draw):
    def two(low, high):
        return tuple(draw(st.integers(low, high)) for _ in range(2))

    kernel, stride, padding, dilation = two(1, 4), two(1, 3), two(0, 3), two(1, 3)
    least = [max(1, d * (k - 1) + 1 - 2 * p) for k, p, d in zip(kernel, padding, dilation, strict=True)]
    H, W = (n + draw(st.integers(0, 4)) for n in least)
    few_or_many = st.sampled_from(
        (1, 2, 3, cuda_im2col.MANY + 2)
    )  # channels: each has its own way of walking
    N, C, O = draw(st.sampled_from((1, 3))), draw(few_or_many), draw(few_or_many)
    return ConvSpec(N, C, H, W, O, *kernel, stride=stride, padding=padding, dilation=dilation)


@pytest.mark.parametrize("tile", (1 << 28, 300), ids=("whole", "tiles"))
@fixed
@given(spec=conv_specs(), seed=seeds(), dtype=reals, channels_last=st.booleans())
def test_convolution(monkeypatch, beside, on_device, tile, spec, seed, dtype, channels_last):
    monkeypatch.setattr(cuda_im2col, "TILE", tile)
    x, weight, g = draw(seed, spec.x_shape, spec.weight_shape, spec.y_shape, dtype=dtype)
    wanted = naive.forward(x, weight, spec), naive.input_grad(g, weight, spec), naive.weight_grad(x, g, spec)
    if channels_last:
        x, g = (a.transpose(0, 2, 3, 1).copy().transpose(0, 3, 1, 2) for a in (x, g))
    x, weight, g = map(on_device, (x, weight, g))
    got = (
        cuda_im2col.forward(x, weight, spec),
        cuda_im2col.input_grad(g, weight, spec),
        cuda_im2col.weight_grad(x, g, spec),
    )
    for a, b in zip(got, wanted, strict=True):
        assert a.shape == b.shape and a.dtype == dtype
        _assert_close(host(a), b)


def test_a_thread_has_up_to_four_of_many_channels(beside, on_device):
    spec = ConvSpec(1, 70, 3, 4, 2, 3, 2, stride=(2, 1), padding=1)
    x, weight, g = draw(0, spec.x_shape, spec.weight_shape, spec.y_shape, dtype=np.float64)
    arrays = [on_device(array) for array in (x, weight, g)]
    _assert_close(host(cuda_im2col.forward(*arrays[:2], spec)), naive.forward(x, weight, spec))
    _assert_close(host(cuda_im2col.input_grad(*arrays[:0:-1], spec)), naive.input_grad(g, weight, spec))
    assert set(beside) == {"im2col", "col2im"}


def test_strides_of_any_kind_are_read(beside, on_device):
    """Every second line, a flipped axis: the kernel walks by strides, negative ones too."""
    spec = ConvSpec(2, 2, 5, 4, 3, 3, 2, padding=1)
    (wide,) = draw(0, (2, 2, 10, 4), dtype=np.float64)
    x = wide[:, ::-1, ::2, ::-1]
    columns = cuda_im2col.unroll(on_device(wide)[:, ::-1, ::2, ::-1], spec, (0, 2, 0, spec.OH))
    wanted = cuda_im2col.unroll(on_device(x.copy()), spec, (0, 2, 0, spec.OH))
    np.testing.assert_array_equal(host(columns), host(wanted))


@st.composite
def pool_axes(draw):
    def axis():
        kernel, dilation = draw(st.integers(1, 4)), draw(st.integers(1, 3))
        padding = draw(st.integers(0, kernel // 2))
        least = max(1, dilation * (kernel - 1) + 1 - 2 * padding)
        size = least + draw(st.integers(0, 4))
        return Windows(size, kernel, draw(st.integers(1, 4)), padding, dilation, draw(st.booleans()))

    return axis(), axis()


@fixed
@given(axes=pool_axes(), seed=seeds(), dtype=reals, N=st.sampled_from((1, 3)), data=st.data())
def test_pooling(beside, on_device, axes, seed, dtype, N, data):
    C = data.draw(st.integers(1, 3))
    inside, outside = (N, C, axes[0].size, axes[1].size), (N, C, axes[0].out, axes[1].out)
    x, g = draw(seed, inside, outside, dtype=dtype)
    x = np.round(x)  # ties
    order = data.draw(st.sampled_from(("C", "last", "odd")))
    if order != "C":
        x = x.transpose(0, 2, 3, 1).copy().transpose(0, 3, 1, 2)
    if order == "odd":
        g = g.repeat(2, axis=3)[..., ::2]
    x, g = on_device(x), on_device(g)
    y, winner = windows.max_windows(x, axes)
    gx = windows.scatter_max(g, winner, axes)
    again = windows.gather_max(x, winner, axes)
    total = windows.sum_windows(x, axes, 0.25)
    spread = windows.spread_windows(g, axes, 0.25)
    assert [a.shape for a in (y, winner, gx, again, total, spread)] == [
        outside, outside, inside, outside, outside, inside,
    ]  # fmt: skip
    found = host(winner) > 0
    np.testing.assert_array_equal(host(y)[found], host(again)[found])
    for one, other in ((gx, again), (spread, total)):  # adjoint pairs: <g, A x> = <A^T g, x>
        a = host(g * other).astype(np.float64).sum()
        b = host(x * one).astype(np.float64).sum()
        assert abs(a - b) <= 1e2 * PRECISION[dtype] * max(1.0, abs(a))


def test_the_first_of_equal_cells_wins_and_nan_beats_all(on_device):
    axes = Windows(2, 2, 2, 0, 1, False), Windows(4, 2, 2, 0, 1, False)
    x = np.array([[1.0, 1.0, np.nan, 2.0], [1.0, 0.0, -np.inf, 3.0]])[None, None]
    y, winner = windows.max_windows(on_device(x), axes)
    assert host(y)[0, 0, 0, 0] == 1 and np.isnan(host(y)[0, 0, 0, 1])
    assert host(winner).ravel().tolist() == [4, 4]
    y, winner = windows.max_windows(on_device(np.full((1, 1, 2, 4), -np.inf)), axes)
    assert np.isneginf(host(y)).all() and (host(winner) == 4).all()


@fixed
@given(seed=seeds(), dtype=reals, sizes=st.tuples(*(st.integers(1, 5) for _ in range(4))), data=st.data())
def test_bands(beside, on_device, seed, dtype, sizes, data):
    A, n, m, B = sizes
    matrix, x = draw(seed, (m, n), (A, n, B), dtype=np.float64)
    for row in matrix:
        start = data.draw(st.integers(0, n))
        row[:start] = 0
        row[data.draw(st.integers(start, n)) :] = 0
    y = bands.along(on_device(x.astype(dtype)), matrix)
    _assert_close(host(y), (matrix.astype(dtype) @ x.astype(dtype)))
    assert bands.along(on_device(x.astype(dtype)), matrix.T[:n].T) is not None
    assert set(beside) == {"band"}


def test_a_matrix_is_copied_once_and_few_are_kept(on_device, monkeypatch):
    monkeypatch.setattr(bands, "KEPT", 2)
    bands._kept.clear()
    x = on_device(np.ones((1, 3, 2)))
    matrices = [np.full((2, 3), float(k)) for k in range(3)]
    for matrix in (*matrices, matrices[2]):
        assert host(bands.along(x, matrix)).max() == 3 * matrix[0, 0]
    assert len(bands._kept) == 2
    first = bands._band(matrices[2], x)
    assert bands._band(matrices[2], x) is first and bands._band(matrices[2][:, :2], x) is not first


@fixed
@given(
    seed=seeds(),
    dtype=reals,
    M=st.integers(1, 40),
    C=st.integers(1, 5),
    slope=st.sampled_from((0.0, 0.2, 1.0)),
)
def test_chains(beside, on_device, seed, dtype, M, C, slope):
    arrays = draw(seed, (M, C), (M, C), (C,), (C,), (C,), dtype=dtype)
    x, g, scale, shift, center = map(on_device, arrays)
    y = chains.affine_leaky(x, scale, shift, slope)
    chains.leaky_grad(g, y, slope)
    norms.norm_grad(x, g, y, (scale, shift, center), slope)
    for threshold in (0.5, np.inf):
        chains.softplus_grad(g, x, threshold)
        _assert_close(host(chains.softplus(x, np.inf)), np.logaddexp(arrays[0], 0))
    _assert_close(host(norms.column_sums(x)), arrays[0].sum(axis=0))
    label = on_device(np.full((), 0.9, dtype))
    for t in (x, label):
        chains.cross_entropy(x, t)
        chains.cross_entropy_grad(g, x, t)
        likely = chains.sigmoid(x)
        chains.cross_entropy(likely, t, "probability_loss")
        chains.cross_entropy_grad(g, likely, t, "probability_loss_grad")
    chains.sigmoid_grad(g, likely)
    chains.tanh_grad(g, likely)
    found = {
        "probability_loss",
        "probability_loss_grad",
        "sigmoid",
        "sigmoid_grad",
        "tanh_grad",
        "cross_entropy",
        "cross_entropy_grad",
        "affine_leaky",
        "leaky_grad",
        "norm_grad",
        "softplus",
        "softplus_grad",
        "strip_sums",
    }
    assert set(beside) == found


@fixed
@given(seed=seeds(), dtype=reals, M=st.integers(2, 40), C=st.integers(1, 5), away=st.sampled_from((0, 100)))
def test_batch_norm(beside, on_device, seed, dtype, M, C, away):
    x, g, weight, bias = draw(seed, (M, C), (M, C), (C,), (C,), dtype=dtype)
    x += dtype(away)
    arrays = [on_device(array) for array in (x, g, weight, bias)]
    y, mean, var, rstd = norms.batch_norm(arrays[0], arrays[2], arrays[3], 1e-5)
    exact = [array.astype(np.float64) for array in (x, g, weight, bias)]
    wanted = (exact[0] - exact[0].mean(0)) / np.sqrt(exact[0].var(0) + 1e-5)
    loose = 1e3 if dtype == np.float32 else 1e4  # of the precision: digits lost to the distance from 0
    for got, right in ((mean, exact[0].mean(0)), (var, exact[0].var(0)), (y, wanted * exact[2] + exact[3])):
        np.testing.assert_allclose(
            host(got), right, rtol=0, atol=loose * PRECISION[dtype] * (1 + abs(right).max())
        )
    gx, gweight, gbias = norms.batch_norm_grad(*arrays[:3], mean, rstd, wanted=True)
    assert norms.batch_norm_grad(*arrays[:3], mean, rstd, wanted=False)[0] is None
    for leak in (0.0, 0.2):  # as one walk more would have it
        behind = norms.batch_norm_grad(*arrays[:3], mean, rstd, wanted=True, y=y, leak=leak)
        before = norms.batch_norm_grad(
            arrays[0], chains.leaky_grad(arrays[1], y, leak), arrays[2], mean, rstd, wanted=True
        )
        for one, other in zip(behind, before, strict=True):
            _assert_close(host(one), host(other))
    np.testing.assert_allclose(host(gbias), exact[1].sum(0), rtol=0, atol=1e2 * PRECISION[dtype])
    assert gx.shape == x.shape and gweight.shape == (C,)
    norms.running_moments(mean.copy(), var.copy(), (mean, var), 0.1, M)
    assert set(beside) == {
        "strip_moments", "norm_vectors", "grad_sums", "norm_slopes", "affine_leaky", "norm_grad",
        "running_moments", "leaky_grad",
    }  # fmt: skip


@pytest.mark.parametrize("rows", (1, 16, 17, 101, 1000))
def test_sums_and_moments_in_many_stages(monkeypatch, beside, on_device, rows):
    for name, value in {"SHORT": 2, "FEW": 4, "WIDE": 1000}.items():
        monkeypatch.setattr(norms, name, value)
    x, g, weight = draw(0, (rows, 3), (rows, 3), (3,), dtype=np.float64)
    x += 1e3
    np.testing.assert_allclose(host(norms.column_sums(on_device(x))), x.sum(axis=0), rtol=1e-12)
    if rows == 1:
        return
    y, mean, var, rstd = norms.batch_norm(*map(on_device, (x, weight, weight)), 0.0)
    np.testing.assert_allclose(host(mean), x.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(host(var), x.var(axis=0), rtol=1e-10)
    arrays = [on_device(array) for array in (x, g, weight)]
    _, gweight, gbias = norms.batch_norm_grad(*arrays, mean, rstd, wanted=False)
    np.testing.assert_allclose(host(gbias), g.sum(axis=0), rtol=1e-10, atol=1e-12)
    xhat = (x - x.mean(axis=0)) / x.std(axis=0)
    np.testing.assert_allclose(host(gweight), (g * xhat).sum(axis=0), rtol=1e-9, atol=1e-9)
    if rows > 100:
        assert {"merge_moments", "strip_sums"} <= set(beside)


def test_moments_of_a_column_that_begins_far_away(on_device):
    """Its first row is where a strip takes its deviations from; the merge keeps the digits."""
    x = np.random.default_rng(0).normal(size=(400, 2)).astype(np.float32)
    x[0] = 1e3
    mean, var = (host(array) for array in norms.batch_norm(*map(on_device, (x, x[1], x[1])), 1e-5)[1:3])
    exact = x.astype(np.float64)
    np.testing.assert_allclose(mean, exact.mean(0), rtol=1e-5)
    np.testing.assert_allclose(var, exact.var(0), rtol=1e-5)


@pytest.mark.parametrize("order", ("C", "F", "last"))
def test_leaky_grad_lies_as_the_result_does(beside, on_device, order):
    y, g = draw(1, (2, 3, 4, 5), (2, 3, 4, 5), dtype=np.float64)
    last = y.transpose(0, 2, 3, 1).copy().transpose(0, 3, 1, 2)
    laid = last if order == "last" else np.array(y, order=order)
    gx = chains.leaky_grad(on_device(g), on_device(laid), 0.2)
    np.testing.assert_array_equal(host(gx), np.where(y > 0, g, 0.2 * g))
    assert gx.strides == laid.strides


@fixed
@given(
    seed=seeds(),
    dtype=reals,
    decay=st.sampled_from((0.0, 0.1)),
    shrink=st.sampled_from((1.0, 0.9)),
    count=st.sampled_from((1, 3, 8, 9)),
)
def test_many_at_once(beside, on_device, seed, dtype, decay, shrink, count):
    sizes = [1 + (seed + 3 * k) % 7 for k in range(count)]
    groups = []
    for size in sizes:
        p, m, v, g = draw(seed, *((size,),) * 4, dtype=dtype)
        groups.append(tuple(map(on_device, (p, m, v**2, g))))
    pairs = [(group[3].copy(), group[0].copy()) for group in groups]
    before = [[host(array).copy() for array in pair] for pair in pairs]
    many.follow(pairs, 0.25)
    for (average, value), (old, _) in zip(pairs, before, strict=True):
        _assert_close(host(average), old + dtype(0.25) * (host(value) - old))
    many.adam(groups, shrink=shrink, decay=decay, betas=(0.5, 0.999), eps=1e-8, rate=1e-3)
    assert set(beside) == {"adam", "follow"}


def test_64_bit_indices_give_the_same(monkeypatch, device, on_device):
    """`NARROW` is where int ends; here it ends at once."""
    spec = ConvSpec(2, 2, 6, 5, 3, 3, 2, stride=2, padding=1)
    axes = Windows(6, 3, 2, 1, 1, False), Windows(5, 2, 2, 0, 1, True)
    x, weight, g = map(on_device, draw(0, spec.x_shape, spec.weight_shape, spec.y_shape, dtype=np.float64))

    def everything():
        y, winner = windows.max_windows(x, axes)
        return (
            cuda_im2col.forward(x, weight, spec),
            cuda_im2col.input_grad(g, weight, spec),
            windows.scatter_max(y, winner, axes),
            bands.along(x.reshape(2, 12, 5), np.eye(12)[:5]),
            chains.affine_leaky(x.reshape(24, 5), x[0, 0, 0], x[0, 0, 1]),
        )

    narrow, asked = everything(), []
    monkeypatch.setattr(cuda, "NARROW", 0)
    monkeypatch.setattr(cuda, "_kernel", lambda *key: (asked.append(key[-1]), kernel(*key))[1])
    for a, b in zip(narrow, everything(), strict=True):
        np.testing.assert_array_equal(host(a), host(b))
    assert asked and all(asked)


kernel = cuda._kernel


def test_an_index_type_must_hold_the_reach_of_a_view():
    memory = np.broadcast_to(np.float32(0), (3, 5))
    assert cuda.extent(memory) == 1 and cuda.extent(np.zeros((3, 5))) == 15
    assert cuda.extent(np.zeros((4, 6))[::-2, ::3]) == 2 * 6 + 3 + 1 and cuda.extent(np.zeros((0, 4))) <= 4


def test_nothing_is_launched_for_nothing(device, on_device):
    empty = on_device(np.ones((0, 3)))
    vector = on_device(np.ones(3))
    assert chains.affine_leaky(empty, vector, vector).shape == (0, 3)
    assert host(norms.column_sums(empty)).tolist() == [0, 0, 0]
    spec = ConvSpec(0, 2, 4, 4, 3, 3, 3)
    x, weight, g = (on_device(np.ones(shape)) for shape in (spec.x_shape, spec.weight_shape, spec.y_shape))
    assert cuda_im2col.forward(x, weight, spec).shape == spec.y_shape
    assert cuda_im2col.input_grad(g, weight, spec).shape == spec.x_shape
    assert not host(cuda_im2col.weight_grad(x, g, spec)).any()

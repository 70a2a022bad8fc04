"""Operations, nets and optimisers on a device with kernels: NumPy's results, derivatives to second order."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import minigan
from minigan import Tensor, backend, nn, ops, optim
from minigan.errors import ArgumentError
from minigan.kernels import blas, cuda
from minigan.kernels.conv import registry
from minigan.kernels.cuda import many
from minigan.ops.conv.spec import ConvSpec
from minigan.testing import GradReport
from minigan.testing.cases import activation, conv, norm, pool, resample
from minigan.testing.checkop import check_device
from minigan.testing.strategies import seeds

few = settings(suppress_health_check=list(HealthCheck), max_examples=3)
CASES = [case for family in (activation, conv, norm, pool, resample) for case in family.CASES if case.fake]


@pytest.fixture
def ran(monkeypatch):
    """The names of the kernels that were called."""
    names, kernel = set(), cuda._kernel

    def note(*key):
        names.add(key[1])
        return kernel(*key)

    monkeypatch.setattr(cuda, "_kernel", note)
    return names


@pytest.mark.parametrize("case", CASES, ids=[case.name.replace(" ", "-") for case in CASES])
@few
@given(data=st.data())
def test_operations(device, case, data):
    sample, seed = data.draw(case.strategy), data.draw(seeds())
    report = GradReport(case.name, seed)
    check_device(case, sample, report, device=device)
    assert not report.findings, f"{report}\nfor {sample!r}"


def nets(seed):
    """A small generator and discriminator with everything that has a kernel."""
    rng = np.random.default_rng(seed)
    generator = nn.Sequential(
        nn.Linear(6, 8 * 3 * 2, generator=rng),
        nn.Unflatten(1, (8, 3, 2)),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.ConvTranspose2d(8, 4, 4, stride=2, padding=1, bias=False, generator=rng),
        nn.BatchNorm2d(4),
        nn.LeakyReLU(0.2),
        nn.Upsample(scale_factor=2, mode="bilinear"),
        nn.Conv2d(4, 3, 3, padding=1, generator=rng),
        nn.Tanh(),
    )
    discriminator = nn.Sequential(
        nn.Conv2d(3, 8, 4, stride=2, padding=1, generator=rng),
        nn.LeakyReLU(0.2),
        nn.MaxPool2d(2),
        nn.Conv2d(8, 4, 1, generator=rng),
        nn.LeakyReLU(0.2),
        nn.AvgPool2d(3, stride=1, padding=1),
        nn.Conv2d(4, 1, (3, 2), generator=rng),
        nn.Flatten(0),
    )
    return generator, discriminator


def train(name, dtype, decoupled, steps=2):
    """Parameters after some steps of a GAN with a gradient penalty, on the device called ``name``."""
    generator, discriminator = nets(0)
    for module in (generator, discriminator):
        for p in (*module.parameters(), *module.buffers()):
            p.array = backend.to_device(p.numpy().astype(dtype if p.dtype.kind == "f" else p.dtype), name)
    make = optim.AdamW if decoupled else optim.Adam
    optimizers = [
        make(net.parameters(), lr=1e-2, betas=(0.5, 0.9), weight_decay=0.01)
        for net in (generator, discriminator)
    ]
    rng = np.random.default_rng(1)
    for _ in range(steps):
        real, noise = (rng.normal(size=size).astype(dtype) for size in ((4, 3, 12, 8), (4, 6)))
        real, noise = (Tensor(backend.to_device(array, name)) for array in (real, noise))
        fake = generator(noise)
        real.requires_grad_()
        judged = discriminator(real)
        (slope,) = minigan.grad(judged.sum(), [real], create_graph=True)
        loss = ops.softplus(-judged).mean() + ops.softplus(discriminator(fake.detach())).mean()
        for phase, optimizer in ((loss + (slope**2).sum() * 0.1, optimizers[1]), (None, optimizers[0])):
            total = ops.softplus(-discriminator(generator(noise))).mean() if phase is None else phase
            optimizer.zero_grad()
            total.backward()
            optimizer.step()
    return [p.numpy() for net in (generator, discriminator) for p in (*net.parameters(), *net.buffers())]


@pytest.mark.parametrize("decoupled", (False, True), ids=("Adam", "AdamW"))
def test_training_a_gan(device, ran, decoupled):
    wanted = train("numpy", np.float64, decoupled)
    got = train(device, np.float64, decoupled)
    for a, b in zip(got, wanted, strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_allclose(a, b, rtol=1e-8, atol=1e-9)
    assert ran >= {
        "im2col", "col2im", "max_windows", "scatter_max", "gather_max", "sum_windows", "spread_windows",
        "band", "affine_leaky", "leaky_grad", "strip_moments", "grad_sums", "norm_grad", "norm_vectors",
        "norm_slopes", "running_moments", "adam", "strip_sums",
    }  # fmt: skip


def test_training_a_gan_in_float32(device):
    for a, b in zip(train(device, np.float32, False, 1), train("numpy", np.float32, False, 1), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("slope", (0.0, 0.2, 1.0, -0.5))
def test_the_short_way_through_an_activation_agrees_with_the_long_one(device, on_device, slope):
    """Only while nothing records is the derivative one kernel."""
    x = np.random.default_rng(0).normal(size=(3, 4, 5))
    for function in (ops.relu, lambda t: ops.leaky_relu(t, slope)):
        found = []
        for create_graph in (False, True):
            leaf = Tensor(on_device(x), requires_grad=True)
            (g,) = minigan.grad((function(leaf) ** 2).sum(), [leaf], create_graph=create_graph)
            found.append(g.numpy())
        np.testing.assert_allclose(*found, rtol=1e-14)


def test_amsgrad_and_other_rules_take_the_array_functions(device, ran):
    for make in (lambda p: optim.Adam(p, amsgrad=True), optim.SGD, optim.RMSprop):
        found = []
        for name in ("numpy", device):
            p = Tensor(backend.to_device(np.linspace(-1, 1, 7), name), requires_grad=True)
            optimizer = make([p])
            for _ in range(3):
                optimizer.zero_grad()
                (p**2).sum().backward()
                optimizer.step()
            found.append(p.numpy())
        np.testing.assert_allclose(*found, rtol=1e-12)
    assert "adam" not in ran


def test_a_parameter_is_updated_where_it_lies(device, on_device, monkeypatch):
    """No gathering of parameters into one array, and none back, where the rule is one kernel."""
    called, adam = [], many.adam

    def watched(groups, **numbers):
        called.extend(group[0] for group in groups)
        adam(groups, **numbers)

    monkeypatch.setattr(many, "adam", watched)
    arrays = [np.ones(3), np.ones((5, 2)), np.ones((3, 4, 4, 2)).transpose(0, 3, 1, 2), np.ones((2, 3)).T]
    parameters = [Tensor(on_device(array), requires_grad=True) for array in arrays]
    for p, array in zip(parameters[:3], arrays, strict=False):
        p.grad = Tensor(on_device(array))
    parameters[-1].grad = Tensor(on_device(np.ones((3, 2))))  # lies otherwise
    optim.Adam(parameters, lr=0.1).step()
    shares = backend.namespace(called[0]).shares_memory
    assert all(shares(array, p.array) for array, p in zip(called, parameters, strict=True))
    for p in parameters:
        np.testing.assert_allclose(p.numpy(), 0.9, rtol=1e-6)


def test_the_registry_takes_the_kernels_on_a_gpu_and_nowhere_else(device, on_device):
    spec = ConvSpec(2, 3, 8, 8, 4, 3, 3, padding=1)
    here, there = np.ones(spec.x_shape), on_device(np.ones(spec.x_shape))
    for function in registry.FUNCTIONS:
        assert registry.choose(spec, function, like=there).name == "cuda_im2col"
        assert registry.choose(spec, function, like=here).name != "cuda_im2col"
        assert registry.choose(spec, function, like=there.astype(np.float16)).name != "cuda_im2col"
    with registry.use("cuda_im2col", strict=True):
        assert registry.choose(spec, like=there).name == "cuda_im2col"
        with pytest.raises(ArgumentError, match="needs float32 or float64 arrays on a GPU"):
            registry.choose(spec, like=here)
    with registry.use("naive"):
        assert registry.choose(spec, like=there).name == "naive"
    grouped = ConvSpec(2, 4, 8, 8, 4, 3, 3, padding=1, groups=2)
    assert registry.choose(grouped, like=there).name == "grouped"
    assert "cuda_im2col  no: needs" in registry.explain(spec)


def test_indices_may_come_from_the_host(device, on_device):
    """Labels and rows of an embedding are NumPy arrays in the loader; here they meet the device."""
    numbers = np.array([1, 1, 3])
    found = []
    for name in ("numpy", device):
        table = Tensor(backend.to_device(np.arange(12.0).reshape(4, 3), name), requires_grad=True)
        rows = ops.getitem(table, numbers)
        loss = ops.cross_entropy(rows, np.array([0, 2, 1])) + (rows * rows).sum()
        loss.backward()
        found.append((loss.item(), table.grad.numpy()))
    assert found[0][0] == pytest.approx(found[1][0])
    np.testing.assert_allclose(found[0][1], found[1][1], rtol=1e-12)


def test_the_same_bits_every_time(device, on_device):
    """Gathers have a fixed order of summation, which atomic additions have not."""
    spec = ConvSpec(3, 5, 17, 13, 7, 4, 3, stride=2, padding=1)
    rng = np.random.default_rng(0)
    x, weight, g = (
        on_device(rng.normal(size=shape).astype(np.float32))
        for shape in (spec.x_shape, spec.weight_shape, spec.y_shape)
    )

    def everything():
        leaf, kernel = (Tensor(a, requires_grad=True) for a in (x, weight))
        y = ops.conv2d(leaf, kernel, stride=2, padding=1)
        y = ops.max_pool2d(ops.batch_norm(y, training=True), 3, stride=1)
        (ops.avg_pool2d(ops.interpolate(y, scale_factor=1.7), 3, stride=2) ** 3).sum().backward()
        return [y.numpy(), leaf.grad.numpy(), kernel.grad.numpy()]

    first = everything()
    for _ in range(3):
        for a, b in zip(everything(), first, strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.gpu
@pytest.mark.parametrize("precision, low, high", (("highest", 0, 2e-6), ("high", 1e-5, 5e-3)))
def test_tensor_cores_round_where_they_are_asked_for(precision, low, high):
    if precision == "high" and int(backend.get("cupy").xp.cuda.Device().compute_capability) < 80:
        pytest.skip("TF32 needs compute capability 8.0")
    rng = np.random.default_rng(0)
    left, right = (rng.normal(size=(256, 256)).astype(np.float32) for _ in range(2))
    before = minigan.get_matmul_precision()
    try:
        minigan.set_matmul_precision(precision)
        got = (Tensor(left).to("cupy") @ Tensor(right).to("cupy")).numpy()
    finally:
        minigan.set_matmul_precision(before)
    exact = left.astype(np.float64) @ right
    error = np.abs(got - exact).max() / np.abs(exact).max()
    assert low <= error <= high


def test_images_stay_channels_last_from_layer_to_layer(device, on_device):
    """What CuPy's functions would turn into C order, so that every pass after it jumps through memory."""
    x = Tensor(on_device(np.random.default_rng(0).normal(size=(2, 3, 8, 6))), requires_grad=True)
    rng = np.random.default_rng(1)
    layers = [
        nn.Conv2d(3, 4, 3, padding=1, generator=rng), nn.BatchNorm2d(4), nn.LeakyReLU(0.2), nn.ReLU(),
        nn.MaxPool2d(2), nn.Upsample(scale_factor=2), nn.Tanh(), nn.AvgPool2d(2), nn.Sigmoid(),
        nn.Upsample(scale_factor=1.5, mode="bilinear"), nn.ConvTranspose2d(4, 2, 4, stride=2, generator=rng),
    ]  # fmt: skip
    order = [0, 2, 3, 1]
    for layer in layers:
        for p in (*layer.parameters(), *layer.buffers()):
            p.array = on_device(p.numpy().astype(np.float64) if p.dtype.kind == "f" else p.numpy())
        x = layer(x)
        assert backend.memory_order(x.array) == order, layer
    y = x * 2.0 + x
    assert backend.memory_order((y - y * y).array) == order


@pytest.mark.parametrize("name", ("winograd", "depthwise", "im2col"))
def test_a_gpu_gets_its_work_from_one_thread(device, on_device, monkeypatch, name):
    """Another thread may have another device or stream as the current one: no pool for these arrays."""
    counts, run = [], blas.parallel.run
    monkeypatch.setattr(blas.parallel, "run", lambda jobs: (counts.append(len(jobs)), run(jobs)))
    before = blas.parallel.threads()
    blas.parallel.set_threads(2)
    try:
        groups = 4 if name == "depthwise" else 1
        x, weight = np.ones((3, 4, 12, 12)), np.ones((4, 4 // groups, 3, 3))
        for put in (np.asarray, on_device):
            counts.clear()
            leaves = [Tensor(put(array), requires_grad=True) for array in (x, weight)]
            with registry.use(name, strict=True):
                ops.conv2d(*leaves, padding=1, groups=groups).sum().backward()
            assert (counts == []) == (put is on_device or blas._thread_calls() is None)
            assert blas.workers() == (1 if blas._thread_calls() is None else 2)
    finally:
        blas.parallel.set_threads(before)

"""Every operation in both number types: a device against NumPy.

On a GPU all records of `minigan.testing.cases` run; the stand-in for one runs those that have kernels, as the
others have only NumPy's functions there.
"""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from minigan import Tensor, backend, nn, optim
from minigan.kernels.conv import registry
from minigan.ops.conv import from_conv
from minigan.testing.cases import activation, all_cases, conv, norm, pool, resample
from minigan.testing.checkop import run
from minigan.testing.strategies import conv_configs, seeds

BOUNDS = {np.float64: 1e-12, np.float32: 1e-5}
few = settings(suppress_health_check=list(HealthCheck), max_examples=2)
WITH_KERNELS = [case for family in (activation, conv, norm, pool, resample) for case in family.CASES]


def on(device, cases):
    """(device, case) for those records that can run elsewhere than on the host."""
    marks = [pytest.mark.gpu] if device == "gpu" else []
    for case in cases:
        if case.fake:
            yield pytest.param(device, case, marks=marks, id=f"{device}-{case.name.replace(' ', '-')}")


@pytest.mark.parametrize(
    "device, case", [*on("host", WITH_KERNELS), *on("gpu", all_cases())], indirect=["device"]
)
@pytest.mark.parametrize("dtype", BOUNDS)
@few
@given(data=st.data())
def test_value_and_gradient(device, case, dtype, data):
    sample, seed = data.draw(case.strategy), data.draw(seeds())

    def computed(name, dtype):
        arrays = [a.astype(dtype) if a.dtype.kind == "f" else a for a in sample.inputs]
        backend.use(name)
        try:
            return run(case, arrays, sample.kwargs, seed)
        finally:
            backend.use("numpy")

    got, here, exact = computed(device, dtype), computed("numpy", dtype), computed("numpy", np.float64)
    for a, b, c in zip(got, here, exact, strict=True):
        scale = 1 + np.abs(b[np.isfinite(b)]).max(initial=0)
        own = np.abs(b - c)[np.isfinite(c)].max(initial=0)  # what NumPy itself loses to rounding, in float32
        np.testing.assert_allclose(a, b, rtol=0, atol=BOUNDS[dtype] * scale + 4 * own)


@pytest.mark.parametrize("name", registry.names())
@few
@given(config=conv_configs(), seed=seeds())
def test_convolution_algorithms(device, name, config, seed):
    """All of them work on a device, though the automatic choice there is the one with kernels."""
    spec, algorithm = from_conv(config.x_shape, config.weight_shape, **config.kwargs), registry.get(name)
    generator = np.random.default_rng(seed)
    x, weight, g = (generator.normal(size=s) for s in (spec.x_shape, spec.weight_shape, spec.y_shape))
    there = [backend.to_device(array, device) for array in (x, weight, g)]
    calls = {"forward": (0, 1), "input_grad": (2, 1), "weight_grad": (0, 2)}
    for function, places in calls.items():
        if not registry.why_not(algorithm, spec, function, there[0]):
            got = getattr(algorithm, function)(*(there[i] for i in places), spec)
            wanted = getattr(registry.get("naive"), function)(*((x, weight, g)[i] for i in places), spec)
            assert backend.of(got).name == device
            scale = 1 + np.abs(wanted).max(initial=0)
            np.testing.assert_allclose(backend.to_host(got), wanted, rtol=0, atol=1e-10 * scale)


def test_layers_and_rules_stay_on_their_device(device):
    """Weights, buffers, moments and averages made by a net on a device are there."""
    backend.use(device)
    net = nn.Sequential(nn.Conv2d(2, 3, 3, padding=1), nn.BatchNorm2d(3), nn.ELU(), nn.Flatten(),
                        nn.Linear(48, 2))  # fmt: skip
    average = optim.EMA(net, decay=0.5)
    for make in (optim.SGD, optim.RMSprop, optim.Adam, optim.AdamW):
        optimizer = make(net.parameters(), lr=0.1)
        loss = (net(Tensor(np.ones((4, 2, 4, 4), np.float32))) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        assert optim.clip_grad_norm_(net.parameters(), 1.0) > 0
        optimizer.step()
        optimizer.load_state_dict(optimizer.state_dict())
        average.update(net)
    tensors = [*net.parameters(), *net.buffers(), *average.module.parameters()]
    assert {t.device for t in tensors} == {device}
    again = {name: value * 1 for name, value in net.state_dict().items()}
    net.load_state_dict(again)
    assert {t.device for t in net.parameters()} == {device}

"""Every layer that PyTorch has too: values, first and second gradients in float64, over random settings."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minigan
from minigan import nn

torch = pytest.importorskip("torch")

WORST = 1e-9


def apart(mine, theirs):
    """Largest difference relative to the largest value."""
    mine, theirs = np.asarray(mine), theirs.detach().numpy()
    assert mine.shape == theirs.shape
    return np.abs(mine - theirs).max(initial=0.0) / max(np.abs(theirs).max(initial=0.0), 1e-3)


def derivatives(layer, x, cotangents, grad):
    """Value; gradients of <value, c0>; gradients of the sum of <gradient, c> over those; 0 for none."""
    leaves = [x, *layer.parameters()]
    value = layer(x)
    first = grad((value * cotangents[0]).sum(), leaves, create_graph=True, allow_unused=True)
    total = 0.0 * x.sum()
    for g, c in zip(first, cotangents[1:], strict=True):
        total = total if g is None else total + (g * c).sum()
    second = grad(total, leaves, allow_unused=True)
    zeros = [0.0 * leaf for leaf in leaves]
    filled = ([z if g is None else g for z, g in zip(zeros, gs, strict=True)] for gs in (first, second))
    return value, *filled


def compare(mine, theirs, data, generator, orders=(1, 2)):
    """Hold all that `derivatives` returns for one layer against the other."""
    x, y = minigan.Tensor(data, requires_grad=True), torch.tensor(data, requires_grad=True)
    drawn = [generator.normal(size=t.shape) for t in (theirs(y), y, *theirs.parameters())]
    mine(x)  # once more, because theirs ran once more: running statistics
    ours = derivatives(mine, x, [minigan.Tensor(a) for a in drawn], minigan.grad)
    other = derivatives(theirs, y, [torch.from_numpy(a) for a in drawn], torch.autograd.grad)
    assert apart(ours[0].array, other[0]) <= WORST
    for order in orders:
        for a, b in zip(ours[order], other[order], strict=True):
            assert apart(a.array, b) <= WORST, f"order {order}"


def check(mine, theirs, shape, seed):
    """Give both layers the same state and input, then compare everything, running statistics included."""
    generator = np.random.default_rng(seed)
    theirs = theirs.double()
    with torch.no_grad():
        for p in theirs.parameters():
            p.copy_(torch.from_numpy(generator.normal(size=tuple(p.shape))))
    mine = mine.to(dtype="float64")
    mine.load_state_dict({k: v.numpy() for k, v in theirs.state_dict().items()})
    compare(mine, theirs, generator.normal(size=shape), generator)
    for (name, a), b in zip(mine.named_buffers(), theirs.buffers(), strict=True):
        assert apart(a.array, b) <= WORST, name


seeds = st.integers(0, 2**32 - 1)
few = st.integers(1, 3)


@given(few, few, st.booleans(), st.lists(few, max_size=2), seeds)
def test_linear(inputs, outputs, bias, batch, seed):
    check(
        nn.Linear(inputs, outputs, bias=bias),
        torch.nn.Linear(inputs, outputs, bias=bias),
        (*batch, inputs),
        seed,
    )


@st.composite
def convolutions(draw):
    kernel, stride, dilation = ((draw(few), draw(few)) for _ in range(3))
    padding = (draw(st.integers(0, 2)), draw(st.integers(0, 2)))
    groups = draw(st.integers(1, 2))
    size = [d * (k - 1) + 1 + draw(st.integers(0, 3)) for k, d in zip(kernel, dilation, strict=True)]
    channels = [groups * draw(st.integers(1, 2)) for _ in range(2)]
    settings = {
        "stride": stride,
        "padding": padding,
        "dilation": dilation,
        "groups": groups,
        "bias": draw(st.booleans()),
    }
    return channels, kernel, settings, (draw(st.integers(1, 2)), channels[0], *size)


@given(convolutions(), st.sampled_from(["zeros", "reflect"]), seeds)
def test_conv2d(configuration, mode, seed):
    channels, kernel, settings, shape = configuration
    if mode == "reflect":  # the mirror needs a picture larger than its margin
        shape = (*shape[:2], *(n + p for n, p in zip(shape[2:], settings["padding"], strict=True)))
    check(
        nn.Conv2d(*channels, kernel, padding_mode=mode, **settings),
        torch.nn.Conv2d(*channels, kernel, padding_mode=mode, **settings),
        shape,
        seed,
    )


@given(convolutions(), st.integers(0, 1), seeds)
def test_conv_transpose2d(configuration, extra, seed):
    channels, kernel, settings, (N, C, *_) = configuration
    settings["padding"] = tuple(
        min(p, d * (k - 1) // 2)
        for p, d, k in zip(settings["padding"], settings["dilation"], kernel, strict=True)
    )
    settings["output_padding"] = tuple(
        extra * (max(s, d) > 1) for s, d in zip(settings["stride"], settings["dilation"], strict=True)
    )
    make = [module.ConvTranspose2d(*channels, kernel, **settings) for module in (nn, torch.nn)]
    check(*make, (N, C, 2, 3), seed)


@given(
    st.integers(2, 3), few, st.sampled_from([2, 3]), st.booleans(), st.sampled_from([None, 0.1, 0.7]), seeds
)
def test_batch_norm1d(N, C, axes, affine, momentum, seed):
    make = [module.BatchNorm1d(C, affine=affine, momentum=momentum, eps=1e-3) for module in (nn, torch.nn)]
    check(*make, (N, C, 3)[:axes], seed)


@given(few, few, st.booleans(), st.booleans(), seeds)
def test_batch_norm2d(N, C, training, track, seed):
    make = [module.BatchNorm2d(C, track_running_stats=track).train(training) for module in (nn, torch.nn)]
    check(*make, (N, C, 2, 3), seed)


@given(few, few, st.booleans(), seeds)
def test_instance_norm2d(N, C, affine, seed):
    check(*(module.InstanceNorm2d(C, affine=affine) for module in (nn, torch.nn)), (N, C, 2, 3), seed)


@given(st.integers(1, 2), st.booleans(), st.booleans(), seeds)
def test_layer_norm(axes, affine, bias, seed):
    shape = (2, 4, 3)
    make = [
        module.LayerNorm(shape[-axes:], elementwise_affine=affine, bias=bias) for module in (nn, torch.nn)
    ]
    check(*make, shape, seed)


@given(few, few, st.booleans(), seeds)
def test_group_norm(groups, each, affine, seed):
    make = [module.GroupNorm(groups, groups * each, affine=affine) for module in (nn, torch.nn)]
    check(*make, (2, groups * each, 2, 3), seed)


PLAIN = {
    "ReLU": {}, "LeakyReLU": {"negative_slope": 0.2}, "ELU": {"alpha": 0.7}, "Sigmoid": {}, "Tanh": {},
    "Softplus": {"beta": 2.0, "threshold": 1.5}, "GELU": {"approximate": "tanh"}, "SiLU": {}, "Identity": {},
}  # fmt: skip


@pytest.mark.parametrize("name", PLAIN)
def test_activations(name):
    check(*(getattr(module, name)(**PLAIN[name]) for module in (nn, torch.nn)), (3, 4), 0)


def test_gelu_by_default_is_exact():
    check(nn.GELU(), torch.nn.GELU(), (3, 4), 1)


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_softmax(axis):
    check(nn.Softmax(axis), torch.nn.Softmax(axis), (3, 4, 2), 0)


@given(st.integers(2, 3), few, st.integers(0, 1), st.booleans(), seeds)
def test_pools(kernel, stride, padding, ceil_mode, seed):
    settings = {"stride": stride, "padding": padding, "ceil_mode": ceil_mode}
    check(nn.MaxPool2d(kernel, **settings), torch.nn.MaxPool2d(kernel, **settings), (2, 2, 6, 5), seed)
    settings["count_include_pad"] = bool(seed % 2)
    check(nn.AvgPool2d(kernel, **settings), torch.nn.AvgPool2d(kernel, **settings), (2, 2, 6, 5), seed)


@given(st.tuples(few, few), seeds)
def test_adaptive_avg_pool(size, seed):
    check(nn.AdaptiveAvgPool2d(size), torch.nn.AdaptiveAvgPool2d(size), (2, 2, 5, 4), seed)


@pytest.mark.parametrize("how", [{"scale_factor": 2}, {"size": (5, 7)}, {"scale_factor": 1.7}])
@pytest.mark.parametrize(
    "mode", [{"mode": "nearest"}, {"mode": "bilinear"}, {"mode": "bilinear", "align_corners": True}]
)
def test_upsample(how, mode):
    check(nn.Upsample(**how, **mode), torch.nn.Upsample(**how, **mode), (2, 2, 3, 4), 0)


def test_flatten_and_unflatten():
    check(nn.Flatten(), torch.nn.Flatten(), (2, 3, 4), 0)
    check(nn.Flatten(0, 1), torch.nn.Flatten(0, 1), (2, 3, 4), 0)
    check(nn.Unflatten(1, (2, 3)), torch.nn.Unflatten(1, (2, 3)), (2, 6, 4), 0)
    check(nn.Unflatten(-1, (2, 2)), torch.nn.Unflatten(-1, (2, 2)), (2, 6, 4), 0)


@settings(max_examples=5)
@given(seeds)
def test_embedding(seed):
    generator = np.random.default_rng(seed)
    table, index = generator.normal(size=(4, 3)), generator.integers(0, 4, (2, 5))
    mine, theirs = nn.Embedding(4, 3).to(dtype="float64"), torch.nn.Embedding(4, 3).double()
    mine.load_state_dict({"weight": table})
    theirs.load_state_dict({"weight": torch.from_numpy(table)})
    a, b = mine(index), theirs(torch.from_numpy(index))
    c = generator.normal(size=a.shape)
    (a * minigan.Tensor(c)).sum().backward()
    (b * torch.from_numpy(c)).sum().backward()
    assert apart(a.array, b) == 0.0
    assert apart(mine.weight.grad.array, theirs.weight.grad) <= WORST


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("name", ["MSELoss", "L1Loss", "BCELoss", "BCEWithLogitsLoss", "CrossEntropyLoss"])
def test_losses(name, reduction):
    generator = np.random.default_rng(3)
    data, target = generator.normal(size=(4, 3)), generator.uniform(size=(4, 3))
    if name == "BCELoss":
        data = generator.uniform(0.05, 0.95, data.shape)
    if name == "CrossEntropyLoss":
        target = generator.integers(0, 3, 4)

    class Mine(nn.Module):
        def forward(self, x):
            return getattr(nn, name)(reduction=reduction)(x, minigan.Tensor(target))

    class Theirs(torch.nn.Module):
        def forward(self, x):
            return getattr(torch.nn, name)(reduction=reduction)(x, torch.from_numpy(target))

    compare(Mine(), Theirs(), data, generator)


@pytest.mark.filterwarnings("ignore:.*spectral_norm.*deprecated:FutureWarning")
@settings(max_examples=6)
@given(st.booleans(), st.integers(0, 3), seeds)
def test_spectral_norm(transposed, steps, seed):
    """PyTorch's first form of it iterates in the paper's order, and names its state as we do."""
    kind, generator = "ConvTranspose2d" if transposed else "Conv2d", np.random.default_rng(seed)
    mine = nn.spectral_norm(getattr(nn, kind)(2, 3, 2, generator=generator), generator=generator)
    mine.to(dtype="float64")
    theirs = torch.nn.utils.spectral_norm(getattr(torch.nn, kind)(2, 3, 2).double(), eps=1e-12)
    theirs.load_state_dict(
        {name: torch.from_numpy(value.numpy()) for name, value in mine.state_dict().items()}
    )
    data = generator.normal(size=(2, 2, 3, 4))
    for _ in range(steps):
        mine(minigan.Tensor(data)), theirs(torch.from_numpy(data))
    compare(mine, theirs, data, generator)
    for name, value in mine.state_dict().items():
        assert apart(value, theirs.state_dict()[name]) <= WORST, name
    mine.eval(), theirs.eval()
    compare(mine, theirs, data, generator)


@pytest.mark.parametrize("make", [
    lambda module: module.Linear(300, 200),
    lambda module: module.Conv2d(8, 60, 3, groups=2),
    lambda module: module.ConvTranspose2d(60, 8, 3, groups=2),
])  # fmt: skip
def test_layers_start_alike(make):
    """The bounds of the uniform start agree, for weight and bias, to what so many draws show."""
    minigan.manual_seed(0), torch.manual_seed(0)
    for a, b in zip(make(nn).parameters(), make(torch.nn).parameters(), strict=True):
        assert np.abs(a.array).max() == pytest.approx(b.abs().max().item(), rel=0.2 if a.size < 100 else 0.02)

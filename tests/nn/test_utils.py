"""nn.utils, the containers, and what Module has of PyTorch's: hooks, moving, parts by name, deep copies."""

import copy

import numpy as np
import pytest

import minigan
from minigan import Tensor, nn
from minigan.errors import ArgumentError, DeviceError, DTypeError, ShapeError
from minigan.nn import utils


def ones(*shape):
    return Tensor(np.ones(shape, np.float32))


def test_parameters_to_vector_and_back():
    net = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1))
    vector = utils.parameters_to_vector(net.parameters())
    assert vector.shape == (13,) and vector.requires_grad
    utils.vector_to_parameters(vector.detach() * 2.0, net.parameters())
    assert np.array_equal(utils.parameters_to_vector(net.parameters()).numpy(), 2 * vector.numpy())
    with pytest.raises(ShapeError, match="13 elements"):
        utils.vector_to_parameters(ones(12), net.parameters())


def test_clipping_is_that_of_optim_and_returns_a_tensor():
    layer = nn.Linear(2, 2)
    for p in layer.parameters():
        p.grad = Tensor(np.full(p.shape, 3.0, np.float32))
    norm = utils.clip_grad_norm_(layer.parameters(), 1.0, 2)
    assert isinstance(norm, Tensor) and norm.item() == pytest.approx(3 * 6**0.5)
    assert sum((p.grad.numpy() ** 2).sum() for p in layer.parameters()) == pytest.approx(1.0, rel=1e-4)
    utils.clip_grad_value_(layer.parameters(), 0.1)
    assert max(p.grad.numpy().max() for p in layer.parameters()) == np.float32(0.1)


@pytest.mark.parametrize("dim", [0, 1, None])
def test_weight_norm_starts_as_the_layer_was(dim):
    layer = nn.Conv2d(2, 3, 3)
    before = layer.weight.numpy().copy()
    assert utils.weight_norm(layer, "weight", dim) is layer
    assert [name for name, _ in layer.named_parameters()] == ["bias", "weight_g", "weight_v"]
    assert np.allclose(layer.weight.numpy(), before, atol=1e-6)
    utils.remove_weight_norm(layer)
    assert isinstance(layer.weight, nn.Parameter) and np.allclose(layer.weight.numpy(), before, atol=1e-6)
    with pytest.raises(ArgumentError, match="not computed by WeightNorm"):
        utils.remove_weight_norm(layer)


def test_weight_norm_agrees_with_torch():
    torch = pytest.importorskip("torch")
    mine = utils.weight_norm(nn.Conv2d(2, 3, 3), dim=1).double()
    theirs = torch.nn.Conv2d(2, 3, 3)
    with pytest.warns(FutureWarning):
        theirs = torch.nn.utils.weight_norm(theirs, dim=1).double()
    assert list(mine.state_dict()) == list(theirs.state_dict())
    theirs.load_state_dict({k: torch.from_numpy(v.numpy()) for k, v in mine.state_dict().items()})
    x = np.random.default_rng(0).normal(size=(1, 2, 4, 4))
    a, b = mine(Tensor(x)), theirs(torch.from_numpy(x))
    assert np.allclose(a.numpy(), b.detach().numpy())
    (a * a).sum().backward(), (b * b).sum().backward()
    for p, q in zip(mine.parameters(), theirs.parameters(), strict=True):
        assert np.allclose(p.grad.numpy(), q.grad.numpy())


def test_spectral_norm_by_position_and_away_again():
    layer = utils.spectral_norm(nn.Linear(4, 3), "weight", 2, 1e-12, 0)
    assert sorted(layer.state_dict()) == ["bias", "weight_orig", "weight_u", "weight_v"]
    layer.eval()
    divided = layer.weight.numpy().copy()
    utils.remove_spectral_norm(layer)
    assert sorted(layer.state_dict()) == ["bias", "weight"]
    assert np.array_equal(layer.weight.numpy(), divided)
    assert utils.parametrizations.spectral_norm is utils.spectral_norm is nn.spectral_norm
    with pytest.raises(ArgumentError, match="no parameter 'kernel'"):
        utils.spectral_norm(layer, "kernel")


def test_spectral_norm_of_another_parameter():
    cell = nn.Module()
    cell.kernel = nn.Parameter(np.diag([3.0, 1.0]).astype(np.float32))
    utils.spectral_norm(cell, "kernel", 5)
    for _ in range(5):
        assert cell.kernel.shape == (2, 2)
    assert np.linalg.svd(cell.kernel.numpy(), compute_uv=False)[0] == pytest.approx(1.0, rel=1e-3)


@pytest.mark.parametrize(
    "ask, words",
    [
        (lambda: nn.LSTM, "minigan.nn has no 'LSTM'; the nearest: "),
        (lambda: nn.Conv3d, "nearest: Conv2d"),
        (lambda: utils.clip_grad_norm, "nearest: clip_grad_norm_"),
    ],
)
def test_what_is_not_there_names_the_nearest(ask, words):
    with pytest.raises(AttributeError, match=words) as error:
        ask()
    assert "\n" not in str(error.value)


# ---- containers -------------------------------------------------------------------------------------------


def test_module_dict():
    parts = nn.ModuleDict({"a": nn.Linear(2, 2), "pop": nn.ReLU()})
    parts["keys"] = nn.Linear(2, 1)  # a name that is a method's
    assert list(parts) == list(parts.keys()) == ["a", "pop", "keys"] and len(parts) == 3 and "a" in parts
    assert [name for name, _ in parts.named_parameters()] == [
        "a.weight",
        "a.bias",
        "keys.weight",
        "keys.bias",
    ]
    del parts["a"]
    assert [m for _, m in parts.items()] == list(parts.values())


def test_parameter_list_and_dict():
    values = nn.ParameterList([ones(2), nn.Parameter(ones(3))])
    values.append(ones(1)).extend([ones(4)])
    assert [p.size for p in values] == [2, 3, 1, 4] and all(isinstance(p, nn.Parameter) for p in values)
    values[0] = ones(5)
    assert values[-1].size == 4 and len(values[:2]) == 2 and list(values.state_dict()) == ["0", "1", "2", "3"]
    named = nn.ParameterDict({"a": ones(2)})
    named["b"] = ones(3)
    assert list(named) == list(named.keys()) == ["a", "b"] and "b" in named and len(named) == 2
    assert named["a"] is dict(named.named_parameters())["a"] and len(list(named.items())) == 2


def test_module_list_changes():
    parts = nn.ModuleList([nn.ReLU(), nn.Tanh()])
    parts.extend([nn.Sigmoid()])
    parts.insert(1, nn.ELU())
    parts[-1] = nn.Mish()
    assert [type(m).__name__ for m in parts] == ["ReLU", "ELU", "Tanh", "Mish"]


# ---- Module -----------------------------------------------------------------------------------------------


def test_forward_hooks_see_and_may_replace():
    layer, seen = nn.Linear(2, 2), []
    handle = layer.register_forward_hook(lambda module, inputs, output: seen.append((module, inputs, output)))
    before = layer.register_forward_pre_hook(lambda module, inputs: inputs[0] * 0.0)
    x = ones(1, 2)
    y = layer(x)
    assert seen[0][0] is layer and not seen[0][1][0].numpy().any() and seen[0][2] is y
    assert np.array_equal(y.numpy()[0], layer.bias.numpy())
    before.remove(), before.remove(), handle.remove()
    layer(x)
    assert len(seen) == 1
    with layer.register_forward_hook(lambda module, inputs, output: output * 2.0):
        assert np.allclose(layer(x).numpy(), 2 * layer.forward(x).numpy())
    assert np.allclose(layer(x).numpy(), layer.forward(x).numpy())


def test_deep_copies_are_apart():
    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.spectral_norm(nn.Conv2d(2, 1, 1)))
    twin = copy.deepcopy(net)
    x = Tensor(np.random.default_rng(0).normal(size=(2, 1, 4, 4)).astype(np.float32))
    assert np.array_equal(net(x).numpy(), twin(x).numpy())
    nn.init.zeros_(twin[0].weight)
    assert net[0].weight.numpy().any() and twin[0].weight.requires_grad
    assert all(a is not b for a, b in zip(net.parameters(), twin.parameters(), strict=True))


def test_freezing_by_assignment():
    layer = nn.Linear(2, 2)
    for p in layer.parameters():
        p.requires_grad = False
    assert not layer(ones(1, 2)).requires_grad


def test_types_and_devices():
    layer = nn.BatchNorm1d(2)
    assert layer.double().weight.dtype == np.float64 == layer.running_mean.dtype
    assert layer.num_batches_tracked.dtype == np.int64
    assert layer.float().weight.dtype == np.float32
    assert layer.type(np.float64).to("float32").to(np.float64).to(ones(1)).weight.dtype == np.float32
    assert layer.to("cpu").cpu().to(device="cpu", dtype=np.float64).weight.device == "numpy"
    for refused in (layer.half, layer.bfloat16):
        with pytest.raises(DTypeError, match="float32"):
            refused()
    with pytest.raises(DTypeError, match="floating-point"):
        layer.to(np.int64)
    with pytest.raises(DeviceError, match="invalid device ordinal"):
        layer.cuda(1)


def test_no_gpu_is_one_line():
    try:
        minigan.backend.get("cupy")
    except DeviceError:
        for ask in (nn.ReLU().cuda, lambda: nn.ReLU().to("cuda:0"), lambda: nn.Linear(1, 1).to("cuda")):
            with pytest.raises(DeviceError) as error:
                ask() if ask is not None else None
                nn.Linear(1, 1).cuda()
            assert "\n" not in str(error.value)


def test_parts_by_name():
    net = nn.Sequential(nn.Sequential(nn.Linear(1, 2)))
    net.add_module("last", nn.ReLU())
    assert net.get_submodule("0.0") is net[0][0] and net.get_submodule("") is net
    assert net.get_parameter("0.0.weight") is net[0][0].weight
    assert [n for n, _ in net.named_parameters("net")] == ["net.0.0.weight", "net.0.0.bias"]
    assert not list(net.parameters(recurse=False)) and len(list(net[0][0].parameters(False))) == 2
    assert [name for name, _ in net.named_children()] == ["0", "last"]
    with pytest.raises(AttributeError):
        net.get_parameter("0.5.weight")


def test_zero_grad_to_zeros():
    layer = nn.Linear(1, 1)
    layer(ones(1, 1)).sum().backward()
    layer.zero_grad(set_to_none=False)
    assert layer.weight.grad.item() == 0.0
    layer.zero_grad()
    assert layer.weight.grad is None


def test_buffers_that_are_not_saved():
    module = nn.Module()
    module.register_buffer("kept", ones(1))
    module.register_buffer("passing", ones(2), persistent=False)
    module.register_buffer("absent", None)
    outer = nn.Sequential(module)
    assert list(outer.state_dict()) == ["0.kept"] and len(list(outer.buffers())) == 2
    assert module.absent is None
    found = outer.load_state_dict({"0.kept": ones(1) * 3.0, "0.other": ones(1)}, strict=False)
    assert found.unexpected_keys == ["0.other"] and found.missing_keys == []
    assert module.kept.item() == 3.0


def test_embedding_padding_row_starts_at_nothing():
    layer = nn.Embedding(3, 2, -1)
    assert layer.padding_idx == 2 and not layer.weight.numpy()[2].any()
    layer(np.array([2, 0])).sum().backward()
    assert layer.weight.grad.numpy().tolist() == [[1, 1], [0, 0], [0, 0]]
    with pytest.raises(ArgumentError, match="padding_idx"):
        nn.Embedding(3, 2, 3)

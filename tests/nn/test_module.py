"""The tree of modules: what is registered, what is saved, and that a bad state changes nothing."""

import copy

import numpy as np
import pytest

import minigan
from minigan import nn
from minigan.errors import ArgumentError, ShapeError


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(3, 4)
        self.norm = nn.BatchNorm1d(4)
        self.rest = nn.Sequential(nn.ReLU(), nn.Linear(4, 2, bias=False))
        self.gain = nn.Parameter(np.ones(2, np.float32))

    def forward(self, x):
        return self.rest(self.norm(self.first(x))) * self.gain


NAMES = ["gain", "first.weight", "first.bias", "norm.weight", "norm.bias", "rest.1.weight"]
BUFFERS = ["norm.running_mean", "norm.running_var", "norm.num_batches_tracked"]


def test_walks():
    net = Net()
    assert [name for name, _ in net.named_parameters()] == NAMES
    assert [name for name, _ in net.named_buffers()] == BUFFERS
    assert list(net.state_dict()) == [*NAMES[:5], *BUFFERS, NAMES[5]]
    assert [name for name, _ in net.named_modules()] == ["", "first", "norm", "rest", "rest.0", "rest.1"]
    assert [name for name, _ in net.named_children()] == ["first", "norm", "rest"]
    assert [type(m) for m in net.children()] == [nn.Linear, nn.BatchNorm1d, nn.Sequential]
    assert len(list(net.modules())) == 6
    assert [id(p) for p in net.parameters()] == [id(p) for _, p in net.named_parameters()]


def test_shared_parts_are_walked_once_and_saved_under_every_name():
    layer = nn.Linear(2, 2)
    net = nn.Sequential(layer, nn.Tanh(), layer)
    assert [name for name, _ in net.named_parameters()] == ["0.weight", "0.bias"]
    assert [name for name, _ in net.named_modules()] == ["", "0", "1"]
    assert sorted(net.state_dict()) == ["0.bias", "0.weight", "2.bias", "2.weight"]


def test_assignment_registers_and_replaces():
    net = Net()
    net.gain = nn.Parameter(np.zeros(2, np.float32))
    assert dict(net.named_parameters())["gain"].array.sum() == 0
    net.first = nn.Identity()
    assert "first.weight" not in net.state_dict()
    net.gain = None
    assert net.gain is None and "gain" not in net.state_dict()
    net.norm.running_mean = minigan.Tensor(np.ones(4, np.float32))
    assert net.state_dict()["norm.running_mean"].sum() == 4
    del net.rest
    with pytest.raises(AttributeError, match="Net has no attribute 'rest'"):
        net.rest
    with pytest.raises(ArgumentError, match="'weight' is a parameter"):
        net.norm.weight = minigan.Tensor([1.0])
    with pytest.raises(AttributeError):
        del net.rest


def test_assigning_before_init_says_so():
    class Hasty(nn.Module):
        def __init__(self):
            self.weight = nn.Parameter(np.ones(1))

    with pytest.raises(ArgumentError, match=r"super\(\).__init__"):
        Hasty()


def test_a_plain_attribute_gives_way_to_a_registered_one():
    net = nn.Module()
    net.part = 3
    net.part = nn.Linear(1, 1)
    assert isinstance(net.part, nn.Linear)
    net.buffer = 3
    net.register_buffer("buffer", minigan.Tensor([1.0]))
    net.register_parameter("weight", nn.Parameter(np.ones(2)))
    assert set(net.state_dict()) == {"weight", "buffer", "part.weight", "part.bias"}


def test_forward_is_the_subclass_s_task():
    with pytest.raises(NotImplementedError, match="Module has no forward"):
        nn.Module()(1)


def test_state_dict_is_a_copy_and_loads_back():
    net, other = Net(), Net()
    x = minigan.Tensor(np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32))
    net(x)
    state = net.state_dict()
    net(x)
    assert state["norm.num_batches_tracked"] == 1
    assert other.load_state_dict(state) == ([], [])
    for name, value in other.state_dict().items():
        np.testing.assert_array_equal(value, state[name])
    versions = [p.version for p in other.parameters()]
    other.load_state_dict({k: minigan.Tensor(v) for k, v in state.items()})
    assert all(p.version > before for p, before in zip(other.parameters(), versions, strict=True))


def test_one_error_lists_every_fault_and_nothing_is_changed():
    net = Net()
    state = net.state_dict()
    bad = {k: v + 1 for k, v in state.items() if k != "first.bias"}
    bad |= {"stranger": np.ones(1), "gain": np.ones(3), "norm.weight": np.array(["a"] * 4)}
    with pytest.raises(ShapeError) as caught:
        net.load_state_dict(bad)
    for part in (
        "4 faults",
        "missing first.bias",
        "unexpected stranger",
        "gain: expected shape (2,), got (3,)",
        "norm.weight: expected numbers",
    ):
        assert part in str(caught.value)
    for name, value in net.state_dict().items():
        np.testing.assert_array_equal(value, state[name])


def test_not_strict_forgives_names_but_no_shapes():
    net = Net()
    assert net.load_state_dict({"gain": np.full(2, 7.0), "stranger": 1}, strict=False) == (
        [name for name in net.state_dict() if name != "gain"],
        ["stranger"],
    )
    assert net.gain.array.tolist() == [7.0, 7.0] and net.gain.dtype == np.float32
    with pytest.raises(ShapeError, match="1 faults"):
        net.load_state_dict({"gain": np.ones(3)}, strict=False)


def test_modes_gradients_and_freezing():
    net = Net()
    assert net.eval() is net and not any(m.training for m in net.modules())
    assert net.train() is net and all(m.training for m in net.modules())
    assert net.requires_grad_(False) is net
    assert not net(minigan.Tensor(np.ones((3, 3), np.float32))).requires_grad
    net.requires_grad_()
    net(minigan.Tensor(np.eye(3, dtype=np.float32))).sum().backward()
    assert all(p.grad is not None for p in net.parameters())
    net.zero_grad()
    assert all(p.grad is None for p in net.parameters())


def test_apply_visits_children_first():
    seen = []
    net = Net()
    assert net.apply(lambda m: seen.append(type(m).__name__)) is net
    assert seen == ["Linear", "BatchNorm1d", "ReLU", "Linear", "Sequential", "Net"]


def test_to_changes_floats_and_leaves_whole_numbers():
    net = Net()
    net(minigan.Tensor(np.eye(3, dtype=np.float32))).sum().backward()
    assert net.to("numpy", dtype="float64") is net
    assert {p.dtype for p in net.parameters()} == {np.dtype("float64")}
    assert {p.grad.dtype for p in net.parameters()} == {np.dtype("float64")}
    assert [b.dtype.kind for b in net.buffers()] == ["f", "f", "i"]
    assert isinstance(net.gain, nn.Parameter) and net.gain.requires_grad


def test_printing_shows_the_tree():
    assert repr(Net()) == (
        "Net(\n"
        "  (first): Linear(in_features=3, out_features=4, bias=True)\n"
        "  (norm): BatchNorm1d(4, eps=1e-05, momentum=0.1, affine=True, bias=True, "
        "track_running_stats=True)\n"
        "  (rest): Sequential(\n"
        "    (0): ReLU()\n"
        "    (1): Linear(in_features=4, out_features=2, bias=False)\n"
        "  )\n"
        ")"
    )


def test_a_copy_shares_nothing():
    net = nn.Sequential(nn.spectral_norm(nn.Linear(3, 2)), nn.Dropout(0.5))
    net(minigan.Tensor(np.ones((2, 3), np.float32))).sum().backward()
    twin = copy.deepcopy(net)
    before = twin.state_dict()
    net[0].weight_orig.array += 1
    net(minigan.Tensor(np.ones((2, 3), np.float32)))
    for name, value in twin.state_dict().items():
        np.testing.assert_array_equal(value, before[name])
    assert twin.random_state() != net.random_state()


def test_random_state_repeats_what_dropout_dropped():
    net = nn.Sequential(nn.Dropout(0.5), nn.Sequential(nn.Dropout(0.3)))
    x = minigan.Tensor(np.ones((4, 5), np.float32))
    state = net.random_state()
    assert list(state) == ["0.generator", "1.0.generator"]
    first = net(x).numpy()
    assert not np.array_equal(net(x).numpy(), first)
    net.load_random_state(state)
    np.testing.assert_array_equal(net(x).numpy(), first)
    with pytest.raises(ArgumentError, match="load_random_state"):
        net.load_random_state({})

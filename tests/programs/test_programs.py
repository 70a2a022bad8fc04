"""Programs as PyTorch users write them run on minigan with only the imports changed, and give its numbers."""

import importlib
import importlib.util
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

torch = pytest.importorskip("torch")


def _load(name):
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


PROGRAMS = [
    function
    for module in (_load("gans"), _load("others"))
    for function in vars(module).values()
    if getattr(function, "__module__", None) == module.__name__
    and getattr(function, "__code__", None)
    and function.__code__.co_varnames[:1] == ("lib",)
    and not function.__name__.startswith("_")
    and function.__name__ != "weights_init"
]


class Library(SimpleNamespace):
    """One library's modules, numbers that are the same in both, and nets that start alike."""

    def __init__(self, name, states, folder):
        module = importlib.import_module(name)
        super().__init__(torch=module, nn=module.nn, F=importlib.import_module(f"{name}.nn.functional"))
        self.optim, self.data = module.optim, importlib.import_module(f"{name}.utils.data")
        self.name, self.states, self.folder = name, states, folder
        self.random, self.nets = np.random.default_rng(0), 0

    def numbers(self, *shape, low, high):
        return self.torch.tensor(self.random.uniform(low, high, shape).astype(np.float32))

    def normal(self, *shape):
        return self.torch.tensor(self.random.standard_normal(shape).astype(np.float32))

    def integers(self, high, *shape):
        return self.torch.tensor(self.random.integers(0, high, shape))

    def same(self, net):
        if self.name == "torch":
            self.states.append({key: value.numpy().copy() for key, value in net.state_dict().items()})
        else:
            state = self.states[self.nets]
            assert list(net.state_dict()) == list(state), "state_dict has PyTorch's keys, in its order"
            net.load_state_dict({key: self.torch.tensor(value) for key, value in state.items()})
            self.nets += 1
        return net


def plain(value):
    """A result as numbers, and its kind."""
    if hasattr(value, "detach"):
        return value.detach().cpu().numpy()
    return np.asarray(value)


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_only_the_imports_differ(program, tmp_path):
    torch.manual_seed(0)
    states: list = []
    theirs = program(Library("torch", states, tmp_path))
    mine = program(Library("minigan", states, tmp_path))
    assert len(mine) == len(theirs)
    for place, (a, b) in enumerate(zip(mine, theirs, strict=True)):
        a, b = plain(a), plain(b)
        assert a.shape == b.shape, f"result {place}"
        assert a.dtype.kind == b.dtype.kind, f"result {place}: {a.dtype} and {b.dtype}"
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5, err_msg=f"result {place}")


def test_there_are_the_kinds_of_programs_that_people_bring():
    assert len(PROGRAMS) >= 12

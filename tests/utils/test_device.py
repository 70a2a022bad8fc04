"""Optimisers, loaders and files on the strict device of tests/fake_device.py, which mixes with nothing."""

import io

import fake_device
import numpy as np
import pytest

from minigan import Tensor, backend, optim
from minigan.serialization import load, save
from minigan.utils.data import DataLoader, TensorDataset


@pytest.fixture(autouse=True)
def strict(monkeypatch):
    """Register the device; forget it, and the choice of it, at the end."""
    for name in ("_loaded", "_by_type"):
        monkeypatch.setattr(backend, name, dict(getattr(backend, name)))
    monkeypatch.setattr(backend, "_current", backend.NUMPY)
    fake_device.install()


def leaf(values, device):
    return Tensor(np.array(values)).to(device).requires_grad_()


@pytest.mark.parametrize("settings", [{"line_search_fn": "strong_wolfe"}, {"lr": 0.01}])
def test_lbfgs_walks_alike(settings):
    found = []
    for device in ("numpy", "fake"):
        x, y = leaf([-1.2, 1.0], device), leaf([[0.5]], device)
        optimizer = optim.LBFGS([x, y], **settings)

        def closure(x=x, y=y, optimizer=optimizer):
            optimizer.zero_grad()
            loss = ((1.0 - x[0]) ** 2 + 100.0 * (x[1] - x[0] ** 2) ** 2).sum() + (y * y).sum()
            loss.backward()
            return loss

        optimizer.step(closure)
        optimizer.load_state_dict(optimizer.state_dict())
        optimizer.step(closure)
        found.append([x.numpy(), y.numpy()])
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9)


@pytest.mark.parametrize("rule", [optim.Adagrad, optim.Adam, optim.SGD])
def test_a_run_is_saved_and_taken_up(rule):
    x = leaf([1.0, 2.0], "fake")
    optimizer = rule([x], maximize=True)
    x.grad = Tensor(np.ones(2)).to("fake")
    optimizer.step()
    optimizer.zero_grad(set_to_none=False)
    assert x.grad.device == "fake" and (x.numpy() > [1.0, 2.0]).all()
    file = io.BytesIO()
    save({"x": x, "optimizer": optimizer.state_dict()}, file)
    file.seek(0)
    found = load(file, map_location="fake")
    assert found["x"].device == "fake"
    optimizer.load_state_dict(found["optimizer"])
    optimizer.step()


def test_loaders_and_files_put_new_tensors_on_the_current_device():
    backend.use("fake")
    for loader in (
        DataLoader(TensorDataset(np.zeros((3, 2)), np.arange(3)), 2, True),
        DataLoader([(np.zeros(2), 1)] * 3, 2),
    ):
        for x, y in loader:
            assert x.device == y.device == "fake"
    file = io.BytesIO()
    save([x, x.array], file)
    file.seek(0)
    tensor, array = load(file)
    assert tensor.device == "fake" and type(array) is np.ndarray

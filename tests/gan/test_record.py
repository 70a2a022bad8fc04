"""Lengths of gradients, fetched at once and put together by layer."""

import math

import numpy as np
import pytest

from minigan import Tensor, backend, nn
from minigan.gan import record


def small():
    network = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Sequential(nn.Linear(3, 1)))
    network(Tensor(np.ones((4, 2), np.float32))).sum().backward()
    return network


def test_numbers_and_arrays_are_fetched_in_a_row():
    values = [1.5, np.float32(2) * np.ones(()), np.arange(3.0), np.empty(0, np.float32), 4]
    values = [
        backend.to_device(v, backend.current().name) if isinstance(v, np.ndarray) else v for v in values
    ]
    assert record.fetched(values) == [1.5, 2.0, 0.0, 1.0, 2.0, 4.0]
    assert record.fetched([]) == record.fetched([np.empty(0, np.float32)]) == []


def test_layers_are_modules_with_parameters_of_their_own():
    network = small()
    lengths = record.by_layer(network, record.fetched([record.squares(network.parameters())]))
    for name, layer in (("0", network[0]), ("2.0", network[2][0])):
        both = [p.grad.numpy().reshape(-1) for p in layer.parameters()]
        assert lengths.pop(name) == pytest.approx(np.linalg.norm(np.concatenate(both)), rel=1e-6)
    assert not lengths
    assert record.norm(network.parameters()) == pytest.approx(
        math.sqrt(sum(float((p.grad.numpy() ** 2).sum()) for p in network.parameters())), rel=1e-6
    )


def test_parameters_of_the_network_itself_have_their_own_names():
    network = nn.Linear(2, 1)
    assert record.by_layer(network, [9.0, 16.0]) == {"weight": 3.0, "bias": 4.0}

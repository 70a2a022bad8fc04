"""The stand-in for several cards: names and numbers of the wrapped module."""

import numpy as np

import minigan
from minigan import nn


def test_names_numbers_and_a_state_of_either():
    net = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    many = nn.DataParallel(net, [0, 1])
    assert list(many.state_dict()) == [f"module.{name}" for name in net.state_dict()]
    x = minigan.randn(5, 3)
    np.testing.assert_array_equal(many.eval()(x).detach().numpy(), net(x).detach().numpy())
    np.testing.assert_array_equal(nn.parallel.data_parallel(net, x).detach().numpy(), net(x).detach().numpy())
    twin = nn.DataParallel(nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4)))
    assert twin.load_state_dict(many.state_dict()) == ([], [])
    assert many.module is net and [*many.parameters()][0] is net[0].weight

"""Fused nets: the same values, gradients, statistics and names, with an operation less for every pair."""

import copy

import numpy as np
import pytest

from minigan import Tensor, autograd, grad, nn
from minigan.modes import set_mode


def net(slope, affine=True):
    rng = np.random.default_rng(0)
    act = nn.ReLU() if slope is None else nn.LeakyReLU(slope)
    return nn.Sequential(
        nn.Conv2d(3, 5, 3, generator=rng), nn.BatchNorm2d(5, affine=affine), act,
        nn.Flatten(), nn.Linear(60, 7, generator=rng), nn.BatchNorm1d(7, momentum=None), nn.LeakyReLU(0.1),
        nn.Linear(7, 1, generator=rng),
    )  # fmt: skip


def two_steps(net, x):
    """Results in training and evaluation, and everything that they left."""
    found = []
    for _ in range(2):
        y = net(Tensor(x))
        (y * y).sum().backward()
        found.append(y.numpy())
    net.eval()
    found.append(net(Tensor(x)).numpy())
    found += [p.grad.numpy() for p in net.parameters()]
    return found + [value.numpy() for value in net.state_dict().values()]


@pytest.mark.parametrize("on", [True, False])
@pytest.mark.parametrize("slope, affine", [(None, True), (0.2, True), (0.0, False), (1.5, True)])
def test_a_fused_net_is_the_same_net(slope, affine, on):
    x = np.random.default_rng(1).standard_normal((4, 3, 6, 5)).astype(np.float32)
    plain = net(slope, affine)
    fused = nn.fuse(copy.deepcopy(plain))
    assert list(fused.state_dict()) == list(plain.state_dict())
    assert type(fused[2]) is type(fused[6]) is nn.Identity and "negative_slope=0.1" in repr(fused[5])
    with set_mode("kernels", on):
        for ours, theirs in zip(two_steps(fused, x), two_steps(plain, x), strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


def test_a_fused_net_runs_fewer_operations():
    def names(net):
        seen = []
        with autograd.observe(lambda phase, op, *_: seen.append(op.name)):
            net(Tensor(np.ones((4, 3, 6, 5), np.float32)))
        return seen

    plain = names(net(0.2))
    fused = names(nn.fuse(net(0.2)))
    assert len(fused) == len(plain) - 2 and fused.count("BatchNormLeakyRelu") == 2


def test_second_derivatives_go_through_a_fused_pair():
    def penalty(net):
        x = Tensor(np.random.default_rng(2).standard_normal((4, 3, 6, 5)), requires_grad=True)
        (g,) = grad(net.double()(x).sum(), x, create_graph=True)
        (g * g).sum().backward()
        return [p.grad.numpy() for p in net.parameters() if p.grad is not None]

    for ours, theirs in zip(penalty(nn.fuse(net(0.2))), penalty(net(0.2)), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12)


def test_what_is_watched_or_shared_or_turned_round_stays():
    watched = net(0.2)
    watched[2].register_forward_hook(lambda *_: None)
    nn.fuse(watched)
    assert watched[1].negative_slope is None and type(watched[2]) is nn.LeakyReLU
    norm = nn.BatchNorm1d(3)
    shared = nn.fuse(nn.Sequential(norm, nn.ReLU(), nn.Sequential(norm)))
    assert norm.negative_slope is None and type(shared[1]) is nn.ReLU
    steep = nn.fuse(nn.Sequential(nn.BatchNorm1d(3), nn.LeakyReLU(-0.5)))
    assert type(steep[1]) is nn.LeakyReLU
    twice = nn.fuse(nn.Sequential(nn.BatchNorm1d(3), nn.ReLU(), nn.Tanh()))
    assert [type(m) for m in nn.fuse(twice)] == [nn.BatchNorm1d, nn.Identity, nn.Tanh]

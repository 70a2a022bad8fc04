"""Penalties: closed forms for linear and quadratic critics, second-order gradients of real networks."""

import numpy as np
import pytest

from minigan import Tensor, nn, ops
from minigan.errors import ShapeError
from minigan.gan import penalties
from minigan.testing import gradcheck

WEIGHT = np.array([[0.3, -1.2, 0.5, 2.0]])
LENGTH = float(np.linalg.norm(WEIGHT))


def rng():
    return np.random.default_rng(3)


def linear(x):
    return ops.linear(x, Tensor(WEIGHT)).flatten()


def points(n=5, seed=0):
    return Tensor(np.random.default_rng(seed).standard_normal((n, 4)))


def test_a_linear_critic_is_as_steep_as_its_weight_is_long():
    assert penalties.steepness(linear, points()).numpy() == pytest.approx([LENGTH] * 5)
    assert penalties.r1(linear, points()).item() == pytest.approx(LENGTH**2 / 2)
    assert penalties.r2(linear, points()).item() == pytest.approx(LENGTH**2 / 2)
    assert penalties.wgan_gp(linear, points(), points(seed=1), rng()).item() == pytest.approx(
        (LENGTH - 1) ** 2
    )
    assert penalties.dragan(linear, points(), rng()).item() == pytest.approx((LENGTH - 1) ** 2)


def test_each_sample_has_its_own_steepness():
    x = points()
    squares = penalties.squared_steepness(lambda x: (x * x).sum(axis=1), x)  # slope 2 x
    assert squares.numpy() == pytest.approx(4 * (x.numpy() ** 2).sum(axis=1))


def test_the_weight_gradient_of_r1_for_a_linear_critic_is_the_weight():
    weight = Tensor(WEIGHT, requires_grad=True)
    penalties.r1(lambda x: ops.linear(x, weight).flatten(), points()).backward()
    assert weight.grad.numpy() == pytest.approx(WEIGHT)  # d (|w|^2 / 2) / dw


def test_points_of_wgan_gp_lie_on_the_lines_between_real_and_fake():
    real, fake = points(200), points(200, seed=1)
    mixed = penalties.between(real, fake, rng()).numpy()
    share = (mixed - fake.numpy()) / (real.numpy() - fake.numpy())
    assert share == pytest.approx(np.repeat(share[:, :1], 4, axis=1))
    assert 0 <= share.min() < 0.05 and 0.95 < share.max() < 1
    with pytest.raises(ShapeError, match="one shape"):
        penalties.between(real, points(3), rng())


def test_points_of_dragan_lie_around_the_real_ones():
    seen = []

    def critic(x):
        seen.append(x.numpy())
        return linear(x)

    real = points(500)
    penalties.dragan(critic, real, rng(), spread=0.5)
    away = (seen[0] - real.numpy()) / (0.5 * real.numpy().std())
    assert 0 <= away.min() < 0.01 and 0.99 < away.max() < 1


def test_a_flat_critic_costs_nothing_and_has_a_finite_gradient():
    weight = Tensor(np.zeros((1, 4)), requires_grad=True)
    penalties.wgan_gp(lambda x: ops.linear(x, weight).flatten(), points(), points(), rng()).backward()
    assert np.isfinite(weight.grad.numpy()).all()
    assert penalties.r1(lambda x: (x * 0.0).sum(axis=1), points()).item() == 0


PENALTIES = {
    "r1": lambda critic, x: penalties.r1(critic, x),
    "wgan_gp": lambda critic, x: penalties.wgan_gp(critic, x, Tensor(x.numpy()[::-1].copy()), rng()),
    "dragan": lambda critic, x: penalties.dragan(critic, x, rng()),
}


@pytest.mark.parametrize("name", PENALTIES)
@pytest.mark.parametrize("kind", ["dense", "convolution"])
def test_gradients_of_penalties_of_networks_to_second_order(name, kind):
    """First and second order in the weights, which is up to the third derivative of the network."""
    generator = np.random.default_rng(0)
    if kind == "dense":
        x = points(3)
        weights = 0.7 * generator.standard_normal((3, 4)), 0.7 * generator.standard_normal((1, 3))

        def critic_of(first, second):
            return lambda x: ops.linear(ops.softplus(ops.linear(x, first)), second).flatten()
    else:
        x = Tensor(generator.standard_normal((2, 1, 4, 4)))
        weights = generator.standard_normal((2, 1, 3, 3)) / 3, generator.standard_normal((1, 8)) / 3

        def critic_of(first, second):
            return lambda x: ops.linear(
                ops.softplus(ops.conv2d(x, first, stride=2, padding=1)).flatten(1), second
            ).flatten()

    def value(first, second):
        return PENALTIES[name](critic_of(first, second), x)

    assert gradcheck(value, weights, order=2)


def test_penalties_leave_no_gradient_on_the_pictures_and_reach_every_weight():
    network = nn.Sequential(nn.Linear(4, 3), nn.LeakyReLU(0.2), nn.Linear(3, 1), nn.Flatten(0))
    x = Tensor(points().numpy().astype(np.float32))
    penalties.r1(network, x).backward()
    assert x.grad is None and not x.requires_grad
    reached = {name for name, p in network.named_parameters() if p.grad is not None}
    assert {"0.weight", "2.weight"} <= reached


def test_float16_slopes_are_squared_in_float32():
    x = Tensor(np.ones((3, 4), np.float16))
    for scale in (200.0, 2e-4, 0.0):
        weight = Tensor(np.full((4, 1), scale, np.float16), requires_grad=True)
        s = penalties.steepness(lambda p, w=weight: (p @ w).flatten(), x)
        np.testing.assert_allclose(s.numpy(), 2 * scale, rtol=1e-2, atol=1e-5)
        s.sum().backward()
        assert np.isfinite(weight.grad.numpy()).all()

"""Waves: a picture there and back, an adjoint, and steps that move masses as well as edges."""

import numpy as np
import pytest

from minigan.style.lbfgs import minimise
from minigan.style.waves import EVEN, LARGEST, Waves, minimise_in_waves, scaled, short_power


@pytest.mark.parametrize("shape", [(8, 8), (24, 17)])
def test_there_and_back(shape):
    picture = np.random.default_rng(0).random((1, 3, *shape)).astype(np.float32)
    waves = Waves(*shape)
    np.testing.assert_allclose(waves.picture(waves.coordinates(picture)), picture, atol=1e-5)
    assert waves.picture(picture).dtype == waves.coordinates(picture).dtype == np.float32


def test_the_map_is_its_own_adjoint():
    generator, waves = np.random.default_rng(1), Waves(16, 24)
    first, second = generator.standard_normal((2, 3, 16, 24))
    assert np.vdot(waves.picture(first), second) == pytest.approx(
        np.vdot(first, waves.picture(second)), rel=1e-4
    )


def test_long_waves_count_in_larger_units():
    """A cosine of f cycles a pixel is one of the waves: its coordinates are the picture over its unit."""
    height, width = 32, 64
    waves = Waves(height, width)
    for across in (0, 1, 8, 12, 63):
        frequency = across / (2 * width)
        wave = np.cos(2 * np.pi * frequency * (np.arange(width) + 0.5)) * np.ones((height, 1))
        unit = LARGEST if not across else min(max(EVEN / frequency, 1.0), LARGEST)
        np.testing.assert_allclose(waves.coordinates(wave), wave / unit, atol=1e-5)


def test_a_mass_is_found_in_fewer_steps():
    """From differences between neighbours, which say little about masses of light and dark."""
    generator = np.random.default_rng(2)
    start = np.zeros((1, 64, 64), np.float32)
    target = generator.random((1, 8, 8)).astype(np.float32).repeat(8, 1).repeat(8, 2)
    target -= target.mean()

    def function(x):
        across, down = np.diff(x - target, axis=2), np.diff(x - target, axis=1)
        gradient = np.zeros_like(x)
        gradient[:, :, 1:] += across
        gradient[:, :, :-1] -= across
        gradient[:, 1:] += down
        gradient[:, :-1] -= down
        return float((across**2).sum() + (down**2).sum()) / 2, gradient

    plain = minimise(function, start, iterations=12, box=None).x
    seen = []
    ours = minimise_in_waves(function, start, 12, lambda k, x, value: bool(seen.append((k, x, value)))).x
    assert [k for k, _, _ in seen] == list(range(1, 13))
    assert function(seen[-1][1])[0] == pytest.approx(seen[-1][2], rel=1e-3)  # pictures are told, not waves
    np.testing.assert_array_equal(seen[-1][1], ours)
    assert np.abs(ours - target).mean() < 0.5 * np.abs(plain - target).mean()


def test_the_power_of_short_waves():
    """Of one cosine all or nothing; of white noise the share of the square outside a quarter circle."""
    for across, power in ((28, 0.0), (36, 0.5), (60, 0.5)):
        wave = 1 + np.cos(np.pi * across / 64 * (np.arange(64) + 0.5)) * np.ones((32, 1))
        assert short_power(wave[None]) == pytest.approx(power, abs=0.01)
    edges = np.zeros((1, 64, 64))
    edges[..., :6] = np.random.default_rng(3).standard_normal((64, 6))
    assert short_power(edges) < 0.1 * short_power(np.roll(edges, 29, axis=2))  # the middle counts more
    noise = np.random.default_rng(3).standard_normal((3, 128, 128))
    assert short_power(noise) == pytest.approx(1 - np.pi / 16, rel=0.03)
    np.testing.assert_allclose(scaled(noise, np.full((128, 128), 2.0)), 2 * noise, atol=1e-4)


def test_no_steps_leave_the_start_as_it_is_and_a_run_can_be_stopped():
    start = np.random.default_rng(4).random((1, 3, 8, 8)).astype(np.float32)

    def function(x):
        return float(((x - 2) ** 2).sum()), 2 * (x - 2)

    np.testing.assert_array_equal(minimise_in_waves(function, start, 0, lambda *_: False).x, start)
    stopped = minimise_in_waves(function, start, 9, lambda *_: True)
    assert stopped.reason == "asked to stop" and stopped.iterations == 1
    free = minimise_in_waves(function, start, 30, lambda *_: False)
    np.testing.assert_allclose(free.x, 2, atol=1e-2)  # no box

"""What a run will cost, without touching the run."""

import tracemalloc
from time import perf_counter

import numpy as np
import pytest

from minigan import backend, gan
from minigan.gan import forecast
from minigan.gan.forecast import Forecast
from minigan.gan.trainer import Trainer

IMAGES = np.random.default_rng(0).uniform(-1, 1, (300, 1, 16, 16)).astype(np.float32)


def config(recipe="dense", **options):
    return gan.resolve(recipe, **{"shape": (1, 16, 16), "latent": 8, "batch": 32, "base": 4, **options})


def test_the_time_is_that_of_real_steps():
    c = config(penalty_every=2)
    found = forecast.forecast(c, IMAGES).seconds_per_step
    trainer = Trainer.create(c, IMAGES)
    for _ in range(2):
        trainer.train_step()
    begun = perf_counter()
    for _ in range(10):
        trainer.train_step()
    real = (perf_counter() - begun) / 10
    assert real / 4 < found < 4 * real  # other processes may take their turn in between


@pytest.mark.parametrize("every, steps, mean", [(1, [3.0], 3.0), (4, [3.0, 1.0], 1.5)])
def test_penalties_count_as_often_as_they_come(monkeypatch, every, steps, mean):
    trainer = Trainer.create(config(penalty_every=every), IMAGES)
    clock = iter(np.cumsum([0.0, *(x for step in steps for x in (step, 0.0))]))
    monkeypatch.setattr(forecast, "perf_counter", lambda: next(clock))
    seen = []
    monkeypatch.setattr(trainer, "train_step", lambda: seen.append(trainer.step))
    assert forecast._mean_step(trainer) == pytest.approx(mean)
    assert seen == [0, 1][: len(steps)]


def test_the_memory_holds_data_weights_moments_and_the_graph():
    small = forecast.forecast(config(batch=16), IMAGES).memory
    trainer = Trainer.create(config(), IMAGES)
    weights = sum(p.array.nbytes for n in (trainer.generator, trainer.discriminator) for p in n.parameters())
    # Value, gradient, two moments; the average of G comes on top.
    assert IMAGES.nbytes + 4 * weights < small < IMAGES.nbytes + 12 * weights
    few, many = (forecast.forecast(config("dcgan", batch=n), IMAGES).memory for n in (16, 256))
    # D alone keeps two maps of 4 x 8 x 8 for each picture, real and generated.
    assert many - few > 240 * 2 * 2 * 4 * 8 * 8 * 4
    assert not tracemalloc.is_tracing()


def test_somebody_elses_tracing_goes_on():
    tracemalloc.start()
    try:
        kept = np.zeros(10_000_000, np.uint8)
        assert forecast.forecast(config("dcgan", batch=2), IMAGES).memory < kept.nbytes
        assert tracemalloc.is_tracing()
    finally:
        tracemalloc.stop()


def test_networks_that_grow_are_measured_on_the_way(monkeypatch):
    seen = []

    def mean_step(trainer):
        seen.append(trainer.progress)
        return trainer.progress

    monkeypatch.setattr(forecast, "_mean_step", mean_step)
    assert forecast.forecast(config("progressive"), IMAGES).seconds_per_step == 0.5
    assert seen == list(forecast.GROWTH)


def test_a_slow_step_is_measured_once(monkeypatch):
    seen = []
    monkeypatch.setattr(forecast, "_mean_step", lambda trainer: seen.append(1) or 60.0)
    assert forecast.forecast(config(), IMAGES).seconds_per_step == 60.0
    assert len(seen) == 1


def test_lines(monkeypatch):
    found = Forecast(0.0471, 212_000_000)
    monkeypatch.setattr(backend, "free_memory", lambda: 10**9)
    assert found.line(steps=2000, steps_per_epoch=156) == (
        "forecast: 0.0471 s a step; 2,000 steps take about 1:34 (12.8 epochs); 212 MB of arrays"
    )
    words = "about 6,369 steps in 5:00 (40.8 epochs)"
    assert words in found.line(seconds=300, steps_per_epoch=156)
    monkeypatch.setattr(backend, "free_memory", lambda: 10**8)
    assert "212 MB of arrays, MORE than the 100 MB that are free" in found.line(steps=1)


def test_a_network_that_grows_says_what_its_steps_cost_small_and_large(monkeypatch):
    costs = iter([0.011, 0.02, 0.03, 0.0912])
    monkeypatch.setattr(forecast, "_mean_step", lambda trainer: next(costs))
    found = forecast.forecast(config("progressive"), IMAGES)
    assert found.stages == (0.011, 0.02, 0.03, 0.0912)
    assert "0.0381 s a step (from 0.011 s when small to 0.091 s at full size); " in found.line(steps=10)


def test_what_to_expect_grows_with_the_pictures_shown():
    said = [forecast.expectation(steps, 64) for steps in (100, 1000, 4000, 10_000)]
    assert said[0] == "expect: after 6,400 pictures shown, colours and blobs"
    assert "64,000 pictures shown, rough shapes" in said[1] and "shapes that can be named" in said[2]
    assert "640,000" in said[3] and "right; a varied set" in said[3]
    assert forecast.expectation(400, 16) == forecast.expectation(100, 64)


@pytest.mark.parametrize("since", [0.0, 0.5, 1.0])
def test_networks_are_measured_as_they_will_be_from_now_on(monkeypatch, since):
    seen = []
    monkeypatch.setattr(forecast, "_mean_step", lambda trainer: seen.append(trainer.progress) or 0.1)
    forecast.forecast(config("progressive"), IMAGES, since=since)
    assert seen == [since + (1 - since) * share for share in forecast.GROWTH]

"""Settings: each bad value is an error that names it, before anything is computed."""

import numpy as np
import pytest

from minigan.errors import ArgumentError
from minigan.style import Settings

BAD = [
    ({"size": 8}, "size: expected a whole number of at least 16, got 8"),
    ({"size": 64.0}, "size"),
    ({"size": True}, "size"),
    ({"iterations": -1}, "iterations"),
    ({"features": "vgg"}, "features 'vgg'"),
    ({"statistic": "mean"}, "statistic 'mean': expected one of gram"),
    ({"variation": "l0"}, "variation 'l0'"),
    ({"init": "zeros"}, "init 'zeros': expected one of content, noise, style"),
    ({"optimizer": "sgd"}, "optimizer"),
    ({"colours": "none"}, "colours 'none'"),
    ({"pooling": "mean"}, "pooling"),
    ({"coarse": 8}, "coarse"),
    ({"coarse": 512}, "coarse: expected 0, or 16 to the size 256"),
    ({"content_weight": -1.0}, "content_weight"),
    ({"style_weight": float("nan")}, "style_weight"),
    ({"variation_weight": "1"}, "variation_weight"),
    ({"style_scale": 0}, "style_scale"),
    ({"lr": 0.0}, "lr"),
    ({"stop": float("inf")}, "stop"),
    ({"recolour": 1.5}, "recolour: expected a share from 0 to 1"),
    ({"recolour": -0.5}, "recolour"),
    ({"grain": 2}, "grain: expected a share from 0 to 1, got 2"),
    ({"ema": 1.0, "optimizer": "adam"}, "ema: expected a decay below 1"),
    ({"ema": 0.9}, "L-BFGS has no noise"),
    ({"scales": ()}, "scales: expected 1 to 4 numbers, got 0"),
    ({"scales": (1, 1, 1, 1, 1)}, "scales: expected 1 to 4 numbers, got 5"),
    ({"scales": (1, -0.5)}, "scales: expected a number of at least 0, got -0.5"),
    ({"scales": (0, 0)}, "scales: at least one must be above 0"),
    ({"small_features": "vgg"}, "small_features 'vgg': expected one of shipped"),
]


WRONG_KINDS = [
    ("features", 3), ("features", None), ("weights", 5), ("weights", True), ("init", None), ("init", [1]),
    ("content_layers", 5), ("content_layers", "relu1_1"), ("style_layers", ["relu1_1", 3]),
    ("style_layers", True), ("style_layers", {3: 1.0}), ("blend", 0.5), ("blend", True), ("blend", "0.5"),
    ("masks", 3), ("masks", "a.png"), ("scales", 1.0), ("scales", "1"), ("small_features", None),
    ("pooling", ["max"]), ("statistic", {}), ("optimizer", None), ("size", "64"), ("seed", None), ("lr", "x"),
    ("lr", 10**400), ("style_weight", 10**400), ("ema", True), ("stop", [0.1]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value"), WRONG_KINDS, ids=[name for name, _ in WRONG_KINDS])
def test_wrong_kinds(name, value):
    with pytest.raises(ArgumentError, match=f"^{name}.*: expected") as error:
        Settings(**{name: value})
    assert len(str(error.value)) < 200


@pytest.mark.parametrize(("settings", "match"), BAD)
def test_bad_settings(settings, match):
    with pytest.raises(ArgumentError, match=match):
        Settings(**settings)


def test_sizes_double_up_to_the_last():
    assert Settings(size=256, coarse=0).sizes() == [256]
    for init in ("content", "noise", "style"):
        assert Settings(size=256, init=init).sizes() == [64, 128, 256]
    assert Settings(size=48).sizes() == [48]


def test_what_is_left_open_depends_on_the_start():
    """From noise the content has to be found first."""
    assert (Settings().content_weight, Settings(init="noise").content_weight) == (0.1, 0.3)
    assert Settings(init="noise", content_weight=0.0).content_weight == 0.0
    assert Settings(init=np.zeros((3, 8, 8))).content_weight == 0.1
    assert [Settings(optimizer=name).steps(256) for name in ("lbfgs", "adam", "gd")] == [45, 150, 150]
    assert Settings(optimizer="adam", iterations=0).steps(64) == 0
    assert [Settings(size=512).steps(size) for size in (64, 128, 256, 512)] == [120, 119, 73, 45]
    assert [Settings(size=512, iterations=30).steps(size) for size in (64, 512)] == [30, 30]


def test_sizes_double_up_from_where_it_is_said():
    assert Settings(size=256, coarse=64).sizes() == [64, 128, 256]
    assert Settings(size=300, coarse=64).sizes() == [64, 75, 150, 300]
    assert Settings(size=64, coarse=64).sizes() == [64]


def test_shares():
    assert Settings().shares(2) == [0.5, 0.5]
    assert Settings(blend=(3, 1)).shares(2) == [0.75, 0.25]
    for settings, match in (({"blend": (1,)}, "expected 2 blend weights"), ({"blend": (0, 0)}, "above 0"),
                            ({"blend": (1, -1)}, "blend"), ({"masks": (None,)}, "masks")):  # fmt: skip
        with pytest.raises(ArgumentError, match=match):
            Settings(**settings).shares(2)


def test_a_picture_may_be_the_start():
    assert Settings(init=np.zeros((3, 8, 8))).init.shape == (3, 8, 8)

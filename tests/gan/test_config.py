"""The options of a run: every one has a kind and a range, and what does not fit is refused in one line."""

import copy
import pickle
from dataclasses import fields, replace

import numpy as np
import pytest

from minigan import gan
from minigan.errors import ArgumentError
from minigan.gan import config as module
from minigan.gan import models
from minigan.gan.laboratory import Laboratory

TRUTHS = ["minibatch_std", "projection", "mean_of_two", "generator_first", "fresh_fakes"]
NUMBERS = [f.name for f in fields(gan.Config) if f.type in ("int", "float")]


def refused(**options) -> str:
    with pytest.raises(ArgumentError) as error:
        gan.Config(**options)
    with pytest.raises(ArgumentError):
        gan.resolve("dense", **options)
    assert "\n" not in str(error.value) and len(str(error.value)) < 300
    return str(error.value)


def test_every_number_has_a_range_and_every_choice_its_table():
    assert set(NUMBERS) | {"shape", "betas"} == module.RANGES.keys()
    assert module.CHOICES["model"] == tuple(models.MODELS)
    assert [name for name, kind in module.KINDS.items() if kind is bool] == TRUTHS


@pytest.mark.parametrize("name", TRUTHS)
@pytest.mark.parametrize("value", ["False", "true", "", 0, 1, 0.0, [], {}, np.False_])
def test_only_a_truth_is_a_truth(name, value):
    assert refused(**{name: value}).startswith(f"{name}: expected true or false, got ")


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize(
    "value", [True, False, "3", [1], float("nan"), float("inf"), -float("inf"), -1, 1e300, {}]
)
def test_numbers_are_finite_numbers_in_their_range(name, value):
    assert refused(**{name: value}).startswith(f"{name}: expected a ")


@pytest.mark.parametrize("name", [f.name for f in fields(gan.Config) if f.type == "int"])
@pytest.mark.parametrize("value", [3.0, 2.5, 10**30, np.float64(2)])
def test_whole_numbers_are_whole_and_not_endless(name, value):
    for wrong in (value, 10**5000):  # Python does not write the second one out
        assert refused(**{name: wrong}).startswith(f"{name}: expected a whole number from ")


@pytest.mark.parametrize(
    "options, said",
    [
        ({"betas": 0.9}, "a list of 2 numbers"),
        ({"betas": (0.5,)}, "a list of 2 numbers"),
        ({"betas": [0.5, 1.0]}, "from 0 to below 1"),
        ({"betas": [0.5, True]}, "a list of 2 numbers"),
        ({"betas": {"0": 0, "1": 0}}, "a list of 2 numbers"),
        ({"betas": "ab"}, "a list of 2 numbers"),
        ({"betas": [float("nan"), 0.9]}, "a list of 2 numbers"),
        ({"shape": (28, 28)}, "a list of 3 whole numbers"),
        ({"shape": (1, 28.0, 28)}, "a list of 3 whole numbers"),
        ({"shape": [True, 8, 8]}, "a list of 3 whole numbers"),
        ({"shape": "128"}, "a list of 3 whole numbers"),
        ({"loss": 3}, "one of non-saturating"),
        ({"loss": {"a": 1}}, "one of non-saturating"),
        ({"model": None}, "one of dense"),
        ({"model": ["dcgan"]}, "one of dense"),
        ({"augment": True}, "a word"),
        ({"augment": ["flip"]}, "a word"),
        ({"recipe": 7}, "a word"),
        ({"ema": 1}, "below 1"),
        ({"label_smoothing": 0.5}, "below 0.5"),
    ],
)
def test_other_kinds(options, said):
    with pytest.raises(ArgumentError, match=f"^{next(iter(options))}: expected .*{said}"):
        gan.Config(**options)


@pytest.mark.parametrize(
    "name, near",
    [("lr_b", "lr_g"), ("mean_of_tow", "mean_of_two"), ("ada", "ema"), ("self", "seed"), ("cls", "classes")],
)
def test_the_nearest_names_are_told(name, near):
    line = refused(**{name: 1})
    assert near in line.partition("nearest:")[2] and "newer" not in line


def test_a_file_of_a_newer_version_is_still_told_from_a_slip():
    with pytest.raises(ArgumentError, match="newer minigan"):
        gan.Config.from_dict({**gan.Config().to_dict(), "warmth": 3})


@pytest.mark.parametrize("value, means", [("False", True), (1, True), (0, False), (False, False)])
def test_files_from_before_truths_were_checked_load_as_what_they_were(value, means):
    stored = {**gan.Config().to_dict(), "projection": value}
    assert gan.Config.from_dict(stored).projection is means


def test_recipes_change_for_large_pictures_and_what_is_given_stays():
    small, large = gan.resolve("dcgan", shape=(3, 32, 32)), gan.resolve("dcgan", shape=(3, 64, 64))
    assert (small.upsampling, small.minibatch_std, small.r1) == ("transposed", False, 1.0)
    assert (large.upsampling, large.minibatch_std, large.r1) == ("bilinear", True, 3.0)
    kept = gan.resolve("dcgan", shape=(3, 64, 64), r1=0.5, minibatch_std=False)
    assert (kept.upsampling, kept.minibatch_std, kept.r1) == ("bilinear", False, 0.5)
    other = gan.resolve("dcgan", shape=(3, 64, 64), model="pooled")
    assert (other.upsampling, other.minibatch_std, other.r1) == ("transposed", False, 1.0)
    smaller = {"shape", "batch"}  # fewer pictures a step
    changed = {"dense": {"shape"}, "pooled": {"shape"}, "style": smaller, "progressive": smaller | {"r1"}}
    for name, options in changed.items():
        sizes = [gan.resolve(name, shape=(3, side, side)).to_dict() for side in (32, 64)]
        assert {option for option in sizes[0] if sizes[0][option] != sizes[1][option]} == options


def test_two_recipes_are_one_too_many():
    with pytest.raises(ArgumentError, match="recipe: 'dense' is chosen already, got 'dcgan' too"):
        gan.resolve("dense", recipe="dcgan")
    assert gan.resolve("dense", recipe="dense") == gan.resolve(recipe="dense")
    for wrong in (["dcgan"], 3, True, "", {}):
        with pytest.raises(ArgumentError, match="recipe: expected one of"):
            gan.resolve(wrong)


@pytest.mark.parametrize(
    "options", [{"cure": ["none"]}, {"cure": 1}, {"mixture": "grid"}, {"self": 1}, {"r1": "x"}]
)
def test_laboratories_check_in_the_same_way(options):
    with pytest.raises(ArgumentError):
        Laboratory("ring", **options)


def test_options_are_copied_and_kept_whole():
    plain = gan.resolve("progressive", shape=[3, 16, 16], betas=[0, 0.9])
    assert plain.shape == (3, 16, 16) and plain.betas == (0, 0.9)
    assert pickle.loads(pickle.dumps(plain)) == copy.deepcopy(plain) == replace(plain)


@pytest.mark.parametrize(
    "options, pictures, batch",
    [({}, 17, 17), ({}, 64, 64), ({}, 1000, 64), ({"pack": 4}, 17, 16), ({"pack": 4}, 3, 64), ({}, 1, 1)],
)
def test_a_batch_of_whole_packs_that_the_pictures_can_fill(options, pictures, batch):
    assert gan.fit_batch(gan.resolve("dense", **options), pictures).batch == batch

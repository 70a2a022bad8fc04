"""Records: how they print, and that each has a name of its own."""

from dataclasses import FrozenInstanceError

import numpy as np
import pytest

from minigan.errors import ArgumentError
from minigan.testing import BadInput, OpCase, Sample
from minigan.testing.case import floats
from minigan.testing.cases import all_cases, elementwise
from minigan.testing.report import Finding
from minigan.testing.strategies import draw_examples, just


def test_a_sample_prints_shapes_and_settings_and_no_values():
    sample = Sample((np.zeros((2, 3)), np.zeros(4, int)), {"axis": 1})
    assert repr(sample) == "Sample(float64[2, 3], int64[4], axis=1)"
    assert floats(sample) == (0,)


def test_hypothesis_prints_records_the_same_way():
    class Printer:
        text = staticmethod(list().append)

    said = []
    Printer.text = said.append
    Sample((np.zeros(2),))._repr_pretty_(Printer, False)
    OpCase("cube", None, just(1), None)._repr_pretty_(Printer, False)
    assert said == ["Sample(float64[2])", "OpCase('cube')"]


def test_names_are_used_once(monkeypatch):
    assert len({case.name for case in all_cases()}) == len(all_cases()) > 150
    monkeypatch.setattr(elementwise, "CASES", elementwise.CASES + elementwise.CASES[:1])
    with pytest.raises(ArgumentError, match=f"two cases are called '{elementwise.CASES[0].name}'"):
        all_cases()


def test_settings_are_the_same_for_the_same_seed():
    case = next(case for case in all_cases() if case.name == "conv2d")
    first, again, other = (list(map(repr, draw_examples(case.strategy, 20, seed))) for seed in (1, 1, 2))
    assert first == again != other and len(set(first)) > 10


def test_a_record_is_fixed_and_promises_two_orders_on_any_device_but_neither_linear_nor_kinks():
    case, sample = OpCase("cube", None, just(1), None), Sample(np.zeros(2))
    assert (case.linear, case.kinks, case.order, case.fake) == (False, False, 2, True)
    bad = BadInput("a word", (), {}, ValueError)
    for record, name in ((case, "order"), (sample, "kwargs"), (bad, "match"), (Finding("value", ""), "text")):
        with pytest.raises(FrozenInstanceError):
            setattr(record, name, 1)


def test_linear_arguments_are_those_that_the_call_has():
    sample = Sample((np.zeros(2), np.zeros(2, int), np.zeros(2)))
    for linear, found in ((False, ()), (True, (0, 2)), ((2, 3), (2,)), ((0,), (0,))):
        assert OpCase("cube", None, just(1), None, linear=linear).linear_arguments(sample) == found

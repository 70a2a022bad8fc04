"""Every operation, driven by its record: value, gradients, adjoint, layouts, dtypes, devices, refusals."""

import importlib
import importlib.util
import pkgutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigan.ops
from minigan.tensor import Op
from minigan.testing import GradReport
from minigan.testing.cases import all_cases
from minigan.testing.checkop import (
    check_adjoint,
    check_device,
    check_empty,
    check_float32,
    check_gradient_at,
    check_layouts,
    check_refusals,
    check_value,
)
from minigan.testing.strategies import seeds

CASES = all_cases()


def _install_fake_device():
    spec = importlib.util.spec_from_file_location("fake_device", Path(__file__).with_name("fake_device.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.install()


_install_fake_device()


def each(cases):
    return pytest.mark.parametrize("case", cases, ids=[case.name.replace(" ", "-") for case in cases])


def holds(case, data, check):
    sample, seed = data.draw(case.strategy), data.draw(seeds())
    report = GradReport(case.name, seed)
    check(case, sample, report)
    assert not report.findings, f"{report}\nfor {sample!r}"


@each(CASES)
@given(data=st.data())
def test_value_is_the_oracles(case, data):
    holds(case, data, check_value)


@each(CASES)
@given(data=st.data())
def test_gradients_are_right_to_the_promised_order(case, data):
    holds(case, data, check_gradient_at(case.order))


@each([case for case in CASES if case.linear])
@given(data=st.data())
def test_backward_of_a_linear_operation_is_its_adjoint(case, data):
    holds(case, data, check_adjoint)


@each(CASES)
@given(data=st.data())
def test_memory_layout_does_not_matter(case, data):
    holds(case, data, check_layouts)


@each(CASES)
@given(data=st.data())
def test_float32_stays_float32_and_agrees_with_float64(case, data):
    holds(case, data, check_float32)


@each([case for case in CASES if case.fake])
@given(data=st.data())
def test_computes_with_its_inputs_array_module_only(case, data):
    holds(case, data, lambda *given: check_device(*given, device="fake"))


@each([case for case in CASES if case.bad])
def test_refuses_bad_input_in_words(case):
    report = GradReport(case.name, 0)
    check_refusals(case, report)
    assert not report.findings, report


@each([case for case in CASES if case.empty])
def test_inputs_without_elements(case):
    report = GradReport(case.name, 0)
    for sample in case.empty:
        check_empty(case, sample, report)
    assert not report.findings, report


def operations():
    """Every public Op class of minigan.ops, wherever it stands."""
    for module in pkgutil.walk_packages(minigan.ops.__path__, "minigan.ops."):
        importlib.import_module(module.name)
    pending, found = [Op], set()
    while pending:
        for kind in pending.pop().__subclasses__():
            pending.append(kind)
            if kind.__module__.startswith("minigan.ops") and not kind.__name__.startswith("_"):
                found.add(kind)
    return found


def test_every_operation_has_a_case():
    missing = operations() - {op for case in CASES for op in case.ops}
    assert not missing, f"no case in minigan/testing/cases names {sorted(op.__name__ for op in missing)}"

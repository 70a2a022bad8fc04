"""Every operation, layer and loss, driven by its record.

Value, gradients, adjoint, layouts, dtypes, devices, refusals; and nothing goes without a record.
"""

import importlib
import importlib.util
import inspect
import pkgutil
from typing import get_args

import fake_device
import pytest
from hypothesis import given, settings

import minigan.gan.elbo
import minigan.nn
import minigan.ops
import minigan.style.losses
from minigan import gan, style
from minigan.nn.module import Module
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


fake_device.install()


def each(cases):
    return pytest.mark.parametrize("case", cases, ids=[case.name.replace(" ", "-") for case in cases])


def holds(case, check, share=1.0):
    """Draw as many settings as the profile says, or a share of them.

    Fewer for layers and losses, whose operations were tried.
    """
    many = settings.default.max_examples * share * (0.4 if "." in case.name else 1.0)

    @settings(max_examples=max(int(many), 1))
    @given(case.strategy, seeds())
    def property_of_case(sample, seed):
        report = GradReport(case.name, seed)
        check(case, sample, report)
        assert not report.findings, f"{report}\nfor {sample!r}"

    property_of_case()


@each(CASES)
def test_value_is_the_oracles(case):
    holds(case, check_value)


@each(CASES)
def test_gradients_are_right_to_the_promised_order(case):
    holds(case, check_gradient_at(case.order))


@each([case for case in CASES if case.linear])
def test_backward_of_a_linear_operation_is_its_adjoint(case):
    holds(case, check_adjoint)


@each(CASES)
def test_memory_layout_does_not_matter(case):
    holds(case, check_layouts, 0.4)


@each(CASES)
def test_float32_stays_float32_and_agrees_with_float64(case):
    holds(case, check_float32, 0.4)


@each([case for case in CASES if case.fake])
def test_computes_with_its_inputs_array_module_only(case):
    holds(case, lambda *given: check_device(*given, device="fake"), 0.4)


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


def everything_in(package):
    """Import every module of a package; returns them."""
    found = pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
    return [importlib.import_module(module.name) for module in found]


def descendants(base, room):
    """Every public class of a room below `base`, wherever it stands."""
    pending, found = [base], set()
    while pending:
        for kind in pending.pop().__subclasses__():
            pending.append(kind)
            if kind.__module__.startswith(room) and not kind.__name__.startswith("_"):
                found.add(kind)
    return found


def operations():
    """Every Op that computes something."""
    return {kind for kind in descendants(Op, "minigan.") if kind.forward is not Op.forward}


def layers():
    """Every Module of minigan.nn that computes something, and the functions that make one of another."""
    kinds = {kind for kind in descendants(Module, "minigan.nn") if kind.forward is not Module.forward}
    return kinds | set(public(minigan.nn.reparametrise, "M"))


def public(module, returns):
    """The public functions that a module defines whose result is annotated so."""
    return [
        value
        for name, value in vars(module).items()
        if inspect.isfunction(value) and value.__module__ == module.__name__ and not name.startswith("_")
        if value.__annotations__.get("return", "").startswith(returns)
    ]


def losses():
    """Every function of the rooms' losses, penalties and statistics that makes Tensors of Tensors."""
    rooms = (gan.losses, gan.penalties, gan.elbo, style.losses, style.gram)
    found = {function for room in rooms for function in public(room, ("Tensor", "tuple[Tensor"))}
    return found | set(get_args(style.gram.Statistic))


@pytest.mark.parametrize(
    "wanted, least",
    [(operations, 55), (layers, 80), (losses, 33)],
    ids=["operation", "layer", "loss"],
)
def test_nothing_is_without_a_case(wanted, least):
    for package in (minigan.ops, minigan.nn, minigan.gan, minigan.style):
        everything_in(package)
    missing = wanted() - {thing for case in CASES for thing in case.covers}
    assert not missing, f"no case in minigan/testing/cases covers {sorted(t.__name__ for t in missing)}"
    assert len(wanted()) >= least  # the search above still finds what there is

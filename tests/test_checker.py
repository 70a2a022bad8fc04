"""The checker checked: every planted bug is found, by the property that is meant to find it."""

import importlib.util
from pathlib import Path

import pytest


def _load(name):
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


planted = _load("planted")


@pytest.mark.parametrize("fault", planted.FAULTS, ids=lambda fault: fault.name.replace(" ", "-"))
def test_planted_fault_is_found_by_its_property(fault, monkeypatch):
    with monkeypatch.context() as patch:
        planted.plant(patch, fault)
        report = fault.check()
    assert fault.is_found_by(report), report
    assert len(str(report).splitlines()) <= 15


# What the case table checks is clean by tests/test_all_ops.py; the other checks are made here.
OTHERS = [fault for fault in planted.FAULTS if not fault.check.__qualname__.startswith("case.")]


@pytest.mark.parametrize("fault", OTHERS, ids=lambda fault: fault.name.replace(" ", "-"))
def test_without_the_fault_nothing_is_found(fault):
    assert not fault.check().findings

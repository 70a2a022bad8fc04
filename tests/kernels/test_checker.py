"""Every bug planted in a kernel is found, by the property that is meant to find it."""

import importlib.util
from pathlib import Path

import pytest

_spec = importlib.util.spec_from_file_location(
    "planted_kernels", Path(__file__).with_name("planted_kernels.py")
)
planted = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(planted)


@pytest.mark.parametrize("fault", planted.FAULTS, ids=lambda fault: fault.name.replace(" ", "-"))
def test_planted_fault_is_found_by_its_property(fault, monkeypatch):
    with monkeypatch.context() as patch:
        planted.plant(patch, fault)
        report = fault.check()
    assert fault.is_found_by(report), report

"""Kernels on or off for a whole command, and its threads; the room of kernels may be missing."""

from __future__ import annotations

import os
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from minigan import modes
from minigan.errors import truth

VARIABLE = "MINIGAN_KERNELS"


def choose_kernels(word: str | None) -> None:
    """Do what ``--kernels`` says, else MINIGAN_KERNELS; processes that this one starts do the same.

    Raises ArgumentError for a word in the environment that is neither yes nor no.
    """
    if word is not None:
        os.environ[VARIABLE] = word
    modes.use_kernels_by_default(truth(VARIABLE, os.environ.get(VARIABLE) or "on"))


def rates() -> dict[str, float]:
    """Return the numbers by which convolutions are chosen: which one runs decides the last bits of a run."""
    return _calibration().in_use() if find_spec("minigan.kernels") else {}


def cost_model() -> str:
    """Say in words which numbers these are."""
    return (
        _calibration().ensure() if find_spec("minigan.kernels") else "none: there is nothing to choose among"
    )


def adopt(found: dict[str, float] | None) -> None:
    """Choose convolutions as the run did that is continued; older runs do not say how."""
    if found and find_spec("minigan.kernels"):
        _calibration().adopt(found)


def _calibration() -> Any:
    return import_module("minigan.kernels.conv.calibration")


def threads() -> int:
    """Return how many threads passes may use; ArgumentError for MINIGAN_THREADS without a number."""
    if find_spec("minigan.kernels") is None:
        return 1
    return import_module("minigan.kernels.parallel").threads()

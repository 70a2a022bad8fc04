"""The case table: every module here exports `CASES`, a list of `OpCase`; `all_cases()` gathers them."""

from __future__ import annotations

import importlib
import pkgutil

from minigan.errors import ArgumentError
from minigan.testing.case import OpCase


def all_cases() -> list[OpCase]:
    """Every registered case, in module and then list order (loads hypothesis).

    Raises ArgumentError for a name used twice.
    """
    found: dict[str, OpCase] = {}
    for module in sorted(info.name for info in pkgutil.iter_modules(__path__)):
        for case in importlib.import_module(f"{__name__}.{module}").CASES:
            if case.name in found:
                raise ArgumentError(
                    f"two cases are called {case.name!r}; expected one name a case: rename one of them"
                )
            found[case.name] = case
    return list(found.values())

"""Checked option types: what argparse calls to turn a word into a number, with a one-line complaint."""

import math
from argparse import ArgumentTypeError
from collections.abc import Callable

LARGEST_INT = 2**63 - 1


def integer(*, least: int, most: int = LARGEST_INT) -> Callable[[str], int]:
    """Return a parser of whole numbers in [least, most]."""

    def parse(word: str) -> int:
        try:
            value = int(word)
        except ValueError:
            raise ArgumentTypeError(f"expected a whole number, got {word!r}") from None
        if not least <= value <= most:
            bound = f"at least {least}" if value < least else f"at most {most}"
            raise ArgumentTypeError(f"expected {bound}, got {word}")
        return value

    return parse


def number(
    *, above: float | None = None, least: float | None = None, most: float | None = None
) -> Callable[[str], float]:
    """Return a parser of finite numbers: greater than `above`, or at least `least`, and at most `most`."""

    def parse(word: str) -> float:
        try:
            value = float(word)
        except ValueError:
            raise ArgumentTypeError(f"expected a number, got {word!r}") from None
        if not math.isfinite(value):
            raise ArgumentTypeError(f"expected a finite number, got {word}")
        if above is not None and value <= above:
            raise ArgumentTypeError(f"expected more than {above:g}, got {word}")
        if least is not None and value < least:
            raise ArgumentTypeError(f"expected at least {least:g}, got {word}")
        if most is not None and value > most:
            raise ArgumentTypeError(f"expected at most {most:g}, got {word}")
        return value

    return parse

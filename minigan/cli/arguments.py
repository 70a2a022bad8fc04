"""Checked options: words turned into numbers, for argparse, and settings, with one-line complaints."""

import json
import math
from argparse import ArgumentTypeError
from collections.abc import Callable, Iterable
from typing import Any

from minigan.errors import ArgumentError, shown

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


ELSEWHERE = {  # what --set and --vary cannot give, and what decides it
    "recipe": "the word after the command names the recipe",
    "shape": "the pictures decide it, with --size and --channels",
}


def assignments(words: Iterable[str]) -> dict[str, Any]:
    """Turn the NAME=VALUE words of --set into settings; a value is JSON, or else a plain word.

    Raises ArgumentError for a word of another form, a name that is given twice, and what `meaning` refuses.
    """
    found: dict[str, Any] = {}
    for word in words:
        name, equals, text = word.partition("=")
        name = name.strip().replace("-", "_")
        if not equals or not name:
            raise ArgumentError(f"--set: expected NAME=VALUE, got {shown(word)}")
        if name in found:
            raise ArgumentError(f"--set {name}: given twice; leave one out")
        found[name] = meaning("--set", name, parsed(text))
    return found


def parsed(text: str) -> Any:
    """Return the value of a text in JSON, or else the text."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def meaning(option: str, name: str, value: Any) -> Any:
    """Return what a parsed value means for the setting; `minigan.gan.Config` checks kind and range later.

    Raises ArgumentError for a setting that is decided elsewhere, for null, and for a truth spelled oddly.
    """
    from minigan.gan.config import spelled

    if name in ELSEWHERE:
        raise ArgumentError(f"{option} {name}: {ELSEWHERE[name]}; leave it out here")
    if value is None:
        raise ArgumentError(f"{option} {name}: expected a value, got null; leave it out for the default")
    return spelled(name, value)

"""Every error minigan raises on purpose, and the exit code the command line gives it.

Each kind also derives from the builtin a caller would expect, so that ``except ValueError``
works for people who have never read this file.  A message says what failed, what was expected,
what came, and one remedy.
"""

from collections.abc import Iterable


class MiniganError(Exception):
    """Base of all errors raised on purpose; ``exit_code`` is what the command line returns."""

    exit_code = 1


class BadInput(MiniganError):
    """Base of the kinds that the caller's input caused: the command line exits with 2."""

    exit_code = 2


class ShapeError(BadInput, ValueError):
    """Sizes that do not fit together."""


class ArgumentError(BadInput, ValueError):
    """A hyper-parameter or option outside its range."""


class DTypeError(BadInput, TypeError):
    """An array of the wrong number type."""


class DeviceError(BadInput, RuntimeError):
    """A device that is missing, or two devices mixed in one operation."""


class DataError(BadInput, ValueError):
    """A data set or picture that cannot be used as asked."""


class FileError(BadInput, OSError):
    """A file that cannot be read, trusted or written."""


class GraphError(MiniganError, RuntimeError):
    """Backward through a graph that was released, changed or never recorded."""


class NumericError(MiniganError, ArithmeticError):
    """NaN or infinity where a finite number is needed."""


# ---- what words may mean: the same answer for options, settings and the environment --------------------

_YES, _NO = ("true", "yes", "on", "1"), ("false", "no", "off", "0")


def truth(name: str, word: object) -> bool:
    """Return what a word for yes or no means, in any case; ArgumentError for every other word."""
    plain = shown(word).strip("' ").lower()
    if plain not in (*_YES, *_NO):
        raise ArgumentError(f"{name}: expected true or false (or yes, no, on, off, 1, 0), got {shown(word)}")
    return plain in _YES


def nearest(word: object, names: Iterable[str]) -> str:
    """Return the three names that are most like a mistyped word, for a message."""
    from difflib import get_close_matches  # not at the top: importing minigan stays light

    return ", ".join(get_close_matches(str(word)[:100], list(names), n=3, cutoff=0.0))


def like_one_of(word: object, names: Iterable[str]) -> bool:
    """Return whether a word is one of the names, or so like one that it is mistyped."""
    from difflib import get_close_matches

    return bool(get_close_matches(str(word)[:100], list(names), n=1, cutoff=0.75))


def shown(value: object, most: int = 60) -> str:
    """Return a value as Python writes it, cut short where it would fill the line."""
    try:
        text = repr(value)
    except ValueError:  # a whole number of thousands of digits
        text = f"a {type(value).__name__} too long to write"
    text = " ".join(text.split())
    return text if len(text) <= most else text[: most - 3] + "..."

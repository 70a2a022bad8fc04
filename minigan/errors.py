"""Every error minigan raises on purpose, and the exit code the command line gives it.

Each kind also derives from the builtin a caller would expect, so that ``except ValueError``
works for people who have never read this file.  A message says what failed, what was expected,
what came, and one remedy.
"""


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

"""What ran for what: each operation of a call, by kernel or by definition, and both their times."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from minigan import backend, modes, tensor
from minigan.autograd import grad
from minigan.modes import set_mode
from minigan.tensor import Op, Tensor


@dataclass
class Line:
    """One forward, derivative or step: the operation, its result's shape, what ran, and seconds."""

    operation: str
    does: str
    shape: str
    kernel: str
    seconds: float
    definition: float = 0.0


class _Watch(modes.Kernels):
    """The engine's table, with every kernel noting that it ran."""

    def __init__(self, table: modes.Kernels):
        super().__init__()
        self.table, self.ran = table, ""

    def __missing__(self, key: tuple[type, str, type]) -> Callable[..., Any] | None:
        kernel = self.table[key]
        if kernel is None:
            return None

        def noted(*arguments: Any) -> Any:
            found = kernel(*arguments)
            self.ran = name_of(kernel) if found is not NotImplemented else ""
            return found

        self[key] = noted
        return noted


def name_of(kernel: Any) -> str:
    """Return "host.pool.max_pool" for a kernel of minigan/kernels/host/pool.py."""
    while hasattr(kernel, "func"):  # a partial
        kernel = kernel.args[0] if kernel.args else kernel.func
    room = kernel.__module__.removeprefix("minigan.kernels.")
    return f"{room}.{kernel.__qualname__.split('.')[0]}"


@contextmanager
def watched(lines: list[Line]) -> Iterator[None]:
    """Add a line for every operation that runs inside the block."""
    watch, before = _Watch(modes.kernels), modes.kernels

    def note(phase: str, op: Op, result: Any, seconds: float) -> None:
        backend.synchronize()
        parts = result if isinstance(result, tuple) else (result,)
        shapes = [str(tuple(part.shape)) for part in parts if part is not None]
        lines.append(Line(op.name, phase, " ".join(shapes), watch.ran or "definition", seconds))
        watch.ran = ""

    modes.kernels = watch
    tensor.observers.append(note)
    try:
        yield
    finally:
        tensor.observers.remove(note)
        modes.kernels = before


def trace(function: Callable[..., Any], *inputs: Any) -> list[Line]:
    """Run a function, and backward through it if it records, with kernels and without: a line an operation.

    The definition's seconds are those of the same operation in the same place; where one way takes other
    operations than the other (a derivative of several) they are added up.
    """
    found = []
    for kernels in (True, False):
        for _ in range(2):  # the first time warms up
            lines: list[Line] = []
            with watched(lines), set_mode("kernels", kernels):
                result = function(*inputs)
                wanted = [x for x in inputs if isinstance(x, Tensor) and x.requires_grad]
                if isinstance(result, Tensor) and result.requires_grad and wanted:
                    grad(result.sum() if result.ndim else result, wanted, allow_unused=True)
        found.append(_outermost(lines))
    with_kernels, by_definition = found
    for line, plain in zip(with_kernels, by_definition, strict=True):
        line.definition = plain.seconds
    return with_kernels


def _outermost(lines: list[Line]) -> list[Line]:
    """Backward passes include the operations they are made of: drop those."""
    kept, start = [], 0
    for place, line in enumerate(lines):
        if line.does == "backward":
            kept.append(line)
        elif not any(later.does == "backward" for later in lines[place + 1 :]):
            kept.append(line)
    return kept or lines[start:]


def explain(function: Callable[..., Any], *inputs: Any) -> str:
    """Return, as text, which kernel ran for each operation of ``function(*inputs)``, and what it saved."""
    lines = trace(function, *inputs)
    rows = [("operation", "", "result", "ran", "ms", "by definition")]
    for line in lines:
        saved = f"{1e3 * line.definition:.3f}" if line.kernel != "definition" else ""
        rows.append((line.operation, line.does, line.shape, line.kernel, f"{1e3 * line.seconds:.3f}", saved))
    total = [1e3 * sum(getattr(line, name) for line in lines) for name in ("seconds", "definition")]
    rows.append(("all", "", "", "", f"{total[0]:.3f}", f"{total[1]:.3f}"))
    widths = [max(len(row[i]) for row in rows) for i in range(6)]
    return "\n".join(
        "  ".join(
            word.rjust(width) if i > 3 else word.ljust(width)
            for i, (word, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )

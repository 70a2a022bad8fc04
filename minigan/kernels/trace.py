"""What ran for what: each operation of a call, by kernel or by definition, and both their times."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from minigan import backend
from minigan.autograd import grad
from minigan.modes import kernels, observers, set_mode
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


def name_of(kernel: Any) -> str:
    """Return "host.pool.max_pool" for a kernel of minigan/kernels/host/pool.py."""
    while hasattr(kernel, "func"):  # a partial
        kernel = kernel.args[0] if kernel.args else kernel.func
    room = kernel.__module__.removeprefix("minigan.kernels.")
    return f"{room}.{kernel.__qualname__.split('.')[0]}"


@contextmanager
def watched(lines: list[Line], within: bool) -> Iterator[None]:
    """Add a line for every operation in the block; ``within`` those that nothing records are a backward's."""
    find, ran = kernels.find, [""]

    def noting(*key: Any) -> Callable[..., Any] | None:
        kernel = find(*key)
        if kernel is None:
            return None

        def noted(*arguments: Any) -> Any:
            found = kernel(*arguments)
            ran[0] = name_of(kernel) if found is not NotImplemented else ""
            return found

        return noted

    def note(phase: str, op: Op, result: Any, seconds: float) -> None:
        backend.synchronize()
        parts = result if isinstance(result, tuple) else (result,)
        shapes = [str(tuple(part.shape)) for part in parts if part is not None]
        does = "inside" if phase == "forward" and within and not op.recording else phase
        lines.append(Line(op.name, does, " ".join(shapes), ran[0] or "definition", seconds))
        ran[0] = ""

    kernels.find = noting
    kernels.clear()
    observers.append(note)
    try:
        yield
    finally:
        observers.remove(note)
        kernels.find = find
        kernels.clear()


def trace(function: Callable[..., Any], *inputs: Any) -> list[Line]:
    """Run a function, and backward through it if it records, with kernels and without: a line an operation.

    The operations that a backward pass is made of come before it, as "inside", and are part of its seconds.
    """
    wanted = [x for x in inputs if isinstance(x, Tensor) and x.requires_grad]
    found = []
    for with_kernels in (True, False):
        for _ in range(2):  # the first time warms up
            lines: list[Line] = []
            with watched(lines, bool(wanted)), set_mode("kernels", with_kernels):
                result = function(*inputs)
                if isinstance(result, Tensor) and result.requires_grad and wanted:
                    grad(result.sum() if result.ndim else result, wanted, allow_unused=True)
        found.append(lines)
    plain = iter([line for line in found[1] if line.does != "inside"])
    for line in found[0]:
        line.definition = next(plain).seconds if line.does != "inside" else 0.0
    return found[0]


def explain(function: Callable[..., Any], *inputs: Any) -> str:
    """Return, as text, which kernel ran for each operation of ``function(*inputs)``, and what it saved."""
    lines = trace(function, *inputs)
    rows = [("operation", "", "result", "ran", "ms", "by definition")]
    for line in lines:
        plain = f"{1e3 * line.definition:.3f}" if line.does != "inside" else ""
        name = f"  {line.operation}" if line.does == "inside" else line.operation
        rows.append((name, line.does, line.shape, line.kernel, f"{1e3 * line.seconds:.3f}", plain))
    outer = [line for line in lines if line.does != "inside"]
    total = [1e3 * sum(getattr(line, name) for line in outer) for name in ("seconds", "definition")]
    rows.append(("all", "", "", "", f"{total[0]:.3f}", f"{total[1]:.3f}"))
    widths = [max(len(row[i]) for row in rows) for i in range(6)]
    return "\n".join(
        "  ".join(
            word.rjust(width) if i > 3 else word.ljust(width)
            for i, (word, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )

"""The record that drives every test of an operation: what to call, on what, and what is true about it.

One `OpCase` an operation, a layer or a loss, in `minigan/testing/cases/<family>.py` as the list `CASES`.
A user writes the same record for an operation of their own and hands it to `minigan.testing.check_op`:

    from minigan.testing import OpCase, Sample, check_op
    from minigan.testing.strategies import array_samples

    case = OpCase("cube", Cube, array_samples(), oracle=lambda x: x**3, covers=(Cube,))
    assert check_op(case)

Strategies are written with the names `minigan.testing.strategies` exports (`composite`, `integers`,
`booleans`, `sampled_from`, `distinct_arrays`, `conv_configs`, ...), so that hypothesis is imported in that
one file only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from minigan.tensor import Op


@dataclass(frozen=True)
class Sample:
    """One drawn call: `fn(*inputs, **kwargs)`.

    `inputs` are host arrays (or one of them): float64 ones are differentiated, others are constants such as
    labels.
    `kwargs` are the settings; the operation and its oracle get the same.
    """

    inputs: tuple[np.ndarray, ...]
    kwargs: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        given = (self.inputs,) if isinstance(self.inputs, np.ndarray) else self.inputs
        object.__setattr__(self, "inputs", tuple(np.asarray(array) for array in given))

    def __repr__(self) -> str:
        """Show shapes, not values: hypothesis prints this for a failing example."""
        shapes = ", ".join(f"{array.dtype}{list(array.shape)}" for array in self.inputs)
        settings = "".join(f", {key}={value!r}" for key, value in self.kwargs.items())
        return f"Sample({shapes}{settings})"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(repr(self))


@dataclass(frozen=True)
class BadInput:
    """A call that must be refused.

    `fn(*inputs, **kwargs)` raises `error` with `match` (a regular expression) in its text.
    """

    what: str
    inputs: tuple[Any, ...]
    kwargs: dict[str, Any]
    error: type[Exception]
    match: str = ""


@dataclass(frozen=True, repr=False)
class OpCase:
    """What is true of one operation.

    name      as printed by `minigan gradcheck`
    fn        `fn(*tensors, **kwargs) -> Tensor`, or an Op class: then `fn(**kwargs)(*tensors)` is called
    strategy  a hypothesis strategy that draws a `Sample`, or, where there are no settings, an array or a
              tuple of them
    oracle    `oracle(*arrays, **kwargs) -> array`, not the code under test: plain loops, scipy, a closed form
    covers    what the case answers for: Op classes, layers, losses; a test wants each of them in some case
    linear    True: linear (or affine) in every float argument while the others are held; a tuple names the
              arguments it holds for
    kinks     True: the strategy draws ties and points where only sub-gradients exist
    order     highest order of derivative that is checked
    bad       calls that must be refused
    torch     optional `torch(torch, *tensors, **kwargs) -> torch tensor`: the same call in PyTorch, or None
              where its answer is another one by intent
    empty     samples with inputs of no elements, where the operation has a meaning for them
    fake      False: the operation is not run on the strict test device (it needs the host by its nature)
    """

    name: str
    fn: Callable[..., Any]
    strategy: Any
    oracle: Callable[..., np.ndarray]
    covers: tuple[Any, ...] = ()
    linear: bool | tuple[int, ...] = False
    kinks: bool = False
    order: int = 2
    bad: tuple[BadInput, ...] = ()
    torch: Callable[..., Any] | None = None
    empty: tuple[Sample, ...] = ()
    fake: bool = True

    def __post_init__(self) -> None:
        kind = self.fn
        if isinstance(kind, type) and issubclass(kind, Op):
            object.__setattr__(self, "fn", lambda *tensors, **settings: kind(**settings)(*tensors))

    def __repr__(self) -> str:
        return f"OpCase({self.name!r})"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(repr(self))

    def linear_arguments(self, sample: Sample) -> tuple[int, ...]:
        """Positions of the arguments of `sample` in which the operation is linear (or affine)."""
        if isinstance(self.linear, tuple):
            return tuple(i for i in self.linear if i < len(sample.inputs))
        return floats(sample) if self.linear else ()


def floats(sample: Sample) -> tuple[int, ...]:
    """Positions of the arguments that are differentiated: the floating-point ones."""
    return tuple(i for i, array in enumerate(sample.inputs) if np.asarray(array).dtype.kind == "f")

"""Operations written as PyTorch's ``autograd.Function``: static forward and backward with a context.

    class Cube(autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x**3

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return 3 * x**2 * g

    y = Cube.apply(x)

Forward sees Tensors that record nothing; backward is written with Tensor operations, so that its own
derivative comes from the same code.
"""

from __future__ import annotations

from typing import Any

from minigan.backend import Array
from minigan.errors import GraphError
from minigan.modes import no_grad
from minigan.tensor import Op, Tensor


class Context:
    """What forward hands to backward: saved tensors, and whatever is assigned to it."""

    def __init__(self) -> None:
        self._to_save: tuple[Any, ...] = ()
        self._saved: tuple[Any, ...] = ()
        self.needs_input_grad: tuple[bool, ...] = ()

    def save_for_backward(self, *tensors: Any) -> None:
        """Keep tensors (inputs, the result or others) for backward."""
        self._to_save = tensors

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        """The tensors kept."""
        return self._saved

    def mark_non_differentiable(self, *tensors: Any) -> None:
        """Accepted: whole-number results have no gradient anyway."""


class _Applied(Op):
    """One call of a Function."""

    any_dtype = True
    exact = True

    def __init__(self, kind: type[Function], ctx: Context, arguments: tuple[Any, ...]):
        self.kind, self.ctx, self.arguments = kind, ctx, arguments
        self.places = [i for i, value in enumerate(arguments) if isinstance(value, Tensor)]
        self.keeps = tuple(range(len(self.places)))
        self.keeps_output = True

    def forward(self, *arrays: Array) -> Array:
        """Call the Function's forward on constants that share the inputs' memory."""
        values = list(self.arguments)
        self.constants = [Tensor._wrap(array) for array in arrays]
        for place, constant in zip(self.places, self.constants, strict=True):
            values[place] = constant
        with no_grad():
            self.result = self.kind.forward(self.ctx, *values)
        if not isinstance(self.result, Tensor):
            raise GraphError(
                f"{self.kind.__name__}.forward: expected one Tensor, got {type(self.result).__name__}"
            )
        return self.result.array

    def backward(self, g: Tensor) -> tuple[Any, ...]:
        """Hand the recorded inputs and the result to the Function's backward."""
        own = {id(constant): self.input(i) for i, constant in enumerate(self.constants)}
        own[id(self.result)] = self.output
        self.ctx._saved = tuple(own.get(id(value), value) for value in self.ctx._to_save)
        self.ctx.needs_input_grad = tuple(
            i in self.places and self.needs(self.places.index(i)) for i in range(len(self.arguments))
        )
        found = self.kind.backward(self.ctx, g)
        found = found if isinstance(found, tuple) else (found,)
        if len(found) != len(self.arguments):
            raise GraphError(
                f"{self.name}.backward returned {len(found)} gradients for {len(self.arguments)} arguments"
            )
        return tuple(found[place] for place in self.places)

    @property
    def name(self) -> str:
        """The Function's name."""
        return self.kind.__name__


class Function:
    """Subclass with static ``forward(ctx, *arguments)`` and ``backward(ctx, g)``; call ``apply``."""

    @staticmethod
    def forward(ctx: Context, *arguments: Any) -> Any:
        """Compute the result, one Tensor, from tensors and other values."""
        raise NotImplementedError

    @staticmethod
    def backward(ctx: Context, g: Tensor) -> Any:
        """Return the gradient of every argument, None for what is no tensor."""
        raise NotImplementedError

    @classmethod
    def apply(cls, *arguments: Any) -> Tensor:
        """Run forward, and record it where a tensor among the arguments wants a gradient."""
        tensors = [value for value in arguments if isinstance(value, Tensor)]
        if not tensors:
            raise GraphError(f"{cls.__name__}.apply: expected a Tensor among the arguments")
        return _Applied(cls, Context(), arguments)(*tensors)

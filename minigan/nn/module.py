"""Module: a tree of layers that knows its parameters, buffers and whether it is being trained.

Attribute assignment registers: ``self.weight = Parameter(...)``, ``self.conv = Conv2d(...)``.  State that is
no parameter but must be saved is registered by name: ``self.register_buffer("running_mean", tensor)``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, TypeVar

import numpy as np

from minigan.errors import ArgumentError, ShapeError
from minigan.nn.hooks import Handle
from minigan.nn.placement import Placed
from minigan.tensor import Tensor

T = TypeVar("T", bound="Module")


class Parameter(Tensor):
    """A leaf Tensor that a Module registers when it is assigned as an attribute, and an optimiser trains."""

    __slots__ = ()

    def __init__(self, data: Any, requires_grad: bool = True, dtype: Any = None):
        super().__init__(data, requires_grad=requires_grad, dtype=dtype)


class Mismatch(NamedTuple):
    """The names that a state lacked, and those that it had over."""

    missing_keys: list[str]
    unexpected_keys: list[str]


class Module(Placed):
    """Base of all layers and nets: assign parts in ``__init__``, compute in ``forward``, call the object."""

    training: bool
    _parameters: dict[str, Parameter]
    _buffers: dict[str, Tensor]
    _modules: dict[str, Module]
    _before: dict[int, Callable[..., Any]]  # hooks
    _after: dict[int, Callable[..., Any]]
    _passing: set[str]  # buffers that are not saved
    _derived: dict[str, Callable[[Module], Tensor]]  # computed at each access, as a spectral-normed weight

    def __init__(self) -> None:
        self.__dict__.update(training=True, _parameters={}, _buffers={}, _modules={}, _derived={})
        self.__dict__.update(_before={}, _after={}, _passing=set())

    def forward(self, *inputs: Any, **settings: Any) -> Any:
        """Compute the output; every subclass supplies it."""
        raise NotImplementedError(f"{type(self).__name__} has no forward")

    def __call__(self, *inputs: Any, **settings: Any) -> Any:
        """Compute the output: ``forward`` between the hooks."""
        for hook in tuple(self._before.values()):
            if (changed := hook(self, inputs)) is not None:
                inputs = changed if isinstance(changed, tuple) else (changed,)
        output = self.forward(*inputs, **settings)
        for hook in tuple(self._after.values()):
            if (changed := hook(self, inputs, output)) is not None:
                output = changed
        return output

    def register_forward_hook(self, hook: Callable[..., Any]) -> Handle:
        """Call ``hook(module, inputs, output)`` after each call; what it returns (not None) is the output."""
        return Handle(self._after, hook)

    def register_forward_pre_hook(self, hook: Callable[..., Any]) -> Handle:
        """Call ``hook(module, inputs)`` before each call; what it returns (not None) is the input."""
        return Handle(self._before, hook)

    # ---- registration ---------------------------------------------------------------------------------

    def __setattr__(self, name: str, value: Any) -> None:
        own = self.__dict__
        if "_parameters" not in own:
            raise ArgumentError(f"{type(self).__name__}: call super().__init__() before assigning {name!r}")
        kinds = {"_parameters": Parameter, "_modules": Module}
        for registry, kind in kinds.items():
            if isinstance(value, kind):
                for other in ("_parameters", "_modules", "_buffers", "_derived"):
                    own[other].pop(name, None)
                own.pop(name, None)
                own[registry][name] = value
                return
        if name in own["_buffers"] and isinstance(value, Tensor):
            own["_buffers"][name] = value
        elif name in own["_parameters"] and value is not None:
            raise ArgumentError(
                f"{name!r} is a parameter: assign a Parameter or None, not {type(value).__name__}"
            )
        else:
            for registry in (*kinds, "_buffers", "_derived"):
                own[registry].pop(name, None)
            own[name] = value

    def __getattr__(self, name: str) -> Any:  # called only where ordinary look-up found nothing
        own = self.__dict__
        for registry in ("_parameters", "_buffers", "_modules"):
            if name in own.get(registry, ()):
                return own[registry][name]
        if name in own.get("_derived", ()):
            return own["_derived"][name](self)
        raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")

    def __delattr__(self, name: str) -> None:
        for registry in ("_parameters", "_buffers", "_modules", "_derived"):
            if self.__dict__[registry].pop(name, None) is not None:
                return
        object.__delattr__(self, name)

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Keep ``tensor`` as state that moves with the module and, if ``persistent``, is saved; untrained."""
        if tensor is None:
            setattr(self, name, None)
            return
        self.__dict__.pop(name, None)
        self._buffers[name] = tensor
        (self._passing.discard if persistent else self._passing.add)(name)

    def register_parameter(self, name: str, parameter: Parameter | None) -> None:
        """Register ``parameter`` under ``name``; None says that this layer goes without."""
        setattr(self, name, parameter)

    def add_module(self, name: str, module: Module | None) -> None:
        """Register ``module`` under ``name``: the same as assigning it."""
        setattr(self, name, module)

    # ---- walking the tree -----------------------------------------------------------------------------

    def named_modules(self, prefix: str = "") -> Iterator[tuple[str, Module]]:
        """Yield (dotted name, module) of this module ("") and all below it, each module once."""
        seen: set[int] = set()
        for name, module in self._paths(prefix):
            if id(module) not in seen:
                seen.add(id(module))
                yield name, module

    def _paths(self, prefix: str = "") -> Iterator[tuple[str, Module]]:
        """Every way to a module: one that is used twice comes twice."""
        yield prefix, self
        for name, child in self._modules.items():
            yield from child._paths(f"{prefix}.{name}" if prefix else name)

    def modules(self) -> Iterator[Module]:
        """Yield this module and all below it, each once."""
        return (module for _, module in self.named_modules())

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """Yield (name, module) of the direct parts."""
        return iter(self._modules.items())

    def children(self) -> Iterator[Module]:
        """Yield the direct parts."""
        return iter(self._modules.values())

    def get_submodule(self, path: str) -> Module:
        """Return the module with this dotted name; AttributeError if there is none."""
        found = self
        for name in path.split(".") if path else ():
            found = getattr(found, name)
        return found

    def get_parameter(self, path: str) -> Parameter:
        """Return the parameter with this dotted name; AttributeError if there is none."""
        owner, _, name = path.rpartition(".")
        return getattr(self.get_submodule(owner), name)

    def _named(self, registry: str, prefix: str = "", recurse: bool = True) -> Iterator[tuple[str, Any]]:
        for path, module in self._paths(prefix) if recurse else [(prefix, self)]:
            for name, tensor in module.__dict__[registry].items():
                yield (f"{path}.{name}" if path else name), tensor

    def _saved(self) -> dict[str, Tensor]:
        """What a state holds: each module's parameters, then its buffers but those that are not saved."""
        found: dict[str, Tensor] = {}
        for path, module in self._paths():
            buffers = {k: v for k, v in module._buffers.items() if k not in module._passing}
            for name, tensor in {**module._parameters, **buffers}.items():
                found[f"{path}.{name}" if path else name] = tensor
        return found

    def named_parameters(self, prefix: str = "", recurse: bool = True) -> Iterator[tuple[str, Parameter]]:
        """Yield (dotted name, parameter); a shared one comes once, under its first name."""
        return _once(self._named("_parameters", prefix, recurse))

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """Yield every parameter once; only this module's own if not ``recurse``."""
        return (parameter for _, parameter in self.named_parameters("", recurse))

    def named_buffers(self) -> Iterator[tuple[str, Tensor]]:
        """Yield (dotted name, buffer), each once."""
        return _once(self._named("_buffers"))

    def buffers(self) -> Iterator[Tensor]:
        """Yield every buffer once."""
        return (buffer for _, buffer in self.named_buffers())

    def named_generators(self) -> Iterator[tuple[str, np.random.Generator]]:
        """Yield (dotted name, random generator) of the layers that draw numbers, such as Dropout."""
        for prefix, module in self.named_modules():
            for name, value in module.__dict__.items():
                if isinstance(value, np.random.Generator):
                    yield (f"{prefix}.{name}" if prefix else name), value

    def apply(self: T, function: Callable[[Module], Any]) -> T:
        """Call ``function`` on every module below, then on this one; returns self."""
        for child in self.children():
            child.apply(function)
        function(self)
        return self

    # ---- state ----------------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Tensor]:
        """Return copies of all parameters and buffers on the host, in C order, by dotted name.

        Unlike PyTorch's, the tensors are copies: training on does not change what was saved.
        """
        return {k: Tensor._wrap(np.array(t.numpy(), order="C")) for k, t in self._saved().items()}

    def load_state_dict(self, state: Mapping[str, Any], strict: bool = True) -> Mismatch:
        """Copy arrays or tensors into parameters and buffers; return (missing_keys, unexpected_keys).

        One ShapeError lists every missing and unexpected name (forgiven when not ``strict``) and every
        shape that differs (never forgiven); the module is then left as it was.
        """
        own = self._saved()
        values = {k: v.numpy() if isinstance(v, Tensor) else np.asarray(v) for k, v in state.items()}
        missing = [name for name in own if name not in values]
        unexpected = [name for name in values if name not in own]
        faults = [f"missing {name}" for name in missing] + [f"unexpected {name}" for name in unexpected]
        faults = faults if strict else []
        for name, tensor in own.items():
            if name in values and values[name].shape != tensor.shape:
                faults.append(f"{name}: expected shape {tensor.shape}, got {values[name].shape}")
            elif name in values and values[name].dtype.kind not in "fbiu":
                faults.append(f"{name}: expected numbers, got dtype {values[name].dtype}")
        if faults:
            raise ShapeError(
                f"load_state_dict: this state does not fit {type(self).__name__} "
                f"({len(faults)} faults); build the module with the settings it was saved with:\n  "
                + "\n  ".join(faults)
            )
        for name, tensor in own.items():
            if name in values:
                tensor.copy_(values[name])
        return Mismatch(missing, unexpected)

    def random_state(self) -> dict[str, Any]:
        """Return the state of every generator below by name (plain numbers, fit for JSON)."""
        return {name: generator.bit_generator.state for name, generator in self.named_generators()}

    def load_random_state(self, state: Mapping[str, Any]) -> None:
        """Set every generator below to a state from `random_state`; ArgumentError if the names differ."""
        own = dict(self.named_generators())
        if own.keys() != state.keys():
            raise ArgumentError(f"load_random_state: expected {sorted(own)}, got {sorted(state)}")
        for name, generator in own.items():
            generator.bit_generator.state = state[name]

    # ---- modes ----------------------------------------------------------------------------------------

    def train(self: T, mode: bool = True) -> T:
        """Put every module below into training mode (batch statistics, dropout); returns self."""
        for module in self.modules():
            module.__dict__["training"] = mode
        return self

    def eval(self: T) -> T:
        """Put every module below into evaluation mode; this freezes nothing, see `requires_grad_`."""
        return self.train(False)

    def requires_grad_(self: T, requires_grad: bool = True) -> T:
        """Ask for, or stop asking for, the gradient of every parameter; returns self."""
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget every parameter's gradient (set it to None), or overwrite it with zeros."""
        for parameter in self.parameters():
            if set_to_none or parameter.grad is None:
                parameter.grad = None
            else:
                parameter.grad = parameter.grad.detach() * 0.0

    # ---- printing -------------------------------------------------------------------------------------

    def extra_repr(self) -> str:
        """Return the settings to print between the brackets."""
        return ""

    def __repr__(self) -> str:
        parts = [f"({name}): " + repr(child).replace("\n", "\n  ") for name, child in self._modules.items()]
        if not parts:
            return f"{type(self).__name__}({self.extra_repr()})"
        lines = [self.extra_repr()] if self.extra_repr() else []
        return f"{type(self).__name__}(\n  " + "\n  ".join(lines + parts) + "\n)"


def _once(named: Iterator[tuple[str, Any]]) -> Iterator[tuple[str, Any]]:
    seen: set[int] = set()
    for name, tensor in named:
        if id(tensor) not in seen:
            seen.add(id(tensor))
            yield name, tensor

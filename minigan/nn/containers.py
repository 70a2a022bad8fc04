"""Modules made of modules: Sequential runs them in turn; lists and dictionaries only hold them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from minigan.nn.module import Module, Parameter
from minigan.tensor import Tensor


class ModuleList(Module):
    """A list of modules; index it, loop over it, append to it."""

    def __init__(self, modules: Iterable[Module] = ()):
        super().__init__()
        for module in modules:
            self.append(module)

    def append(self, module: Module) -> ModuleList:
        """Add a module at the end; returns self."""
        setattr(self, str(len(self)), module)
        return self

    def extend(self, modules: Iterable[Module]) -> ModuleList:
        """Add modules at the end; returns self."""
        for module in modules:
            self.append(module)
        return self

    def insert(self, index: int, module: Module) -> None:
        """Put a module before the one at ``index``; those behind it move up a number."""
        found = list(self._modules.values())
        found.insert(index, module)
        self._modules.clear()
        self._modules.update((str(i), m) for i, m in enumerate(found))

    def __setitem__(self, index: int, module: Module) -> None:
        setattr(self, list(self._modules)[index], module)

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[Module]:
        return iter(self._modules.values())

    def __getitem__(self, index: int | slice) -> Any:
        found = list(self._modules.values())[index]
        return type(self)(found) if isinstance(found, list) and type(self) is ModuleList else found


class Sequential(ModuleList):
    """Run modules one after another: ``Sequential(a, b)``, or ``Sequential({"name": a, ...})``."""

    def __init__(self, *modules: Module | Mapping[str, Module]):
        super().__init__()
        named: Iterable[tuple[str, Any]] = enumerate(modules)  # type: ignore[assignment]
        if len(modules) == 1 and isinstance(modules[0], Mapping):
            named = modules[0].items()
        for name, module in named:
            setattr(self, str(name), module)

    def __getitem__(self, index: int | slice) -> Any:
        """Return one module, or for a slice a Sequential that shares the modules and their names."""
        if isinstance(index, slice):
            return Sequential(dict(list(self._modules.items())[index]))
        return list(self._modules.values())[index]

    def forward(self, x: Any) -> Any:
        """Hand each module the one before's output."""
        for module in self:
            x = module(x)
        return x


class ModuleDict(Module):
    """Modules by name; what ``forward`` does with them is up to the net that holds it."""

    def __init__(self, modules: Mapping[str, Module] | None = None):
        super().__init__()
        self.update(modules or {})

    def update(self, modules: Mapping[str, Module]) -> None:
        """Add modules by name, replacing those of the same name."""
        for name, module in modules.items():
            self[name] = module

    def __getitem__(self, name: str) -> Module:
        return self._modules[name]

    def __setitem__(self, name: str, module: Module) -> None:
        self._modules[name] = module

    def __delitem__(self, name: str) -> None:
        del self._modules[name]

    def __contains__(self, name: str) -> bool:
        return name in self._modules

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __len__(self) -> int:
        return len(self._modules)

    def keys(self) -> Iterable[str]:
        """Return the names."""
        return self._modules.keys()

    def values(self) -> Iterable[Module]:
        """Return the modules."""
        return self._modules.values()

    def items(self) -> Iterable[tuple[str, Module]]:
        """Return (name, module) pairs."""
        return self._modules.items()


def _as_parameter(value: Tensor) -> Parameter:
    return value if isinstance(value, Parameter) else Parameter(value)


class ParameterList(Module):
    """A list of parameters; index it, loop over it, append to it.  Tensors become parameters."""

    def __init__(self, values: Iterable[Tensor] = ()):
        super().__init__()
        self.extend(values)

    def append(self, value: Tensor) -> ParameterList:
        """Add a parameter at the end; returns self."""
        self._parameters[str(len(self))] = _as_parameter(value)
        return self

    def extend(self, values: Iterable[Tensor]) -> ParameterList:
        """Add parameters at the end; returns self."""
        for value in values:
            self.append(value)
        return self

    def __len__(self) -> int:
        return len(self._parameters)

    def __iter__(self) -> Iterator[Parameter]:
        return iter(self._parameters.values())

    def __getitem__(self, index: int | slice) -> Any:
        found = list(self._parameters.values())[index]
        return ParameterList(found) if isinstance(found, list) else found

    def __setitem__(self, index: int, value: Tensor) -> None:
        self._parameters[list(self._parameters)[index]] = _as_parameter(value)


class ParameterDict(Module):
    """Parameters by name.  Tensors become parameters."""

    def __init__(self, parameters: Mapping[str, Tensor] | None = None):
        super().__init__()
        for name, value in (parameters or {}).items():
            self[name] = value

    def __getitem__(self, name: str) -> Parameter:
        return self._parameters[name]

    def __setitem__(self, name: str, value: Tensor) -> None:
        self._parameters[name] = _as_parameter(value)

    def __contains__(self, name: str) -> bool:
        return name in self._parameters

    def __iter__(self) -> Iterator[str]:
        return iter(self._parameters)

    def __len__(self) -> int:
        return len(self._parameters)

    def keys(self) -> Iterable[str]:
        """Return the names."""
        return self._parameters.keys()

    def values(self) -> Iterable[Parameter]:
        """Return the parameters."""
        return self._parameters.values()

    def items(self) -> Iterable[tuple[str, Parameter]]:
        """Return (name, parameter) pairs."""
        return self._parameters.items()

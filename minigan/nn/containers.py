"""Modules made of modules: Sequential runs them in turn, ModuleList only holds them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from minigan.nn.module import Module


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

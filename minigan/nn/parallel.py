"""PyTorch's wrapper for several cards.  Here one device computes, so the wrapped module simply runs."""

from __future__ import annotations

from typing import Any

from minigan.nn.module import Module
from minigan.tensor import Tensor


class DataParallel(Module):
    """(whatever the module takes) -> what it returns: ``module`` itself, its names behind "module.".

    PyTorch spreads the batch over ``device_ids``; one device computes it whole here, with the same result but
    for batch norm, which sees the whole batch.  `state_dict` has PyTorch's keys, "module.weight" and so on.
    """

    def __init__(self, module: Module, device_ids: Any = None, output_device: Any = None, dim: int = 0):
        super().__init__()
        self.module = module
        self.dim = dim

    def forward(self, *inputs: Any, **kwargs: Any) -> Any:
        return self.module(*inputs, **kwargs)


def data_parallel(
    module: Module,
    inputs: Any,
    device_ids: Any = None,
    output_device: Any = None,
    dim: int = 0,
    module_kwargs: Any = None,
) -> Tensor:
    """Return ``module(*inputs)``; see `DataParallel`."""
    given = inputs if isinstance(inputs, tuple) else (inputs,)
    return module(*given, **(module_kwargs or {}))

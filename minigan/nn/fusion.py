"""Layers that are one operation where they stand side by side.

A definition stays as it is, and so do the names of parameters: the second of two layers gives its work to the
first, and `Identity` takes its place.
"""

from __future__ import annotations

from collections import Counter

from minigan.nn.activation import LeakyReLU, ReLU
from minigan.nn.containers import Sequential
from minigan.nn.module import Module
from minigan.nn.normalisation import BatchNorm1d, BatchNorm2d
from minigan.nn.shaping import Identity


def fuse(module: Module) -> Module:
    """Let every batch norm in a Sequential do the ReLU or leaky ReLU behind it too; returns the module.

    Two passes over memory become one, and values stay the same.  Layers that have hooks, and norms that
    stand in several places, are left alone.  ``torch.ao.quantization.fuse_modules`` changes a net alike.
    """
    chains = [m for m in module.modules() if type(m) is Sequential]
    places = Counter(id(child) for m in module.modules() for child in m._modules.values())
    for chain in chains:
        names = list(chain._modules)
        for name, after in zip(names, names[1:], strict=False):
            norm, activation = chain._modules[name], chain._modules[after]
            if type(norm) not in (BatchNorm1d, BatchNorm2d) or type(activation) not in (ReLU, LeakyReLU):
                continue
            slope = getattr(activation, "negative_slope", 0.0)
            watched = any(m._before or m._after for m in (norm, activation))
            if slope >= 0 and not watched and places[id(norm)] == 1 and norm.negative_slope is None:
                norm.negative_slope = slope
                chain._modules[after] = Identity()
    return module

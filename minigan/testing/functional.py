"""A layer as a function of its input *and* its parameters, so that one record covers both."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minigan.nn.module import Module
from minigan.tensor import Tensor


def functional(build: Callable[..., Module]) -> Callable[..., Any]:
    """Return `call(*inputs, *parameters, **settings)`, the layer's output, for the `fn` of an `OpCase`.

    `build(*inputs, *parameters, **settings)` makes the layer anew for every call (it may read sizes off the
    Tensors) in the mode it is to be checked in.  The last Tensors take the places of its parameters, in the
    order of `named_parameters`; its buffers move to their device and dtype.

        OpCase("dense", functional(lambda x, w, b: nn.Linear(w.shape[1], w.shape[0])), samples, oracle)
    """

    def call(*tensors: Tensor, **settings: Any) -> Any:
        layer = build(*tensors, **settings)
        places = [(owner._parameters, name) for owner in layer.modules() for name in owner._parameters]
        inputs, values = tensors[: len(tensors) - len(places)], tensors[len(tensors) - len(places) :]
        for like in [tensor for tensor in tensors if tensor.dtype.kind == "f"][:1]:
            layer.to(like.device, like.dtype)
        for (registry, name), value in zip(places, values, strict=True):
            registry[name] = value  # type: ignore[assignment]  # a Tensor of the checker, not a Parameter
        return layer(*inputs)

    return call

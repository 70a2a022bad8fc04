"""The update rules.  Each is a dozen in-place passes over one flat chunk; see `optimizer` for the walk."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import sqrt
from typing import Any

from minigan import backend, cuda
from minigan.backend import Array
from minigan.cuda import chains
from minigan.errors import ArgumentError
from minigan.optim.optimizer import Optimizer


def _decayed(p: Array, g: Array, weight_decay: float) -> Array:
    """g + weight_decay p, the gradient with an L2 penalty's; g itself where there is none."""
    return g + weight_decay * p if weight_decay else g


class SGD(Optimizer):
    """p -= lr b, where b = momentum b + (1 - dampening) (g + weight_decay p), and b = g at the first step.

    ``nesterov`` steps along g + momentum b instead.  Sutskever et al., ICML 2013 (in PyTorch's form, where lr
    stands outside b).
    """

    def __init__(
        self,
        params: Iterable[Any],
        *,
        lr: float = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
    ):
        defaults = {"lr": lr, "momentum": momentum, "dampening": dampening}
        super().__init__(params, {**defaults, "weight_decay": weight_decay, "nesterov": nesterov})

    def check(self, group: Mapping[str, Any]) -> None:
        super().check(group)
        if group["nesterov"] and (group["momentum"] <= 0 or group["dampening"] != 0):
            raise ArgumentError("SGD: nesterov needs momentum > 0 and dampening = 0")

    def slots(self, group: Mapping[str, Any]) -> tuple[str, ...]:
        return ("momentum_buffer",) if group["momentum"] else ()

    def update(
        self, p: Array, g: Array, scratch: Array, moments: Mapping[str, Array], step: int, group: Mapping
    ) -> None:
        xp, momentum = backend.namespace(p), group["momentum"]
        g = _decayed(p, g, group["weight_decay"])
        if momentum:
            b = moments["momentum_buffer"]
            if step == 1:
                b[...] = g
            else:
                b *= momentum
                xp.multiply(g, 1.0 - group["dampening"], out=scratch)
                b += scratch
            g = g + momentum * b if group["nesterov"] else b
        xp.multiply(g, group["lr"], out=scratch)
        p -= scratch


class RMSprop(Optimizer):
    """v = alpha v + (1 - alpha) g**2;  p -= lr g / (sqrt(v) + eps).

    ``centered`` takes the variance v - (mean of g)**2 in place of v; ``momentum`` collects the steps.
    Hinton, lecture 6e of Neural Networks for Machine Learning, 2012; centred: Graves, arXiv 1308.0850.
    """

    def __init__(
        self,
        params: Iterable[Any],
        *,
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
        centered: bool = False,
    ):
        defaults = {"lr": lr, "alpha": alpha, "eps": eps, "weight_decay": weight_decay}
        super().__init__(params, {**defaults, "momentum": momentum, "centered": centered})

    def slots(self, group: Mapping[str, Any]) -> tuple[str, ...]:
        more = ("grad_avg",) * bool(group["centered"]) + ("momentum_buffer",) * bool(group["momentum"])
        return ("square_avg", *more)

    def update(
        self, p: Array, g: Array, scratch: Array, moments: Mapping[str, Array], step: int, group: Mapping
    ) -> None:
        xp, alpha, v = backend.namespace(p), group["alpha"], moments["square_avg"]
        g = _decayed(p, g, group["weight_decay"])
        v *= alpha
        xp.multiply(g, g, out=scratch)
        scratch *= 1.0 - alpha
        v += scratch
        if group["centered"]:
            mean = moments["grad_avg"]
            mean *= alpha
            xp.multiply(g, 1.0 - alpha, out=scratch)
            mean += scratch
            xp.multiply(mean, mean, out=scratch)
            xp.subtract(v, scratch, out=scratch)
            xp.sqrt(scratch, out=scratch)
        else:
            xp.sqrt(v, out=scratch)
        scratch += group["eps"]
        xp.divide(g, scratch, out=scratch)
        if group["momentum"]:
            b = moments["momentum_buffer"]
            b *= group["momentum"]
            b += scratch
            scratch[...] = b
        scratch *= group["lr"]
        p -= scratch


class Adam(Optimizer):
    """m = b1 m + (1 - b1) g;  v = b2 v + (1 - b2) g**2;  p -= lr m' / (sqrt(v') + eps).

    m' = m / (1 - b1**t) and v' = v / (1 - b2**t) undo the start at zero.  ``weight_decay`` adds
    weight_decay p to g; ``amsgrad`` divides by the largest v so far.  Kingma and Ba, arXiv 1412.6980,
    algorithm 1; Reddi et al., arXiv 1904.09237.
    """

    decoupled = False

    def __init__(
        self,
        params: Iterable[Any],
        *,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        amsgrad: bool = False,
    ):
        defaults = {"lr": lr, "betas": tuple(betas), "eps": eps}
        super().__init__(params, {**defaults, "weight_decay": weight_decay, "amsgrad": amsgrad})

    def slots(self, group: Mapping[str, Any]) -> tuple[str, ...]:
        return ("exp_avg", "exp_avg_sq") + ("max_exp_avg_sq",) * bool(group["amsgrad"])

    def update(
        self, p: Array, g: Array, scratch: Array, moments: Mapping[str, Array], step: int, group: Mapping
    ) -> None:
        xp, (beta1, beta2), lr = backend.namespace(p), group["betas"], group["lr"]
        m, v = moments["exp_avg"], moments["exp_avg_sq"]
        if self.one_kernel(p, group):
            return self._in_one_kernel(p, m, v, g, step, group)
        if not self.decoupled:
            g = _decayed(p, g, group["weight_decay"])
        elif group["weight_decay"]:
            p *= 1.0 - lr * group["weight_decay"]
        m *= beta1
        xp.multiply(g, 1.0 - beta1, out=scratch)
        m += scratch
        v *= beta2
        xp.multiply(g, g, out=scratch)
        scratch *= 1.0 - beta2
        v += scratch
        if group["amsgrad"]:
            v = xp.maximum(moments["max_exp_avg_sq"], v, out=moments["max_exp_avg_sq"])
        # m' / (sqrt(v') + eps) with both sides times r = sqrt(1 - b2**t): one pass fewer.
        r = sqrt(1.0 - beta2**step)
        xp.sqrt(v, out=scratch)
        scratch += group["eps"] * r
        xp.divide(m, scratch, out=scratch)
        scratch *= lr * r / (1.0 - beta1**step)
        p -= scratch

    def one_kernel(self, p: Array, group: Mapping) -> bool:
        return cuda.available(p) and not group["amsgrad"]

    def _in_one_kernel(self, p: Array, m: Array, v: Array, g: Array, step: int, group: Mapping) -> None:
        """The rule below in one pass; the same numbers stand outside the loop."""
        (beta1, beta2), lr, decay = group["betas"], group["lr"], group["weight_decay"]
        r = sqrt(1.0 - beta2**step)
        chains.adam(
            p, m, v, g,
            shrink=1.0 - lr * decay if self.decoupled else 1.0, decay=0.0 if self.decoupled else decay,
            betas=(beta1, beta2), eps=group["eps"] * r, rate=lr * r / (1.0 - beta1**step),
        )  # fmt: skip


class AdamW(Adam):
    """Adam whose weight decay shrinks p by lr weight_decay directly, outside the moments.

    Loshchilov and Hutter, arXiv 1711.05101, algorithm 2.
    """

    decoupled = True

    def __init__(
        self,
        params: Iterable[Any],
        *,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
    ):
        super().__init__(params, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay, amsgrad=amsgrad)

"""The update rules: each class's docstring is its formula, and `update` says it in arrays."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from minigan import backend
from minigan.backend import Array
from minigan.errors import ArgumentError
from minigan.optim.optimizer import Optimizer


def decayed(p: Array, g: Array, weight_decay: float) -> Array:
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
        lr: float = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        **without_effect: Any,
    ):
        defaults = {"lr": lr, "momentum": momentum, "dampening": dampening, "maximize": maximize}
        defaults |= {"weight_decay": weight_decay, "nesterov": nesterov}
        super().__init__(params, defaults, **without_effect)

    def check(self, group: Mapping[str, Any]) -> None:
        super().check(group)
        if group["nesterov"] and (group["momentum"] <= 0 or group["dampening"] != 0):
            raise ArgumentError("SGD: nesterov needs momentum > 0 and dampening = 0")

    def slots(self, group: Mapping[str, Any]) -> tuple[str, ...]:
        return ("momentum_buffer",) if group["momentum"] else ()

    def update(self, p: Array, g: Array, state: Mapping[str, Any], group: Mapping[str, Any]) -> None:
        momentum = group["momentum"]
        g = decayed(p, g, group["weight_decay"])
        if momentum:
            b = state["momentum_buffer"]
            b[...] = g if state["step"] == 1 else momentum * b + (1 - group["dampening"]) * g
            g = g + momentum * b if group["nesterov"] else b
        p -= group["lr"] * g


class RMSprop(Optimizer):
    """v = alpha v + (1 - alpha) g**2;  p -= lr g / (sqrt(v) + eps).

    ``centered`` takes the variance v - (mean of g)**2 in place of v; ``momentum`` collects the steps.
    Hinton, lecture 6e of Neural Networks for Machine Learning, 2012; centred: Graves, arXiv 1308.0850.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
        centered: bool = False,
        *,
        maximize: bool = False,
        **without_effect: Any,
    ):
        defaults = {"lr": lr, "alpha": alpha, "eps": eps, "weight_decay": weight_decay, "maximize": maximize}
        super().__init__(params, {**defaults, "momentum": momentum, "centered": centered}, **without_effect)

    def slots(self, group: Mapping[str, Any]) -> tuple[str, ...]:
        more = ("grad_avg",) * bool(group["centered"]) + ("momentum_buffer",) * bool(group["momentum"])
        return ("square_avg", *more)

    def update(self, p: Array, g: Array, state: Mapping[str, Any], group: Mapping[str, Any]) -> None:
        alpha, v = group["alpha"], state["square_avg"]
        g = decayed(p, g, group["weight_decay"])
        v[...] = alpha * v + (1 - alpha) * g * g
        if group["centered"]:
            mean = state["grad_avg"]
            mean[...] = alpha * mean + (1 - alpha) * g
            v = v - mean * mean
        step = g / (backend.namespace(p).sqrt(v) + group["eps"])
        if group["momentum"]:
            b = state["momentum_buffer"]
            b[...] = group["momentum"] * b + step
            step = b
        p -= group["lr"] * step


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
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        **without_effect: Any,
    ):
        defaults = {"lr": lr, "betas": tuple(betas), "eps": eps, "maximize": maximize}
        defaults |= {"weight_decay": weight_decay, "amsgrad": amsgrad}
        super().__init__(params, defaults, **without_effect)

    def slots(self, group: Mapping[str, Any]) -> tuple[str, ...]:
        return ("exp_avg", "exp_avg_sq") + ("max_exp_avg_sq",) * bool(group["amsgrad"])

    def update(self, p: Array, g: Array, state: Mapping[str, Any], group: Mapping[str, Any]) -> None:
        xp, (beta1, beta2), t, lr = backend.namespace(p), group["betas"], state["step"], group["lr"]
        m, v = state["exp_avg"], state["exp_avg_sq"]
        if self.decoupled:
            p *= 1 - lr * group["weight_decay"]
        else:
            g = decayed(p, g, group["weight_decay"])
        m[...] = beta1 * m + (1 - beta1) * g
        v[...] = beta2 * v + (1 - beta2) * g * g
        if group["amsgrad"]:
            v = xp.maximum(state["max_exp_avg_sq"], v, out=state["max_exp_avg_sq"])
        p -= lr * (m / (1 - beta1**t)) / (xp.sqrt(v / (1 - beta2**t)) + group["eps"])


class AdamW(Adam):
    """Adam whose weight decay shrinks p by lr weight_decay directly, outside the moments.

    Loshchilov and Hutter, arXiv 1711.05101, algorithm 2.
    """

    decoupled = True

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        **settings: Any,
    ):
        super().__init__(params, lr, betas, eps, weight_decay, amsgrad, **settings)


class Adagrad(Optimizer):
    """v = v + g**2;  p -= lr' g / (sqrt(v) + eps), where lr' = lr / (1 + (t - 1) lr_decay) at step t.

    v starts at ``initial_accumulator_value`` (>= 0); ``weight_decay`` adds weight_decay p to g.
    Duchi, Hazan and Singer, JMLR 12, 2011.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        lr_decay: float = 0.0,
        weight_decay: float = 0.0,
        initial_accumulator_value: float = 0.0,
        eps: float = 1e-10,
        *,
        maximize: bool = False,
        **without_effect: Any,
    ):
        defaults = {"lr": lr, "lr_decay": lr_decay, "eps": eps, "weight_decay": weight_decay}
        defaults |= {"initial_accumulator_value": initial_accumulator_value, "maximize": maximize}
        super().__init__(params, defaults, **without_effect)

    def check(self, group: Mapping[str, Any]) -> None:
        super().check(group)
        if not (first := group["initial_accumulator_value"]) >= 0.0:
            raise ArgumentError(f"Adagrad: initial_accumulator_value must be >= 0, got {first}")

    def slots(self, group: Mapping[str, Any]) -> tuple[str, ...]:
        return ("sum",)

    def start(self, group: Mapping[str, Any]) -> float:
        return group["initial_accumulator_value"]

    def update(self, p: Array, g: Array, state: Mapping[str, Any], group: Mapping[str, Any]) -> None:
        v = state["sum"]
        g = decayed(p, g, group["weight_decay"])
        v += g * g
        lr = group["lr"] / (1 + (state["step"] - 1) * group["lr_decay"])
        p -= lr * g / (backend.namespace(p).sqrt(v) + group["eps"])

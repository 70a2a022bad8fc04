"""Two more rules with a step for each element: by its largest gradient, by the size of its last steps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from minigan import backend
from minigan.backend import Array
from minigan.errors import ArgumentError
from minigan.optim.optimizer import Optimizer
from minigan.optim.rules import decayed


class Adamax(Optimizer):
    """m = b1 m + (1 - b1) g;  u = max(b2 u, |g| + eps);  p -= lr m / (1 - b1**t) / u.

    ``weight_decay`` adds weight_decay p to g.  Kingma and Ba, arXiv 1412.6980, algorithm 2.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
        **without_effect: Any,
    ):
        defaults = {"lr": lr, "betas": tuple(betas), "eps": eps, "maximize": maximize}
        super().__init__(params, {**defaults, "weight_decay": weight_decay}, **without_effect)

    def slots(self, group: Mapping[str, Any]) -> tuple[str, ...]:
        return ("exp_avg", "exp_inf")

    def update(self, p: Array, g: Array, state: Mapping[str, Any], group: Mapping[str, Any]) -> None:
        xp, (beta1, beta2), m, u = backend.namespace(p), group["betas"], state["exp_avg"], state["exp_inf"]
        g = decayed(p, g, group["weight_decay"])
        m[...] = beta1 * m + (1 - beta1) * g
        u[...] = xp.maximum(beta2 * u, xp.absolute(g) + group["eps"])
        p -= group["lr"] / (1 - beta1 ** state["step"]) * m / u


class Adadelta(Optimizer):
    """v = rho v + (1 - rho) g**2;  d = g sqrt(a + eps) / sqrt(v + eps);  p -= lr d.

    Then a = rho a + (1 - rho) d**2, so that steps are about as large as earlier ones.  ``weight_decay`` adds
    weight_decay p to g.  Zeiler, arXiv 1212.5701, algorithm 1 (lr is 1 there).
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
        **without_effect: Any,
    ):
        defaults = {"lr": lr, "rho": rho, "eps": eps, "weight_decay": weight_decay, "maximize": maximize}
        super().__init__(params, defaults, **without_effect)

    def check(self, group: Mapping[str, Any]) -> None:
        super().check(group)
        if not 0.0 <= group["rho"] <= 1.0:
            raise ArgumentError(f"Adadelta: rho must lie in [0, 1], got {group['rho']}")

    def slots(self, group: Mapping[str, Any]) -> tuple[str, ...]:
        return ("square_avg", "acc_delta")

    def update(self, p: Array, g: Array, state: Mapping[str, Any], group: Mapping[str, Any]) -> None:
        xp, rho, eps = backend.namespace(p), group["rho"], group["eps"]
        v, a = state["square_avg"], state["acc_delta"]
        g = decayed(p, g, group["weight_decay"])
        v[...] = rho * v + (1 - rho) * g * g
        step = g * xp.sqrt(a + eps) / xp.sqrt(v + eps)
        a[...] = rho * a + (1 - rho) * step * step
        p -= group["lr"] * step

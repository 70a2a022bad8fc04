"""Learning-rate schedules: ``schedule.step()`` after every epoch (or step) sets each group's ``lr``.

Each is a closed formula of the number of steps t and the rate at the start, so a schedule can be saved as
one number and never drifts.  A rate that something else has changed meanwhile (by hand, or by a second
schedule) is multiplied by the formula's own change, so that schedules can be chained.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from math import cos, pi
from typing import Any

from minigan.errors import ArgumentError
from minigan.optim.optimizer import Optimizer


class LRScheduler:
    """Base: subclasses give the rate at step t by `rate`.  The starting rates are the optimiser's now.

    ``last_epoch`` continues a run: with k >= 0 the first rate is that of step k + 1, and the starting rates
    are the groups' "initial_lr", which an earlier schedule wrote (ArgumentError where none did).
    """

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1):
        self.optimizer = optimizer
        self.last_epoch = last_epoch + 1
        for group in optimizer.param_groups:
            if last_epoch >= 0 and "initial_lr" not in group:
                raise ArgumentError(
                    f"{type(self).__name__}: last_epoch={last_epoch} needs 'initial_lr' in every group; "
                    "load the optimiser's state first"
                )
            group.setdefault("initial_lr", group["lr"])
        self.base_lrs = [group["initial_lr"] for group in optimizer.param_groups]
        self._formula = list(self.base_lrs)  # what the formula last gave, before anybody changed it
        self._set()

    def rate(self, base: float, t: int) -> float:
        """Return the learning rate at step t for a group that started at ``base``."""
        raise NotImplementedError

    def rates(self, t: int) -> list[float]:
        """Return every group's learning rate at step t."""
        return [self.rate(base, t) for base in self.base_lrs]

    def _set(self, whole: bool = False) -> None:
        """Set the rates to the formula's, or, unless ``whole``, multiply what somebody else has set."""
        before, self._formula = self._formula, self.rates(self.last_epoch)
        for group, old, new in zip(self.optimizer.param_groups, before, self._formula, strict=True):
            alone = whole or group["lr"] == old or not old
            group["lr"] = new if alone else group["lr"] * (new / old)

    def step(self, epoch: int | None = None) -> None:
        """Count one step, or go to step ``epoch``, and set the rates."""
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        self._set(whole=epoch is not None)

    def get_last_lr(self) -> list[float]:
        """Return each group's rate."""
        return [group["lr"] for group in self.optimizer.param_groups]

    def state_dict(self) -> dict[str, Any]:
        """Return the step count and the starting rates."""
        return {"last_epoch": self.last_epoch, "base_lrs": list(self.base_lrs)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over a step count and starting rates and set the rates."""
        if len(state["base_lrs"]) != len(self.base_lrs):
            raise ArgumentError(
                f"{type(self).__name__}: expected {len(self.base_lrs)} groups, got {len(state['base_lrs'])}"
            )
        self.last_epoch, self.base_lrs = int(state["last_epoch"]), list(state["base_lrs"])
        self._set(whole=True)


Factor = Callable[[int], float]


def for_each_group(who: str, optimizer: Optimizer, given: Any) -> list[Any]:
    """Return a list of one entry a group, from such a list or from one value for all."""
    count = len(optimizer.param_groups)
    found = list(given) if isinstance(given, (list, tuple)) else [given] * count
    if len(found) != count:
        raise ArgumentError(f"{who}: expected one for each of {count} groups, got {len(found)}")
    return found


class LambdaLR(LRScheduler):
    """base * lr_lambda(t); ``lr_lambda`` is a function, or a list of them, one a group."""

    def __init__(self, optimizer: Optimizer, lr_lambda: Factor | Sequence[Factor], last_epoch: int = -1):
        self.lr_lambdas = for_each_group("LambdaLR", optimizer, lr_lambda)
        super().__init__(optimizer, last_epoch)

    def rates(self, t: int) -> list[float]:
        return [base * factor(t) for base, factor in zip(self.base_lrs, self.lr_lambdas, strict=True)]


class MultiplicativeLR(LRScheduler):
    """base * lr_lambda(1) ... lr_lambda(t); ``lr_lambda`` is a function, or a list of them, one a group."""

    def __init__(self, optimizer: Optimizer, lr_lambda: Factor | Sequence[Factor], last_epoch: int = -1):
        self.lr_lambdas = for_each_group("MultiplicativeLR", optimizer, lr_lambda)
        self._products = [[1.0] * len(self.lr_lambdas)]  # of the factors up to each step
        super().__init__(optimizer, last_epoch)

    def rates(self, t: int) -> list[float]:
        for k in range(len(self._products), t + 1):
            self._products.append(
                [p * f(k) for p, f in zip(self._products[-1], self.lr_lambdas, strict=True)]
            )
        return [base * product for base, product in zip(self.base_lrs, self._products[t], strict=True)]


class StepLR(LRScheduler):
    """base * gamma**(t // step_size)."""

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1):
        if step_size < 1:
            raise ArgumentError(f"StepLR: step_size must be >= 1, got {step_size}")
        self.step_size, self.gamma = step_size, gamma
        super().__init__(optimizer, last_epoch)

    def rate(self, base: float, t: int) -> float:
        return base * self.gamma ** (t // self.step_size)


class MultiStepLR(LRScheduler):
    """base * gamma**(number of milestones reached)."""

    def __init__(
        self, optimizer: Optimizer, milestones: Iterable[int], gamma: float = 0.1, last_epoch: int = -1
    ):
        self.milestones, self.gamma = sorted(milestones), gamma
        super().__init__(optimizer, last_epoch)

    def rate(self, base: float, t: int) -> float:
        return base * self.gamma ** bisect_right(self.milestones, t)


class ExponentialLR(LRScheduler):
    """base * gamma**t."""

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1):
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def rate(self, base: float, t: int) -> float:
        return base * self.gamma**t


class LinearLR(LRScheduler):
    """base * (start_factor towards end_factor over total_iters steps, then constant)."""

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1.0 / 3.0,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
    ):
        if not 0.0 < start_factor <= 1.0 or not 0.0 <= end_factor <= 1.0 or total_iters < 1:
            raise ArgumentError(
                "LinearLR: expected 0 < start_factor <= 1, 0 <= end_factor <= 1 and total_iters >= 1, "
                f"got {start_factor}, {end_factor}, {total_iters}"
            )
        self.start_factor, self.end_factor, self.total_iters = start_factor, end_factor, total_iters
        super().__init__(optimizer, last_epoch)

    def rate(self, base: float, t: int) -> float:
        share = min(t, self.total_iters) / self.total_iters
        return base * (self.start_factor + share * (self.end_factor - self.start_factor))


class ConstantLR(LRScheduler):
    """base * factor during the first total_iters steps, then base."""

    def __init__(
        self, optimizer: Optimizer, factor: float = 1.0 / 3.0, total_iters: int = 5, last_epoch: int = -1
    ):
        if not 0.0 <= factor <= 1.0:
            raise ArgumentError(f"ConstantLR: factor must lie in [0, 1], got {factor}")
        self.factor, self.total_iters = factor, total_iters
        super().__init__(optimizer, last_epoch)

    def rate(self, base: float, t: int) -> float:
        return base * self.factor if t < self.total_iters else base


class PolynomialLR(LRScheduler):
    """base (1 - t / total_iters)**power, 0 from total_iters on."""

    def __init__(self, optimizer: Optimizer, total_iters: int = 5, power: float = 1.0, last_epoch: int = -1):
        if total_iters < 1:
            raise ArgumentError(f"PolynomialLR: total_iters must be >= 1, got {total_iters}")
        self.total_iters, self.power = total_iters, power
        super().__init__(optimizer, last_epoch)

    def rate(self, base: float, t: int) -> float:
        return base * (1.0 - min(t, self.total_iters) / self.total_iters) ** self.power


class CosineAnnealingLR(LRScheduler):
    """eta_min + (base - eta_min) (1 + cos(pi t / T_max)) / 2.  Loshchilov and Hutter, arXiv 1608.03983."""

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1):
        if T_max < 1:
            raise ArgumentError(f"CosineAnnealingLR: T_max must be >= 1, got {T_max}")
        self.T_max, self.eta_min = T_max, eta_min
        super().__init__(optimizer, last_epoch)

    def rate(self, base: float, t: int) -> float:
        return self.eta_min + (base - self.eta_min) * (1.0 + cos(pi * t / self.T_max)) / 2.0


class CosineAnnealingWarmRestarts(LRScheduler):
    """`CosineAnnealingLR` over T_0 steps, then from the top over T_mult times as many, and so on.

    Loshchilov and Hutter, arXiv 1608.03983, equation 5.
    """

    def __init__(
        self, optimizer: Optimizer, T_0: int, T_mult: int = 1, eta_min: float = 0.0, last_epoch: int = -1
    ):
        if T_0 < 1 or T_mult < 1:
            raise ArgumentError(
                f"CosineAnnealingWarmRestarts: T_0 and T_mult must be >= 1, got {T_0} and {T_mult}"
            )
        self.T_0, self.T_mult, self.eta_min = T_0, T_mult, eta_min
        super().__init__(optimizer, last_epoch)

    def rate(self, base: float, t: int) -> float:
        length = self.T_0
        while t >= length:
            t, length = t - length, length * self.T_mult
        return self.eta_min + (base - self.eta_min) * (1.0 + cos(pi * t / length)) / 2.0

"""Schedules that are more than one formula: a cycle, a sequence of others, and one that watches the loss."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from math import cos, inf, pi
from typing import Any

from minigan.errors import ArgumentError
from minigan.optim.lr_scheduler.formulas import LRScheduler, for_each_group
from minigan.optim.optimizer import Optimizer


class OneCycleLR(LRScheduler):
    """From max_lr / div_factor up to max_lr, then down to max_lr / (div_factor final_div_factor).

    Of ``total_steps`` (or ``epochs`` times ``steps_per_epoch``) the share ``pct_start`` goes up.  Where
    ``cycle_momentum``, SGD's momentum or Adam's first beta goes the other way, from max_momentum to
    base_momentum and back.  ``anneal_strategy``: "cos" or "linear".  Smith and Topin, arXiv 1708.07120.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float | Sequence[float],
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        cycle_momentum: bool = True,
        base_momentum: float = 0.85,
        max_momentum: float = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        *,
        last_epoch: int = -1,
    ):
        self.total_steps = (epochs or 0) * (steps_per_epoch or 0) if total_steps is None else total_steps
        if self.total_steps < 1 or not 0.0 <= pct_start <= 1.0 or anneal_strategy not in ("cos", "linear"):
            raise ArgumentError(
                "OneCycleLR: expected total_steps (or epochs and steps_per_epoch) >= 1, 0 <= pct_start <= 1, "
                f"anneal_strategy 'cos' or 'linear', got {self.total_steps}, {pct_start}, {anneal_strategy!r}"
            )
        self.max_lrs = for_each_group("OneCycleLR: max_lr", optimizer, max_lr)
        self.top, self.linear = pct_start * self.total_steps - 1, anneal_strategy == "linear"
        self.div_factor, self.final_div_factor = div_factor, final_div_factor
        self.momenta = (max_momentum, base_momentum) if cycle_momentum else None
        if cycle_momentum:
            _check_momenta(optimizer, "OneCycleLR")
        for group, most in zip(optimizer.param_groups, self.max_lrs, strict=True):
            if last_epoch < 0:
                group["lr"] = group["initial_lr"] = most / div_factor
        super().__init__(optimizer, last_epoch)

    def _between(self, t: int, first: float, middle: float, last: float) -> float:
        """What goes from ``first`` by way of ``middle``, at the top of the cycle, to ``last``, at step t."""
        rising = t <= self.top
        left, right = (0.0, self.top) if rising else (self.top, self.total_steps - 1)
        begin, end = (first, middle) if rising else (middle, last)
        share = (t - left) / (right - left) if right > left else 1.0
        return begin + (end - begin) * (share if self.linear else (1.0 - cos(pi * share)) / 2.0)

    def rates(self, t: int) -> list[float]:
        if t > self.total_steps:
            raise ArgumentError(f"OneCycleLR: step {t} of a cycle of {self.total_steps}")
        if self.momenta:
            most, least = self.momenta
            _set_momenta(self.optimizer, [self._between(t, most, least, most)])
        starts = [most / self.div_factor for most in self.max_lrs]
        ends = [start / self.final_div_factor for start in starts]
        return [self._between(t, *three) for three in zip(starts, self.max_lrs, ends, strict=True)]


def _set_momenta(optimizer: Optimizer, values: list[float]) -> None:
    """Give every group its momentum, or Adam's first beta; one value is for all."""
    for i, group in enumerate(optimizer.param_groups):
        value = values[i % len(values)]
        if "betas" in group:
            group["betas"] = (value, *group["betas"][1:])
        else:
            group["momentum"] = value


def _check_momenta(optimizer: Optimizer, who: str) -> None:
    if not optimizer.defaults.keys() & {"betas", "momentum"}:
        raise ArgumentError(
            f"{who}: {type(optimizer).__name__} has no momentum to cycle; pass cycle_momentum=False"
        )


def _heights(gamma: float) -> dict[str, tuple[Callable[[float], float], str]]:
    """Mode -> the height of a cycle, and what it is a function of."""
    return {
        "triangular": (lambda n: 1.0, "cycle"),
        "triangular2": (lambda n: 2.0 ** (1 - n), "cycle"),
        "exp_range": (lambda t: gamma**t, "iterations"),
    }


class CyclicLR(LRScheduler):
    """From base_lr up to max_lr in ``step_size_up`` steps and down in ``step_size_down``, over and over.

    Cycle n = 1, 2, ... is as high as mode "triangular" (always 1), "triangular2" (2**(1 - n)) or
    "exp_range" (gamma**t, at step t) says, or ``scale_fn`` of n ("cycle") or t ("iterations").  Where
    ``cycle_momentum``, momentum or Adam's first beta goes the other way.  Smith, arXiv 1506.01186.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        base_lr: float | Sequence[float],
        max_lr: float | Sequence[float],
        step_size_up: int = 2000,
        step_size_down: int | None = None,
        mode: str = "triangular",
        gamma: float = 1.0,
        scale_fn: Callable[[float], float] | None = None,
        scale_mode: str = "cycle",
        cycle_momentum: bool = True,
        base_momentum: float | Sequence[float] = 0.8,
        max_momentum: float | Sequence[float] = 0.9,
        last_epoch: int = -1,
    ):
        scales = _heights(gamma)
        if mode not in scales and scale_fn is None or scale_mode not in ("cycle", "iterations"):
            raise ArgumentError(
                f"CyclicLR: expected mode {', '.join(scales)} and scale_mode cycle or iterations, "
                f"got {mode!r}, {scale_mode!r}"
            )
        self.up = step_size_up
        self.length = step_size_up + (step_size_up if step_size_down is None else step_size_down)
        self.scale, self.scale_mode = scales[mode] if scale_fn is None else (scale_fn, scale_mode)
        self.least = for_each_group("CyclicLR: base_lr", optimizer, base_lr)
        self.most = for_each_group("CyclicLR: max_lr", optimizer, max_lr)
        given = (base_momentum, max_momentum) if cycle_momentum else ()
        self.momenta = [for_each_group("CyclicLR: momenta", optimizer, value) for value in given]
        if cycle_momentum:
            _check_momenta(optimizer, "CyclicLR")
        for group, rate in zip(optimizer.param_groups, self.least, strict=True):
            if last_epoch < 0:
                group["lr"] = group["initial_lr"] = rate
        super().__init__(optimizer, last_epoch)

    def rates(self, t: int) -> list[float]:
        cycle, step = divmod(t, self.length)
        share = step / self.up if step <= self.up else (self.length - step) / (self.length - self.up)
        share *= self.scale(cycle + 1 if self.scale_mode == "cycle" else t)
        if self.momenta:
            pairs = zip(*self.momenta, strict=True)
            _set_momenta(self.optimizer, [most - (most - least) * share for least, most in pairs])
        return [low + (high - low) * share for low, high in zip(self.least, self.most, strict=True)]


class SequentialLR(LRScheduler):
    """One schedule after another: the i-th from step ``milestones[i - 1]`` on, each counting from 0."""

    def __init__(
        self,
        optimizer: Optimizer,
        schedulers: Sequence[LRScheduler],
        milestones: Sequence[int],
        last_epoch: int = -1,
    ):
        if len(milestones) != len(schedulers) - 1 or any(s.optimizer is not optimizer for s in schedulers):
            raise ArgumentError(
                "SequentialLR: expected schedules of this optimiser and one milestone fewer, got "
                f"{len(schedulers)} schedules and {len(milestones)} milestones"
            )
        self.schedulers, self.milestones = list(schedulers), list(milestones)
        for group in optimizer.param_groups:  # which every schedule has set when it was made
            group["lr"] = group["initial_lr"]
        super().__init__(optimizer, last_epoch)

    def rates(self, t: int) -> list[float]:
        i = bisect_right(self.milestones, t)
        inner = self.schedulers[i]
        inner.last_epoch = t - (self.milestones[i - 1] if i else 0)
        return inner.rates(inner.last_epoch)


class ReduceLROnPlateau(LRScheduler):
    """Multiply the rates by ``factor`` once more than ``patience`` steps in a row brought nothing better.

    ``step(metrics)`` takes the number that should fall (``mode`` "min") or rise ("max").  Better means by a
    share ``threshold`` of the best so far (``threshold_mode`` "rel") or by ``threshold`` itself ("abs").
    After a reduction ``cooldown`` steps are not counted; no rate falls below ``min_lr`` (a number, or one a
    group), and a change of at most ``eps`` is left out.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: float | Sequence[float] = 0,
        eps: float = 1e-8,
    ):
        if not factor < 1.0 or mode not in ("min", "max") or threshold_mode not in ("rel", "abs"):
            raise ArgumentError(
                "ReduceLROnPlateau: expected factor < 1, mode 'min' or 'max', threshold_mode 'rel' or "
                f"'abs', got {factor}, {mode!r}, {threshold_mode!r}"
            )
        self.optimizer, self.mode, self.factor, self.patience = optimizer, mode, factor, patience
        self.threshold, self.threshold_mode, self.cooldown, self.eps = (
            threshold,
            threshold_mode,
            cooldown,
            eps,
        )
        self.min_lrs = for_each_group("ReduceLROnPlateau: min_lr", optimizer, min_lr)
        self.best = inf if mode == "min" else -inf
        self.last_epoch = self.num_bad_epochs = self.cooldown_counter = 0

    def _better(self, value: float) -> bool:
        sign = 1.0 if self.mode == "max" else -1.0
        if self.threshold_mode == "rel":
            return sign * value > sign * self.best * (1.0 + sign * self.threshold)
        return sign * value > sign * self.best + self.threshold

    def step(self, metrics: Any, epoch: int | None = None) -> None:  # type: ignore[override]
        """Count one step with its result (a number or a Tensor of one element); perhaps lower the rates."""
        value = float(metrics)
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        better = self._better(value)
        self.best = value if better else self.best
        self.num_bad_epochs = 0 if better or self.cooldown_counter else self.num_bad_epochs + 1
        self.cooldown_counter = max(0, self.cooldown_counter - 1)
        if self.num_bad_epochs > self.patience:
            self.num_bad_epochs, self.cooldown_counter = 0, self.cooldown
            for group, least in zip(self.optimizer.param_groups, self.min_lrs, strict=True):
                lower = max(group["lr"] * self.factor, least)
                group["lr"] = lower if group["lr"] - lower > self.eps else group["lr"]

    _STATE = ("best", "num_bad_epochs", "cooldown_counter", "last_epoch")

    def state_dict(self) -> dict[str, Any]:
        """Return the best result and the counts; the rates themselves are in the optimiser's state."""
        return {name: getattr(self, name) for name in self._STATE}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over the best result and the counts."""
        self.__dict__.update({name: state[name] for name in self._STATE})

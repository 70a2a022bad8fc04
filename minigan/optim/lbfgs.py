"""L-BFGS: a quasi-Newton step from the last few gradients, for smooth functions without noise.

``step(closure)`` is not one step but up to ``max_iter`` of them.  The direction is -H g, where H guesses the
inverse of the second derivative from pairs s (a step) and y (how the gradient changed along it): `direction`.
How far to go is ``lr``, or what `strong_wolfe` finds.  Constants and tests for the end are PyTorch's, which
are minFunc's (M. Schmidt), so that both walk alike.  Nocedal and Wright, Numerical Optimization, 2nd edition:
algorithm 7.4 (the two loops), 3.5 and 3.6 (the line search), equation 3.59 (the cubic).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from math import isnan, nan, sqrt
from typing import Any, NamedTuple

import numpy as np

from minigan import backend
from minigan.backend import Array
from minigan.errors import ArgumentError
from minigan.modes import enable_grad
from minigan.optim.optimizer import Optimizer

ENOUGH, FLAT = 1e-4, 0.9  # c1 and c2 of the Wolfe conditions


class Point(NamedTuple):
    """Where a line search has looked: distance t, value, gradient, and the gradient's part along the line."""

    t: float
    value: float
    gradient: Array
    slope: float


Look = Callable[[float], Point]


class LBFGS(Optimizer):
    """p += t d, where d = -H g from the last ``history_size`` steps.

    ``step(closure)`` needs a closure that clears the gradients, computes the loss, calls backward and returns
    the loss; it is called up to ``max_eval`` times (by default 1.25 ``max_iter``), and the loss at the start
    is returned.  t is ``lr``, or with ``line_search_fn="strong_wolfe"`` a distance that lowers the loss
    enough.  It ends early when no gradient is above ``tolerance_grad`` or a step changes less than
    ``tolerance_change``.  One group of parameters, of one dtype and device; ArgumentError for more.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ):
        defaults = {"lr": lr, "max_iter": max_iter, "history_size": history_size}
        defaults |= {"max_eval": max_iter * 5 // 4 if max_eval is None else max_eval}
        defaults |= {"tolerance_grad": tolerance_grad, "tolerance_change": tolerance_change}
        super().__init__(params, {**defaults, "line_search_fn": line_search_fn})
        self._forget()

    def _forget(self) -> None:
        self.pairs: list[tuple[Array, Array, float]] = []  # (s, y, 1 / (y . s)), the oldest first
        self.scale = 1.0  # H is this times the identity before the pairs are heard
        self.last: tuple[Array, Array] | None = None  # the last step and the gradient before it
        self.iterations = self.evaluations = 0

    def add_param_group(self, group: Mapping[str, Any]) -> None:
        if self.param_groups:
            raise ArgumentError("LBFGS: one group of parameters, whose curvature is guessed together")
        super().add_param_group(group)

    def check(self, group: Mapping[str, Any]) -> None:
        super().check(group)
        if group["line_search_fn"] not in (None, "strong_wolfe"):
            raise ArgumentError(
                f"LBFGS: line_search_fn must be None or 'strong_wolfe', got {group['line_search_fn']!r}"
            )
        if len({(p.dtype, p.device) for p in group["params"]}) != 1:
            raise ArgumentError("LBFGS: parameters must share one dtype and one device")
        if group["maximize"]:
            raise ArgumentError("LBFGS: maximize is not here; return the negative of the loss")

    # ---- all parameters as one vector -----------------------------------------------------------------

    def _gradient(self) -> Array:
        parameters = self.param_groups[0]["params"]
        xp = backend.namespace(parameters[0].array)
        parts = [xp.zeros_like(p.array) if p.grad is None else p.grad.array for p in parameters]
        return xp.concatenate([part.reshape(-1) for part in parts])

    def _move(self, t: float, d: Array) -> None:
        start = 0
        for p in self.param_groups[0]["params"]:
            p.array += t * d[start : start + p.size].reshape(p.shape)
            start += p.size

    def _look(self, closure: Callable[[], Any], t: float, d: Array) -> Point:
        """Go t along d, see what is there, and come back to exactly where it was."""
        parameters = self.param_groups[0]["params"]
        before = [p.array.copy() for p in parameters]
        self._move(t, d)
        value, gradient = self._value(closure()), self._gradient()
        for p, old in zip(parameters, before, strict=True):
            p.copy_(old)
        return Point(t, value, gradient, (gradient @ d).item())

    def _value(self, loss: Any) -> float:
        self.evaluations += 1
        return float(loss)

    # ---- the walk -------------------------------------------------------------------------------------

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Take up to ``max_iter`` steps; return the loss at the start.  ArgumentError without a closure."""
        if closure is None:
            raise ArgumentError("LBFGS: step needs a closure that computes the loss and its gradients")
        for p in self.param_groups[0]["params"]:
            self._check_fit(p)
        with enable_grad():
            return self._walk(closure)

    def _walk(self, closure: Callable[[], Any]) -> Any:
        group, first = self.param_groups[0], self.evaluations
        loss = closure()
        value, g = self._value(loss), self._gradient()
        if not g.size or abs(g).max().item() <= group["tolerance_grad"]:
            return loss
        for i in range(1, group["max_iter"] + 1):
            self.iterations += 1
            d = self._direction(g)
            slope, before = (g @ d).item(), value
            if slope > -group["tolerance_change"]:
                self.last = None
                break
            t = group["lr"] * (min(1.0, 1.0 / abs(g).sum().item()) if self.iterations == 1 else 1.0)
            here, searching = Point(0.0, value, g, slope), group["line_search_fn"] is not None
            if searching:
                left = group["max_eval"] - (self.evaluations - first)
                found = strong_wolfe(
                    lambda t, d=d: self._look(closure, t, d),  # type: ignore[misc]
                    here,
                    t,
                    abs(d).max().item(),
                    group["tolerance_change"],
                    left,
                )
                t, value, g = found.t, found.value, found.gradient
            self._move(t, d)
            self.last = (t * d, here.gradient)
            if not searching and i != group["max_iter"]:
                value, g = self._value(closure()), self._gradient()
            if self._done(i, first, g, t * d, value - before):
                break
        return loss

    def _done(self, i: int, first: int, g: Array, step: Array, change: float) -> bool:
        """Say whether iteration i was the last: work, gradient, step or change of the loss at an end."""
        group = self.param_groups[0]
        return (
            i == group["max_iter"]
            or self.evaluations - first >= group["max_eval"]
            or abs(g).max().item() <= group["tolerance_grad"]
            or abs(step).max().item() <= group["tolerance_change"]
            or abs(change) < group["tolerance_change"]
        )

    def _direction(self, g: Array) -> Array:
        """Hear what the last step showed of the curvature, and return -H g."""
        if self.last is not None:
            s, y = self.last[0], g - self.last[1]
            curvature = (y @ s).item()
            if curvature > 1e-10:  # else the function is no bowl along s
                self.pairs = [*self.pairs, (s, y, 1.0 / curvature)][-self.param_groups[0]["history_size"] :]
                self.scale = curvature / (y @ y).item()
        return direction(g, self.pairs, self.scale)

    # ---- saving ---------------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """Return {"state": {0: counts, pairs and the last step, host copies}, "param_groups": [settings]}."""
        own: dict[str, Any] = {"step": self.iterations, "evaluations": self.evaluations, "scale": self.scale}
        own["pairs"] = [(_host(s), _host(y), rho) for s, y, rho in self.pairs]
        own["last"] = None if self.last is None else tuple(map(_host, self.last))
        group = self.param_groups[0]
        return {
            "state": {0: own} if self.evaluations else {},
            "param_groups": [{**group, "params": list(range(len(group["params"])))}],
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over counts, pairs and settings; ArgumentError, and no change, where the sizes differ."""
        group = self.param_groups[0]
        like, size = group["params"][0], sum(p.size for p in group["params"])
        own = state["state"].get(0, {})
        vectors = [v for s, y, _ in own.get("pairs", ()) for v in (s, y)] + list(own.get("last") or ())
        if any(np.shape(v) != (size,) for v in vectors):
            raise ArgumentError(f"LBFGS: this state does not fit {size} parameters' elements")

        def put(vector: Any) -> Array:
            return backend.to_device(np.array(vector, like.dtype), like.device)

        self._forget()
        self.iterations, self.evaluations = int(own.get("step", 0)), int(own.get("evaluations", 0))
        self.scale = float(own.get("scale", 1.0))
        self.pairs = [(put(s), put(y), float(rho)) for s, y, rho in own.get("pairs", ())]
        self.last = (put(own["last"][0]), put(own["last"][1])) if own.get("last") else None
        (settings,) = state["param_groups"]
        group.update({name: value for name, value in settings.items() if name != "params"})


def _host(vector: Array) -> np.ndarray:
    return np.array(backend.to_host(vector))


def direction(g: Array, pairs: list[tuple[Array, Array, float]], scale: float) -> Array:
    """Return -H g for pairs (s, y, 1 / (y . s)), the oldest first: two loops instead of a matrix H."""
    q, weights = -g, []
    for s, y, rho in reversed(pairs):
        weights.append(rho * (s @ q).item())
        q -= weights[-1] * y
    q *= scale
    for (s, y, rho), weight in zip(pairs, reversed(weights), strict=True):
        q += (weight - rho * (y @ q).item()) * s
    return q


# ---- the line search ----------------------------------------------------------------------------------


def cubic_minimum(a: Point, b: Point, least: float, most: float) -> float:
    """Where the cubic through two points, with their slopes, is smallest, within [least, most]."""
    if a.t > b.t:
        a, b = b, a
    d1 = a.slope + b.slope - 3.0 * (a.value - b.value) / (a.t - b.t) if a.t < b.t else nan
    square = d1 * d1 - a.slope * b.slope
    d2 = sqrt(square) if square >= 0.0 else nan
    below = b.slope - a.slope + 2.0 * d2
    if isnan(below) or below == 0.0:  # no minimum: the middle
        return (least + most) / 2.0
    t = b.t - (b.t - a.t) * ((b.slope + d2 - d1) / below)
    return min(max(t, least), most)


def strong_wolfe(look: Look, start: Point, t: float, reach: float, tiny: float, most: int) -> Point:
    """Return a point along a line where the value fell enough and the slope is flat enough.

    value(t) <= value(0) + c1 t slope(0) and abs(slope(t)) <= c2 abs(slope(0)), or the best that at most
    ``most`` looks found; ``reach`` is the largest element of the direction, and an interval that moves no
    element by more than ``tiny`` is not cut further.
    """
    bracket, left = _bracket(look, start, t, most)
    if len(bracket) == 1:
        return bracket[0]
    return _zoom(look, start, bracket, reach, tiny, left)


def _bracket(look: Look, start: Point, t: float, most: int) -> tuple[list[Point], int]:
    """Go further until a point is found, or two points with one between them; and the looks that are left."""
    before, here = start, look(t)
    for i in range(most):
        too_high = here.value > start.value + ENOUGH * here.t * start.slope
        if too_high or (i > 1 and here.value >= before.value):
            return [before, here], most - i
        if abs(here.slope) <= -FLAT * start.slope:
            return [here], most - i
        if here.slope >= 0.0:
            return [before, here], most - i
        least, furthest = here.t + 0.01 * (here.t - before.t), here.t * 10.0
        t = cubic_minimum(before, here, least, furthest)
        before, here = here, look(t)
    return [start, here], 0


def _zoom(look: Look, start: Point, bracket: list[Point], reach: float, tiny: float, left: int) -> Point:
    """Cut an interval down until its lower end is good enough."""
    low, high = sorted(bracket, key=lambda point: point.value)
    crowded = False  # whether the last cut was close to an end
    for _ in range(left):
        near, far = sorted((low.t, high.t))
        if (far - near) * reach < tiny:
            break
        t, margin = cubic_minimum(low, high, near, far), 0.1 * (far - near)
        at_end = min(far - t, t - near) < margin
        if at_end and (crowded or t >= far or t <= near):
            t = far - margin if abs(t - far) < abs(t - near) else near + margin
            at_end = False
        crowded = at_end
        here = look(t)
        if here.value > start.value + ENOUGH * t * start.slope or here.value >= low.value:
            high = here
            if high.value < low.value:
                low, high = high, low
            continue
        if abs(here.slope) <= -FLAT * start.slope:
            return here
        if here.slope * (high.t - low.t) >= 0.0:
            high = low
        low = here
    return low

"""A bridge to SciPy's L-BFGS-B, and its way of stopping in plain words.

L-BFGS guesses the curvature from the last few gradients, which suits style transfer: one smooth function, no
noise, a million unknowns (Byrd, Lu, Nocedal and Zhu, SIAM J. Sci. Comput. 16, 1995). Two things trouble
people: it stops at once when the function's values are tiny (its tests are absolute: pass numbers of ordinary
size, which ``scale`` sees to), and it gives up when float32 rounding hides the descent. Both are said here by
name.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

Function = Callable[[np.ndarray], tuple[float, np.ndarray]]


@dataclass(frozen=True)
class Outcome:
    """Where it ended: ``x`` like the start, its value, and in words why it stopped."""

    x: np.ndarray
    value: float
    iterations: int
    evaluations: int
    reason: str


def minimise(
    function: Function,
    start: np.ndarray,
    *,
    iterations: int,
    box: tuple[float, float] | None = (0, 1),
    memory: int = 10,
    on_iteration: Callable[[int, np.ndarray, float], bool] | None = None,
) -> Outcome:
    """Minimise a function of an array from ``start`` (any shape), at most ``iterations`` steps.

    function: array -> (value, gradient of the same shape); box: least and greatest value of each element;
    memory: gradients remembered; on_iteration(number, x, value) is called after each step and stops the run
    by returning True. The value at the start is scaled to 1000, so that SciPy's absolute tests do not fire at
    once.
    """
    from scipy.optimize import minimize

    shape, dtype = start.shape, start.dtype
    first, _ = function(start)
    if iterations == 0:
        return Outcome(start, first, 0, 1, "no iterations were asked for")
    scale = 1000.0 / abs(first) if first else 1.0
    stopped: list[str] = []
    seen = [0]

    def flat(x: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient = function(x.reshape(shape).astype(dtype))
        return scale * float(value), scale * gradient.astype(np.float64).ravel()

    def after(intermediate_result: object) -> None:
        seen[0] += 1
        x, value = intermediate_result.x, intermediate_result.fun / scale  # type: ignore[attr-defined]
        if on_iteration is not None and on_iteration(seen[0], x.reshape(shape).astype(dtype), value):
            stopped.append("asked to stop")
            raise StopIteration

    bounds = None if box is None else [box] * start.size
    options = {
        "maxiter": iterations,
        "maxfun": 4 * iterations + 20,
        "maxcor": memory,
        "ftol": 1e-12,
        "gtol": 1e-12,
    }
    result = minimize(
        flat,
        start.astype(np.float64).ravel(),
        jac=True,
        method="L-BFGS-B",
        bounds=bounds,
        callback=after,
        options=options,
    )
    reason = stopped[0] if stopped else explain(str(result.message), result.nit, iterations)
    return Outcome(
        result.x.reshape(shape).astype(dtype),
        float(result.fun) / scale,
        int(result.nit),
        int(result.nfev),
        reason,
    )


def explain(message: str, done: int, asked: int) -> str:
    """SciPy's message in plain words."""
    text = message.upper()
    if "ITERATIONS" in text and "LIMIT" in text:
        return f"all {asked} iterations done"
    if "EVALUATIONS" in text:
        return (
            f"after {done} iterations: the line search needed too many evaluations; more iterations may help"
        )
    if "PROJECTED GRADIENT" in text or "PGTOL" in text:
        return f"after {done} iterations: the gradient is zero to rounding: a minimum"
    if "REL_REDUCTION" in text or "RELATIVE REDUCTION" in text:
        return f"after {done} iterations: the value no longer falls (by less than 1e-12 of itself)"
    if "ABNORMAL" in text:
        return (
            f"after {done} iterations: no step downhill was found; float32 rounding hides what is left to "
            "gain, the picture is as good as this arithmetic gets"
        )
    return f"after {done} iterations: {message}"

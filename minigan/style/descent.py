"""First-order ways down: gradient descent and Adam on the pixels, inside their box.

Adam's moments can be handed from one picture size to the next (`state` in, `state` out): a moment is a
picture too, so it is enlarged like one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minigan.data import resize
from minigan.optim import SGD, Adam
from minigan.style.lbfgs import Function, Outcome
from minigan.tensor import Tensor

State = dict[str, Any] | None


def descend(
    function: Function,
    start: np.ndarray,
    *,
    optimizer: str,
    lr: float,
    iterations: int,
    ema: float = 0.0,
    state: State = None,
    on_iteration: Callable[[int, np.ndarray, float], bool] | None = None,
) -> tuple[Outcome, State]:
    """Take ``iterations`` steps of "adam" (arXiv 1412.6980) or "gd" from a picture in [0, 1].

    function: picture -> (value, gradient); ``ema`` > 0 returns the average of iterates with that decay;
    on_iteration as for L-BFGS. Returns the outcome and the optimiser's state.
    """
    x = Tensor(start.astype(np.float32).copy(), requires_grad=True)
    # Plain descent scales its step by the gradient, so that lr means pixels, as it does for Adam.
    rule = Adam([x], lr=lr, betas=(0.9, 0.99)) if optimizer == "adam" else SGD([x], lr=lr, momentum=0.9)
    if state is not None:
        rule.load_state_dict(resized(state, start.shape))
    average = start.astype(np.float64)
    value, done, reason = float("nan"), 0, f"all {iterations} iterations done"
    for done in range(1, iterations + 1):
        value, gradient = function(x.numpy())
        if optimizer == "gd":
            gradient = gradient * (0.05 / (np.abs(gradient).max() + 1e-12))
        x.grad = Tensor(gradient.astype(np.float32))
        rule.step()
        x.array = x.array.clip(0, 1)
        average += (1 - ema) * (x.numpy() - average)
        if on_iteration is not None and on_iteration(done, x.numpy(), value):
            reason = "asked to stop"
            break
    picture = average.astype(np.float32) if ema else x.numpy()
    return Outcome(picture, value, done, done, reason), rule.state_dict()


def resized(state: dict[str, Any], shape: tuple[int, ...]) -> dict[str, Any]:
    """An optimiser's state for one picture, its moments enlarged to another size."""

    def fit(value: Any) -> Any:
        return resize(value, *shape[2:]) if isinstance(value, np.ndarray) and value.ndim == 4 else value

    moments = {
        number: {name: fit(value) for name, value in entry.items()}
        for number, entry in state["state"].items()
    }
    return {**state, "state": moments}

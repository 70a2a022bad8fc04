"""Properties of a gradient that no comparison of numbers shows: mutation, aliasing, repetition, linearity."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigan import backend
from minigan.tensor import Tensor
from minigan.testing.layout import in_layout
from minigan.testing.numeric import probe
from minigan.testing.problem import Problem, Recorded, flat, host
from minigan.testing.report import GradReport


def inputs_unchanged(
    problem: Problem, recorded: Recorded, before: list[np.ndarray], report: GradReport, who: str
) -> None:
    """Forward and backward leave the leaves as they were `before`."""
    for label, leaf, array in zip(problem.labels, recorded.leaves, before, strict=True):
        if not np.array_equal(host(leaf), array, equal_nan=True):
            report.add("inputs unchanged", f"{who} wrote into {label}", "work on a copy, or out of place")


def well_formed(problem: Problem, recorded: Recorded, found: list[Tensor | None], report: GradReport) -> bool:
    """Dtype, device, finiteness and float64 precision of each gradient (the engine holds its shape)."""
    for label, leaf, g in zip(problem.labels, recorded.leaves, found, strict=True):
        if g is None:
            continue
        if not isinstance(g, Tensor):
            report.add(
                "error",
                f"backward returned {type(g).__name__} for the gradient of {label}, expected a Tensor",
                "compute with the Tensors g and self.input(i), not with their .data",
            )
            return False
        if g.device != leaf.device:
            report.add("device", f"the gradient of {label} is on {g.device}, expected {leaf.device}")
            return False
        values = host(g)
        if g.dtype != leaf.dtype:
            report.add("dtype", f"the gradient of {label} is {g.dtype}, expected {leaf.dtype}")
        elif single_precision(values):
            report.add(
                "dtype",
                f"every entry of the gradient of {label} is a float32 number",
                "the incoming gradient is a random float64 one: a float32 buffer in backward?",
            )
        bad = np.argwhere(~np.isfinite(values))
        if bad.size:
            place = bad[0].tolist()
            report.add(
                "finite", f"the gradient of {label} is {values[tuple(place)]} at {place}, the value is finite"
            )
            return False
    return True


def single_precision(values: np.ndarray) -> bool:
    """Whether entries that came of random float64 numbers are float32 numbers (rounding dust aside)."""
    told = values[np.isfinite(values) & (np.abs(values) > 1e-6)]
    return told.size > 0 and np.array_equal(told.astype(np.float32), told)


def accumulates(
    problem: Problem,
    recorded: Recorded,
    weights: np.ndarray,
    analytic: np.ndarray,
    report: GradReport,
) -> None:
    """Two more backwards, into .grad: the same gradient, added once each, in memory of its own."""
    leaves = recorded.leaves
    for leaf in leaves:
        leaf.grad = None
    for times in (1, 2):
        cotangents = recorded.cotangents(weights)
        for result, cotangent in zip(recorded.results, cotangents, strict=True):
            if result.requires_grad:
                result.backward(cotangent, retain_graph=True)
        grads = [np.zeros(leaf.shape) if leaf.grad is None else host(leaf.grad) for leaf in leaves]
        if not close(flat(grads), times * analytic):
            what = "a second backward gives" if times == 1 else "two backwards accumulate"
            report.add("second backward", difference(times * analytic, flat(grads), "expected", what))
            return
        if times == 1:
            owned = [
                (f"gradient of {label}", leaf.grad)
                for label, leaf in zip(problem.labels, leaves, strict=True)
            ]
            others = [("the incoming gradient", c) for c in cotangents]
            others += [(label, leaf) for label, leaf in zip(problem.labels, leaves, strict=True)]
            _apart(owned, others, report)
    for leaf in leaves:
        leaf.grad = None


def _apart(owned: list[Any], others: list[Any], report: GradReport) -> None:
    for i, (label, g) in enumerate(owned):
        for name, other in owned[i + 1 :] + others:
            if g is not None and other is not None and _overlap(g.array, other.array):
                report.add("no alias", f"the {label} shares memory with {name}", "return a copy")
                return


def _overlap(a: Any, b: Any) -> bool:
    xp = backend.namespace(a)
    return bool(a.size and b.size and xp.shares_memory(a, b))


def linear_in_cotangent(
    recorded: Recorded,
    weights: np.ndarray,
    analytic: np.ndarray,
    report: GradReport,
    generator: np.random.Generator,
) -> None:
    """The gradient of a mixture of incoming gradients is the mixture of the gradients."""
    other = probe(generator, weights.size)
    mixed = recorded.gradient(0.7 * weights - 1.3 * other)
    expected = 0.7 * analytic - 1.3 * recorded.gradient(other)
    if not close(mixed, expected, np.max(np.abs(analytic), initial=0.0)):
        report.add("linear in cotangent", difference(expected, mixed, "expected", "got"))


def repeats(
    problem: Problem,
    recorded: Recorded,
    weights: np.ndarray,
    analytic: np.ndarray,
    report: GradReport,
) -> None:
    """Once more, from inputs that lie otherwise in memory; if that differs, once more from the same ones."""
    layout = "tangled"  # column by column, with gaps, backwards: whatever of these matters, it shows
    for arrays, property in (
        ([in_layout(a, layout) for a in problem.arrays], "layout"),
        (None, "deterministic"),
    ):
        try:
            again = problem.record(arrays)
            value, gradient = again.value, again.plain_backward(weights)
        except Exception as error:
            report.add(
                "error", f"a plain backward() with {layout} inputs raised {type(error).__name__}: {error}"
            )
            return
        if property == "layout":
            if close(value, recorded.value) and close(gradient, analytic):
                return
            differ = (value, gradient)
        elif not (close(value, recorded.value) and close(gradient, analytic)):
            what = "the value" if not close(value, recorded.value) else "the gradient"
            report.add(
                "deterministic",
                f"two calls with the same inputs differ in {what}",
                "is a mask redrawn, or a buffer reused?",
            )
            return
    value, gradient = differ
    pairs = ((recorded.value, value), (analytic, gradient))
    old, new = next(pair for pair in pairs if not close(pair[1], pair[0]))
    report.add(
        "layout",
        difference(old, new, "C order gives", f"{layout} inputs give"),
        "read through strides, or copied as if C order?",
    )


def close(a: np.ndarray, b: np.ndarray, largest: float = 0.0) -> bool:
    """Equal but for rounding, relative to the largest entry."""
    if a.shape != b.shape:
        return False
    size = max(float(np.max(np.abs(b), initial=0.0)), largest)
    return bool(np.all(np.abs(a - b) <= 1e-9 * size + 1e-13))


def difference(expected: np.ndarray, got: np.ndarray, first: str, second: str) -> str:
    """Name the worst entry of two flat vectors."""
    if expected.shape != got.shape:
        return f"{first} {expected.size} numbers, {second} {got.size}"
    index = int(np.argmax(np.abs(got - expected)))
    return f"{first} {expected[index]:.8g}, {second} {got[index]:.8g} (worst, flat index {index})"

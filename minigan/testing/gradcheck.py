"""The public checker: `gradcheck` and `gradgradcheck`.

A check records the function once, asks for its gradient with a random incoming gradient (one of all ones
hides every mistake of a normalisation or a softmax), and compares it along three random directions with
finite differences that carry their own error bar (`minigan.testing.numeric`).  Around that comparison stand
the properties that no single gradient can show: `minigan.testing.report.PROPERTIES` lists them.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from minigan import backend
from minigan.errors import ArgumentError, MiniganError
from minigan.tensor import Tensor
from minigan.testing.compare import FULL, Comparison
from minigan.testing.layout import in_layout
from minigan.testing.numeric import probe
from minigan.testing.problem import Problem, Recorded, flat, host, make_problem, unflatten
from minigan.testing.report import GradReport

REPEATED_LAYOUTS = ("fortran", "channels_last", "sliced", "reversed")


def gradcheck(
    fn: Any,
    inputs: Any,
    *,
    kwargs: dict[str, Any] | None = None,
    order: int = 2,
    probes: int = 3,
    full: bool | None = None,
    seed: int | None = None,
    name: str | None = None,
) -> GradReport:
    """Check the first (and, with ``order=2``, the second) derivative of ``fn`` at ``inputs``.

    fn       a function of Tensors that returns a Tensor or a tuple of them, an Op (class or instance), a
             Module
             (its parameters are checked too) or a loss
    inputs   an array or Tensor, or a tuple of them, of any shape; floating-point ones are converted to
             float64
             and differentiated (if any Tensor requires a gradient: only those that do), others are constants
    kwargs   further arguments of ``fn``
    probes   random directions compared, at 3 evaluations each
    full     True: compare the whole Jacobian too; None: only when inputs and outputs have few elements
    seed     of the random directions and incoming gradients; drawn and printed when None

    Returns a `GradReport`, true if everything held.  Values and gradients are compared to 3 times the error
    bar of the finite difference plus 1e-7 of the largest single contribution.  Raises ArgumentError when
    there is nothing to differentiate or ``order`` is not 1 or 2; errors of ``fn`` become findings.
    """
    if order not in (1, 2):
        raise ArgumentError(f"gradcheck: expected order 1 or 2, got {order}")
    return _check(fn, inputs, kwargs, tuple(range(1, order + 1)), probes, full, seed, name)


def gradgradcheck(
    fn: Any,
    inputs: Any,
    *,
    kwargs: dict[str, Any] | None = None,
    probes: int = 3,
    full: bool | None = None,
    seed: int | None = None,
    name: str | None = None,
) -> GradReport:
    """Check only the second derivative of ``fn``; arguments and result as for `gradcheck`.

    The gradient, as a function of inputs and incoming gradient, is differentiated and compared with finite
    differences of itself, so it proves the second order only where the first is right.
    """
    return _check(fn, inputs, kwargs, (2,), probes, full, seed, name)


def _check(
    fn: Any, inputs: Any, kwargs: Any, orders: tuple[int, ...], probes: int, full: Any, seed: Any, name: Any
) -> GradReport:
    seed = int(np.random.SeedSequence().generate_state(1)[0]) if seed is None else seed
    generator = np.random.default_rng(seed)
    problem = make_problem(fn, inputs, kwargs, name)
    report = GradReport(problem.name, seed)
    begin = time.perf_counter()
    with np.errstate(all="ignore"):
        recorded = _record(problem, report)
        if recorded is not None:
            weights = probe(generator, recorded.value.size)
            if 1 in orders:
                report.error1 = _first(problem, recorded, weights, report, generator, probes, full)
            if 2 in orders and not report.findings:
                report.error2 = _second(problem, recorded, weights, report, generator, probes, full)
    report.evaluations += problem.evaluations
    report.seconds = time.perf_counter() - begin
    return report


def _record(problem: Problem, report: GradReport) -> Recorded | None:
    """Run the function once; None (and a finding or a doubt) if there is nothing to go on with."""
    before = [array.copy() for array in problem.arrays]
    try:
        recorded = problem.record()
    except Exception as error:
        report.add("error", f"forward raised {type(error).__name__}: {error}")
        return None
    _same_inputs(problem, recorded, before, report, "forward")
    node = recorded.results[0].node if recorded.results else None
    if problem.name == "function" and node is not None:
        report.name = problem.name = node.name
    for result in recorded.results:
        if result.dtype != np.float64:
            report.add("dtype", f"float64 inputs give a result of {result.dtype}")
        if result.device != problem.device:
            report.add("device", f"inputs on {problem.device} give a result on {result.device}")
    bad = np.flatnonzero(~np.isfinite(recorded.value))
    if bad.size:
        report.doubts.append(f"the value is {recorded.value[bad[0]]} at flat index {bad[0]} of the result")
        return None
    return recorded


def _first(
    problem: Problem,
    recorded: Recorded,
    weights: np.ndarray,
    report: GradReport,
    generator: Any,
    probes: int,
    full: Any,
) -> float:
    before = [host(leaf) for leaf in recorded.leaves]
    cotangents = recorded.cotangents(weights)
    try:
        found = recorded.gradients(cotangents)
    except Exception as error:
        where = "shape" if "shape" in str(error) and isinstance(error, MiniganError) else "error"
        report.add(where, f"backward raised {type(error).__name__}: {error}")
        return float("nan")
    if flat([host(c) for c in cotangents]).tolist() != weights.tolist():
        report.add(
            "cotangent unchanged",
            "backward wrote into the incoming gradient",
            "g *= ... or out=g in backward?",
        )
    _same_inputs(problem, recorded, before, report, "backward")
    if not _well_formed(problem, recorded, found, report):
        return float("nan")
    analytic = recorded.gradient(weights)
    _accumulates(problem, recorded, weights, analytic, found, report)
    _linear(recorded, weights, analytic, report, generator)
    _repeats(problem, recorded, weights, analytic, report, generator)
    if report.findings:
        return float("nan")
    small = problem.point.size + weights.size <= FULL
    compare = Comparison(problem, recorded, weights, report, generator, 1)
    return compare.run(analytic, probes, small if full is None else full)


def _second(
    problem: Problem,
    recorded: Recorded,
    weights: np.ndarray,
    report: GradReport,
    generator: Any,
    probes: int,
    full: Any,
) -> float:
    shapes = [result.shape for result in recorded.results]
    second = problem.second(unflatten(weights, shapes))
    try:
        twice = second.record()
        plain = recorded.gradient(weights)
    except Exception as error:
        report.add(
            "differentiable again", f"backward with create_graph=True raised {type(error).__name__}: {error}"
        )
        return float("nan")
    if not _close(twice.value, plain):
        report.add(
            "same gradient recorded",
            _difference(plain, twice.value, "create_graph=False gives", "True gives"),
        )
        return float("nan")
    for label, g in zip(problem.labels, twice.results, strict=True):
        if np.any(host(g)) and not g.requires_grad:
            report.add(
                "differentiable again",
                f"the gradient of {label} depends on nothing, not even on the incoming gradient",
                "backward computes with raw arrays (g.data); write it with Tensor operations",
            )
            return float("nan")
    again = probe(generator, twice.value.size)
    try:
        analytic = twice.gradient(again)
    except Exception as error:
        report.add("differentiable again", f"the backward of backward raised {type(error).__name__}: {error}")
        return float("nan")
    bad = np.flatnonzero(~np.isfinite(analytic))
    if bad.size:
        position, place = second.argument(int(bad[0]))
        where = f"{second.labels[position]}{list(place)}"
        report.add(
            "finite", f"the second derivative is {analytic[bad[0]]} at {where}, the gradient is finite"
        )
        return float("nan")
    compare = Comparison(second, twice, again, report, generator, 2)
    error2 = compare.run(analytic, probes, bool(full))
    report.evaluations += second.evaluations
    return error2


def _same_inputs(
    problem: Problem, recorded: Recorded, before: list[np.ndarray], report: GradReport, who: str
) -> None:
    for label, leaf, array in zip(problem.labels, recorded.leaves, before, strict=True):
        if not np.array_equal(host(leaf), array, equal_nan=True):
            report.add("inputs unchanged", f"{who} wrote into {label}", "work on a copy, or out of place")


def _well_formed(
    problem: Problem, recorded: Recorded, found: list[Tensor | None], report: GradReport
) -> bool:
    """Shape, dtype, device, finiteness and float64 precision of each gradient."""
    for label, leaf, g in zip(problem.labels, recorded.leaves, found, strict=True):
        if g is None:
            continue
        if g.shape != leaf.shape:
            report.add("shape", f"the gradient of {label} has shape {g.shape}, expected {leaf.shape}")
            return False
        if g.device != leaf.device:
            report.add("device", f"the gradient of {label} is on {g.device}, expected {leaf.device}")
            return False
        values = host(g)
        if g.dtype != leaf.dtype:
            report.add("dtype", f"the gradient of {label} is {g.dtype}, expected {leaf.dtype}")
        elif np.count_nonzero(values) >= 4 and np.array_equal(values.astype(np.float32), values):
            report.add(
                "dtype",
                f"every entry of the gradient of {label} is a float32 number, for a random float64 incoming gradient",
                "a float32 buffer in backward?",
            )
        bad = np.argwhere(~np.isfinite(values))
        if bad.size:
            place = bad[0].tolist()
            report.add(
                "finite", f"the gradient of {label} is {values[tuple(place)]} at {place}, the value is finite"
            )
            return False
    return True


def _accumulates(
    problem: Problem,
    recorded: Recorded,
    weights: np.ndarray,
    analytic: np.ndarray,
    found: Any,
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
        if not _close(flat(grads), times * analytic):
            what = "a second backward gives" if times == 1 else "two backwards accumulate"
            report.add("second backward", _difference(times * analytic, flat(grads), "expected", what))
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
            if g is not None and other is not None and _overlap(g.data, other.data):
                report.add("no alias", f"the {label} shares memory with {name}", "return a copy")
                return


def _overlap(a: Any, b: Any) -> bool:
    xp = backend.namespace(a)
    return bool(a.size and b.size and xp.shares_memory(a, b))


def _linear(
    recorded: Recorded,
    weights: np.ndarray,
    analytic: np.ndarray,
    report: GradReport,
    generator: np.random.Generator,
) -> None:
    other = probe(generator, weights.size)
    mixed = recorded.gradient(0.7 * weights - 1.3 * other)
    expected = 0.7 * analytic - 1.3 * recorded.gradient(other)
    if not _close(mixed, expected, np.max(np.abs(analytic), initial=0.0)):
        report.add("linear in cotangent", _difference(expected, mixed, "expected", "got"))


def _repeats(
    problem: Problem,
    recorded: Recorded,
    weights: np.ndarray,
    analytic: np.ndarray,
    report: GradReport,
    generator: Any,
) -> None:
    """Once more, from inputs that lie otherwise in memory; if that differs, once more from the same ones."""
    layout = REPEATED_LAYOUTS[generator.integers(len(REPEATED_LAYOUTS))]
    for arrays, property in (
        ([in_layout(a, layout) for a in problem.arrays], "layout"),
        (None, "deterministic"),
    ):
        try:
            again = problem.record(arrays)
            value, gradient = again.value, again.gradient(weights)
        except Exception as error:
            report.add(property, f"with {layout} inputs: {type(error).__name__}: {error}")
            return
        if property == "layout":
            if _close(value, recorded.value) and _close(gradient, analytic):
                return
            differ = (value, gradient)
        elif not (_close(value, recorded.value) and _close(gradient, analytic)):
            what = "the value" if not _close(value, recorded.value) else "the gradient"
            report.add(
                "deterministic",
                f"two calls with the same inputs differ in {what}",
                "is a mask redrawn, or a buffer reused?",
            )
            return
    value, gradient = differ
    pairs = ((recorded.value, value), (analytic, gradient))
    old, new = next(pair for pair in pairs if not _close(pair[1], pair[0]))
    report.add(
        "layout",
        _difference(old, new, "C order gives", f"{layout} inputs give"),
        "read through strides, or copied as if C order?",
    )


def _close(a: np.ndarray, b: np.ndarray, largest: float = 0.0) -> bool:
    if a.shape != b.shape:
        return False
    size = max(float(np.max(np.abs(b), initial=0.0)), largest)
    return bool(np.all(np.abs(a - b) <= 1e-9 * size + 1e-13))


def _difference(expected: np.ndarray, got: np.ndarray, first: str, second: str) -> str:
    if expected.shape != got.shape:
        return f"{first} {expected.size} numbers, {second} {got.size}"
    index = int(np.argmax(np.abs(got - expected)))
    return f"{first} {expected[index]:.8g}, {second} {got[index]:.8g} (worst, flat index {index})"

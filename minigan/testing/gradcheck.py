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

from minigan.errors import ArgumentError, MiniganError
from minigan.testing.compare import FULL, Comparison
from minigan.testing.numeric import probe
from minigan.testing.problem import Problem, Recorded, flat, flattened, host, make_problem, unflatten
from minigan.testing.properties import (
    accumulates,
    close,
    difference,
    inputs_unchanged,
    linear_in_cotangent,
    repeats,
    well_formed,
)
from minigan.testing.report import GradReport


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

    fn       a function of Tensors that returns a Tensor or a tuple of them, a loss, an Op (class or instance)
             or a Module (its parameters are checked too)
    inputs   an array or Tensor, or a tuple of them, of any shape; floating-point ones are made float64 and
             differentiated (if any Tensor requires a gradient: only those that do), others are constants
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
    if probes < 1:
        raise ArgumentError(f"gradcheck: expected at least 1 probe, got {probes}")
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
    inputs_unchanged(problem, recorded, before, report, "forward")
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
        spread = "a broadcast input? sum its gradient over the axes it was spread along"
        report.add(where, f"backward raised {type(error).__name__}: {error}", spread * (where == "shape"))
        return float("nan")
    if flat([host(c) for c in cotangents]).tolist() != weights.tolist():
        report.add(
            "cotangent unchanged",
            "backward wrote into the incoming gradient",
            "g *= ... or out=g in backward?",
        )
    inputs_unchanged(problem, recorded, before, report, "backward")
    if not well_formed(problem, recorded, found, report):
        return float("nan")
    analytic = flattened(found, recorded)
    accumulates(problem, recorded, weights, analytic, report)
    linear_in_cotangent(recorded, weights, analytic, report, generator)
    repeats(problem, recorded, weights, analytic, report)
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
    if not close(twice.value, plain):
        report.add(
            "same gradient recorded",
            difference(plain, twice.value, "create_graph=False gives", "True gives"),
        )
        return float("nan")
    for label, g in zip(problem.labels, twice.results, strict=True):
        if np.any(host(g)) and not g.requires_grad:
            report.add(
                "differentiable again",
                f"the gradient of {label} depends on nothing, not even on the incoming gradient",
                "backward computes with raw arrays (g.array); write it with Tensor operations",
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

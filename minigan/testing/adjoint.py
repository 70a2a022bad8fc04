"""The dot-product test: for a linear operation A and its backward A', <A x, y> = <x, A' y>, to rounding.

It needs no step size and no error bar, so it is exact where finite differences are not, and one evaluation
each way proves a backward of any size (Claerbout, "Earth Soundings Analysis", 1992, calls it the
dot-product test). It proves backward = forward'; that the forward is right needs an oracle.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minigan.errors import ArgumentError
from minigan.testing.numeric import probe
from minigan.testing.problem import Problem, flat, make_problem
from minigan.testing.report import GradReport

EXACT = 1e-11  # of the sum of the absolute terms


def adjoint_check(
    fn: Any,
    inputs: Any,
    *,
    argument: int | None = None,
    kwargs: dict[str, Any] | None = None,
    seed: int | None = None,
    name: str | None = None,
) -> GradReport:
    """Check that ``fn`` is linear in an argument and that its backward is the adjoint.

    ``fn`` and ``inputs`` as for `gradcheck`.  ``argument`` counts the differentiated (floating-point) inputs;
    None takes each in turn while the others are held.  A constant term (a bias) is taken off first.
    Returns a `GradReport` whose findings are "linear" and "adjoint".
    """
    seed = int(np.random.SeedSequence().generate_state(1)[0]) if seed is None else seed
    generator = np.random.default_rng(seed)
    problem = make_problem(fn, inputs, kwargs, name)
    if argument is not None and not 0 <= argument < len(problem.arrays):
        raise ArgumentError(
            f"adjoint_check: expected argument in 0..{len(problem.arrays) - 1}, got {argument}"
        )
    report = GradReport(problem.name, seed)
    with np.errstate(all="ignore"):
        for position in range(len(problem.arrays)) if argument is None else (argument,):
            _check_argument(problem, position, report, generator)
    report.evaluations = problem.evaluations
    return report


def _check_argument(
    problem: Problem, position: int, report: GradReport, generator: np.random.Generator
) -> None:
    def at(z: np.ndarray) -> list[np.ndarray]:
        return [z.reshape(a.shape) if i == position else a for i, a in enumerate(problem.arrays)]

    def apply(z: np.ndarray) -> np.ndarray:
        return problem.value(flat(at(z))) - offset

    label, size = problem.labels[position], problem.arrays[position].size
    offset = np.zeros(1)
    offset = apply(np.zeros(size))
    z, other = probe(generator, size), probe(generator, size)
    image, mixed = apply(z), apply(0.7 * z - 1.3 * other)
    expected = 0.7 * image - 1.3 * apply(other)
    largest = float(np.max(np.abs(image), initial=0.0) + np.max(np.abs(offset), initial=0.0))
    if not np.all(np.abs(mixed - expected) <= 1e-10 * largest + 1e-13):  # nor where it is no number
        index = int(np.argmax(np.abs(mixed - expected)))
        report.add(
            "linear",
            f"in {label}: A(0.7 a - 1.3 b) is {mixed[index]:.8g}, its parts give {expected[index]:.8g}",
        )
        return
    y = probe(generator, image.size)
    recorded = problem.record(at(z))
    begin = sum(a.size for a in problem.arrays[:position])
    back = recorded.gradient(y)[begin : begin + size]
    forth, here, total = float(image @ y), float(z @ back), float(np.abs(image) @ np.abs(y))
    bound = EXACT * (total + float(np.abs(offset) @ np.abs(y)) + float(np.abs(z) @ np.abs(back))) + 1e-13
    report.error1 = max(
        np.nan_to_num(report.error1), abs(forth - here) / max(total, 1e-300) if total else 0.0
    )
    if not abs(forth - here) <= bound:
        ratio = f", ratio {here / forth:.6g}" if forth else ""
        report.add("adjoint", f"in {label}: <A x, y> is {forth:.12g}, <x, A' y> is {here:.12g}{ratio}")

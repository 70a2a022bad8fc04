"""Everything one `OpCase` promises, property by property; `check_op` draws samples and runs them all."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from minigan import backend
from minigan.errors import ArgumentError
from minigan.modes import no_grad
from minigan.tensor import Tensor
from minigan.testing.adjoint import adjoint_check
from minigan.testing.case import OpCase, Sample, floats
from minigan.testing.gradcheck import gradcheck
from minigan.testing.layout import LAYOUTS, in_layout
from minigan.testing.numeric import probe
from minigan.testing.problem import Recorded, flat, gradients, host
from minigan.testing.report import FAIL, INCONCLUSIVE, GradReport

Check = Callable[[OpCase, Sample, GradReport], None]


def check_op(case: OpCase, *, examples: int = 25, order: int | None = None, seed: int = 0) -> GradReport:
    """Check an operation against its record: drawn samples, samples without elements, refused calls.

    Each sample goes through value, gradient (to ``order``, by default the case's), adjoint if linear, memory
    layouts and float32.  ``examples`` samples are drawn with ``seed`` (fewer where the strategy has fewer).
    Returns one `GradReport`: worst errors, samples tried, kinks met, seconds, and the findings of the first
    sample that failed.  Raises ArgumentError for an order the case does not promise.
    """
    from minigan.testing.strategies import draw_examples

    order = case.order if order is None else order
    if not 1 <= order <= case.order:
        raise ArgumentError(f"check_op: {case.name} promises order 1..{case.order}, got {order}")
    report = GradReport(case.name, seed, examples=0)
    begin = time.perf_counter()
    check_refusals(case, report)
    for sample in case.empty:
        check_empty(case, sample, report)
    for count, drawn in enumerate(draw_examples(case.strategy, examples, seed)):
        if report.findings:
            break
        sample = drawn if isinstance(drawn, Sample) else Sample(drawn)
        found = check_sample(case, sample, seed + count, order)
        report.take(found)
        report.examples += 1
        report.undecided += found.verdict == INCONCLUSIVE
        if found.verdict == FAIL:
            report.seed = seed + count
            report.findings[0] = type(report.findings[0])(
                found.findings[0].property,
                f"{found.findings[0].text}\n  for {sample!r}",
                found.findings[0].hint,
            )
    report.seconds = time.perf_counter() - begin
    return report


def check_sample(case: OpCase, sample: Sample, seed: int, order: int) -> GradReport:
    """Check one sample.

    Value, gradients, adjoint, layouts and float32; later ones only if the earlier held.
    """
    report = GradReport(case.name, seed)
    for check in (check_value, check_gradient_at(order), check_adjoint, check_layouts, check_float32):
        try:
            check(case, sample, report)
        except Exception as error:
            report.add("error", f"{type(error).__name__}: {error}")
        if report.findings:
            break
    return report


def check_value(case: OpCase, sample: Sample, report: GradReport) -> None:
    """The value, its shape and its dtype are those of the oracle."""
    with no_grad():
        result = case.fn(*(Tensor(np.array(a)) for a in sample.inputs), **sample.kwargs)
    expected = np.asarray(case.oracle(*(np.array(a) for a in sample.inputs), **sample.kwargs))
    report.evaluations += 1
    if result.shape != expected.shape:
        report.add("value", f"the result has shape {result.shape}, the oracle's {expected.shape}")
        return
    if result.dtype.kind == "f" and result.dtype != np.float64:
        report.add("dtype", f"float64 inputs give {result.dtype}")
        return
    worst = _worst(host(result), expected.astype(np.float64), 1e-10)
    if worst:
        report.add("value", f"{worst} (got, oracle)")


def check_gradient_at(order: int) -> Check:
    """A check by `gradcheck` to this order (the seed is the report's)."""

    def check(case: OpCase, sample: Sample, report: GradReport) -> None:
        if floats(sample):
            found = gradcheck(
                case.fn, sample.inputs, kwargs=sample.kwargs, order=order, seed=report.seed, name=case.name
            )
            report.take(found)

    return check


def check_adjoint(case: OpCase, sample: Sample, report: GradReport) -> None:
    """Where the case says linear: linearity and the dot-product test."""
    positions = floats(sample)
    for argument in case.linear_arguments(sample):
        found = adjoint_check(
            case.fn, sample.inputs, argument=positions.index(argument), kwargs=sample.kwargs, seed=report.seed
        )
        report.take(found)


def check_layouts(case: OpCase, sample: Sample, report: GradReport) -> None:
    """Value and gradient do not depend on how the inputs lie in memory."""
    for layout in LAYOUTS[1:]:
        laid = [in_layout(a, layout) if a.ndim else a for a in sample.inputs]
        plain = [np.array(a, order="C") for a in laid]
        expected, found = (run(case, arrays, sample.kwargs, report.seed) for arrays in (plain, laid))
        for what, a, b in zip(("value", "gradient"), found, expected, strict=True):
            worst = _worst(a, b, 1e-10)
            if worst:
                report.add("layout", f"{what} with {layout} inputs: {worst} ({layout}, C order)")
                return


def check_float32(case: OpCase, sample: Sample, report: GradReport) -> None:
    """float32 in gives float32 out, and agrees with float64 on the same (rounded) inputs."""
    if not floats(sample):
        return
    single = [a.astype(np.float32) if a.dtype.kind == "f" else a for a in sample.inputs]
    double = [a.astype(np.float64) if a.dtype.kind == "f" else a for a in single]
    tensors = [Tensor(a, requires_grad=a.dtype.kind == "f") for a in single]
    result = case.fn(*tensors, **sample.kwargs)
    if result.dtype.kind == "f" and result.dtype != np.float32:
        report.add("dtype", f"float32 inputs give {result.dtype}")
        return
    for leaf, g in zip(tensors, _gradients(tensors, result, report.seed), strict=True):
        if g is not None and g.dtype != leaf.dtype:
            report.add("dtype", f"float32 inputs have a gradient of {g.dtype}")
            return
    found, expected = (run(case, arrays, sample.kwargs, report.seed) for arrays in (single, double))
    for what, a, b in zip(("value", "gradient"), found, expected, strict=True):
        worst = _worst(a, b, 1e-3 if what == "gradient" else 1e-4)
        if worst:
            report.add("float32", f"{what}: {worst} (float32, float64)")
            return


def check_device(case: OpCase, sample: Sample, report: GradReport, device: str) -> None:
    """Forward, backward and backward of backward run on `device` and agree with NumPy's."""
    expected = run(case, sample.inputs, sample.kwargs, report.seed)
    try:
        tensors = [
            Tensor(backend.to_device(np.array(a), device), requires_grad=a.dtype.kind == "f")
            for a in sample.inputs
        ]
        result = case.fn(*tensors, **sample.kwargs)
        found = _gradients(tensors, result, report.seed, create_graph=case.order > 1)
        again = [g for g in found if g is not None and g.requires_grad]
        ones = [Tensor(backend.namespace(g.array).ones_like(g.array)) for g in again]
        leaves = [t for t in tensors if t.requires_grad]
        twice = gradients(again, leaves, ones, False) if leaves else []
    except (TypeError, ValueError, AttributeError, RuntimeError) as error:
        report.add("strict device", f"{type(error).__name__}: {error}")
        return
    for what, tensor in [
        ("value", result),
        *(("gradient", g) for g in found),
        *(("second", g) for g in twice),
    ]:
        if tensor is not None and tensor.device != device:
            report.add("strict device", f"the {what} left {device} for {tensor.device}")
            return
    values = host(result).ravel(), flat([host(g) for g in found if g is not None])
    for what, a, b in zip(("value", "gradient"), values, expected, strict=True):
        worst = _worst(a, b, 1e-10)
        if worst:
            report.add("strict device", f"{what}: {worst} ({device}, numpy)")


def check_empty(case: OpCase, sample: Sample, report: GradReport) -> None:
    """Inputs without elements.

    The oracle's value, and a backward that runs (the engine holds the gradients' shapes).
    """
    try:
        check_value(case, sample, report)
        run(case, sample.inputs, sample.kwargs, report.seed)
    except Exception as error:
        report.add("no elements", f"{type(error).__name__}: {error} for {sample!r}")


def check_refusals(case: OpCase, report: GradReport) -> None:
    """Every bad input is refused with the promised error and words."""
    for bad in case.bad:
        inputs = [Tensor(a) if isinstance(a, np.ndarray) else a for a in bad.inputs]
        try:
            case.fn(*inputs, **bad.kwargs)
        except bad.error as error:
            if not re.search(bad.match, str(error)):
                report.add(
                    "bad input", f"{bad.what}: expected {bad.match!r} in the message, got {str(error)!r}"
                )
        except Exception as error:
            report.add(
                "bad input", f"{bad.what}: expected {bad.error.__name__}, got {type(error).__name__}: {error}"
            )
        else:
            report.add("bad input", f"{bad.what}: expected {bad.error.__name__}, got a result")


def run(case: OpCase, arrays: Any, kwargs: dict[str, Any], seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Flat value and flat gradients (float arguments only) for a seeded incoming gradient."""
    tensors = [Tensor(a, requires_grad=a.dtype.kind == "f") for a in arrays]
    result = case.fn(*tensors, **kwargs)
    found = _gradients(tensors, result, seed)
    return host(result).ravel(), flat([host(g) for g in found if g is not None])


def _gradients(
    leaves: list[Tensor], result: Tensor, seed: int, create_graph: bool = False
) -> list[Tensor | None]:
    wanted = [leaf for leaf in leaves if leaf.requires_grad]
    weights = probe(np.random.default_rng(seed), result.size)
    recorded = Recorded(wanted, [result])
    found = iter(gradients([result], wanted, recorded.cotangents(weights), create_graph) if wanted else [])
    return [next(found) if leaf.requires_grad else None for leaf in leaves]


def _worst(got: np.ndarray, expected: np.ndarray, relative: float) -> str:
    """Describe the largest difference if it exceeds `relative` of the largest expected entry; else ""."""
    if got.shape != expected.shape:
        return f"shape {got.shape} against {expected.shape}"
    with np.errstate(invalid="ignore"):
        miss = np.where(got == expected, 0.0, np.abs(got - expected))
    finite = np.abs(expected[np.isfinite(expected)])
    if np.all(miss <= relative * (np.max(finite, initial=0.0) + 1e-2)):
        return ""
    index = np.unravel_index(int(np.argmax(np.nan_to_num(miss, nan=np.inf))), got.shape)
    return f"{got[index]:.8g} against {expected[index]:.8g} at {[int(i) for i in index]}"

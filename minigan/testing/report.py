"""What a check found.

`GradReport`, with a verdict, figures, and at most 15 lines of text when something is wrong.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

PASS, FAIL, INCONCLUSIVE = "PASS", "FAIL", "INCONCLUSIVE"

PROPERTIES = {
    "error": "the function or its backward raises",
    "finite": "values and gradients are finite at the point",
    "deterministic": "two calls give the same value and the same gradient",
    "layout": "the memory layout of the inputs does not matter",
    "inputs unchanged": "forward and backward leave their inputs as they are",
    "cotangent unchanged": "backward leaves the incoming gradient as it is",
    "no alias": "gradients share memory with nothing else",
    "shape": "a gradient has the shape of its input",
    "dtype": "values and gradients have the dtype of the inputs, and its precision",
    "device": "values and gradients live where the inputs do",
    "second backward": "a second backward through the same graph gives the same gradient, accumulated once",
    "linear in cotangent": "backward(a g1 + b g2) = a backward(g1) + b backward(g2)",
    "gradient": "the gradient equals the finite difference",
    "sub-gradient": "at a kink the gradient lies between the one-sided slopes",
    "differentiable again": "backward is written with Tensor operations",
    "second order": "the derivative of the gradient equals the finite difference of the gradient",
    "same gradient recorded": "the gradient is the same with and without create_graph",
    "linear": "the operation is linear in this argument",
    "adjoint": "<A x, y> = <x, A' y>",
    "value": "the value equals the oracle's",
    "float32": "float32 results agree with float64 ones to float32's precision",
    "bad input": "a call that makes no sense is refused with the promised error",
    "no elements": "inputs without elements give a result and zero-sized gradients",
    "stale value": "a value changed in place after it was used is noticed",
    "own network": "a training step gives gradients to its own network, and to no other",
    "resume": "a saved and loaded optimiser goes on as if it had not stopped",
    "strict device": "the operation computes with its input's array module only",
}


@dataclass(frozen=True)
class Finding:
    """One broken property (a key of `PROPERTIES`) and what was seen, in one to four lines."""

    property: str
    text: str
    hint: str = ""

    def __str__(self) -> str:
        return f"{self.property}: {self.text}" + (f"\n  hint: {self.hint}" if self.hint else "")


@dataclass
class GradReport:
    """The result of a check; true only when its verdict is PASS.

    error1, error2: largest |analytic - numeric| / scale over the probes at order 1 and 2 (nan: not checked).
    evaluations: calls of the function.  kinks: outputs met where only a sub-gradient exists.
    examples, undecided: samples tried, and how many of them were INCONCLUSIVE (`check_op`).
    findings: what is wrong (FAIL); doubts: what could not be decided (INCONCLUSIVE).
    """

    name: str
    seed: int
    error1: float = float("nan")
    error2: float = float("nan")
    evaluations: int = 0
    kinks: int = 0
    examples: int = 1
    undecided: int = 0
    seconds: float = 0.0
    findings: list[Finding] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)

    @property
    def verdict(self) -> str:
        """PASS, FAIL or INCONCLUSIVE."""
        return FAIL if self.findings else INCONCLUSIVE if self.doubts else PASS

    @property
    def properties(self) -> list[str]:
        """Names of the broken properties, each once, in the order found."""
        return list(dict.fromkeys(finding.property for finding in self.findings))

    def add(self, property: str, text: str, hint: str = "") -> None:
        """Note a broken property."""
        assert property in PROPERTIES, property
        self.findings.append(Finding(property, text, hint))

    def take(self, other: GradReport) -> None:
        """Add the figures, findings and doubts of another check of the same thing."""
        self.error1, self.error2 = np.fmax(self.error1, other.error1), np.fmax(self.error2, other.error2)
        self.evaluations += other.evaluations
        self.kinks += other.kinks
        self.findings += other.findings
        self.doubts += other.doubts

    def __bool__(self) -> bool:
        return self.verdict == PASS

    def __str__(self) -> str:
        head = f"{self.verdict}: {self.name} (seed {self.seed}, {self.evaluations} evaluations)"
        lines = [head]
        for position, finding in enumerate(self.findings):
            text = [f"  {line}" for line in str(finding).split("\n")]
            if len(lines) + len(text) > 14:
                rest = dict.fromkeys(f.property for f in self.findings[position:])
                lines.append(f"  and also: {', '.join(rest)}")
                break
            lines += text
        shown = min(3, 14 - len(lines))
        lines += [f"  undecided: {doubt}" for doubt in self.doubts[:shown]]
        if len(self.doubts) > shown:
            lines.append(f"  undecided: {len(self.doubts) - shown} more")
        return "\n".join(line[:200] for line in lines)

    __repr__ = __str__

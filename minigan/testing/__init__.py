"""Gradient checking, for minigan's operations and your own.

`gradcheck(fn, inputs)` proves a derivative to second order, `adjoint_check` proves a linear operation
exactly, `check_op(case)` runs everything that is known about an operation.  `minigan.testing.strategies`
draws inputs (it alone loads hypothesis), `minigan.testing.cases` holds one record per operation, layer and
loss.
"""

from minigan.testing.adjoint import adjoint_check
from minigan.testing.case import BadInput, OpCase, Sample
from minigan.testing.checkop import check_op
from minigan.testing.functional import functional
from minigan.testing.gradcheck import gradcheck, gradgradcheck
from minigan.testing.report import FAIL, INCONCLUSIVE, PASS, PROPERTIES, Finding, GradReport

__all__ = [
    "FAIL",
    "INCONCLUSIVE",
    "PASS",
    "PROPERTIES",
    "BadInput",
    "Finding",
    "GradReport",
    "OpCase",
    "Sample",
    "adjoint_check",
    "check_op",
    "functional",
    "gradcheck",
    "gradgradcheck",
]

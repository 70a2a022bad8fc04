"""Kernels for NumPy's arrays: few passes over memory, on all threads, with BLAS held to one a job."""

from minigan.kernels.host import activation, arithmetic, linalg, loss, norm, optim, pool  # noqa: F401

"""Spies for the algorithms: scratch memory taken, jobs made, matrices multiplied, rows covered."""

from math import prod

import numpy as np
import pytest

from minigan.kernels import blas, workspace


@pytest.fixture
def taken(monkeypatch):
    """Every (name, shape, bytes) that is asked of the workspace."""
    found, take = [], workspace.take

    def spy(like, name, shape):
        out = take(like, name, shape)
        found.append((name, out.shape, out.nbytes))
        return out

    monkeypatch.setattr(workspace, "take", spy)
    return found


@pytest.fixture
def jobs(monkeypatch):
    """The number of jobs of every `blas.run`, which runs them one after another."""
    found = []

    def spy(work):
        found.append(len(work))
        for job in work:
            job()

    monkeypatch.setattr(blas, "run", spy)
    return found


@pytest.fixture
def multiplied(monkeypatch):
    """The (left, right) shapes of every matrix product, stacks taken apart."""
    found, product = [], blas.product

    def spy(left, right, out, *, add=False):
        if out.ndim == 2 or not add:  # added stacks come back here one by one
            found.extend([(left.shape[-2:], right.shape[-2:])] * prod(out.shape[:-2]))
        return product(left, right, out, add=add)

    monkeypatch.setattr(blas, "product", spy)
    return found


@pytest.fixture
def workers(monkeypatch):
    """Says how many threads there are."""
    return lambda count: monkeypatch.setattr(blas, "workers", lambda: count)


@pytest.fixture
def times_covered():
    """How often blocks (n0, n1, i0, i1) cover each row of each image, (N, rows)."""

    def count(blocks, N, rows):
        seen = np.zeros((N, rows), int)
        for n0, n1, i0, i1 in blocks:
            assert 0 <= n0 < n1 <= N and 0 <= i0 < i1 <= rows
            seen[n0:n1, i0:i1] += 1
        return seen

    return count

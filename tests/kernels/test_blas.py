"""Products shared out among threads, each held to one BLAS thread."""

from dataclasses import replace

import numpy as np
import pytest

from minigan.kernels import blas, parallel


@pytest.fixture(autouse=True)
def two_threads():
    before = parallel.threads()
    parallel.set_threads(2)
    yield
    parallel.set_threads(before)


def blas_threads():
    calls = blas._thread_calls()
    return calls[0]() if calls else None


@pytest.mark.parametrize("worth", [0, 1 << 60])
@pytest.mark.parametrize(
    "shapes", [((7, 3), (3, 5)), ((3, 4), (4, 9)), ((1, 2), (2, 1)), ((5, 0), (0, 2)), ((0, 2), (2, 3))]
)
def test_products_of_matrices(monkeypatch, shapes, worth):
    monkeypatch.setattr(blas, "WORTH_SPLITTING", worth)
    generator = np.random.default_rng(0)
    left, right = (generator.normal(size=shape) for shape in shapes)
    got = blas.matmul(left, right)
    np.testing.assert_allclose(got, np.einsum("ik,kj->ij", left, right), rtol=1e-12, atol=1e-12)
    transposed = blas.matmul(right.T, left.T)
    np.testing.assert_allclose(transposed, got.T, rtol=1e-12, atol=1e-12)
    assert got.dtype == np.float64


def test_other_ranks_and_types():
    generator = np.random.default_rng(0)
    stack, matrix, vector = (generator.normal(size=shape) for shape in ((4, 2, 3), (3, 5), (3,)))
    np.testing.assert_allclose(
        blas.matmul(stack, matrix), np.einsum("nik,kj->nij", stack, matrix), rtol=1e-12
    )
    np.testing.assert_allclose(
        blas.matmul(stack[0], vector), np.einsum("ik,k->i", stack[0], vector), rtol=1e-12
    )
    assert blas.matmul(matrix.astype(np.float32).T, vector).dtype == np.float64


def test_blas_is_held_to_one_thread_inside_jobs_and_given_back():
    before = blas_threads()
    if before is None:
        pytest.skip("NumPy uses another BLAS than OpenBLAS here")
    seen = []
    blas.run([lambda: seen.append(blas_threads())])
    blas.run([lambda: seen.append(blas_threads())] * 3)
    assert seen == [1, 1, 1, 1]
    with blas.single(), blas.single():
        assert blas_threads() == 1
    assert blas_threads() == before


def test_an_error_gives_the_threads_back():
    before = blas_threads()
    with pytest.raises(ValueError, match="shape|dimension|mismatch"):
        blas.matmul(np.ones((2, 3)), np.ones((4, 5)))
    assert blas_threads() == before


@pytest.mark.parametrize("stack", [(), (3,)])
@pytest.mark.parametrize("contiguous", [True, False])
def test_product_writes_the_product(stack, contiguous):
    rng = np.random.default_rng(0)
    left = rng.standard_normal((*stack, 7, 5)).astype(np.float32)
    right = rng.standard_normal((*stack, 4, 5)).astype(np.float32).swapaxes(-1, -2)  # a transposed factor
    whole = np.full((*stack, 7, 4 if contiguous else 9), np.nan, np.float32)
    out = whole[..., :4]
    blas.product(left, right, out)
    wanted = np.einsum("...ij,...jk->...ik", left.astype(float), right.astype(float))
    np.testing.assert_allclose(out, wanted, rtol=1e-5, atol=1e-6)
    assert np.isnan(whole[..., 4:]).all()


@pytest.mark.parametrize("dtype", ["float32", "float64", "longdouble"])
@pytest.mark.parametrize("by_blas", [True, False])
def test_product_adds_to_what_is_there(monkeypatch, dtype, by_blas):
    if not by_blas:
        monkeypatch.setattr(blas, "_gemm", lambda kind: None)
    rng = np.random.default_rng(0)
    for rows, inner, columns in ((7, 5, 4), (1, 5, 4), (7, 1, 4), (7, 5, 1), (1, 1, 1), (3, 0, 2)):
        for turned in range(4):
            left, right = rng.standard_normal((2 * rows, inner)), rng.standard_normal((inner, 2 * columns))
            left, right = (m.astype(dtype) for m in (left, right))
            left, right = left[::2] if turned & 1 else left[:rows], right[:, columns:]
            if turned & 2:
                left, right = np.asfortranarray(left), np.asfortranarray(right)
            whole = rng.standard_normal((rows, 2 * columns)).astype(dtype)
            before = whole.copy()
            blas.product(left, right, whole[:, :columns], add=True)
            wanted = before[:, :columns] + np.einsum("ik,kj->ij", left, right)
            np.testing.assert_allclose(whole[:, :columns], wanted, rtol=1e-5, atol=1e-6)
            assert (whole[:, columns:] == before[:, columns:]).all()


@pytest.mark.parametrize("add", [False, True])
@pytest.mark.parametrize(
    "shape", [(61, 3, 4), (4, 3, 61), (4, 61, 3), (64, 4, 2), (61, 7, 2), (40, 9, 9), (7, 61, 8)]
)
def test_long_products_in_blocks(monkeypatch, shape, add):
    monkeypatch.setattr(blas, "UNPACKED", 8 * 14)
    monkeypatch.setattr(blas, "SMALL_KERNELS", (blas.core(),))  # whatever the processor
    for name, value in {"NARROW": 2, "SMALL_FACE": 12, "LANES": 8}.items():
        monkeypatch.setattr(blas, name, value)
    (M, K, N), rng = shape, np.random.default_rng(0)
    small_face = M * K * N // max(shape) <= 12 or N == 2
    for turned in range(8):
        left, right = rng.standard_normal((M, K)), rng.standard_normal((K, N))
        left = np.asfortranarray(left) if turned & 1 else left
        right = np.asfortranarray(right) if turned & 2 else right
        whole = rng.standard_normal((M, 2 * N if turned & 4 else N))
        before, calls = whole.copy(), []
        with monkeypatch.context() as patch:
            matmul = np.matmul
            patch.setattr(blas.np, "matmul", lambda *a, m=matmul, n=calls, **k: n.append(1) or m(*a, **k))
            blas.product(left, right, whole[:, :N], add=add)
        in_order = not (turned & 1 if M == max(shape) else turned & 2)
        expected = small_face and (K == max(shape) or not add and in_order)
        assert bool(calls) == expected
        wanted = np.einsum("ik,kj->ij", left, right) + (before[:, :N] if add else 0)
        np.testing.assert_allclose(whole[:, :N], wanted, rtol=1e-12, atol=1e-12)
        np.testing.assert_array_equal(whole[:, N:], before[:, N:])


@pytest.mark.parametrize(
    "shapes, calls",
    [
        (((3, 4), (4, 2)), 1),
        (((5, 3, 4), (4, 2)), 1),
        (((5, 3, 4), (5, 4, 2)), 5),
        (((2, 1, 3, 4), (3, 4, 2)), 6),
        (((3, 4), (2, 4, 5)), 2),
        (((17, 3, 4), (17, 4, 2)), 1),
        (((0, 3, 4), (4, 2)), 1),
        (((3, 4), (4,)), 1),
    ],
)
def test_on_a_device_products_are_of_matrices(monkeypatch, shapes, calls):
    """A stack of a few goes one by one, a stack of many in one call."""
    made = []

    class Namespace:
        def __getattr__(self, name):
            return getattr(np, name)

        def matmul(self, left, right, out=None):
            made.append((left.ndim, right.ndim))
            return np.matmul(left, right, out=out)

        def dot(self, left, right, out=None):
            made.append((left.ndim, right.ndim))
            return np.dot(left, right, out=None if out is None else out.view(np.ndarray))

    class Elsewhere(np.ndarray):
        pass

    monkeypatch.setitem(blas.backend._by_type, Elsewhere, replace(blas.backend.NUMPY, xp=Namespace()))
    generator = np.random.default_rng(0)
    left, right = (generator.normal(size=shape) for shape in shapes)
    wanted = np.matmul(left, right)
    left, right = left.view(Elsewhere), right.view(Elsewhere)
    np.testing.assert_array_equal(blas.matmul(left, right), wanted)
    assert len(made) == calls and (calls == 1 or set(made) == {(2, 2)})
    for add in (False, True):
        out = np.ones(wanted.shape).view(Elsewhere)
        blas.product(left, right, out, add=add)
        np.testing.assert_allclose(out, wanted + add, rtol=1e-14)

"""Every name of `minigan.nn.functional` against torch.nn.functional: one table of drawn positional calls.

Values, shapes, dtypes, first and second gradients; what draws numbers of its own is held to what is promised.
"""

import importlib.util
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigan
import minigan.nn.functional as F
from minigan.errors import ArgumentError, ShapeError

torch = pytest.importorskip("torch")


WORST = 1e-9

_spec = importlib.util.spec_from_file_location(
    "functional_table", Path(__file__).with_name("functional_table.py")
)
table = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(table)
Fixed, TABLE = table.Fixed, table.TABLE


def in_library(value, library, dtype):
    """The same argument in minigan or in PyTorch: (argument, what is differentiated)."""
    wanted = isinstance(value, np.ndarray)
    if isinstance(value, Fixed):
        value = value.array
    if not isinstance(value, np.ndarray):
        return value, None
    value = value.astype(dtype) if value.dtype.kind == "f" else value.copy()
    if library is torch:
        tensor = torch.tensor(value, requires_grad=wanted)
    else:
        tensor = minigan.Tensor(value.copy(), requires_grad=wanted)
    return tensor, tensor if wanted else None


def outcome(library, name, args, kwargs, cotangents, dtype="float64"):
    """Value, first and second gradients, and the arguments that a call may have changed."""
    functions, grad = (F, minigan.grad) if library is minigan else (torch.nn.functional, torch.autograd.grad)
    make = torch.from_numpy if library is torch else minigan.Tensor
    given, leaves = zip(*(in_library(value, library, dtype) for value in args), strict=True)
    named = {key: in_library(value, library, dtype)[0] for key, value in kwargs.items()}
    leaves = [leaf for leaf in leaves if leaf is not None]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch's about older names
        value = getattr(functions, name)(*given, **named)
    fixed = [a for a, b in zip(given, args, strict=True) if isinstance(b, Fixed)]
    if not leaves or dtype != "float64":
        return value, (), (), fixed
    draw = np.random.default_rng(cotangents)
    total = (value * make(draw.normal(size=tuple(value.shape)))).sum()
    if not total.requires_grad:
        return value, (), (), fixed
    first = grad(total, leaves, create_graph=True, allow_unused=True)
    if name in table.ONCE:
        return value, first, (), fixed
    total = sum((leaf * 0.0).sum() for leaf in leaves)
    for leaf, g in zip(leaves, first, strict=True):
        c = make(draw.normal(size=tuple(leaf.shape)))
        total = total if g is None else total + (g * c).sum()
    return value, first, grad(total, leaves, allow_unused=True), fixed


def numbers(value):
    return np.asarray(value.detach().numpy())


def agree(mine, theirs, what, worst=WORST):
    if mine is None or theirs is None:  # no gradient: as good as 0
        rest = theirs if mine is None else mine
        assert rest is None or not numbers(rest).any(), what
        return
    a, b = numbers(mine), numbers(theirs)
    assert a.shape == b.shape and a.dtype == b.dtype, (what, a.shape, b.shape, a.dtype, b.dtype)
    scale = max(np.abs(b).max(initial=0.0), 1e-3)
    assert np.abs(a - b).max(initial=0.0) <= worst * scale, (what, a, b)


@pytest.mark.parametrize("name", TABLE)
@given(seed=st.integers(0, 2**32 - 1))
def test_agrees_with_torch(name, seed):
    args, kwargs = TABLE[name](table.Draw(seed))
    mine, theirs = (outcome(library, name, args, kwargs, seed) for library in (minigan, torch))
    agree(mine[0], theirs[0], f"{name}: value")
    for order in (1, 2):
        for a, b in zip(mine[order], theirs[order], strict=True):
            agree(a, b, f"{name}: order {order}", 1e-7 if name in table.ONCE else WORST)
    for a, b in zip(mine[3], theirs[3], strict=True):
        agree(a, b, f"{name}: changed in place")
    single = [outcome(library, name, args, kwargs, seed, "float32")[0] for library in (minigan, torch)]
    agree(*single, f"{name}: float32", 2e-4)


def test_every_public_name_is_in_the_table():
    assert set(F.__all__) == {*TABLE, *table.RANDOM}


@pytest.mark.parametrize("hard", [False, True])
@pytest.mark.parametrize("dim", [-1, 0])
def test_gumbel_softmax_of_the_same_noise(hard, dim, monkeypatch):
    """PyTorch is handed the exponential numbers that our generator draws; values and gradients agree."""
    logits = np.random.default_rng(0).normal(size=(3, 4))
    drawn = np.random.default_rng(5).standard_exponential((3, 4))
    monkeypatch.setattr(torch.Tensor, "exponential_", lambda x: x.copy_(torch.from_numpy(drawn)))
    x, y = minigan.Tensor(logits, requires_grad=True), torch.tensor(logits, requires_grad=True)
    mine = F.gumbel_softmax(x, 0.7, hard, dim=dim, generator=np.random.default_rng(5))
    theirs = torch.nn.functional.gumbel_softmax(y, 0.7, hard, dim=dim)
    agree(mine, theirs, "value")
    c = np.random.default_rng(1).normal(size=(3, 4))
    (mine * minigan.Tensor(c)).sum().backward()
    (theirs * torch.from_numpy(c)).sum().backward()
    agree(x.grad, y.grad, "gradient")


@pytest.mark.parametrize("name", ["dropout", "dropout2d"])
def test_dropout_drops_by_default(name):
    x = minigan.Tensor(np.ones((40, 50, 2, 2)))
    y = getattr(F, name)(x, 0.25).numpy()
    assert set(np.unique(y)) == {0.0, 1 / 0.75}
    assert (y == 0).mean() == pytest.approx(0.25, abs=0.05)
    if name == "dropout2d":
        assert (y == y[..., :1, :1]).all()
    assert getattr(F, name)(x, 0.25, False) is x


@pytest.mark.parametrize("name", ["softmax", "log_softmax", "softmin"])
@pytest.mark.parametrize("axes", [0, 1, 2, 3, 4])
def test_softmax_without_an_axis_guesses_as_torch_does(name, axes):
    data = np.random.default_rng(0).normal(size=(2, 3, 2, 3)[:axes])
    with pytest.warns(UserWarning, match="dim"):
        mine = getattr(F, name)(minigan.Tensor(data))
    with pytest.warns(UserWarning, match="dim"):
        theirs = getattr(torch.nn.functional, name)(torch.from_numpy(data))
    agree(mine, theirs, name)


@pytest.mark.parametrize("name, args", [
    ("softmax", ()), ("log_softmax", ()), ("softmin", ()), ("glu", ()), ("gumbel_softmax", ()),
    ("normalize", (2.0,)),
])  # fmt: skip
def test_axis_is_another_name_of_dim(name, args):
    x = minigan.Tensor(np.random.default_rng(0).normal(size=(4, 4)))
    minigan.manual_seed(3)
    a = getattr(F, name)(x, *args, axis=0)
    minigan.manual_seed(3)
    agree(a, getattr(F, name)(x, *args, dim=0), name)


def test_older_reductions():
    x, t = minigan.Tensor(np.arange(3.0)), minigan.Tensor(np.zeros(3))
    assert F.mse_loss(x, t, False).item() == 5.0 == F.mse_loss(x, t, size_average=False, reduce=True).item()
    assert F.mse_loss(x, t, reduce=False).shape == (3,)
    assert F.mse_loss(x, t, True).item() == pytest.approx(5 / 3)


def test_what_is_not_there_names_the_nearest():
    with pytest.raises(AttributeError, match="conv3d.*nearest: .*conv2d"):
        F.conv3d  # noqa: B018


X = minigan.Tensor(np.ones((2, 3, 4, 4)))
REFUSED = [
    (lambda: F.celu(X, 0.0), ArgumentError, "alpha"),
    (lambda: F.prelu(X, minigan.Tensor(np.ones(2))), ShapeError, "1 or 3"),
    (lambda: F.glu(X, 1), ShapeError, "even"),
    (lambda: F.dropout2d(minigan.Tensor(np.ones(3))), ShapeError, "N, C"),
    (lambda: F.max_pool2d(X, 2, return_indices=True), ArgumentError, "return_indices"),
    (lambda: F.adaptive_max_pool2d(X, 2, True), ArgumentError, "return_indices"),
    (lambda: F.adaptive_max_pool2d(X, 0), ArgumentError, ">= 1"),
    (lambda: F.conv2d(X, X, padding="half"), ArgumentError, "valid"),
    (lambda: F.conv2d(X, X, None, 2, "same"), ArgumentError, "stride 1"),
    (lambda: F.conv1d(X, X), ShapeError, "3 axes"),
    (lambda: F.pad(X, (1, 1), "reflect", 2.0), ArgumentError, "no value"),
    (lambda: F.pad(X, (5, 0, 0, 0), "circular"), ArgumentError, "circular"),
    (lambda: F.interpolate(X, 4, mode="cubic"), ArgumentError, "bilinear or bicubic"),
    (lambda: F.interpolate(X, 4, mode="nearest", align_corners=True), ArgumentError, "align_corners"),
    (lambda: F.pixel_shuffle(X, 2), ShapeError, "pixel_shuffle"),
    (lambda: F.pixel_unshuffle(X, 3), ShapeError, "pixel_unshuffle"),
    (lambda: F.normalize(X, out=X), ArgumentError, "out="),
    (lambda: F.normalize(X, 0), ArgumentError, "p > 0"),
    (lambda: F.one_hot(np.array([3]), 2), ArgumentError, r"\[0, 2\)"),
    (lambda: F.embedding(np.array([0]), X, max_norm=1.0), ArgumentError, "max_norm"),
    (lambda: F.mse_loss(X, X, reduction="batchmean"), ArgumentError, "mean, sum or none"),
    (lambda: F.cross_entropy(X, X, label_smoothing=2.0), ArgumentError, "label_smoothing"),
    (lambda: F.nll_loss(X[:, :, 0, 0], np.array([0, 1]), weight=np.ones(2)), ShapeError, "each of 3"),
    (lambda: F.bilinear(X, X, X), ShapeError, "bilinear"),
    (lambda: F.instance_norm(X, use_input_stats=False), ArgumentError, "running"),
]


@pytest.mark.parametrize("refused, error, words", REFUSED, ids=range(len(REFUSED)))
def test_refuses_in_words(refused, error, words):
    with pytest.raises(error, match=words):
        refused()

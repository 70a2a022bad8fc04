"""Every layer that PyTorch has too, built by position alone: the same signature, the same numbers.

One table; a test holds that every public layer is in it.
"""

import inspect
import warnings
from collections import OrderedDict

import numpy as np
import pytest

import minigan
from minigan import nn
from minigan.nn.module import Module

torch = pytest.importorskip("torch")

WORST = 1e-9
PICTURE, LINE, ROWS = (2, 4, 6, 6), (2, 4, 7), (3, 4)
LABELS = np.array([0, 3, 1])
SIGNS = np.array([1.0, -1.0, 1.0])


def signs(*shape):
    return np.resize(SIGNS, shape)


# name: (positional arguments, inputs); inputs are shapes to be drawn, or arrays that are not differentiated
TABLE = {
    "Identity": ((7, True), [ROWS]),
    "ReLU": ((True,), [ROWS]), "ReLU6": ((True,), [ROWS]), "SELU": ((True,), [ROWS]),
    "SiLU": ((True,), [ROWS]), "Mish": ((True,), [ROWS]), "Hardsigmoid": ((True,), [ROWS]),
    "Hardswish": ((True,), [ROWS]), "LeakyReLU": ((0.2, True), [ROWS]), "ELU": ((0.7, True), [ROWS]),
    "CELU": ((0.5, True), [ROWS]), "Sigmoid": ((), [ROWS]), "LogSigmoid": ((), [ROWS]), "Tanh": ((), [ROWS]),
    "Tanhshrink": ((), [ROWS]), "Softsign": ((), [ROWS]), "PReLU": ((4, 0.3), [PICTURE]),
    "Hardtanh": ((-0.5, 0.7, True), [ROWS]), "Threshold": ((0.1, 7.0, True), [ROWS]),
    "Softplus": ((2.0, 1.5), [ROWS]), "GELU": (("tanh",), [ROWS]), "Softmax": ((1,), [PICTURE]),
    "LogSoftmax": ((0,), [PICTURE]), "Softmin": ((-1,), [PICTURE]), "GLU": ((1,), [PICTURE]),
    "Dropout": ((0.0, True), [ROWS]), "Dropout2d": ((1.0, True), [PICTURE]),
    "Flatten": ((0, 2), [PICTURE]), "Unflatten": ((1, (2, 2)), [PICTURE]),
    "ZeroPad2d": (((1, 2, 0, 1),), [PICTURE]), "ConstantPad2d": ((1, 0.5), [PICTURE]),
    "ReflectionPad2d": ((2,), [PICTURE]), "ReplicationPad2d": (((1, 2, 0, 1),), [PICTURE]),
    "ZeroPad1d": (((1, 2),), [LINE]), "ConstantPad1d": ((1, 0.5), [LINE]),
    "ReflectionPad1d": ((2,), [LINE]), "ReplicationPad1d": (((1, 2),), [LINE]),
    "CircularPad1d": (((1, 2),), [LINE]), "Unfold": ((2, 1, 1, 2), [PICTURE]),
    "Fold": (((2, 3), 2), [(2, 8, 2)]), "LocalResponseNorm": ((3, 0.1, 0.7, 1.2), [PICTURE]),
    "GaussianNLLLoss": ((), [ROWS, ROWS, np.full(ROWS, 0.7)]),
    "CircularPad2d": (((1, 2, 0, 1),), [PICTURE]), "PixelShuffle": ((2,), [PICTURE]),
    "PixelUnshuffle": ((3,), [PICTURE]), "Upsample": ((None, 1.7, "bilinear", True, True), [PICTURE]),
    "UpsamplingNearest2d": ((None, 2), [PICTURE]), "UpsamplingBilinear2d": (((5, 9),), [PICTURE]),
    "Linear": ((4, 5, False), [ROWS]), "Bilinear": ((4, 4, 5, True), [ROWS, ROWS]),
    "Embedding": ((5, 3, 1), [LABELS]),
    "Conv1d": ((4, 6, 3, 2, 1, 2, 2, False), [LINE]),
    "Conv2d": ((4, 6, 4, 2, 1, 1, 2, False, "reflect"), [PICTURE]),
    "ConvTranspose1d": ((4, 6, 3, 2, 1, 1, 2, False, 2), [LINE]),
    "ConvTranspose2d": ((4, 6, 4, 2, 1, 1, 2, False, 1), [PICTURE]),
    "BatchNorm1d": ((4, 0.8, 0.3, False, True), [LINE]),
    "BatchNorm2d": ((4, 0.8, None, True, True), [PICTURE]),
    "InstanceNorm1d": ((4, 0.8, 0.3, True, True), [LINE]),
    "InstanceNorm2d": ((4, 0.8, 0.3, True, False), [PICTURE]),
    "LayerNorm": (((6, 6), 0.8, True, False), [PICTURE]), "GroupNorm": ((2, 4, 0.8, True), [PICTURE]),
    "MaxPool1d": ((3, 2, 1, 1, False, True), [LINE]), "MaxPool2d": ((2, 2, 0, 2, False, True), [PICTURE]),
    "AvgPool1d": ((3, 2, 1, True, False), [LINE]), "AvgPool2d": ((3, 2, 1, True, False, 5), [PICTURE]),
    "AdaptiveAvgPool1d": ((3,), [LINE]), "AdaptiveAvgPool2d": (((4, None),), [PICTURE]),
    "AdaptiveMaxPool2d": (((4, None), False), [PICTURE]),
    "MSELoss": ((None, None, "sum"), [ROWS, ROWS]), "L1Loss": ((False,), [ROWS, ROWS]),
    "SmoothL1Loss": ((None, None, "none", 0.5), [ROWS, ROWS]), "HuberLoss": (("sum", 0.5), [ROWS, ROWS]),
    "BCELoss": ((np.array([1.0, 2.0, 0.5, 1.0]), None, None, "sum"), [ROWS, np.full(ROWS, 0.3)]),
    "BCEWithLogitsLoss": ((None, None, None, "mean", np.array([1.0, 2.0, 0.5, 1.0])),
                          [ROWS, np.full(ROWS, 0.3)]),
    "NLLLoss": ((np.array([1.0, 2.0, 0.5, 1.0]), None, 3, None, "mean"), [ROWS, LABELS]),
    "CrossEntropyLoss": ((np.array([1.0, 2.0, 0.5, 1.0]), None, 3, None, "mean", 0.2), [ROWS, LABELS]),
    "KLDivLoss": ((None, None, "batchmean", True), [ROWS, ROWS]),
    "SoftMarginLoss": ((None, None, "sum"), [ROWS, signs(*ROWS)]),
    "HingeEmbeddingLoss": ((0.7, None, None, "sum"), [ROWS, signs(*ROWS)]),
    "MarginRankingLoss": ((0.7, None, None, "sum"), [ROWS, ROWS, signs(*ROWS)]),
    "CosineEmbeddingLoss": ((0.1, None, None, "sum"), [ROWS, ROWS, SIGNS]),
    "TripletMarginLoss": ((2.0, 1.0, 1e-6, True, None, None, "sum"), [ROWS, ROWS, ROWS]),
    "CosineSimilarity": ((0, 1e-6), [ROWS, ROWS]), "PairwiseDistance": ((1.0, 1e-6, True), [ROWS, ROWS]),
}  # fmt: skip
OURS = {"MinibatchStdDev", "PixelNorm"}  # of GAN papers; PyTorch has none
HOLDERS = {
    "DataParallel",
    "Module",
    "ModuleDict",
    "ModuleList",
    "ParameterDict",
    "ParameterList",
    "Sequential",
}


def apart(mine, theirs):
    mine, theirs = np.asarray(mine), theirs.detach().numpy()
    assert mine.shape == theirs.shape and mine.dtype == theirs.dtype
    return np.abs(mine - theirs).max(initial=0.0) / max(np.abs(theirs).max(initial=0.0), 1e-3)


def built(name):
    """The layer in both libraries, by position, with one state."""
    args = TABLE[name][0]
    mine = getattr(nn, name)(*args).double()
    theirs = getattr(torch.nn, name)(*(torch.from_numpy(a) if isinstance(a, np.ndarray) else a for a in args))
    theirs = theirs.double()
    draw = np.random.default_rng(0)
    state = {key: value.numpy() for key, value in theirs.state_dict().items()}
    state = {k: draw.uniform(0.3, 1.0, v.shape) if v.dtype.kind == "f" else v for k, v in state.items()}
    assert list(mine.state_dict()) == list(state)
    assert mine.load_state_dict(state) == ([], [])
    theirs.load_state_dict({key: torch.as_tensor(value) for key, value in state.items()})
    return mine, theirs


@pytest.mark.filterwarnings("ignore:size_average")
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("name", TABLE)
def test_built_by_position(name, training):
    mine, theirs = built(name)
    mine.train(training), theirs.train(training)
    draw = np.random.default_rng(1)
    low, high = (0.05, 0.95) if name == "BCELoss" else (-2.0, 2.0)
    given = [draw.uniform(low, high, x) if isinstance(x, tuple) else x for x in TABLE[name][1]]
    wanted = [isinstance(x, tuple) for x in TABLE[name][1]]
    xs = [minigan.Tensor(x.copy(), requires_grad=w) for x, w in zip(given, wanted, strict=True)]
    ys = [torch.tensor(x, requires_grad=w) for x, w in zip(given, wanted, strict=True)]
    us, vs = ([x * 1 if getattr(theirs, "inplace", False) else x for x in given] for given in (xs, ys))
    a, b = mine(*us), theirs(*vs)
    for u, v in zip(us, vs, strict=True):  # what was given, changed in place or not
        assert u is v or apart(u.detach().numpy(), v) <= WORST
    assert apart(a.numpy(), b) <= WORST
    c = draw.normal(size=a.shape)
    if b.requires_grad:
        (a * minigan.Tensor(c)).sum().backward()
        (b * torch.from_numpy(c)).sum().backward()
        for x, y in [*zip(xs, ys, strict=True), *zip(mine.parameters(), theirs.parameters(), strict=True)]:
            if y.grad is not None:
                assert apart(x.grad.numpy(), y.grad) <= (1e-7 if name == "Hardsigmoid" else WORST)
    for (key, x), y in zip(mine.named_buffers(), theirs.buffers(), strict=True):
        assert apart(x.numpy(), y) <= WORST, key


def test_every_layer_is_in_the_table():
    layers = {name for name, kind in vars(nn).items() if inspect.isclass(kind) and issubclass(kind, Module)}
    assert layers == {*TABLE, *OURS, *HOLDERS}


@pytest.mark.parametrize("name", TABLE)
def test_arguments_are_those_of_torch_in_order(name):
    """Names and defaults of what may be given by position; PyTorch may have a few more at the end."""
    (own, other) = (
        [p for p in inspect.signature(getattr(module, name).__init__).parameters.values()][1:]
        for module in (nn, torch.nn)
    )
    keywords = {p.name for p in other if p.kind is p.KEYWORD_ONLY}
    assert keywords - {"device", "dtype", "bias"} <= {p.name for p in own}
    own = [p for p in own if p.kind is p.POSITIONAL_OR_KEYWORD]
    for mine, theirs in zip(own, other, strict=False):
        assert mine.name == theirs.name, (mine, theirs)
        if name not in (
            "HingeEmbeddingLoss",
            "CosineEmbeddingLoss",
            "MarginRankingLoss",
        ):  # None for the usual
            assert mine.default == theirs.default, (mine, theirs)
    other = [p for p in other if p.name not in keywords]
    assert {p.name for p in other[len(own) :]} <= {
        "device", "dtype", "min_value", "max_value", "max_norm", "norm_type", "scale_grad_by_freq", "sparse",
        "_weight", "_freeze", "kwargs", "bias", "padding_mode", "args",
    }  # fmt: skip


@pytest.mark.parametrize("mode", ["zeros", "reflect", "replicate", "circular"])
@pytest.mark.parametrize("padding", ["same", "valid", 1])
@pytest.mark.parametrize("kernel, dilation", [(3, 1), (4, 1), ((2, 3), (2, 1))])
def test_padding_by_word_and_mode(mode, padding, kernel, dilation):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch's, of a slow "same" with an even kernel
        theirs = torch.nn.Conv2d(2, 3, kernel, 1, padding, dilation, padding_mode=mode)
        mine = nn.Conv2d(2, 3, kernel, 1, padding, dilation, padding_mode=mode)
        mine.load_state_dict({key: value.numpy() for key, value in theirs.state_dict().items()})
        x = np.random.default_rng(0).normal(size=(2, 2, 7, 6)).astype(np.float32)
        assert apart(mine(minigan.Tensor(x)).numpy(), theirs(torch.from_numpy(x))) <= 1e-5


def net(module):
    """The discriminator of many a notebook."""
    return module.Sequential(
        OrderedDict(
            conv=module.Conv2d(3, 8, 4, 2, 1, bias=False),
            act=module.LeakyReLU(0.2, inplace=True),
            norm=module.BatchNorm2d(8, 0.8),
            drop=module.Dropout2d(0.25),
            flat=module.Flatten(1),
            lists=module.ModuleList([module.Linear(8 * 4, 1)])[0],
        )
    )


def test_a_net_has_the_state_of_torchs():
    mine, theirs = net(nn), net(torch.nn)
    assert [(k, v.shape) for k, v in mine.state_dict().items()] == [
        (k, tuple(v.shape)) for k, v in theirs.state_dict().items()
    ]
    mine.load_state_dict({k: v.numpy() for k, v in theirs.state_dict().items()})
    mine.eval(), theirs.eval()
    x = np.random.default_rng(0).normal(size=(2, 3, 4, 4)).astype(np.float32)
    assert apart(mine(minigan.Tensor(x)).numpy(), theirs(torch.from_numpy(x))) <= 1e-5

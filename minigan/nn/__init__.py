"""Layers with parameters, and what holds them together, under PyTorch's names.  Start with `module`.

`functional` has the same as functions, `init` the starts of weights, `utils` what works on parameters.
"""

from typing import Any

from minigan.errors import nearest
from minigan.nn import functional, init, parallel, utils
from minigan.nn.activation import (
    CELU,
    ELU,
    GELU,
    GLU,
    SELU,
    Hardsigmoid,
    Hardswish,
    Hardtanh,
    LeakyReLU,
    LogSigmoid,
    LogSoftmax,
    Mish,
    PReLU,
    ReLU,
    ReLU6,
    Sigmoid,
    SiLU,
    Softmax,
    Softmin,
    Softplus,
    Softsign,
    Tanh,
    Tanhshrink,
    Threshold,
)
from minigan.nn.containers import ModuleDict, ModuleList, ParameterDict, ParameterList, Sequential
from minigan.nn.conv import Conv1d, Conv2d, ConvTranspose1d, ConvTranspose2d
from minigan.nn.dropout import Dropout, Dropout2d
from minigan.nn.fusion import fuse
from minigan.nn.linear import Bilinear, Embedding, Linear
from minigan.nn.loss import (
    BCELoss,
    BCEWithLogitsLoss,
    CosineEmbeddingLoss,
    CosineSimilarity,
    CrossEntropyLoss,
    GaussianNLLLoss,
    HingeEmbeddingLoss,
    HuberLoss,
    KLDivLoss,
    L1Loss,
    MarginRankingLoss,
    MSELoss,
    NLLLoss,
    PairwiseDistance,
    SmoothL1Loss,
    SoftMarginLoss,
    TripletMarginLoss,
)
from minigan.nn.module import Module, Parameter
from minigan.nn.normalisation import (
    BatchNorm1d,
    BatchNorm2d,
    GroupNorm,
    InstanceNorm1d,
    InstanceNorm2d,
    LayerNorm,
    LocalResponseNorm,
    MinibatchStdDev,
    PixelNorm,
)
from minigan.nn.parallel import DataParallel
from minigan.nn.pooling import (
    AdaptiveAvgPool1d,
    AdaptiveAvgPool2d,
    AdaptiveMaxPool2d,
    AvgPool1d,
    AvgPool2d,
    MaxPool1d,
    MaxPool2d,
)
from minigan.nn.reparametrise import equalized_lr, spectral_norm
from minigan.nn.shaping import (
    CircularPad1d,
    CircularPad2d,
    ConstantPad1d,
    ConstantPad2d,
    Flatten,
    Fold,
    Identity,
    PixelShuffle,
    PixelUnshuffle,
    ReflectionPad1d,
    ReflectionPad2d,
    ReplicationPad1d,
    ReplicationPad2d,
    Unflatten,
    Unfold,
    Upsample,
    UpsamplingBilinear2d,
    UpsamplingNearest2d,
    ZeroPad1d,
    ZeroPad2d,
)


def __getattr__(name: str) -> Any:
    known = [known for known in globals() if not known.startswith("_") and known not in ("Any", "nearest")]
    raise AttributeError(f"minigan.nn has no {name!r}; the nearest: {nearest(name, known)}")

"""Layers with parameters, and what holds them together, under PyTorch's names.  Start with `module`."""

from minigan.nn import init
from minigan.nn.activation import (
    ELU,
    GELU,
    Dropout,
    Flatten,
    Identity,
    LeakyReLU,
    ReLU,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    Tanh,
    Unflatten,
)
from minigan.nn.containers import ModuleList, Sequential
from minigan.nn.conv import Conv2d, ConvTranspose2d
from minigan.nn.linear import Embedding, Linear
from minigan.nn.loss import BCELoss, BCEWithLogitsLoss, CrossEntropyLoss, L1Loss, MSELoss
from minigan.nn.module import Module, Parameter
from minigan.nn.normalisation import (
    BatchNorm1d,
    BatchNorm2d,
    GroupNorm,
    InstanceNorm2d,
    LayerNorm,
    MinibatchStdDev,
    PixelNorm,
)
from minigan.nn.pooling import AdaptiveAvgPool2d, AvgPool2d, MaxPool2d, Upsample
from minigan.nn.reparametrise import equalized_lr, spectral_norm

# fmt: skip

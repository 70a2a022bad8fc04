"""What plain.py times: a program for every operation that has a kernel, and whole steps.

A program is written once for both libraries, against what `Minigan` and `Torch` offer under one name. Which
operations have a kernel the registry says; `missing` names those that no program runs.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import gan_models
import style_step

IMAGES = (64, 64, 28, 28)  # activations
QUICK_SIDE = 8  # of an axis
PARAMETERS = ("DCGAN 28's parameters", "a small layer's parameters")


@dataclass(frozen=True)
class Program:
    """``make(library, quick)`` returns {part: function of no arguments}, a part for each of ``parts``."""

    name: str
    kinds: tuple[str, ...]  # the classes whose kernels it runs; none for a whole step
    sizes: tuple[str, str]  # in words: as timed, and with --quick
    parts: tuple[str, ...]
    make: Callable


class Library:
    """What a program is written against: F, nn, optim, grad and these."""

    def __init__(self):
        import numpy as np

        self.draw = np.random.default_rng(0)
        self.masks = {}

    def leaf(self, shape):
        """Normal numbers that want a gradient; of four axes, the second comes last in memory."""
        import numpy as np

        if len(shape) != 4:
            return self.tensor(self.draw.standard_normal(shape, np.float32)).requires_grad_()
        N, C, H, W = shape
        array = self.draw.standard_normal((N, H, W, C), np.float32).transpose(0, 3, 1, 2)
        return self.tensor(array).requires_grad_()

    def mask(self, shape):
        """True and False at random, channels-last, the same at every call."""
        if shape not in self.masks:
            N, C, H, W = shape
            self.masks[shape] = self.tensor((self.draw.random((N, H, W, C)) < 0.5).transpose(0, 3, 1, 2))
        return self.masks[shape]


class Minigan(Library):
    """minigan, by definition or with kernels: the worker says which."""

    def __init__(self):
        import minigan

        super().__init__()
        self.F, self.nn, self.optim = minigan.ops, minigan.nn, minigan.optim
        self.tensor, self.grad, self.where = minigan.Tensor, minigan.grad, minigan.ops.where
        self.gram, self.trainer = minigan.ops.gram, gan_models.minigan_trainer

    def norm_leaky(self, x, weight, bias):
        """Batch norm and leaky ReLU, one operation."""
        return self.F.batch_norm(x, None, None, weight, bias, training=True, negative_slope=0.2)

    def ema(self, net):
        """A function that moves the average one step."""
        return partial(self.optim.EMA(net, decay=0.999, buffers="copy").update, net)

    def style(self, size):
        """A step of style transfer."""
        return partial(*style_step.objective("shipped", size))


class Torch(Library):
    """PyTorch as it comes, on the processor."""

    def __init__(self):
        import common
        import torch

        super().__init__()
        torch.set_num_threads(int(common.THREADS))
        self.F, self.nn, self.optim = torch.nn.functional, torch.nn, torch.optim
        self.tensor, self.grad, self.where = torch.from_numpy, torch.autograd.grad, torch.where
        self.trainer = gan_models.torch_trainer

    def gram(self, x):
        """As minigan's: x^T x."""
        return x.T @ x

    def norm_leaky(self, x, weight, bias):
        """Batch norm and leaky ReLU, two operations."""
        return self.F.leaky_relu(self.F.batch_norm(x, None, None, weight, bias, training=True), 0.2)

    def ema(self, net):
        """PyTorch's own average, with its many-tensor function."""
        from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

        average = AveragedModel(net, multi_avg_fn=get_ema_multi_avg_fn(0.999))
        return partial(average.update_parameters, net)

    def style(self, size):
        """The same step."""
        return style_step.torch_objective("shipped", size)[0]


def operation(name, kinds, call, *shapes, parts=("forward", "derivative")):
    """A program of one call(library, *inputs): recorded, and its gradient for every input."""

    tiny = [tuple(min(n, QUICK_SIDE) for n in shape) for shape in shapes]

    def words(shapes):
        return ", ".join("x".join(map(str, shape)) for shape in shapes)

    def make(library, quick):
        inputs = [library.leaf(shape) for shape in (tiny if quick else shapes)]
        y = call(library, *inputs)
        g = library.leaf(tuple(y.shape)).detach()
        calls = {
            "forward": partial(call, library, *inputs),
            "derivative": partial(library.grad, y, inputs, g, retain_graph=True),
        }
        return {part: calls[part] for part in parts}

    return Program(name, kinds, (words(shapes), words(tiny)), parts, make)


def second_max_pool(library, g):
    """Max pool's gradient of the image, as a function of the result's."""
    N, C, H, W = g.shape
    x = library.leaf((N, C, 2 * H, 2 * W))
    return library.grad(library.F.max_pool2d(x, 2), x, g, create_graph=True)[0]


def step(name, kinds, sizes, make):
    """A program of one part: make(library, quick) returns the function."""
    return Program(name, kinds, sizes, ("step",), lambda library, quick: {"step": make(library, quick)})


def trained_net(library, quick):
    """Generator and discriminator of DCGAN 28 in one, or a small layer; with their gradients."""
    if quick:
        layer = library.nn.Linear(QUICK_SIDE, QUICK_SIDE)
        layer(library.leaf((QUICK_SIDE, QUICK_SIDE))).sum().backward()
        return layer
    trainer = library.trainer("dcgan28", batch=2)
    trainer.step()
    return library.nn.Sequential(trainer.generator, trainer.discriminator)


def optimizer(kind, **settings):
    """A program of that optimiser's step over a DCGAN's parameters."""

    def make(library, quick):
        return getattr(library.optim, kind)(trained_net(library, quick).parameters(), **settings).step

    return step(kind, (kind,), PARAMETERS, make)


def gan_step(name, label):
    """A program of both phases and both Adam updates."""

    def make(library, quick):
        return library.trainer(name, batch=2 if quick else None).step

    return step(f"{label} step", (), (f"batch {gan_models.BATCH[name]}", "batch 2"), make)


CHANNELS = IMAGES[1:2]
CONVOLUTIONS = ("Conv2d", "Conv2dInputGrad", "Conv2dWeightGrad")

PROGRAMS = (
    operation("relu", ("Relu",), lambda lib, x: lib.F.relu(x), IMAGES),
    operation("leaky relu", ("LeakyRelu",), lambda lib, x: lib.F.leaky_relu(x, 0.2), IMAGES),
    operation("sigmoid", ("Sigmoid",), lambda lib, x: lib.F.sigmoid(x), IMAGES),
    operation("tanh", ("Tanh",), lambda lib, x: lib.F.tanh(x), IMAGES, parts=("derivative",)),
    operation("add", ("Add",), lambda lib, x, y: x + y, IMAGES, IMAGES, parts=("forward",)),
    operation("polynomial", ("Mul", "MulScalar", "AddScalar", "PowScalar"),
              lambda lib, x, y: x * y + (x**2 * 3.0 + 1.0), IMAGES, IMAGES),
    operation("quotient", ("Sub", "Neg", "Div"), lambda lib, x, y: (x - y) / -(y * y + 1.0), IMAGES, IMAGES,
              parts=("derivative",)),
    operation("sum of rows", ("Sum", "Reshape"), lambda lib, x: x.reshape(64, -1).sum(1), IMAGES,
              parts=("derivative",)),
    operation("where", ("Where",), lambda lib, x: lib.where(lib.mask(tuple(x.shape)), x, 0.0), IMAGES),
    operation("max pool 2x2", ("MaxPool2d", "ScatterMax"), lambda lib, x: lib.F.max_pool2d(x, 2), IMAGES),
    operation("max pool 2x2 (second)", ("GatherMax",), second_max_pool, (64, 64, 14, 14),
              parts=("derivative",)),
    operation("avg pool 2x2", ("SumWindows", "SpreadWindows"), lambda lib, x: lib.F.avg_pool2d(x, 2), IMAGES),
    operation("bilinear x2", ("AlongAxis",),
              lambda lib, x: lib.F.interpolate(x, scale_factor=2, mode="bilinear"), (64, 64, 14, 14)),
    operation("batch norm", ("BatchNorm",),
              lambda lib, x, w, b: lib.F.batch_norm(x, None, None, w, b, training=True),
              IMAGES, CHANNELS, CHANNELS),
    operation("batch norm + leaky relu", ("BatchNormLeakyRelu",), lambda lib, *x: lib.norm_leaky(*x),
              IMAGES, CHANNELS, CHANNELS),
    operation("instance norm", ("Standardize",),
              lambda lib, x, w, b: lib.F.instance_norm(x, weight=w, bias=b), IMAGES, CHANNELS, CHANNELS),
    operation("group norm of 8", ("Standardize",),
              lambda lib, x, w, b: lib.F.group_norm(x, 8, w, b), IMAGES, CHANNELS, CHANNELS),
    operation("conv 3x3", CONVOLUTIONS, lambda lib, x, w: lib.F.conv2d(x, w, padding=1),
              (32, 64, 28, 28), (64, 64, 3, 3)),
    operation("transposed conv 4x4", CONVOLUTIONS,
              lambda lib, x, w: lib.F.conv_transpose2d(x, w, stride=2, padding=1),
              (32, 64, 14, 14), (64, 64, 4, 4)),
    operation("bce with logits", ("BinaryCrossEntropyWithLogits",),
              lambda lib, x, t: lib.F.binary_cross_entropy_with_logits(x, t),
              (128, 784), (128, 784)),
    operation("bce of probabilities", ("BinaryCrossEntropy",),
              lambda lib, x: lib.F.binary_cross_entropy(x.sigmoid(), (x > 0).float()), (128, 784)),
    operation("linear", ("Linear",), lambda lib, x, w, b: lib.F.linear(x, w, b),
              (256, 1024), (1024, 1024), (1024,)),
    operation("matmul", ("MatMul",), lambda lib, x, y: x @ y, (1024, 1024), (1024, 1024)),
    operation("gram", ("Gram",), lambda lib, x: lib.gram(x), (16384, 64)),
    optimizer("SGD", lr=1e-3, momentum=0.9),
    optimizer("RMSprop", lr=1e-4),
    optimizer("Adam", lr=2e-4, betas=(0.5, 0.999)),
    optimizer("AdamW", lr=2e-4, betas=(0.5, 0.999)),
    step("EMA", ("EMA",), PARAMETERS, lambda lib, quick: lib.ema(trained_net(lib, quick))),
    gan_step("dense", "dense GAN"),
    gan_step("dcgan28", "DCGAN 28"),
    step("style step", (), ("128 px", "16 px"), lambda lib, quick: lib.style(16 if quick else 128)),
)  # fmt: skip


def registered():
    """Names of the classes that have a kernel on NumPy's arrays."""
    from minigan.kernels import registry

    return {kind.__name__ for (kind, _), devices in registry.registered().items() if "numpy" in devices}


def missing():
    """Classes with a kernel that no program runs."""
    return registered() - {kind for program in PROGRAMS for kind in program.kinds}


def programs():
    """Programs of the classes that have a kernel, and the whole steps."""
    there = registered()
    return [program for program in PROGRAMS if not program.kinds or there.intersection(program.kinds)]

"""What a step costs a GPU besides arithmetic, counted on the fake device: launches, waits, slow reductions.

And that every function of CuPy's namespace that a step calls is there, with those arguments.
"""

import inspect

import fake_device
import numpy as np
import pytest

from minigan import Tensor, backend, gan, no_grad, ops
from minigan.kernels import cuda
from minigan.style import Extractor, Settings, filters
from minigan.style.features import PICTURES, vgg_like
from minigan.style.objective import Objective

# Of a step of "dcgan" at 64 x 64, everything that a trainer does included: the plain nets, and the recipe,
# which compares the pictures of a batch and upsamples smoothly.
LAUNCHES, LAUNCHES_OF_THE_RECIPE, WAITS = 380, 530, 1
PLAIN = {"upsampling": "transposed", "minibatch_std": False}


@pytest.fixture
def fake(device):
    if device != "fake":
        pytest.skip("counts on the fake device")
    backend.use(device)
    return fake_device


def dcgan(**options):
    config = gan.resolve("dcgan", shape=(3, 64, 64), batch=2, base=8, **options)
    images = np.random.default_rng(0).uniform(-1, 1, (8, 3, 64, 64)).astype(np.float32)
    return gan.Trainer.create(config, images)


def watched(fake, step):
    step()
    with fake.watch() as seen:
        step()
    return seen


def style(fake):
    layers = [*PICTURES, *vgg_like((4, 6))]
    weights = filters.random_weights(layers, np.random.default_rng(0))
    net = Extractor("tiny", layers, weights, mean=(0.5,) * 3, std=(0.25,) * 3, content=("relu2_1",),
                    style=("relu1_1", "relu2_1"))  # fmt: skip
    draw = np.random.default_rng(1).uniform
    content, style = draw(0.1, 0.9, (3, 160, 160)), draw(0.1, 0.9, (3, 160, 160))
    function = Objective(net, Settings(), content, [style], [1.0], [None])
    painting = draw(0.1, 0.9, (1, 3, 160, 160)).astype(np.float32)
    return watched(fake, lambda: function(painting))


@pytest.mark.parametrize("options, launches", [(PLAIN, LAUNCHES), ({}, LAUNCHES_OF_THE_RECIPE)])
def test_a_step_keeps_to_its_budget(fake, options, launches):
    trainer = dcgan(**options)
    seen = watched(fake, trainer.train_step)
    assert sum(seen.launches.values()) <= launches, seen.launches.most_common()
    assert sum(seen.waits.values()) <= WAITS, seen.waits
    assert sum(seen.uploads.values()) <= 2, seen.uploads  # pictures and latents
    assert not seen.slow


def test_d_that_may_rest_has_to_know_its_loss(fake):
    seen = watched(fake, dcgan(skip_d_below=0.01).train_step)
    assert sum(seen.waits.values()) == 2


def test_no_reduction_of_a_style_step_runs_on_a_few_blocks(fake):
    seen = style(fake)
    assert not seen.slow, seen.slow


def test_a_few_blocks_are_noticed(fake):
    x = backend.to_device(np.ones((8, 64, 64, 8), np.float32).transpose(0, 3, 1, 2), "fake")
    with fake.watch() as seen:
        x.sum(axis=(0, 2, 3))  # eight results
        x.sum()  # neither C nor Fortran order
        x.transpose(0, 2, 3, 1).sum()  # CUB takes it
    assert sum(seen.slow.values()) == 2


def test_nothing_asks_numpy_for_a_device_array(fake, monkeypatch):
    trainer = dcgan(r1=1.0, penalty_every=1, augment="brightness,translation,cutout,flip")
    fake.guarded(monkeypatch)
    trainer.train_step()
    with pytest.raises(TypeError, match="asarray called on an array of another device"):
        np.asarray(trainer.generator.state_dict and next(trainer.generator.parameters()).array)


def test_memory_is_not_shared_with_the_host(fake):
    host = np.zeros(3)
    there = backend.to_device(host, "fake")
    back = backend.to_host(there)
    host[0], back[1] = 1, 1
    assert not backend.to_host(there).any()


@pytest.mark.parametrize("function", [
    lambda x: ops.pad(x, (1, 2, 0, 1)),
    lambda x: ops.pad(x, (1, 2, 0, 1), mode="reflect"),
    lambda x: ops.pad(x, (1, 2, 0, 1), mode="replicate"),
    lambda x: ops.concatenate([x, x * 2], 1),
    lambda x: ops.concatenate([x, x * 2], 0),
    lambda x: ops.clip(x, -1, 1),
    lambda x: ops.flip(x, 3),
], ids=["pad", "reflect", "replicate", "channels", "rows", "clip", "flip"])  # fmt: skip
def test_channels_last_memory_stays_so(fake, function):
    host = np.random.default_rng(0).normal(size=(2, 5, 6, 3)).transpose(0, 3, 1, 2)
    x = Tensor(backend.to_device(host, "fake"), requires_grad=True)
    y = function(x)
    assert backend.memory_order(y.array) == [0, 2, 3, 1]
    backend.use("numpy")
    with no_grad():
        np.testing.assert_array_equal(y.numpy(), function(Tensor(host)).numpy())
    weight = np.random.default_rng(1).normal(size=y.shape)
    (y * Tensor(backend.to_device(weight, "fake"))).sum().backward()
    twin = Tensor(np.ascontiguousarray(host), requires_grad=True)
    (function(twin) * Tensor(weight)).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), twin.grad.numpy(), rtol=1e-12)


def test_the_installed_cupy_takes_numbers_that_are_wrapped_once():
    """What `cuda.argument` and the check of order rely on is there, or the plain way is taken."""
    cupy = pytest.importorskip("cupy")
    assert hasattr(cupy.ndarray, "_c_contiguous")
    first, second = (cuda.argument(cupy)(np.int32(n)) for n in (3, 4))
    assert isinstance(first, cupy.cuda.function.CPointer) and first is not second
    assert cuda.argument(np)(np.int32(3)) == 3


def test_every_call_fits_the_installed_cupy(fake):
    cupy = pytest.importorskip("cupy")
    calls = watched(fake, dcgan(r1=1.0, penalty_every=1, augment="translation,cutout").train_step).calls
    calls |= style(fake).calls
    assert len(calls) > 10
    bound = 0
    for path, count, keywords in sorted(calls):
        function = cupy
        for name in path.split("."):
            function = getattr(function, name)  # AttributeError: CuPy has no such function
        try:
            signature = inspect.signature(function)
        except (TypeError, ValueError):  # one that was compiled says nothing of itself
            continue
        signature.bind(*range(count), **dict.fromkeys(keywords))
        bound += 1
    assert bound > 5

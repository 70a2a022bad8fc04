"""Definitions need no kernels: without the room the library is the same, with it the numbers are."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from minigan import Tensor, gan, ops, optim, style
from minigan.data.demo_style import paint_demo_style
from minigan.gan.trainer import Trainer
from minigan.modes import set_mode
from minigan.testing import GradReport
from minigan.testing.cases import all_cases
from minigan.testing.checkop import check_gradient_at, check_value
from minigan.testing.strategies import draw_examples

ROOT = Path(__file__).resolve().parents[1]
CORE = ["test_tensor.py", "test_autograd.py", "test_versions.py", "ops", "nn", "optim"]
FIFTY_STEPS = """
import sys
import numpy as np
from minigan import gan
from minigan.gan.trainer import Trainer
assert not any(name.startswith("minigan.kernels") for name in sys.modules)
images = np.random.default_rng(0).uniform(-1, 1, (32, 1, 8, 8)).astype(np.float32)
trainer = Trainer.create(gan.resolve("dcgan", shape=(1, 8, 8), latent=8, base=4, batch=16), images)
for _ in range(50):
    record = trainer.train_step()
print(record.g_loss, record.d_loss)
"""


@pytest.fixture(scope="module")
def without_kernels(tmp_path_factory):
    """A copy of the package and its tests in which minigan/kernels is deleted."""
    folder = tmp_path_factory.mktemp("copy")
    for name in ("minigan", "tests"):
        shutil.copytree(ROOT / name, folder / name)  # with what Python has compiled: it is not compiled again
    shutil.copy(ROOT / "pyproject.toml", folder)
    shutil.rmtree(folder / "minigan" / "kernels")
    shutil.rmtree(folder / "tests" / "kernels")
    return folder


def run(folder, *words):
    environment = {**os.environ, "PYTHONPATH": str(folder), "MINIGAN_HYPOTHESIS": "few"}
    environment.pop("PYTEST_XDIST_WORKER", None)
    return subprocess.run(
        [sys.executable, *words], cwd=folder, env=environment, capture_output=True, text=True, timeout=300
    )


def test_the_core_passes_its_tests_without_the_room_of_kernels(without_kernels):
    tests = [f"tests/{name}" for name in CORE]
    done = run(without_kernels, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", *tests)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]


def test_fifty_steps_of_a_gan_without_the_room_of_kernels(without_kernels):
    done = run(without_kernels, "-c", FIFTY_STEPS)
    assert done.returncode == 0, done.stderr
    found = [float(word) for word in done.stdout.split()]
    images = np.random.default_rng(0).uniform(-1, 1, (32, 1, 8, 8)).astype(np.float32)
    config = gan.resolve("dcgan", shape=(1, 8, 8), latent=8, base=4, batch=16)
    trainer = Trainer.create(config, images)
    for _ in range(50):
        record = trainer.train_step()
    np.testing.assert_allclose(found, [record.g_loss, record.d_loss], rtol=1e-3)


def test_a_command_runs_without_the_room_of_kernels(without_kernels):
    done = run(without_kernels, "-m", "minigan", "info")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("case", all_cases(), ids=lambda case: case.name.replace(" ", "-"))
def test_every_record_holds_by_definition(case):
    """As tests/test_all_ops.py holds it with kernels."""
    report = GradReport(case.name, 0)
    with set_mode("kernels", False):
        for seed, sample in enumerate(draw_examples(case.strategy, 1, seed=7)):
            check_value(case, sample, report)
            check_gradient_at(case.order)(case, sample, report)
            assert not report.findings, f"{report}\nfor {sample!r}, seed {seed}"


def losses_of_a_gan(kernels, dtype):
    """Fifty steps of the textbook's two phases with the nets of dcgan."""
    config = gan.resolve("dcgan", shape=(1, 16, 16), latent=8, base=4, batch=16)
    generator, discriminator = (net.to(dtype=dtype) for net in gan.models.build(config))
    adams = [optim.Adam(net.parameters(), lr=2e-4, betas=(0.5, 0.999)) for net in (generator, discriminator)]
    random, found = np.random.default_rng(0), []
    with set_mode("kernels", kernels):
        for _ in range(50):
            real, z = random.uniform(-1, 1, (16, 1, 16, 16)), random.standard_normal((16, 8))
            fake = generator(Tensor(z.astype(dtype)))
            judged = discriminator(Tensor(real.astype(dtype))), discriminator(fake.detach())
            d_loss = (ops.softplus(-judged[0]) + ops.softplus(judged[1])).mean()
            adams[1].zero_grad()
            d_loss.backward()
            adams[1].step()
            g_loss = ops.softplus(-discriminator(fake)).mean()
            adams[0].zero_grad()
            g_loss.backward()
            adams[0].step()
            found += [d_loss.item(), g_loss.item()]
    return found


def totals_of_a_painting(kernels, dtype):
    """Ten steps of Adam on the pixels, content and Gram losses in the shipped network."""
    extractor = style.open_features("shipped")
    extractor.weights = {name: weight.astype(dtype) for name, weight in extractor.weights.items()}
    extractor.shift, extractor.scale = extractor.shift.astype(dtype), extractor.scale.astype(dtype)
    content, painted = (Tensor(paint_demo_style(48, seed)[None].astype(dtype)) for seed in (1, 2))
    x = Tensor(content.numpy().copy(), requires_grad=True)
    adam, totals = optim.Adam([x], lr=0.03), []

    def gram(f):
        return ops.gram(f.reshape(f.shape[1], -1).transpose()) / (f.shape[2] * f.shape[3])

    with set_mode("kernels", kernels):
        wanted = extractor(content, ("relu3_2",))["relu3_2"]
        grams = {name: gram(f) for name, f in extractor(painted, ("relu1_1", "relu2_1")).items()}
        for _ in range(10):
            found = extractor(x, ("relu3_2", *grams))
            loss = ((found["relu3_2"] - wanted) ** 2).mean()
            for name, target in grams.items():
                loss = loss + ((gram(found[name]) - target) ** 2).sum() / (target**2).sum()
            adam.zero_grad()
            loss.backward()
            adam.step()
            totals.append(loss.item())
    return totals


PRECISIONS = [(np.float32, 1e-3), (np.float64, 1e-10)]


@pytest.mark.parametrize("dtype, rtol", PRECISIONS, ids=["float32", "float64"])
def test_fifty_steps_of_a_gan_are_the_same_with_kernels_and_without(dtype, rtol):
    with_kernels, without = (losses_of_a_gan(kernels, dtype) for kernels in (True, False))
    np.testing.assert_allclose(with_kernels, without, rtol=rtol)


@pytest.mark.parametrize("dtype, rtol", PRECISIONS, ids=["float32", "float64"])
def test_ten_steps_of_a_painting_are_the_same_with_kernels_and_without(dtype, rtol):
    with_kernels, without = (totals_of_a_painting(kernels, dtype) for kernels in (True, False))
    assert len(without) == 10 and without[-1] < without[0]
    np.testing.assert_allclose(with_kernels, without, rtol=rtol)

"""What one step asks of a GPU, counted without one: launches, waits for the device, copies from the host.

The tests' fake device counts: a copy is a launch, a view is none, and the kernels of minigan/kernels/cuda
run as C++ on the processor (g++ is needed). DCGAN 64 is the net of gan_step.py and of the recipe; the
trainer's step has gradient norms, averages and its record besides.
"""

import importlib.util
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import common
import gan_models

sys.path[:0] = [str(common.ROOT), str(common.ROOT / "tests")]


def loaded(name, path):
    """A module of the tests, by its path."""
    spec = importlib.util.spec_from_file_location(name, common.ROOT / "tests" / path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def steps():
    """Yield (name, a function that makes one step)."""
    import numpy as np

    from minigan import gan

    for name in gan_models.NAMES:
        yield f"{name}, the step of gan_step.py", gan_models.minigan_trainer(name, batch=2).step
    images = np.random.default_rng(0).uniform(-1, 1, (8, 3, 64, 64)).astype(np.float32)
    plain = {"upsampling": "transposed", "minibatch_std": False}
    for words, options in (("plain", plain), ("as laid out there", {})):
        config = gan.resolve("dcgan", shape=(3, 64, 64), batch=2, **options)
        step = gan.Trainer.create(config, images).train_step
        yield f"recipe dcgan at 64 px, {words}, a trainer's step", step


def main():
    from minigan import backend

    conftest = loaded("cuda_conftest", "kernels/cuda/conftest.py")
    fake, rows = conftest.fake_device, []
    fake.install()
    with tempfile.TemporaryDirectory() as folder:
        backend.register(replace(backend.get("fake"), kernels=conftest.compiler(Path(folder))))
        backend.use("fake")
        for name, step in steps():
            step()
            with fake.watch() as seen:
                step()
            most = ", ".join(f"{what} {count}" for what, count in seen.launches.most_common(5))
            counts = [
                str(sum(kind.values())) for kind in (seen.launches, seen.waits, seen.uploads, seen.slow)
            ]
            rows.append((name, *counts, most))
    common.print_table(("what", "launches", "waits", "uploads", "slow sums", "most of them"), rows)


if __name__ == "__main__":
    main()

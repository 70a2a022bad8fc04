"""How safe is a checkpoint?  ``python benchmarks/kills.py [--kills 200] [--sizes 50]`` (Linux, macOS).

kill -9    a process trains and saves, over and over; it is killed at a random instant.  What is left must
           load, and be no older than what was left the time before.  A killed write leaves a temporary file
           behind: these are counted, because they prove that kills fell into the middle of a write.
full disk  saving with room for only so many bytes (RLIMIT_FSIZE) must fail with the bytes needed and free,
           remove what it had begun, and leave the old file as it was, byte for byte.

Ends with exit code 1 if any of it fails.
"""

import argparse
import contextlib
import os
import resource
import signal
import sys
import tempfile
import time
from pathlib import Path

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MINIGAN_THREADS"):
    os.environ[name] = "1"  # a process with threads cannot be forked safely

import common  # noqa: E402
import numpy as np  # noqa: E402

from minigan import gan  # noqa: E402
from minigan.errors import FileError  # noqa: E402
from minigan.gan import checkpoint  # noqa: E402


def make_trainer():
    """Return a small run."""
    images = np.random.default_rng(0).uniform(-1, 1, (64, 1, 8, 8)).astype(np.float32)
    return gan.Trainer.create(gan.resolve("dense", shape=(1, 8, 8), latent=8, batch=8), images)


def save(path, trainer):
    """Save as `minigan train` does."""
    checkpoint.save(path, trainer, facts={"step": trainer.step})


def train_and_save_for_ever(path, trainer):
    """Be the process that is killed."""
    while True:
        trainer.train_step()
        save(path, trainer)


def kill(path, trainer, delay):
    """Fork a process that trains and saves, kill it after ``delay`` seconds, wait until it is gone."""
    child = os.fork()
    if not child:
        with contextlib.suppress(BaseException):
            train_and_save_for_ever(path, trainer)
        os._exit(1)  # never reached: the parent kills us
    time.sleep(delay)
    os.kill(child, signal.SIGKILL)
    return os.waitpid(child, 0)[1] == signal.SIGKILL


def campaign(folder, kills, draw):
    """Kill ``kills`` times; return (how often all was well, kills in the middle of a write, last step)."""
    path, trainer = folder / "checkpoint.npz", make_trainer()
    trainer.train_step()  # the first step is slower
    begun = time.perf_counter()
    for _ in range(5):
        save(path, trainer)
    period = (time.perf_counter() - begun) / 5
    well = inside = 0
    for number in range(kills):
        before = trainer.step
        killed = kill(path, trainer, draw.uniform(0, 4 * period))
        left_over = list(folder.glob(".*.tmp"))
        inside += bool(left_over)
        for file in left_over:
            file.unlink()
        try:
            checkpoint.restore(path, trainer)  # reads every byte and compares every digest
        except FileError as error:
            print(f"kill {number}: {error}")
            continue
        well += killed and trainer.step >= before
    return well, inside, trainer.step


def full_disk(folder, sizes, draw):
    """Save ``sizes`` times with room for a random part of the file; return how often all was well."""
    path, trainer = folder / "checkpoint.npz", make_trainer()
    save(path, trainer)
    old = path.read_bytes()
    trainer.train_step()
    well, (soft, hard) = 0, resource.getrlimit(resource.RLIMIT_FSIZE)
    for _ in range(sizes):
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(draw.integers(0, len(old))), hard))
        try:
            save(path, trainer)
            message = "it did not fail"
        except FileError as error:
            message = str(error)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        said = "the disk is full" in message and "bytes needed" in message and "free" in message
        intact = path.read_bytes() == old and [file.name for file in folder.iterdir()] == [path.name]
        well += said and intact
        if not (said and intact):
            print(f"full disk: {message}; files: {sorted(file.name for file in folder.iterdir())}")
    save(path, trainer)  # with room again it works
    return well


def main():
    """Run both and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--sizes", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    common.print_environment(common.environment())
    draw = np.random.default_rng(arguments.seed)
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as two:
        well, inside, step = campaign(Path(one), arguments.kills, draw)
        saved = full_disk(Path(two), arguments.sizes, draw)
    print(
        f"kill -9: {well} of {arguments.kills} left a checkpoint that loads "
        f"({inside} fell into the middle of a write; {step} steps in all)"
    )
    print(f"full disk: {saved} of {arguments.sizes} failed as they should, the old file intact")
    return 0 if (well, saved) == (arguments.kills, arguments.sizes) else 1


if __name__ == "__main__":
    sys.exit(main())

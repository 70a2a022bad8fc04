"""A run's whole state in one file, so that a continued run is bit-equal to one that was never stopped.

Parameters, Adam's moments and step counts, batch norm's buffers, the averaged generator, every random
generator's state, the position in the shuffled data, and whatever facts the owner of the run adds (where its
log ends, say).  The file is an .npz with digests, written in one step; see `minigan.data.arrays`.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from minigan.data import arrays
from minigan.errors import ArgumentError, FileError, MiniganError
from minigan.gan import models
from minigan.gan.config import Config
from minigan.gan.trainer import Trainer, draw

KIND = "minigan-gan-checkpoint"
VERSION = 1
_MANIFEST_LIMIT = 16 << 20

Arrays = dict[str, np.ndarray]


def save(path: str | os.PathLike, trainer: Trainer, *, facts: Mapping[str, Any] | None = None) -> None:
    """Write the trainer's state to ``path``, all or nothing; ``facts`` are JSON values of the caller's.

    Whenever the process dies, the old file or the new one is there.  Raises FileError (a full disk, a
    folder that cannot be written, a state with NaN or infinity); the old file then stays.
    """
    state = tensors(trainer)
    for name, array in state.items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise FileError(f"cannot save {path}: {name} holds NaN or infinity; the last checkpoint is kept")
    arrays.write_npz(
        path, state, {**_numbers(trainer), "owner": dict(facts or {})}, kind=KIND, version=VERSION
    )


def read_facts(path: str | os.PathLike) -> tuple[Config, dict[str, Any]]:
    """Return (options, the caller's facts) of a checkpoint, reading no array.  Raises FileError."""
    return _read_numbers(path)[:2]


def restore(path: str | os.PathLike, trainer: Trainer) -> dict[str, Any]:
    """Put the saved state into a trainer made with the same options and data; return the caller's facts.

    Everything is read and compared first: on FileError or ArgumentError (other options: the differences are
    listed; other data) the trainer is as it was before.
    """
    config, owner, numbers = _read_numbers(path)
    if differences := config.differences(trainer.config):
        raise ArgumentError(
            f"{path} was made with other settings: {'; '.join(differences)}; continue with the same ones"
        )
    own = tensors(trainer)
    found, _ = arrays.read_npz(
        path, limit_bytes=_limit(own), expected=_shapes(own), kind=KIND, version=VERSION
    )
    before = state(trainer)
    try:
        _set(trainer, found, numbers)
    except (KeyError, TypeError, ValueError, AttributeError, MiniganError) as error:
        _set(trainer, *before)
        if isinstance(error, ArgumentError):
            raise
        raise FileError(f"{path}: its facts do not fit together ({type(error).__name__}: {error})") from error
    return owner


def state(trainer: Trainer) -> tuple[Arrays, dict[str, Any]]:
    """Return all that `save` would write, as host arrays and plain numbers."""
    return tensors(trainer), copy.deepcopy(_numbers(trainer))


def put(trainer: Trainer, found: tuple[Arrays, dict[str, Any]]) -> None:
    """Put what `state` returned into a trainer made with the same options and data."""
    _set(trainer, *found)


def load_sampler(path: str | os.PathLike) -> Sampler:
    """Return what draws pictures from a checkpoint, without data or optimisers.  Raises FileError."""
    config, owner, _ = _read_numbers(path)
    generator, _ = models.build(config)
    who = "average" if config.ema else "generator"
    manifest = arrays.read_manifest(path, kind=KIND, version=VERSION)["arrays"]
    own = generator.state_dict()
    mine = {
        name[len(who) + 1 :]: (entry["shape"], entry["dtype"])
        for name, entry in manifest.items()
        if name.startswith(who + ".")
    }
    arrays.compare(mine, _shapes(own), f"{path}, its generator")
    # The moments of both networks and D's weights are in the file too: four more copies is ample room.
    discriminator = sum(parameter.array.nbytes for parameter in models.build(config)[1].parameters())
    limit = _limit(own) * 5 + 4 * discriminator
    found, _ = arrays.read_npz(path, limit_bytes=limit, kind=KIND, version=VERSION)
    generator.load_state_dict({name: found[f"{who}.{name}"] for name in own})
    return Sampler(config, generator, owner)


def load_discriminator(path: str | os.PathLike) -> Any:
    """Return the trained discriminator (of a VAE: the encoder) in evaluation mode.  Raises FileError."""
    config, _, _ = _read_numbers(path)
    generator, discriminator = models.build(config)
    own = discriminator.state_dict()
    # Both networks, their moments and the averaged generator are in the file: ample room.
    limit = 5 * (_limit(own) + _limit(generator.state_dict()))
    found, _ = arrays.read_npz(path, limit_bytes=limit, kind=KIND, version=VERSION)
    mine = {
        name.removeprefix("discriminator."): array
        for name, array in found.items()
        if name.startswith("discriminator.")
    }
    arrays.compare(_shapes(mine), _shapes(own), f"{path}, its discriminator")
    discriminator.load_state_dict(mine)
    return discriminator.eval().requires_grad_(False)


class Sampler:
    """A trained generator: ``sampler(latents)`` gives pictures; ``config`` and ``facts`` are the run's."""

    def __init__(self, config: Config, generator: Any, facts: dict[str, Any]):
        self.config, self.facts = config, facts
        self.generator = generator.eval().requires_grad_(False)

    def latents(self, count: int, *, seed: int = 0, truncation: float | None = None) -> np.ndarray:
        """Draw latents (count, latent); numbers beyond +-``truncation`` are drawn again (> 0)."""
        rng = np.random.default_rng(seed)
        z = rng.standard_normal((count, self.config.latent), np.float32)
        if truncation is not None:
            if truncation < 0.1:
                raise ArgumentError(f"truncation: expected a number of at least 0.1, got {truncation}")
            while (far := np.abs(z) > truncation).any():
                z[far] = rng.standard_normal(int(far.sum()), np.float32)
        return z

    def __call__(self, latents: np.ndarray, labels: np.ndarray | None = None) -> np.ndarray:
        """Return pictures float32 (N, C, H, W) in [-1, 1]; class i % classes where no labels are given."""
        if self.config.classes and labels is None:
            labels = np.arange(len(latents)) % self.config.classes
        return draw(self.generator, latents, labels if self.config.classes else None)


# ---- the state as arrays and numbers ------------------------------------------------------------------


def tensors(trainer: Trainer) -> Arrays:
    """Return every array of the state by name, host copies."""
    trainer.settle()
    found: Arrays = {}
    networks = {"generator": trainer.generator, "discriminator": trainer.discriminator}
    if trainer.average:
        networks["average"] = trainer.average.module
    for who, network in networks.items():
        found |= {f"{who}.{name}": kept.numpy() for name, kept in network.state_dict().items()}
    for who, network, optimizer in _optimizers(trainer):
        state = optimizer.state_dict()["state"]
        for number, (name, parameter) in enumerate(network.named_parameters()):
            for moment in ("exp_avg", "exp_avg_sq"):
                # A parameter that was never updated has no moments yet: zeros, and step 0 among the numbers.
                value = (
                    state[number][moment] if number in state else np.zeros(parameter.shape, parameter.dtype)
                )
                found[f"{who}.{moment}.{name}"] = value
    return found


def _numbers(trainer: Trainer) -> dict[str, Any]:
    steps = {
        who: {number: entry["step"] for number, entry in optimizer.state_dict()["state"].items()}
        for who, _, optimizer in _optimizers(trainer)
    }
    return {
        "config": trainer.config.to_dict(),
        "step": trainer.step,
        "progress": trainer.progress,
        "accuracy": trainer.balance.accuracy,
        "random": trainer.random.bit_generator.state,
        "layers": [network.random_state() for network in (trainer.generator, trainer.discriminator)],
        "loader": trainer.loader.state_dict(),
        "adam_steps": {
            who: [counts.get(i, 0) for i in range(max(counts, default=-1) + 1)]
            for who, counts in steps.items()
        },
        "average_updates": trainer.average.updates if trainer.average else 0,
    }


def _set(trainer: Trainer, found: Arrays, numbers: Mapping[str, Any]) -> None:
    """Overwrite the trainer's state."""
    trainer.loader.load_state_dict(numbers["loader"])
    trainer.random.bit_generator.state = numbers["random"]
    networks = {"generator": trainer.generator, "discriminator": trainer.discriminator}
    for network, state in zip(networks.values(), numbers["layers"], strict=True):
        network.load_random_state(state)
    if trainer.average:
        networks["average"] = trainer.average.module
        trainer.average.updates = int(numbers["average_updates"])
    for who, network in networks.items():
        network.load_state_dict({name: found[f"{who}.{name}"] for name in network.state_dict()})
    for who, network, optimizer in _optimizers(trainer):
        counts = [int(n) for n in numbers["adam_steps"][who]]
        state = {
            number: {
                "step": counts[number],
                **{m: found[f"{who}.{m}.{name}"] for m in ("exp_avg", "exp_avg_sq")},
            }
            for number, (name, _) in enumerate(network.named_parameters())
            if number < len(counts) and counts[number]
        }
        optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
    trainer.step, trainer.progress = int(numbers["step"]), float(numbers["progress"])
    trainer.balance.accuracy = float(numbers.get("accuracy", 0.5))  # files from before it was kept have none


def _optimizers(trainer: Trainer) -> tuple:
    return (
        ("g_optimizer", trainer.generator, trainer.g_optimizer),
        ("d_optimizer", trainer.discriminator, trainer.d_optimizer),
    )


def _read_numbers(path: str | os.PathLike) -> tuple[Config, dict[str, Any], dict[str, Any]]:
    numbers = arrays.read_manifest(path, kind=KIND, version=VERSION)["facts"]
    try:
        return Config.from_dict(numbers["config"]), dict(numbers["owner"]), numbers
    except (KeyError, TypeError, ValueError) as error:
        raise FileError(f"{path}: its options cannot be read ({error}); use another checkpoint") from error


def _shapes(state: Mapping[str, Any]) -> dict[str, Any]:
    return {name: (array.shape, array.dtype) for name, array in state.items()}


def _limit(state: Mapping[str, Any]) -> int:
    """Bytes the model can need, and room for headers and the manifest."""
    return (
        sum(array.size * array.dtype.itemsize for array in state.values())
        + 4096 * len(state)
        + _MANIFEST_LIMIT
    )

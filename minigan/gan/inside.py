"""Inside a trained pair: where its latents lead, what its layers make, what D looks at, how slopes spread.

Each function takes networks and arrays and changes nothing; `minigan inspect` draws what they find.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from minigan import nn, optim
from minigan.autograd import grad
from minigan.backend import to_host
from minigan.errors import ArgumentError
from minigan.gan.checkpoint import Sampler
from minigan.gan.config import Config
from minigan.gan.models import style_based
from minigan.gan.record import by_layer, norm
from minigan.gan.trainer import Trainer
from minigan.modes import no_grad
from minigan.tensor import Tensor

ACTIVATIONS = (nn.ReLU, nn.LeakyReLU, nn.Tanh)


# ---- layers -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Layer:
    """What one layer made of a batch: its path, its kind, its output (N, ...) on the host."""

    name: str
    kind: str
    output: np.ndarray


def layers(network: nn.Module, *inputs: Any) -> list[Layer]:
    """Run a network once and return what each of its layers made, in order.

    A layer is a module inside which no other makes anything of as many dimensions: a modulated convolution is
    one, the dense layer in it that scales its weights another.  One that is called twice comes twice.
    """
    found: list[Layer] = []
    begun: list[int] = []
    with (
        _hooked(
            network,
            lambda: begun.append(len(found)),
            lambda name, module, output: _note(found, begun.pop(), name, module, output),
        ),
        no_grad(),
    ):
        network(*inputs)
    return found


def _note(found: list[Layer], before: int, name: str, module: nn.Module, output: Any) -> None:
    if isinstance(output, Tensor) and all(one.output.ndim < output.ndim for one in found[before:]):
        found.append(Layer(name, type(module).__name__, output.numpy()))


@contextmanager
def _hooked(
    network: nn.Module, before: Callable[[], None], after: Callable[[str, nn.Module, Any], None]
) -> Iterator[None]:
    handles = []
    for name, module in network.named_modules():
        handles.append(module.register_forward_pre_hook(lambda m, i: before()))
        handles.append(module.register_forward_hook(lambda m, i, out, name=name: after(name, m, out)))
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


# ---- directions ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Directions:
    """Ways through the latent space, the most telling first.

    ways: (K, L) unit vectors, of latents z or, where ``styles`` is true, of styles w; share: (K,) of the
    variance of what the first layer makes; length: (K,) one standard deviation along each.
    """

    ways: np.ndarray
    share: np.ndarray
    length: np.ndarray
    styles: bool


def directions(
    sampler: Sampler, labels: np.ndarray | None = None, *, most: int = 8, count: int = 1000
) -> Directions:
    """Find the ways along which G's first activations change most.

    Principal components of the first activations of ``count`` latents; the latents are regressed onto them,
    which gives each component a way through the latent space.  A style-based G is searched in its space of
    styles.  Harkonen et al., "GANSpace", arXiv 2004.02546, section 2.2.
    """
    latents = sampler.latents(count, seed=11)
    core = sampler.generator.core if sampler.config.classes else sampler.generator
    if isinstance(core, style_based.Generator):
        made = inputs = _styles(sampler, latents, labels)
    else:
        inputs = latents
        marks = [one for one in layers(sampler.generator, *_given(sampler, latents, labels))]
        kinds = {kind.__name__ for kind in ACTIVATIONS}
        made = next(one.output for one in marks if one.kind in kinds).reshape(count, -1)
    centred = made - made.mean(axis=0)
    # The left factor of the SVD by way of the small one of two Gram matrices.
    if centred.shape[1] > count:
        values, left = np.linalg.eigh(centred @ centred.T)
    else:
        values, right = np.linalg.eigh(centred.T @ centred)
        left = centred @ right / np.sqrt(np.maximum(values, 1e-12))
    order = np.argsort(values)[::-1][: min(most, inputs.shape[1])]
    scores = left[:, order]  # (N, K), orthonormal
    ways = scores.T @ (inputs - inputs.mean(axis=0))  # least squares, as the scores are orthonormal
    sizes = np.linalg.norm(ways, axis=1)
    ways = ways / np.maximum(sizes, 1e-12)[:, None]
    length = ((inputs - inputs.mean(axis=0)) @ ways.T).std(axis=0)
    share = np.maximum(values[order], 0) / max(float(np.maximum(values, 0).sum()), 1e-12)
    return Directions(ways.astype(np.float32), share, length, inputs is not latents)


def walk(
    sampler: Sampler, found: Directions, latent: np.ndarray, label: int | None, positions: np.ndarray
) -> np.ndarray:
    """Return pictures (K, P, C, H, W): from a latent (L,) along each way, at ``positions`` (P,).

    Positions are in standard deviations of the latents along the way.
    """
    K, P = len(found.ways), len(positions)
    labels = None if label is None else np.full(K * P, label)
    moved = found.ways[:, None] * (found.length[:, None, None] * positions[None, :, None])  # (K, P, L)
    if found.styles:
        core = sampler.generator.core if sampler.config.classes else sampler.generator
        start = _styles(sampler, latent[None], None if label is None else np.array([label]))
        styles = (start[None] + moved).reshape(K * P, -1).astype(np.float32)
        with no_grad():
            parts = [core.synthesise(Tensor(styles[k : k + 32])).numpy() for k in range(0, K * P, 32)]
        pictures = np.concatenate(parts)
    else:
        pictures = sampler((latent + moved).reshape(K * P, -1).astype(np.float32), labels)
    return pictures.reshape(K, P, *pictures.shape[1:])


def _styles(sampler: Sampler, latents: np.ndarray, labels: np.ndarray | None) -> np.ndarray:
    """The styles w (N, S) of latents, which for conditional networks end in the label."""
    classes, core = sampler.config.classes, sampler.generator
    if classes:
        core = core.core
        labels = np.arange(len(latents)) % classes if labels is None else labels
        latents = np.concatenate([latents, np.eye(classes, dtype=latents.dtype)[labels]], axis=1)
    with no_grad():
        return core.styles(Tensor(latents)).numpy()


def _given(sampler: Sampler, latents: np.ndarray, labels: np.ndarray | None) -> tuple[Any, ...]:
    if not sampler.config.classes:
        return (Tensor(latents),)
    return Tensor(latents), np.arange(len(latents)) % sampler.config.classes if labels is None else labels


# ---- what D looks at ----------------------------------------------------------------------------------


def judged(config: Config, pictures: Tensor, labels: np.ndarray | None) -> tuple[Any, ...]:
    """Return what D is given for pictures (N, C, H, W): one logit a picture, packs and labels included.

    In a pack the pictures that follow fill the other places.
    """
    if config.pack > 1:
        from minigan import ops

        N = len(pictures)
        turned = [pictures[np.arange(k, k + N) % N] for k in range(config.pack)]
        pictures = ops.concatenate(turned, axis=1)
    return (pictures, labels) if config.classes else (pictures,)


def slopes(
    config: Config, discriminator: nn.Module, pictures: np.ndarray, labels: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """Return D's logits (N,) and their gradients by each picture's pixels (N, C, H, W).

    Raises ArgumentError for a VAE, whose second network gives no logit.
    """
    if config.model == "vae":
        raise ArgumentError("a VAE has an encoder in the place of a discriminator: there is no logit")
    points = Tensor(np.asarray(pictures, np.float32), requires_grad=True)
    logits = discriminator(*judged(config, points, labels))
    (slope,) = grad(logits.sum(), points)
    assert slope is not None
    return to_host(logits.array), to_host(slope.array)


# ---- one step, measured -------------------------------------------------------------------------------


def gradient_lengths(trainer: Trainer) -> dict[str, dict[str, float]]:
    """Return the gradients of the trainer's last step by layer: {"G": {layer: length}, "D": {...}}.

    0 for a layer that got none; of D, those of its last turn; {} before the first step.
    """
    networks = {"G": (trainer.generator, "g_norm"), "D": (trainer.discriminator, "d_norm")}
    return {
        name: by_layer(network, trainer.squares[key])
        for name, (network, key) in networks.items()
        if key in trainer.squares
    }


def gradient_norms(trainer: Trainer) -> list[tuple[str, str, float, float]]:
    """Run one step of which no weight learns: (network, parameter, length of gradient, length of weights).

    The trainer goes on as if nothing had been: only its place in the data, its random numbers and batch
    norm's statistics have moved.
    """
    found: list[tuple[str, str, float, float]] = []

    def noting(network: nn.Module, name: str) -> Callable[[], None]:
        def note() -> None:
            for path, parameter in network.named_parameters():
                if parameter.grad is not None:
                    size = float(np.linalg.norm(to_host(parameter.array)))
                    found.append((name, path, norm([parameter]), size))

        return note

    with _standing_still(trainer.g_optimizer, noting(trainer.generator, "G")):
        with _standing_still(trainer.d_optimizer, noting(trainer.discriminator, "D")):
            trainer.train_step()
    return found


@contextmanager
def _standing_still(optimizer: optim.Adam, instead: Callable[[], None]) -> Iterator[None]:
    optimizer.step = instead  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        del optimizer.step


def nearest(pictures: np.ndarray, data: np.ndarray, *, most: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Return the indices and distances (N, K) of the nearest of ``data`` to each picture.

    Root mean square of the pixels' differences, 0 for a copy to 2 for black against white.
    """
    flat, rows = pictures.reshape(len(pictures), -1), data.reshape(len(data), -1)
    own, parts = (flat**2).sum(axis=1), []
    for start in range(0, len(rows), 4096):
        part = rows[start : start + 4096]
        parts.append((part**2).sum(axis=1) - 2 * (flat @ part.T) + own[:, None])
    squared = np.maximum(np.concatenate(parts, axis=1), 0) / flat.shape[1]  # (N, M)
    index = np.argsort(squared, axis=1)[:, :most]
    return index, np.sqrt(np.take_along_axis(squared, index, axis=1))

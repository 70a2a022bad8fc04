"""A small classifier whose features the metrics look through; trained here, on the user's own data.

Labelled data are sorted by label.  Pictures without labels are turned by quarter turns and the classifier
learns to say by how many (Gidaris et al., arXiv 1803.07728): its features then describe shapes just as well,
though its classes mean nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from minigan import nn, ops, optim
from minigan.data import arrays
from minigan.data.download import cache_folder
from minigan.data.loader import Loader
from minigan.errors import DataError, FileError
from minigan.modes import no_grad
from minigan.tensor import Tensor

FEATURES = 128
_KIND = "minigan-classifier"
_VERSION = 1  # part of the cache's key: change it when the network or its training changes


class Network(nn.Module):
    """Pictures (N, C, H, W) -> features (N, 128) and class logits (N, K).

    Convolutions of 3 x 3 with max pooling until the map is at most 7 pixels wide, then one dense layer.
    """

    def __init__(self, shape: tuple[int, int, int], classes: int, rng: np.random.Generator):
        super().__init__()
        channels, height, width = shape
        layers: list[nn.Module] = []
        filters = 16
        while max(height, width) > 7 or not layers:
            layers += [nn.Conv2d(channels, filters, 3, padding=1, generator=rng), nn.ReLU(), nn.MaxPool2d(2)]
            channels, filters, height, width = filters, min(2 * filters, 64), height // 2, width // 2
        self.trunk = nn.Sequential(
            *layers, nn.Flatten(), nn.Linear(channels * height * width, FEATURES, generator=rng), nn.ReLU()
        )
        self.head = nn.Linear(FEATURES, classes, generator=rng)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return (features, logits)."""
        features = self.trunk(x)
        return features, self.head(features)


@dataclass
class Classifier:
    """A trained network with its held-out accuracy; ``labelled`` says whether its classes are the data's."""

    network: Network
    accuracy: float
    labelled: bool

    def __call__(self, images: np.ndarray, *, batch: int = 500) -> tuple[np.ndarray, np.ndarray]:
        """Return features (N, 128) and class probabilities (N, K) of images (N, C, H, W) in [-1, 1]."""
        found = []
        with no_grad():
            for start in range(0, len(images), batch):
                features, logits = self.network(Tensor(np.asarray(images[start : start + batch], np.float32)))
                found.append((features.numpy(), ops.softmax(logits, axis=1).numpy()))
        return np.concatenate([f for f, _ in found]), np.concatenate([p for _, p in found])


def telling(labels: np.ndarray | None) -> bool:
    """Whether labels (N,) tell pictures apart: at least two classes have ten pictures each."""
    return labels is not None and int((np.bincount(np.asarray(labels, np.int64)) >= 10).sum()) > 1


def train(
    images: np.ndarray,
    labels: np.ndarray | None,
    *,
    epochs: int | None = None,
    batch: int = 64,
    seed: int = 0,
    on_epoch: Callable[[int, float], None] | None = None,
) -> Classifier:
    """Train on nine tenths of the pictures, float32 (N, C, H, W) in [-1, 1]; test on the last tenth.

    ``epochs`` is 5, or more where that is less than 400 steps; ``on_epoch`` is told (epoch, mean loss).
    Labels that tell nothing apart (see :func:`telling`) count as none.
    Raises DataError for fewer than 100 pictures.
    """
    if len(images) < 100:
        raise DataError(f"classifier: expected at least 100 pictures to learn from, got {len(images)}")
    rng = np.random.default_rng([seed, 3])
    if labelled := telling(labels):
        targets = np.asarray(labels, np.int64)
    else:
        images, targets = _turned(images, rng)
    classes = int(targets.max()) + 1
    order = rng.permutation(len(images))
    held_out, learnt = np.split(order, [len(order) // 10])
    network = Network(images.shape[1:], classes, rng)
    batch = min(batch, len(learnt))
    loader = Loader(images[learnt], targets[learnt], batch_size=batch, drop_last=True, seed=seed)
    epochs = epochs or max(5, -(-400 // len(loader)))
    optimizer = optim.Adam(network.parameters(), lr=2e-3)
    falling = optim.LinearLR(optimizer, start_factor=1.0, end_factor=0.01, total_iters=epochs * len(loader))
    for epoch in range(epochs):
        losses = []
        for pictures, wanted in loader:
            loss = ops.cross_entropy(network(Tensor(pictures))[1], Tensor(wanted))
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
            falling.step()
            losses.append(loss.item())
        if on_epoch:
            on_epoch(epoch, float(np.mean(losses)))
    network.requires_grad_(False)
    result = Classifier(network, 0.0, labelled)
    result.accuracy = float((result(images[held_out])[1].argmax(axis=1) == targets[held_out]).mean())
    return result


def for_data(
    images: np.ndarray,
    labels: np.ndarray | None,
    *,
    cache: Path | None = None,
    on_epoch: Callable[[int, float], None] | None = None,
) -> Classifier:
    """Return the classifier of a data set: from the cache (MINIGAN_CACHE) if it was trained before.

    The cache's key is a hash of the pictures and labels.  A cached file that is damaged is made anew.
    """
    folder = Path(cache) if cache else cache_folder()
    path = folder / file_name(images, labels)
    labels = labels if telling(labels) else None
    if path.exists():
        try:
            return _read(path, images.shape[1:])
        except FileError:
            pass  # training again costs a minute; nothing is lost
    result = train(images, labels, on_epoch=on_epoch)
    folder.mkdir(parents=True, exist_ok=True)
    facts = {
        "accuracy": result.accuracy,
        "labelled": result.labelled,
        "classes": result.network.head.out_features,
    }
    state = {name: kept.numpy() for name, kept in result.network.state_dict().items()}
    arrays.write_npz(path, state, facts, kind=_KIND, version=_VERSION)
    return result


def file_name(images: np.ndarray, labels: np.ndarray | None) -> str:
    """Return the name that the classifier of these pictures has in the cache folder."""
    return f"classifier-{fingerprint(images, labels if telling(labels) else None)}.npz"


def fingerprint(images: np.ndarray, labels: np.ndarray | None) -> str:
    """Return 16 hex digits that tell data sets apart."""
    digest = hashlib.sha256(f"{_VERSION} {images.shape} {images.dtype}".encode())
    digest.update(np.ascontiguousarray(images).tobytes())
    if labels is not None:
        digest.update(np.asarray(labels, np.int64).tobytes())
    return digest.hexdigest()[:16]


def _read(path: Path, shape: tuple[int, int, int]) -> Classifier:
    facts = arrays.read_manifest(path, kind=_KIND, version=_VERSION)["facts"]
    try:
        network = Network(shape, int(facts["classes"]), np.random.default_rng(0))
        result = Classifier(network, float(facts["accuracy"]), bool(facts["labelled"]))
    except (KeyError, TypeError, ValueError) as error:
        raise FileError(f"{path}: its facts cannot be read ({error}); remove the file") from error
    expected = {name: (array.shape, array.dtype) for name, array in network.state_dict().items()}
    limit = sum(kept.array.nbytes for kept in network.state_dict().values()) + (1 << 20)
    state, _ = arrays.read_npz(path, limit_bytes=limit, expected=expected, kind=_KIND, version=_VERSION)
    network.load_state_dict(state)
    network.requires_grad_(False)
    return result


def _turned(images: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Turn each picture by 0 to 3 quarter turns (half turns where it is not square); return the counts."""
    step = 1 if images.shape[2] == images.shape[3] else 2
    turns = rng.integers(0, 4 // step, len(images))
    turned = np.stack(
        [np.rot90(image, step * k, axes=(1, 2)) for image, k in zip(images, turns, strict=True)]
    )
    return turned, turns.astype(np.int64)

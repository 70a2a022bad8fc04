"""What there is to see of a live laboratory at one moment, and the verdict in words."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from minigan.autograd import grad
from minigan.backend import to_host
from minigan.data import toy
from minigan.gan import diagnosis
from minigan.gan.laboratory import in_packs
from minigan.gan.live import CURES, LiveLaboratory
from minigan.gan.trainer import Trainer, draw, frozen
from minigan.modes import no_grad
from minigan.tensor import Tensor

COUNTED, PUSHED = 1000, 128  # generated points that are counted; those that get an arrow
EARLY = 100  # steps before there is a verdict
# How long an arrow is: the share of its full length at a push of g is g / (g + HALF), g in logits a unit.
HALF = 0.5


@dataclass(frozen=True)
class View:
    """One moment, in the plane's own units.

    points: (COUNTED, 2) generated; pushes: (PUSHED, 2), where G's loss would have the first of them go, in
    loss a unit of the networks' plane, a point; belief: (R * R,) D's leaning in [0, 1] at the raster points;
    modes: which are reached, (M,) bool; near: share of points near any mode; strict: how many modes by
    PacGAN's count; quality: share of points within 3 sigma of a centre.
    """

    points: np.ndarray
    pushes: np.ndarray
    belief: np.ndarray
    modes: np.ndarray
    near: float
    strict: int
    quality: float


def look(lab: LiveLaboratory, raster: np.ndarray, *, averaged: bool = False) -> View | None:
    """Return what there is to see, D's leaning at ``raster`` (R * R, 2); None where nothing is painted.

    ``averaged`` shows the points of the averaged generator; the arrows are always those of the one that
    trains.  Changes nothing: latents come from a fixed seed, so that points can be followed.
    """
    trainer = lab.trainer
    if trainer is None:
        return None
    latents = np.random.default_rng(7).standard_normal((COUNTED, 2)).astype(np.float32)
    network = trainer.average.module if averaged and trainer.average else trainer.generator
    made = draw(network, latents, batch=COUNTED)
    companions = made if not averaged else draw(trainer.generator, latents, batch=COUNTED)
    points = made.reshape(-1, 2) * lab.scale
    strict = lab.mixture.statistics(points)
    return View(
        points,
        pushes(trainer, companions[:PUSHED]),
        leaning(trainer, raster / lab.scale, companions),
        *reached(lab.mixture, points),
        strict.modes,
        strict.high_quality,
    )


def reached(mixture: toy.Mixture, points: np.ndarray) -> tuple[np.ndarray, float]:
    """Say of each mode whether it gets a quarter of its share of points (N, 2), (M,) bool; share of all near.

    A point is near, and counts, within a quarter of the way to the next centre: a generator that still
    moves is seldom within 3 sigma of anything, though one sees which modes it serves.
    """
    count = len(mixture.centres)
    apart = np.linalg.norm(mixture.centres[:, None] - mixture.centres, axis=2)
    gap = apart[apart > 0].min() if count > 1 else 4 * 3 * mixture.sigma
    near = replace(mixture, sigma=max(gap / 12, mixture.sigma))
    distance = np.linalg.norm(points[:, None] - near.centres, axis=2)  # (N, M)
    nearest, close = distance.argmin(axis=1), distance.min(axis=1) <= 3 * near.sigma
    served = np.bincount(nearest[close], minlength=count)
    return served >= max(1.0, len(points) / count / 4), float(close.mean())


def pushes(trainer: Trainer, made: np.ndarray) -> np.ndarray:
    """Return minus the gradient of G's loss by each generated point (N, 2, 1, 1): (N, 2), N times the mean.

    What a step of G would do to the points if they could move freely; 0 where D is flat.
    """
    pack = trainer.config.pack
    points = Tensor(made, requires_grad=True)
    real = Tensor(trainer.loader.images[: len(made)])
    judge = trainer.discriminator
    with frozen(judge):
        logits = judge(trainer.packed(points))
        with no_grad():
            real_logits = judge(trainer.packed(real)) if trainer.loss.pairs else None
        (slope,) = grad(trainer.loss.g_loss(logits, real_logits), points)
    assert slope is not None
    return -to_host(slope.array).reshape(-1, 2) * (len(made) / pack)


def leaning(trainer: Trainer, raster: np.ndarray, companions: np.ndarray) -> np.ndarray:
    """Return how far D leans towards "real" at points (N, 2) in the networks' units: (N,) in [0, 1].

    Sigmoid of the logit for losses with labels (stretched where the labels are 0 and 1); where only
    differences count, of its distance from the middle between real and generated points.  In a pack the other
    places hold generated points; with minibatch features the raster itself is the batch.
    """
    pack, judge = trainer.config.pack, trainer.discriminator
    places = np.asarray(raster, np.float32).reshape(-1, 2, 1, 1)

    def logits(points: np.ndarray) -> np.ndarray:
        with no_grad():
            return to_host(judge(Tensor(in_packs(points, companions, pack))).array).astype(np.float64)

    # Neighbours are not put into one group of a batch: D would see that they lie close.
    order = np.random.default_rng(1).permutation(len(places))
    found = np.empty(len(places))
    found[order] = logits(places[order])
    middle, unit = trainer.loss.middle, 1.0
    if trainer.loss.name == "least-squares":
        unit = 0.25
    if middle is None:
        ends = logits(trainer.loader.images[:256]).mean(), logits(companions[:256]).mean()
        middle = float(sum(ends) / 2)
        if not trainer.loss.pairs:  # a critic has no unit of its own
            unit = max(float(found.std()), 1e-12)
    return np.nan_to_num(0.5 * (1 + np.tanh(0.5 * (found - middle) / unit)), nan=0.5)


# ---- in words -----------------------------------------------------------------------------------------


def verdict(lab: LiveLaboratory, view: View | None) -> tuple[str, str]:
    """Return (kind, words): "bad", "good" or "" for how it stands, and a sentence or two on what one sees."""
    if view is None:
        return "", "Nothing is painted yet: draw some points with the mouse."
    if lab.failure:
        return "bad", (
            f"The game blew up ({lab.failure}). Lower a rate or the penalty's strength, then press Reset."
        )
    records = list(lab.records)
    if len(records) < EARLY:
        if lab.trainer is not None and lab.trainer.step > 2 * EARLY:
            return "", "The rules have just changed: give the game a moment before you judge it."
        return "", "Too early to say: watch where the generated points go."
    found = diagnosis.judge(records).kind
    if found in _WORDS:
        return "bad", _WORDS[found]
    count, total = int(view.modes.sum()), len(view.modes)
    what = "painted spots" if lab.experiment == "paint" else "modes"
    if count < total and view.near < 0.5:
        return "", (
            f"Still looking: about {_tens(1 - view.near)} of G's points lie between the {what}, of which "
            f"{count} of {total} are served. Arrows show where G's loss would have them go."
        )
    if count < total:
        cured = all(lab.settings[name] == value for name, value in CURES["paired"].items())
        advice = (
            "The pairing with R1 and R2 is on: give it time, lost ones come back one by one."
            if cured
            else "The losses do not show it. Click \u201cpairs + R1 + R2\u201d and watch them come back."
        )
        share = "Mode collapse" if count <= 0.9 * total else "Nearly all"
        return "bad", f"{share}: G serves {count} of {total} {what}. {advice}"
    if view.quality < 0.5:
        return "good", (
            f"All {total} {what} are served, but the points still move: about {_tens(view.quality)} lie "
            "within 3 sigma of a centre. Lower both rates to let them settle."
        )
    return "good", (
        f"All {total} {what} are served and about {_tens(view.quality)} of the points lie within 3 "
        "sigma of a centre. The losses go on oscillating: that is the normal state of the game."
    )


def _tens(share: float) -> str:
    """A share in tens of per cent: words that change with every frame cannot be read."""
    return f"{round(10 * share) * 10} %"


_WORDS = {
    "discriminator wins": (
        "D is winning: it sorts nearly every point rightly and believes G no more, so G gets hardly any "
        "slope to follow. Lower D's rate, add a penalty, or put noise on what D sees."
    ),
    "collapse": "Collapse: all generated points sit nearly on one spot. Lower G's rate, or click a cure.",
    "unstable": "Unstable: G's gradient grew more than 30-fold. Lower G's rate, or add a penalty.",
    "discriminator asleep": (
        "D has stopped telling real from generated and its own gradient is near 0, so G has nothing to learn "
        "from. Raise D's rate, or lower the penalty or the noise."
    ),
}

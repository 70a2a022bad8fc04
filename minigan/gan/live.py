"""A laboratory one can change while it trains: points in the plane, and every option within reach.

`minigan.gan.laboratory` fixes a setting and counts the modes at the end; here rates, losses, penalties and
what D sees may change between two steps, the networks staying as they are, and each network can be moved
alone.  What there is to see of it is in `minigan.gan.live_view`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from minigan.data import toy
from minigan.data.loader import Loader
from minigan.errors import ArgumentError, NumericError, shown
from minigan.gan import losses
from minigan.gan.config import Config
from minigan.gan.laboratory import EXTENT, MIXTURES, make_trainer
from minigan.gan.record import Record
from minigan.gan.trainer import Trainer

POINTS = 50_000  # drawn of a mixture; an epoch is one pass over them
MOST_SPOTS = 400  # that one can paint
EXPERIMENTS = (*MIXTURES, "paint")
WINDOW = 300  # steps that a verdict rests on


@dataclass(frozen=True)
class Setting:
    """One control: a ``slider`` or ``log`` slider between two values, a ``menu`` of them, or a ``switch``."""

    kind: str
    label: str
    hint: str
    start: Any
    values: tuple = ()  # a slider's ends and step, or a menu's values


PENALTIES: dict[str, tuple[str, ...]] = {  # name -> the options of Config that get the strength
    "none": (),
    "R1": ("r1",),
    "R1 + R2": ("r1", "r2"),
    "WGAN-GP": ("wgan_gp",),
    "DRAGAN": ("dragan",),
    "clipping": ("clip",),
}
SETTINGS: dict[str, Setting] = {
    "lr_d": Setting("log", "D's learning rate", "how far D moves in a step", 2e-3, (1e-5, 0.1)),
    "lr_g": Setting("log", "G's learning rate", "how far G moves in a step", 2e-3, (1e-5, 0.1)),
    "loss": Setting("menu", "loss", "what the two players lower", "non-saturating", tuple(losses.LOSSES)),
    "penalty": Setting("menu", "penalty", "what keeps D from being steep", "none", tuple(PENALTIES)),
    "strength": Setting("log", "its strength", "the penalty's weight, or the clip", 0.05, (1e-3, 100.0)),
    "pack": Setting("menu", "packing", "points that D judges at once", 1, (1, 2, 4, 8)),
    "minibatch": Setting("switch", "minibatch features", "D sees how close a batch lies", False),
    "d_steps": Setting("slider", "steps of D", "for each step of G", 1, (1, 10, 1)),
    "noise": Setting("slider", "noise for D", "deviation, in units of the networks", 0.0, (0, 2, 0.05)),
    "smoothing": Setting("slider", "label smoothing", "real is labelled 1 minus this", 0.0, (0, 0.4, 0.05)),
    "rest": Setting("menu", "D rests", "when it is right more often", "never", ("never", 0.6, 0.7, 0.8, 0.9)),
}  # fmt: skip
_PLAIN = {name: setting.start for name, setting in SETTINGS.items() if name not in ("lr_d", "lr_g")}
# What each button sets; the rates stay where they are.
CURES: dict[str, dict[str, Any]] = {
    "none": _PLAIN,
    "penalty": {**_PLAIN, "penalty": "R1"},
    "packing": {**_PLAIN, "pack": 4},
    "minibatch": {**_PLAIN, "minibatch": True},
    "paired": {**_PLAIN, "loss": "relativistic", "penalty": "R1 + R2"},
}


def check(name: str, value: Any) -> Any:
    """Return the value of a setting; ArgumentError, naming it, for one that it cannot have."""
    if name not in SETTINGS:
        raise ArgumentError(f"no such setting: {shown(name)}; there are {', '.join(SETTINGS)}")
    setting = SETTINGS[name]
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if setting.kind == "menu":
        if any(type(value) is type(one) and value == one for one in setting.values):
            return value
        expected = f"one of {', '.join(map(str, setting.values))}"
    elif setting.kind == "switch":
        if isinstance(value, bool):
            return value
        expected = "true or false"
    else:
        low, high, *step = setting.values
        if number and low <= value <= high:
            return round(value) if step == [1] else float(value)
        expected = f"a number from {low:g} to {high:g}"
    raise ArgumentError(f"{setting.label}: expected {expected}, got {shown(value)}")


def config_of(settings: Mapping[str, Any], *, seed: int, base: int, batch: int) -> Config:
    """Return the trainer's options for the settings; ArgumentError for two that do not fit together."""
    options: dict[str, Any] = {option: settings["strength"] for option in PENALTIES[settings["penalty"]]}
    if settings["smoothing"]:
        losses.get(settings["loss"], label_smoothing=settings["smoothing"])
    if set(options) - {"clip"}:
        options["penalty_every"] = 4
    return Config(
        recipe="live-laboratory", model="planar", shape=(2, 1, 1), latent=2, base=base, batch=batch,
        betas=(0.0, 0.99), ema=0.99, seed=seed, lr_d=settings["lr_d"], lr_g=settings["lr_g"],
        loss=settings["loss"], pack=settings["pack"], label_smoothing=settings["smoothing"],
        d_steps=settings["d_steps"], fresh_fakes=settings["d_steps"] > 1, instance_noise=settings["noise"],
        instance_noise_steps=10**12, accuracy_target=0.0 if settings["rest"] == "never" else settings["rest"],
        **options,
    )  # fmt: skip


class LiveLaboratory:
    """Two networks on points in the plane, whose settings may change between two steps.

    Args:
        experiment: "ring", "grid" (of `minigan.data.toy`) or "paint" (points of the user's).
        cure: which of `CURES` to begin with.
        seed: of weights, latents and data.
        base, batch: units of a hidden layer; points in a step.

    `trainer` is None as long as nothing is painted; `failure` says why training stopped, "" while it can go
    on; `records` are those of the last steps, for a verdict.
    """

    def __init__(
        self,
        experiment: str = "ring",
        /,
        *,
        cure: str = "none",
        seed: int = 0,
        base: int = 64,
        batch: int = 128,
    ):
        if experiment not in EXPERIMENTS:
            raise ArgumentError(
                f"experiment: expected one of {', '.join(EXPERIMENTS)}, got {shown(experiment)}"
            )
        if cure not in CURES:
            raise ArgumentError(f"cure: expected one of {', '.join(CURES)}, got {shown(cure)}")
        self.experiment, self.seed, self.base, self.batch = experiment, seed, base, batch
        self.settings = {name: setting.start for name, setting in SETTINGS.items()} | CURES[cure]
        self.mixture = _two_strokes() if experiment == "paint" else MIXTURES[experiment]()
        reach = 1.0 if experiment == "paint" else float(np.abs(self.mixture.centres).max())
        self.scale = reach / EXTENT  # of the plane, over the networks' units
        self.extent = 1.4 * reach  # what is shown: -extent to extent both ways
        self.trainer: Trainer | None = None
        self.failure = ""
        self.records: deque[Record] = deque(maxlen=WINDOW)
        self.reset()

    # ---- training -------------------------------------------------------------------------------------

    def step(self) -> Record | None:
        """Train both networks once; None, and `failure`, where the numbers are no longer finite."""
        return self._run("both")

    def half_step(self, who: str) -> Record | None:
        """Train "generator" or "discriminator" alone."""
        if who not in ("generator", "discriminator"):
            raise ArgumentError(f"step: expected generator or discriminator, got {shown(who)}")
        return self._run(who)

    def _run(self, who: str) -> Record | None:
        if self.trainer is None or self.failure:
            return None
        try:
            with np.errstate(all="ignore"):  # said in words instead
                record = self.trainer.train_step() if who == "both" else self.trainer.half_step(who)
        except NumericError as error:
            self.failure = str(error).partition(";")[0]
            return None
        if who == "both":
            self.records.append(record)
        return record

    # ---- changing it ----------------------------------------------------------------------------------

    def change(self, **settings: Any) -> str:
        """Lay settings over those there are; all or none.  Returns what one should know, mostly "".

        The weights stay; but where D gets another shape (packing, minibatch features) it is made anew.
        Raises ArgumentError for a value that cannot be.
        """
        wanted = {**self.settings, **{name: check(name, value) for name, value in settings.items()}}
        config = config_of(wanted, seed=self.seed, base=self.base, batch=self.batch)
        reshaped = any(wanted[name] != self.settings[name] for name in ("pack", "minibatch"))
        self.settings = wanted
        if self.trainer is None:
            return ""
        if reshaped:
            before = self.trainer
            self.trainer = make_trainer(config, before.loader.images, minibatch=wanted["minibatch"])
            for name in ("generator", "g_optimizer", "average", "loader", "random", "step"):
                setattr(self.trainer, name, getattr(before, name))
        self.trainer.config = config
        self.trainer.loss = losses.get(config.loss, label_smoothing=config.label_smoothing)
        self.records.clear()  # a verdict is on one setting
        return "D was made anew: it has another number of inputs now." if reshaped else ""

    def reset(self, seed: int | None = None) -> None:
        """Begin again with fresh weights; the settings and the points stay."""
        if seed is not None and (
            isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**31
        ):
            raise ArgumentError(f"seed: expected a whole number from 0 to {2**31 - 1}, got {shown(seed)}")
        self.seed = self.seed if seed is None else seed
        self.failure = ""
        self.records.clear()
        if not len(self.mixture.centres):
            self.trainer = None
            return
        config = config_of(self.settings, seed=self.seed, base=self.base, batch=self.batch)
        self.trainer = make_trainer(config, self._draw(), minibatch=self.settings["minibatch"])

    def paint(self, spots: Any) -> None:
        """Add spots, pairs [x, y] of the plane; such as lie close to one that is there are left out.

        The networks stay as they are: they see the new points from the next step on.  Raises ArgumentError.
        """
        centres = self.mixture.centres
        for spot in self._checked(spots):
            if not len(centres) or np.linalg.norm(centres - spot, axis=1).min() >= 0.1:
                centres = np.concatenate([centres, spot[None]])
        if len(centres) > MOST_SPOTS:
            raise ArgumentError(f"paint: at most {MOST_SPOTS} spots; clear the plane to begin anew")
        if len(centres) == len(self.mixture.centres):
            return
        self.mixture = toy.Mixture(centres, self.mixture.sigma)
        self.records.clear()
        if self.trainer is None:
            self.reset()
        else:
            self.trainer.loader = Loader(self._draw(), batch_size=self.batch, seed=self.seed)

    def clear(self) -> None:
        """Take all painted spots away; ArgumentError where the points are given."""
        self._checked([])
        self.mixture = toy.Mixture(np.zeros((0, 2)), self.mixture.sigma)
        self.reset()

    def _checked(self, spots: Any) -> np.ndarray:
        if self.experiment != "paint":
            raise ArgumentError(
                f"paint: the points of the {self.experiment} are given; start minigan lab paint"
            )
        try:
            found = np.asarray(spots, np.float64).reshape(-1, 2)
        except (TypeError, ValueError):
            raise ArgumentError(f"paint: expected pairs [x, y], got {shown(spots)}") from None
        if not (np.abs(found) <= self.extent).all():  # NaN is not
            raise ArgumentError(f"paint: expected x and y within +-{self.extent:g}, got {shown(spots)}")
        return found

    def _draw(self) -> np.ndarray:
        points = self.mixture.sample(POINTS, np.random.default_rng([self.seed, 4])) / self.scale
        return points.reshape(-1, 2, 1, 1).astype(np.float32)


def _two_strokes() -> toy.Mixture:
    """Return what the plane for painting begins with: two half moons."""
    angle = np.linspace(0, np.pi, 9)
    upper = np.stack([np.cos(angle) * 0.6 - 0.25, np.sin(angle) * 0.6 + 0.05], axis=1)
    return toy.Mixture(np.concatenate([upper, -upper]), 0.03)

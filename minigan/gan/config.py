"""Every option of a GAN run, resolved and checked, in one frozen record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from minigan.errors import ArgumentError
from minigan.gan import augment, losses


@dataclass(frozen=True)
class Config:
    """What a run is made of; `minigan.gan.recipes` holds good sets of values.

    Raises ArgumentError, naming the option, for a value outside its range.
    """

    recipe: str = "dcgan"  # the preset these options come from
    model: str = "dcgan"  # the pair of networks, a name of minigan.gan.models
    shape: tuple[int, int, int] = (1, 28, 28)  # channels, height, width of a picture
    latent: int = 100  # numbers in a latent vector
    base: int = 32  # filters of the widest-open layer; the other layers are multiples
    base_d: int = 0  # the same for D alone, 0: base serves both
    pack: int = 1  # D judges so many pictures at once, all real or all generated (PacGAN)
    classes: int = 0  # 0: unconditional; K: both networks are told the label, 0 .. K - 1
    projection: bool = False  # with classes: D compares the label with its features instead of reading it
    seed: int = 0  # of weights, latents and data order

    loss: str = "non-saturating"  # a name of minigan.gan.losses
    label_smoothing: float = 0.0  # real pictures are labelled 1 minus this
    mean_of_two: bool = False  # D's loss is (real + fake) / 2, as in the lesson, instead of the sum
    r1: float = 0.0  # gamma of the R1 penalty (slope at real pictures)
    r2: float = 0.0  # gamma of the R2 penalty (slope at generated pictures)
    wgan_gp: float = 0.0  # weight of the WGAN gradient penalty (10 in the paper)
    dragan: float = 0.0  # weight of the DRAGAN penalty (10 in the paper)
    penalty_every: int = 1  # lazy regularisation: every k-th step, k times as strong
    clip: float = 0.0  # WGAN's weight clipping, 0: none

    batch: int = 64
    lr_g: float = 2e-4  # Adam's learning rate of the generator
    lr_d: float = 2e-4  # and of the discriminator
    betas: tuple[float, float] = (0.5, 0.999)  # Adam's two decay rates, for both
    lr_end: float = 1.0  # share of the learning rates that is left when the run's progress is 1
    ema: float = 0.999  # decay of the averaged generator that samples are drawn from, 0: none

    generator_first: bool = True  # G's step first, then D's on the same pictures
    fresh_fakes: bool = False  # D's step draws new latents instead
    d_steps: int = 1  # discriminator steps per generator step
    skip_d_below: float = 0.0  # skip D's update while its loss is below this, 0: never
    accuracy_target: float = 0.0  # D rests above this accuracy, takes a turn more well below, 0: none
    instance_noise: float = 0.0  # standard deviation of noise on everything that D sees ...
    instance_noise_steps: int = 5000  # ... falling to 0 in a straight line over this many steps
    augment: str = ""  # DiffAugment policy, such as "translation,cutout"

    def __post_init__(self) -> None:
        for name in ("shape", "betas"):  # JSON knows no tuples
            object.__setattr__(self, name, tuple(getattr(self, name)))
        losses.get(self.loss, label_smoothing=self.label_smoothing)
        augment.check(self.augment)
        for name, low, high in _RANGES:
            value = getattr(self, name)
            whole = isinstance(getattr(type(self), name), int)
            if (
                isinstance(value, bool)
                or not isinstance(value, int if whole else (int, float))
                or not low <= value <= high
            ):
                kind = "a whole number" if whole else "a number"
                raise ArgumentError(f"{name}: expected {kind} from {low:g} to {high:g}, got {value!r}")
        if len(self.shape) != 3 or any(type(n) is not int or n < 1 for n in self.shape):
            raise ArgumentError(f"shape: expected (channels, height, width), got {self.shape!r}")
        if len(self.betas) != 2 or not all(0 <= beta < 1 for beta in self.betas):
            raise ArgumentError(f"betas: expected two numbers in [0, 1), got {self.betas!r}")
        if self.batch % self.pack:
            raise ArgumentError(f"batch: {self.batch} pictures do not make whole packs of {self.pack}")
        if self.pack > 1 and self.classes:
            raise ArgumentError("pack: the pictures of a pack have one label each; leave out pack or classes")
        if 0 < self.accuracy_target < 0.5:
            raise ArgumentError(
                f"accuracy_target: guessing alone gets 0.5; expected 0.5 to 1, got {self.accuracy_target}"
            )
        if self.d_steps > 1 and self.generator_first and not self.fresh_fakes:
            raise ArgumentError(
                "d_steps: several steps of D on the same fakes make no sense; set fresh_fakes"
            )

    def to_dict(self) -> dict[str, Any]:
        """Return the options as JSON values."""
        return {name: list(v) if isinstance(v, tuple) else v for name, v in asdict(self).items()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Config:
        """Rebuild from `to_dict`; ArgumentError for options this version does not know."""
        known = {field.name for field in fields(cls)}
        if unknown := sorted(set(values) - known):
            raise ArgumentError(f"configuration: unknown options {unknown}; written by a newer minigan?")
        return cls(**values)

    def differences(self, other: Config) -> list[str]:
        """Say, one line an option, where ``other`` differs: what a resumed run would change."""
        mine, theirs = self.to_dict(), other.to_dict()
        return [
            f"{name}: {mine[name]!r}, now {theirs[name]!r}" for name in mine if mine[name] != theirs[name]
        ]


_RANGES = (  # option, least, most
    ("latent", 1, 4096), ("base", 1, 2048), ("base_d", 0, 2048), ("pack", 1, 1000), ("classes", 0, 100_000),
    ("seed", 0, 2**63 - 1), ("r1", 0, 1e6), ("r2", 0, 1e6), ("wgan_gp", 0, 1e6), ("dragan", 0, 1e6),
    ("penalty_every", 1, 10_000), ("clip", 0, 1e6), ("batch", 1, 1_000_000), ("lr_g", 0, 10), ("lr_d", 0, 10),
    ("lr_end", 0, 1), ("ema", 0, 1 - 1e-9), ("d_steps", 1, 1000), ("skip_d_below", 0, 1e6),
    ("accuracy_target", 0, 1), ("instance_noise", 0, 100), ("instance_noise_steps", 1, 2**63 - 1),
)  # fmt: skip

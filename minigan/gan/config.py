"""Every option of a GAN run, resolved and checked, in one frozen record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, get_args, get_type_hints

from minigan.errors import ArgumentError, nearest, shown, truth
from minigan.gan import augment, losses


@dataclass(frozen=True)
class Config:
    """What a run is made of; `minigan.gan.recipes` holds good sets of values.

    Raises ArgumentError, naming the option, for one that does not exist and for a value of the wrong kind or
    outside its range.
    """

    recipe: str = "dcgan"  # the preset these options come from
    model: str = "dcgan"  # the pair of networks, a name of minigan.gan.models
    shape: tuple[int, int, int] = (1, 28, 28)  # channels, height, width of a picture
    latent: int = 100  # numbers in a latent vector
    base: int = 32  # filters of the widest-open layer; the other layers are multiples
    base_d: int = 0  # the same for D alone, 0: base serves both
    upsampling: str = "transposed"  # how dcgan's G enlarges maps: transposed convolution, or bilinear
    minibatch_std: bool = False  # dcgan's D compares the pictures of a batch before it decides
    pack: int = 1  # D judges so many pictures at once, all real or all generated (PacGAN)
    classes: int = 0  # 0: unconditional; K: both networks are told the label, 0 .. K - 1
    projection: bool = False  # with classes: D compares the label with its features instead of reading it
    seed: int = 0  # of weights, latents and data order

    kl_weight: float = 1.0  # of a VAE: how much its codes' distance from N(0, 1) counts (beta-VAE)
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

    def __new__(cls, /, *_: Any, **options: Any) -> Config:
        """Refuse options that do not exist, with the names that are nearest."""
        if unknown := [name for name in options if name not in KINDS]:
            raise ArgumentError(
                f"unknown options: {', '.join(map(shown, unknown))}; nearest: {nearest(unknown[0], KINDS)}"
            )
        return super().__new__(cls)

    def __post_init__(self) -> None:
        for name in KINDS:
            object.__setattr__(self, name, check(name, getattr(self, name)))
        losses.get(self.loss, label_smoothing=self.label_smoothing)
        augment.check(self.augment)
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
        """Rebuild from `to_dict`, as a file holds it; ArgumentError for options unknown to this version."""
        if unknown := sorted(set(values) - set(KINDS)):
            raise ArgumentError(f"configuration: unknown options {unknown}; written by a newer minigan?")
        # A file may be older than the check of truths: what it holds counted as Python counts it.
        read: dict[str, Any] = {name: bool(v) if KINDS[name] is bool else v for name, v in values.items()}
        return cls(**read)

    def differences(self, other: Config) -> list[str]:
        """Say, one line an option, where ``other`` differs: what a resumed run would change."""
        mine, theirs = self.to_dict(), other.to_dict()
        return [
            f"{name}: {mine[name]!r}, now {theirs[name]!r}" for name in mine if mine[name] != theirs[name]
        ]


# Option -> its type, as annotated above: int, float, bool, str, or a tuple of one of these.
KINDS: dict[str, Any] = get_type_hints(Config)
RANGES: dict[str, tuple[float, float]] = {  # of every number: least, most
    "shape": (1, 2**20), "latent": (1, 4096), "base": (1, 2048), "base_d": (0, 2048), "pack": (1, 1000),
    "classes": (0, 100_000), "kl_weight": (0, 1000), "seed": (0, 2**63 - 1), "label_smoothing": (0, 0.5),
    "r1": (0, 1_000_000),
    "r2": (0, 1_000_000), "wgan_gp": (0, 1_000_000), "dragan": (0, 1_000_000), "penalty_every": (1, 10_000),
    "clip": (0, 1_000_000), "batch": (1, 1_000_000), "lr_g": (0, 10), "lr_d": (0, 10), "betas": (0, 1),
    "lr_end": (0, 1), "ema": (0, 1), "d_steps": (1, 1000), "skip_d_below": (0, 1_000_000),
    "accuracy_target": (0, 1), "instance_noise": (0, 100), "instance_noise_steps": (1, 2**63 - 1),
}  # fmt: skip
CHOICES: dict[str, tuple[str, ...]] = {
    "loss": tuple(losses.LOSSES),
    "upsampling": ("transposed", "bilinear"),
    "model": (
        "dense", "dcgan", "strided", "upscale", "pooled", "planar", "progressive", "msg", "style", "vae",
    ),
}  # fmt: skip
BELOW = ("label_smoothing", "betas", "ema")  # these stay below the most
_WORDS = {bool: "true or false", str: "a word", int: "a whole number", float: "a number"}


def check(name: str, value: Any) -> Any:
    """Return a value of the option ``name``, a list made a tuple; ArgumentError for a wrong kind or range.

    Nothing is converted: True is no number, 8.0 no whole number and 1 no truth (a number may be whole).
    """
    items = get_args(KINDS[name])
    kind = items[0] if items else KINDS[name]
    values = value if items else (value,)
    fits = isinstance(values, (tuple, list)) and len(values) == (len(items) or 1)
    if fits and all(_is_one(v, kind) and _within(name, v) for v in values):
        return tuple(values) if items else value
    words = _WORDS[kind] if not items else f"a list of {len(items)} {_WORDS[kind].split(' ', 1)[1]}s"
    if name in CHOICES:
        words = f"one of {', '.join(CHOICES[name])}"
    if name in RANGES:
        low, high = RANGES[name]
        words += f" from {low} to {'below ' * (name in BELOW)}{high}"
    raise ArgumentError(f"{name}: expected {words}, got {shown(value)}")


def _is_one(value: Any, kind: type) -> bool:
    if kind is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    return isinstance(value, kind) and (kind is bool or not isinstance(value, bool))


def _within(name: str, value: Any) -> bool:
    if name in CHOICES:
        return value in CHOICES[name]
    if name not in RANGES:
        return True
    low, high = RANGES[name]
    return low <= value < high if name in BELOW else low <= value <= high  # NaN fails both


def spelled(name: str, value: Any) -> Any:
    """Return what a value from JSON or a plain word means for the option: yes and no have many spellings.

    Raises ArgumentError for a truth that is none of them.
    """
    return truth(name, value) if KINDS.get(name) is bool else value

"""Training in two phases: the generator's step and the discriminator's.

Read `Trainer.train_step`, then the two phases below it; everything else here is book-keeping.  The loop
belongs to whoever asks for steps:

    trainer = Trainer.create(config, images)
    for record in trainer.steps():
        print(record.step, record.d_loss, record.g_loss)
        if record.step == 1000:
            break

Goodfellow et al., "Generative Adversarial Networks", arXiv 1406.2661, algorithm 1.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import reduce
from time import perf_counter
from typing import Any

import numpy as np

from minigan import backend, nn, ops, optim
from minigan.autograd import detect_anomaly
from minigan.data.loader import Loader
from minigan.errors import ArgumentError, NumericError
from minigan.gan import augment, losses, models, penalties
from minigan.gan.balance import Balance
from minigan.gan.config import Config
from minigan.gan.phase import Compute, Pending, Snapshot, filled, frozen, spread
from minigan.gan.record import Record, fetched, length, mean_sigmoid, squares
from minigan.gan.sampling import draw
from minigan.gan.team import Team
from minigan.modes import no_grad
from minigan.tensor import Tensor


class Trainer:
    """A generator and a discriminator, their optimisers, and all that a run needs to go on.

    Args:
        config: the options.
        generator: latents (N, config.latent) -> pictures (N, C, H, W) in [-1, 1].
        discriminator: pictures -> logits (N,).
        loader: batches of (images float32 (N, C, H, W) in [-1, 1], labels (N,) or None).
    """

    def __init__(self, config: Config, generator: nn.Module, discriminator: nn.Module, loader: Loader):
        self.config, self.loader = config, loader
        self.generator, self.discriminator = generator, discriminator
        networks = {"generator": generator, "discriminator": discriminator}
        # Walking the networks is slow beside a small step, so it is done once.
        self._parameters = [
            (f"{who}.{name}", p) for who in networks for name, p in networks[who].named_parameters()
        ]
        self._buffers = [buffer for network in networks.values() for buffer in network.buffers()]
        self._growing = [network for network in networks.values() if models.grows(network)]
        self.loss = losses.get(config.loss, label_smoothing=config.label_smoothing)
        self.g_optimizer = optim.Adam(generator.parameters(), lr=config.lr_g, betas=config.betas)
        self.d_optimizer = optim.Adam(discriminator.parameters(), lr=config.lr_d, betas=config.betas)
        # Early on the weights move fast: the average starts with a short memory (warmup).
        self.average = optim.EMA(generator, decay=config.ema, warmup=True) if config.ema else None
        self.random = np.random.default_rng([config.seed, 1])  # latents and noise of training
        self.balance = Balance()
        self.step = 0  # steps done
        self.progress = 0.0  # how much of the run is done, 0 to 1, for lr_end and growth; its owner sets it
        self.touched: dict[str, list[str]] = {}  # phase -> parameters that got gradients in it
        self.squares: dict[str, list[float]] = {}  # g_norm and d_norm, squared, parameter by parameter
        self.team = Team()  # the processes that train together
        self._pending: list[Pending] = []

    @classmethod
    def create(cls, config: Config, images: np.ndarray, labels: np.ndarray | None = None) -> Trainer:
        """Build networks and loader from the options; images float32 (N, C, H, W) in [-1, 1].

        Raises ArgumentError when ``config.classes`` and ``labels`` (N,) do not fit together.
        """
        if config.classes and (labels is None or int(np.max(labels)) >= config.classes):
            found = "no labels" if labels is None else f"labels up to {np.max(labels)}"
            raise ArgumentError(f"classes: the networks know {config.classes}, the data have {found}")
        generator, discriminator = (nn.fuse(network) for network in models.build(config))
        loader = Loader(images, labels, batch_size=config.batch, drop_last=True, seed=config.seed)
        return TRAINERS.get(config.model, cls)(config, generator, discriminator, loader)

    def join(self, team: Team) -> None:
        """Train together with others, each on its rows of every batch; ArgumentError as `check_share`."""
        self.check_share(team)
        self.team, self.random = team, team.generator(self.random)
        for network in (self.generator, self.discriminator):
            for module in network.modules():
                if isinstance(own := getattr(module, "generator", None), np.random.Generator):
                    module.generator = team.generator(own)

    def check_share(self, team: Team) -> None:
        """Raise ArgumentError when the batch cannot be shared evenly, in whole packs."""
        team.check(self.config.batch, self.config.pack)

    # ---- one step -------------------------------------------------------------------------------------

    def steps(self) -> Iterator[Record]:
        """Train for ever, one record a step; stop by leaving the loop."""
        while True:
            yield self.train_step()

    def run(self, steps: int) -> Iterator[Record]:
        """Train for so many steps, one record a step, while `progress` goes from where it is to its end, 1.

        After that another run trains with the last learning rates, and what has grown stays grown.
        """
        begun = self.progress
        for step in range(steps):
            self.progress = begun + (1 - begun) * (step / steps)
            yield self.train_step()
        self.progress = 1.0

    def train_step(self) -> Record:
        """Take one batch, train each network on it, and say what happened."""
        started = perf_counter()
        self._pending = []  # of a step that was broken off
        self._set_learning_rates()
        for network in self._growing:
            models.set_progress(network, self.progress)
        record = Record(step=self.step + 1, epoch=self.loader.epoch)
        real, labels = self._next_batch()
        if self.config.generator_first:
            fake = self._generator_phase(record, real, labels)
            for turn in range(self.balance.turns(self.config)):
                if turn or self.config.fresh_fakes:
                    self._settle(record)
                    fake = self.make_fakes(labels)
                self._discriminator_phase(record, real, fake, labels)
        else:
            for turn in range(self.balance.turns(self.config)):
                if turn:
                    self._settle(record)
                    real, labels = self._next_batch()
                self._discriminator_phase(record, real, self.make_fakes(labels), labels)
            self._settle(record)
            self._generator_phase(record, real, labels)
        self._settle(record)
        self.step += 1
        record.seconds = perf_counter() - started
        return record

    def half_step(self, who: str) -> Record:
        """Train one network, "generator" or "discriminator", on one batch; the other stands still.

        The record holds that network's figures only.
        """
        self._pending = []
        self._set_learning_rates()
        record = Record(step=self.step + 1, epoch=self.loader.epoch)
        real, labels = self._next_batch()
        if who == "generator":
            self._generator_phase(record, real, labels)
        else:
            self._discriminator_phase(record, real, self.make_fakes(labels), labels)
        self._settle(record)
        self.step += 1
        return record

    def _generator_phase(self, record: Record, real: Tensor, labels: np.ndarray | None) -> Tensor:
        """Compute how G must change so that D takes its pictures for real; D is frozen.

        Returns the pictures, detached.
        """
        latents = self.draw_latents(len(real))

        def compute() -> tuple[dict[str, Any], Tensor]:
            fake = self.run_generator(latents, labels)
            logits = self.judge(fake, labels)
            with no_grad():
                real_logits = self.judge(real, labels) if self.loss.pairs else None
            loss = self.loss.g_loss(logits, real_logits)
            loss.backward()
            belief = mean_sigmoid(logits if real_logits is None else logits - real_logits)
            return {"g_loss": loss.array, "g_fake": belief}, fake.detach()

        fake = self._begin(
            "generator's step", compute, {"g_norm": self.g_optimizer}, asleep=self.discriminator
        )
        self._pending[-1].found |= zip(SPREADS, (spread(fake), spread(real)), strict=True)
        return fake

    def _discriminator_phase(
        self, record: Record, real: Tensor, fake: Tensor, labels: np.ndarray | None
    ) -> None:
        """Compute how D must change to tell real from fake; ``fake`` is a constant, so G gets no gradient."""
        record.skipped = False

        def compute() -> tuple[dict[str, Any], None]:
            real_logits, fake_logits = self.judge(real, labels), self.judge(fake, labels)
            loss = self.loss.d_loss(real_logits, fake_logits) * (0.5 if self.config.mean_of_two else 1.0)
            found = {"d_loss": loss.array, "accuracy": self.loss.sorted_rightly(real_logits, fake_logits)}
            if self.balance.steers(self.config):  # only then does anybody have to know now
                known = self.team.means(fetched([found["d_loss"], found["accuracy"]]))
                found["d_loss"], found["accuracy"] = known
                record.skipped = self.balance.rests(self.config, *known)
            if self.loss.pairs:  # only the difference of two logits is a belief
                real_logits, fake_logits = real_logits - fake_logits, fake_logits - real_logits
            found |= {"d_real": mean_sigmoid(real_logits), "d_fake": mean_sigmoid(fake_logits)}
            if record.skipped:
                return found, None
            if (penalty := self._penalty(real, fake, labels)) is not None:
                found["penalty"] = penalty.array
                loss = loss + penalty
            loss.backward()
            return found, None

        self._begin("discriminator's step", compute, {"d_norm": self.d_optimizer})

    def _penalty(self, real: Tensor, fake: Tensor, labels: np.ndarray | None) -> Tensor | None:
        """Add up the gradient penalties that are due at this step, or return None."""
        c = self.config
        if self.step % c.penalty_every:
            return None
        real, fake = self.packed(real), self.packed(fake)
        critic = lambda x: self.judge(self.unpacked(x), labels)  # noqa: E731
        terms: list[Tensor] = []
        if c.r1:
            terms.append(penalties.r1(critic, real) * c.r1)
        if c.r2:
            terms.append(penalties.r2(critic, fake) * c.r2)
        if c.wgan_gp:
            terms.append(penalties.wgan_gp(critic, real, fake, self.random) * c.wgan_gp)
        if c.dragan:
            terms.append(penalties.dragan(critic, real, self.random) * c.dragan)
        if not terms:
            return None
        return reduce(ops.add, terms) * float(c.penalty_every)

    # ---- the two networks -----------------------------------------------------------------------------

    def draw_latents(self, count: int) -> Tensor:
        """Draw latents N(0, 1): (count, latent), from the run's own generator."""
        return Tensor(backend.standard_normal(self.random, (count, self.config.latent)))

    def run_generator(self, latents: Tensor, labels: np.ndarray | None) -> Tensor:
        """Turn latents into pictures (N, C, H, W), of the given classes if the networks are conditional."""
        return self.generator(latents, labels) if self.config.classes else self.generator(latents)

    def make_fakes(self, labels: np.ndarray | None) -> Tensor:
        """Draw one batch of pictures without recording a graph."""
        with no_grad():
            return self.run_generator(self.draw_latents(self.config.batch // self.team.size), labels)

    def judge(self, pictures: Tensor, labels: np.ndarray | None) -> Tensor:
        """Return D's logits (N / pack,) of pictures, after the noise and augmentation the options ask for."""
        c = self.config
        noise = c.instance_noise * max(0.0, 1 - self.step / c.instance_noise_steps)
        if noise:
            pictures = pictures + Tensor(backend.standard_normal(self.random, pictures.shape)) * noise
        if c.augment:
            pictures = augment.apply(pictures, c.augment, self.random)
        pictures = self.packed(pictures)
        return self.discriminator(pictures, labels) if c.classes else self.discriminator(pictures)

    def packed(self, pictures: Tensor) -> Tensor:
        """Lay each ``pack`` pictures on one another as channels: (N, C, H, W) -> (N / pack, pack C, H, W).

        A lack of variety shows in a pack though every single picture is good.  Lin et al., "PacGAN", arXiv
        1712.04086, section 3.
        """
        N, C, H, W = pictures.shape
        pack = self.config.pack
        return pictures.reshape(N // pack, pack * C, H, W) if pack > 1 else pictures

    def unpacked(self, packs: Tensor) -> Tensor:
        """Undo `packed`."""
        N, C, H, W = packs.shape
        pack = self.config.pack
        return packs.reshape(N * pack, C // pack, H, W) if pack > 1 else packs

    def fixed_latents(self, count: int) -> np.ndarray:
        """Return the latents every sample grid of this run is drawn from: (count, latent), on the host."""
        return np.random.default_rng([self.config.seed, 2]).standard_normal(
            (count, self.config.latent), np.float32
        )

    def sample(
        self,
        latents: np.ndarray,
        labels: np.ndarray | None = None,
        *,
        averaged: bool = True,
        batch: int = 100,
    ) -> np.ndarray:
        """Return pictures for latents (N, latent): float32 (N, C, H, W) in [-1, 1], on the host.

        From the averaged generator unless ``averaged`` is False or there is none.  Batch norm uses its
        running statistics, so a picture depends on its own latent only; the mode is put back afterwards.
        Conditional networks draw class i % classes for sample i where no ``labels`` are given.
        """
        self.settle()
        network = self.average.module if self.average and averaged else self.generator
        if self.config.classes and labels is None:
            labels = np.arange(len(latents)) % self.config.classes
        return draw(network, latents, labels if self.config.classes else None, batch=batch)

    def settle(self) -> None:
        """Make the generator ready to be drawn from or saved; most are at every moment."""

    # ---- book-keeping ---------------------------------------------------------------------------------

    def _next_batch(self) -> tuple[Tensor, np.ndarray | None]:
        images, labels = self.loader.next_batch()
        mine = self.team.rows(len(images))
        return Tensor(images[mine]), None if labels is None else labels[mine]

    def _set_learning_rates(self) -> None:
        """Lower both rates from their full value to lr_end of it."""
        c = self.config
        factor = rate_share(c.lr_end, self.progress)
        self.g_optimizer.param_groups[0]["lr"] = c.lr_g * factor
        self.d_optimizer.param_groups[0]["lr"] = c.lr_d * factor

    def _begin(
        self, phase: str, compute: Compute, optimizers: dict[str, optim.Adam], asleep: nn.Module | None = None
    ) -> Any:
        """Run a phase's forward and backward; what is to be known and done about it waits for `_settle`.

        ``optimizers``: name of a length in the record -> whose gradient; returns the second of ``compute``.
        """
        before, have = Snapshot(self._buffers, self.random, self.balance), set(self._with_gradients())
        with frozen(asleep):
            found, result = compute()
        self.touched[phase] = [name for name in self._with_gradients() if name not in have]
        for name, optimizer in optimizers.items():
            parameters = optimizer.param_groups[0]["params"]
            self.team.average(parameters)
            found[name] = squares(parameters)
        self.team.average([], self._buffers)
        self._pending.append(Pending(phase, compute, optimizers, found, before, asleep))
        return result

    def _with_gradients(self) -> list[str]:
        """Return the names of the parameters that have gradients."""
        return [name for name, parameter in self._parameters if parameter.grad is not None]

    def _settle(self, record: Record) -> None:
        """Write down what the phases found, one wait for all of it, and let the optimisers follow.

        Raises NumericError on every rank, nothing updated, if one has a number that is not finite.
        """
        pending, self._pending = self._pending, []
        numbers = self.team.means(fetched([x for phase in pending for x in phase.found.values()]))
        self.squares |= filled(pending, numbers)
        for phase in pending:
            if not all(math.isfinite(x) for name, x in phase.found.items() if name not in SPREADS):
                self._explain(phase)
        for phase in pending:
            found = phase.found
            if "fakes" in found:
                record.diversity = found.pop("fakes") / max(found.pop("reals"), 1e-12)
            if "accuracy" in found and not self.balance.steers(self.config):
                self.balance.rests(self.config, found["d_loss"], found["accuracy"])
            for name, value in found.items():
                setattr(record, name, length(value) if name in phase.optimizers else value)
            for optimizer in phase.optimizers.values() if not record.skipped or "g_loss" in found else ():
                optimizer.step()
                optimizer.zero_grad()
            if self.average and self.g_optimizer in phase.optimizers.values():
                self.average.update(self.generator)
            if self.config.clip and self.d_optimizer in phase.optimizers.values():
                for parameter in self.discriminator.parameters():
                    parameter.array.clip(-self.config.clip, self.config.clip, out=parameter.array)
                    parameter.bump()

    def _explain(self, phase: Pending) -> None:
        """Raise NumericError: run the phase once more, watched, from the same random numbers."""
        usual = found = "a gradient is too large for its number type"
        team, self.team = self.team, Team()  # from here on a rank looks at its own rows only
        for rerun in (True, False):
            for network in (self.generator, self.discriminator):
                network.zero_grad()
            phase.before.restore()
            if rerun:
                try:
                    with detect_anomaly(), frozen(phase.asleep):
                        phase.compute()
                except NumericError as error:
                    found = str(error)
        self.team = team
        found = next((words for words in team.everyones(found) if words != usual), usual)
        raise NumericError(
            f"step {self.step + 1}, {phase.name}: {found}; the weights were not updated; "
            "continue from the last checkpoint with a lower --lr-g and --lr-d"
        )


SPREADS = ("fakes", "reals")  # of pictures: what a step says of them is their ratio
TRAINERS: dict[str, type[Trainer]] = {}  # models that are trained in a way of their own


def rate_share(lr_end: float, progress: float) -> float:
    """Return the share of the learning rates at a progress in [0, 1]: half a cosine from 1 to ``lr_end``."""
    return lr_end + (1 - lr_end) * 0.5 * (1 + math.cos(math.pi * min(max(progress, 0.0), 1.0)))

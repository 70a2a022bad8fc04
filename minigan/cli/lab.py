"""``minigan lab``: watch mode collapse happen, and its cures, where modes can be counted."""

from __future__ import annotations

import sys
import time
from argparse import Namespace
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from minigan.cli import arguments as types
from minigan.cli.sample import check_target
from minigan.errors import ArgumentError

if TYPE_CHECKING:
    from minigan.gan.laboratory import Laboratory
    from minigan.gan.stacked_laboratory import StackedLaboratory

EPILOG = """\
examples:
  minigan lab ring                            8 Gaussians: modes found, quality, evenness
  minigan lab grid --plain --out film.gif     25 Gaussians, the plain GAN that loses some, and a film
  minigan lab ring --seeds 5                  five runs and their table
  minigan lab grid --cure all                 the plain GAN and every cure, side by side
  minigan lab stacked --data mnist            three digits in the colours of one picture: 1,000 modes
  minigan lab ring --live                     watch it train in the browser, and change every rule on the way
  minigan lab paint --live --record my.html   the same on points you paint, kept as a page that replays

Points: 2,500 samples, of high quality within 3 sigma of a centre; spread is the deviation of those from
their centre, in sigmas (real points: 0.96). Stacked: 26,000 samples, read by minigan's own classifier.
KL is that of the modes' shares from even ones, in nats. Seconds are of the processor.
"""
FRAMES = 40
ROUGHLY = 2500  # stacked samples counted while training goes on
STEPS = {"ring": 12_000, "grid": 18_000, "stacked": 3000}
LIVE = ("ring", "grid", "paint")
CURES = ("none", "penalty", "packing", "minibatch", "paired")  # the laboratories' own tables, unloaded


def add_parser(subparsers):
    """Add the ``lab`` parser and return it."""
    parser = subparsers.add_parser(
        "lab", help="the mode-collapse laboratory", description=__doc__, epilog=EPILOG
    )
    parser.add_argument("experiment", choices=(*STEPS, "paint"))
    parser.add_argument(
        "--cure", choices=(*CURES, "all"),
        help="gradient penalty, packing, minibatch features, relativistic pairing with penalties, or all of "
        "them in turn; default paired, with --live none",
    )  # fmt: skip
    parser.add_argument("--plain", action="store_const", const="none", dest="cure", help="--cure none")
    parser.add_argument(
        "--steps", type=types.integer(least=1),
        help=f"default {', '.join(f'{name} {steps}' for name, steps in STEPS.items())}",
    )  # fmt: skip
    parser.add_argument("--seed", type=types.integer(least=0), default=0, help="of the first run; default 0")
    parser.add_argument("--seeds", type=types.integer(least=1, most=1000), default=1, help="number of runs")
    parser.add_argument("--data", default="glyphs", help="stacked: labelled digits; default glyphs")
    parser.add_argument("--size", type=types.integer(least=8), help="stacked: pixels; default 16")
    parser.add_argument(
        "--out", metavar="FILE",
        help="of the first run: a film (.gif, .webp) or the last picture (.png); default: none",
    )  # fmt: skip
    parser.add_argument("--overwrite", action="store_true", help="replace FILE if it exists")
    live = parser.add_argument_group("in the browser")
    live.add_argument(
        "--live",
        action="store_true",
        help="ring, grid or paint: a page of this machine that trains and obeys",
    )
    live.add_argument("--seconds", type=types.number(above=0), help="end by itself, as with --steps")
    live.add_argument("--record", metavar="PAGE", help="keep the session as a page that replays (.html)")
    live.add_argument(
        "--port", type=types.integer(least=0, most=65535), default=0, help="of the page; default: a free one"
    )
    live.add_argument("--no-open", action="store_true", help="open no browser, only print the address")
    return parser


@dataclass(frozen=True)
class Bench:
    """One experiment: how to set it up, and how to say and show where a run is."""

    columns: tuple[str, ...]
    prepare: Callable[[str, int], Any]  # cure, seed -> a laboratory
    figures: Callable[[Any, bool], tuple[str, ...]]  # laboratory, roughly will do -> one for each column
    picture: Callable[[Any, str], np.ndarray]  # laboratory, title -> pixels


def run(arguments: Namespace) -> None:
    """Train each cure and seed, print a line for it, and write the film of the first."""
    if arguments.live:
        _live(arguments)
        return
    if arguments.experiment == "paint":
        raise ArgumentError("paint: points are painted on the page; add --live")
    for name in ("seconds", "record", "port", "no_open"):
        if getattr(arguments, name):
            raise ArgumentError(f"--{name.replace('_', '-')}: only with --live")
    arguments.cure = arguments.cure or "paired"
    if arguments.size and arguments.experiment != "stacked":
        raise ArgumentError("--size: only for minigan lab stacked; points have none")
    out = Path(arguments.out) if arguments.out else None
    if out:
        check_target(out, (".gif", ".webp", ".png"), arguments.overwrite)
    bench = _digits(arguments) if arguments.experiment == "stacked" else _points(arguments.experiment)
    steps = arguments.steps or STEPS[arguments.experiment]
    print(_row("cure", "seed", *bench.columns, "steps", "seconds"), flush=True)
    first = True
    for cure in CURES if arguments.cure == "all" else (arguments.cure,):
        for seed in range(arguments.seed, arguments.seed + arguments.seeds):
            lab, begun = bench.prepare(cure, seed), time.process_time()
            frames = _train(lab, bench, steps, film=out is not None and first)
            seconds = f"{time.process_time() - begun:.0f}"
            print(_row(cure, str(seed), *bench.figures(lab, False), str(steps), seconds), flush=True)
            if out and first:
                _save(out, frames)
            first = False


def _live(arguments: Namespace) -> None:
    """Refuse what only runs without a page have, and open the laboratory."""
    from minigan.cli import live

    if arguments.experiment not in LIVE:
        raise ArgumentError(f"--live: expected {', '.join(LIVE)}, got {arguments.experiment}")
    odd = [name for name, given in (
        ("--cure all", arguments.cure == "all"), ("--seeds", arguments.seeds > 1), ("--out", arguments.out),
        ("--size", arguments.size),
    ) if given]  # fmt: skip
    if odd:
        raise ArgumentError(f"{odd[0]}: not with --live; leave it out")
    record = Path(arguments.record) if arguments.record else None
    if record:
        check_target(record, (".html",), arguments.overwrite, option="--record")
    live.run(
        arguments.experiment, cure=arguments.cure or "none", seed=arguments.seed, port=arguments.port,
        steps=arguments.steps, seconds=arguments.seconds, record=record, show=not arguments.no_open,
    )  # fmt: skip


def _train(lab: Any, bench: Bench, steps: int, *, film: bool) -> list[np.ndarray]:
    """Train, with a line on stderr ten times; return the frames of the film."""
    frames = []
    for record in lab.run(steps):
        told = record.step % max(1, steps // 10) == 0
        shown = film and (record.step % max(1, steps // FRAMES) == 0 or record.step == steps)
        if not (told or shown):
            continue
        words = ", ".join(f"{n} {f}" for n, f in zip(bench.columns, bench.figures(lab, True), strict=True))
        if told:
            print(f"step {record.step}: {words}", file=sys.stderr)
        if shown:
            frames.append(bench.picture(lab, f"step {record.step}: {words}"))
    return frames


def _save(out: Path, frames: list[np.ndarray]) -> None:
    from minigan.viz import save_film, save_png

    if out.suffix.lower() == ".png":
        save_png(out, frames[-1])
    else:
        save_film(out, frames)
    print(f"{'picture' if out.suffix.lower() == '.png' else 'film'}: {out}")


def _row(*cells: str) -> str:
    first, *others = cells
    return f"{first:<10}" + "".join(f"{cell:>13}" for cell in others)


def _points(mixture: str) -> Bench:
    from minigan.gan.laboratory import Laboratory

    def figures(lab: Laboratory, roughly: bool) -> tuple[str, ...]:
        found = lab.statistics()
        modes = f"{found.modes}/{len(lab.mixture.centres)}"
        return modes, f"{found.high_quality:.1%}", f"{found.kl:.4f}", f"{found.spread:.2f}"

    def picture(lab: Laboratory, title: str) -> np.ndarray:
        """Draw D's belief as a heat map with the real and the generated points on it."""
        from minigan.viz.plane import draw_plane, plane_points

        extent = 1.4 * lab.reach
        real = lab.trainer.loader.images[:1000].reshape(-1, 2) * lab.scale
        clouds = {"real": real, "generated": lab.points(1000)}
        return draw_plane(lab.beliefs(plane_points(extent, 160)), clouds, extent=extent, title=title)

    columns = ("modes", "high quality", "KL", "spread")
    return Bench(columns, lambda cure, seed: Laboratory(mixture, cure=cure, seed=seed), figures, picture)


def _digits(arguments: Namespace) -> Bench:
    from minigan.data.stacked import MODES, SAMPLES
    from minigan.gan import stacked_laboratory as laboratory
    from minigan.viz import image_grid

    digits = laboratory.grey_digits(arguments.data, size=arguments.size or laboratory.SIZE)
    judge = laboratory.reader(digits)

    def prepare(cure: str, seed: int) -> StackedLaboratory:
        return laboratory.StackedLaboratory(digits, judge, cure=cure, seed=seed)

    def figures(lab: StackedLaboratory, roughly: bool) -> tuple[str, ...]:
        found = lab.statistics(count=ROUGHLY if roughly else SAMPLES)
        return f"{found.modes}/{MODES}", f"{found.kl:.4f}"

    floor = laboratory.floor(digits, judge)
    print(f"real pictures: {floor.modes}/{MODES} modes, KL {floor.kl:.4f}; the classifier that reads them is "
          f"right on {judge.accuracy:.1%}")  # fmt: skip
    return Bench(("modes", "KL"), prepare, figures, lambda lab, _: image_grid(lab.pictures(64)))

"""``minigan lab``: watch mode collapse happen, and its cure, on points in the plane."""

from __future__ import annotations

import json
import sys
import time
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from minigan.cli import arguments as types
from minigan.cli.sample import check_target

if TYPE_CHECKING:
    from minigan.gan.laboratory import Laboratory

EPILOG = """\
examples:
  minigan lab ring                            8 Gaussians: modes found, quality, evenness, a film
  minigan lab grid --plain --steps 5000       25 Gaussians, the plain GAN that loses some
  minigan lab ring --seeds 5                  five runs and their table

A sample is of high quality within 3 sigma of a centre; KL is that of the modes' shares from even ones.
"""
FRAMES = 40
STEPS = 20_000


def add_parser(subparsers):
    """Add the ``lab`` parser and return it."""
    parser = subparsers.add_parser(
        "lab", help="the mode-collapse laboratory", description=__doc__, epilog=EPILOG
    )
    parser.add_argument("mixture", choices=("ring", "grid"))
    parser.add_argument("--plain", action="store_true", help="the plain non-saturating GAN, without the cure")
    parser.add_argument("--steps", type=types.integer(least=1), default=STEPS, help=f"default {STEPS}")
    parser.add_argument("--seeds", type=types.integer(least=1, most=1000), default=1, help="number of runs")
    parser.add_argument("--out", metavar="FILE", help="film, .gif or .webp; default: none")
    parser.add_argument("--overwrite", action="store_true", help="replace FILE if it exists")
    return parser


def run(arguments: Namespace) -> None:
    """Train each seed, print a line for it, and write the film of the first."""
    from minigan.gan.laboratory import Laboratory
    from minigan.viz import save_film

    out = Path(arguments.out) if arguments.out else None
    if out:
        check_target(out, (".gif", ".webp"), arguments.overwrite)
    print(f"{'seed':>4} {'modes':>8} {'high quality':>13} {'KL':>8} {'seconds':>8}")
    for seed in range(arguments.seeds):
        lab = Laboratory(arguments.mixture, cured=not arguments.plain, seed=seed)
        begun, frames = time.monotonic(), []
        for record in lab.run(arguments.steps):
            if out and seed == 0 and record.step % max(1, arguments.steps // FRAMES) == 0:
                frames.append(_frame(lab, record.step))
            if record.step % 1000 == 0:
                print(f"step {record.step}: {_figures(lab)}", file=sys.stderr)
        found = lab.statistics()
        modes = f"{found.modes}/{len(lab.mixture.centres)}"
        seconds = time.monotonic() - begun
        print(f"{seed:>4} {modes:>8} {found.high_quality:>12.1%} {found.kl:>9.4f} {seconds:>8.0f}")
        if frames and out:
            save_film(out, frames)
            print(f"film: {out}")


def _figures(lab: Laboratory) -> str:
    found = lab.statistics()
    return json.dumps({"modes": found.modes, "high_quality": found.high_quality, "kl": round(found.kl, 4)})


def _frame(lab: Laboratory, step: int) -> Any:
    """Draw D's belief as a heat map with the real and the generated points on it."""
    from minigan.viz.plane import draw_plane, plane_points

    extent = 1.5 * lab.scale
    real = lab.trainer.loader.images[:1000].reshape(-1, 2) * lab.scale
    clouds = {"real": real, "generated": lab.points(1000)}
    return draw_plane(
        lab.beliefs(plane_points(extent, 120)), clouds, extent=extent, title=f"step {step}: {_figures(lab)}"
    )

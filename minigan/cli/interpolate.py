"""``minigan interpolate``: walk through the latent space of a trained run."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable
from pathlib import Path

import numpy as np

from minigan.cli import arguments as types
from minigan.cli.run_folder import RunFolder
from minigan.cli.sample import add_sampling, check_target, labels_of, open_sampler

Way = Callable[[np.ndarray, np.ndarray, float], np.ndarray]
EPILOG = """\
examples:
  minigan interpolate runs/first                        a film of 64 walks, RUN/interpolation.gif
  minigan interpolate runs/first -n 8 --out walk.png    a sheet: one walk a row
"""


def add_parser(subparsers):
    """Add the ``interpolate`` parser and return it."""
    parser = subparsers.add_parser(
        "interpolate",
        help="walk between latent vectors",
        description="Walk through the latent space of a trained run.",
        epilog=EPILOG,
    )
    parser.add_argument("run_folder", metavar="RUN", help="folder of the run")
    parser.add_argument(
        "-n",
        "--count",
        type=types.integer(least=1, most=1024),
        default=64,
        metavar="N",
        help="walks side by side",
    )
    parser.add_argument(
        "--stops",
        type=types.integer(least=2, most=1000),
        default=3,
        help="latent vectors on each walk; default 3",
    )
    parser.add_argument(
        "--steps",
        type=types.integer(least=1, most=1000),
        default=10,
        help="pictures from one to the next; default 10",
    )
    parser.add_argument(
        "--along",
        choices=("slerp", "lerp"),
        default="slerp",
        help="great circles (default), or straight lines, whose middle lies nearer to the origin",
    )
    parser.add_argument(
        "--out", metavar="FILE", help="ends in .gif, .webp or .png; default: RUN/interpolation.gif"
    )
    add_sampling(parser)
    return parser


def run(arguments: Namespace) -> None:
    """Draw and write."""
    from minigan.viz import image_grid, save_film, save_grid

    folder = RunFolder(arguments.run_folder)
    out = Path(arguments.out or folder.path / "interpolation.gif")
    sampler = open_sampler(folder)
    check_target(out, (".gif", ".webp", ".png"), arguments.overwrite)
    total = arguments.count * arguments.stops
    stops = sampler.latents(total, seed=arguments.seed, truncation=arguments.truncation)
    stops = stops.reshape(arguments.stops, arguments.count, -1)
    sheet = out.suffix.lower() == ".png"
    path = walk(stops, arguments.steps, closed=not sheet, along=WAYS[arguments.along])
    labels = labels_of(folder, sampler, arguments)
    frames = [sampler(latents, labels) for latents in path]  # one a moment, each (walks, C, H, W)
    if sheet:
        save_grid(out, np.stack(frames, axis=1).reshape(-1, *frames[0].shape[1:]), columns=len(frames))
    else:
        save_film(out, [image_grid(frame) for frame in frames], seconds=0.1, hold=0.0)
    print(f"{len(frames)} moments of {arguments.count} walks: {out}")


def lerp(a: np.ndarray, b: np.ndarray, t: float) -> np.ndarray:
    """Return the point a share ``t`` of the way from ``a`` to ``b`` on a straight line."""
    return (1 - t) * a + t * b


def walk(stops: np.ndarray, steps: int, *, closed: bool, along: Way | None = None) -> np.ndarray:
    """Return latents along the great circles through stops.

    Args:
        stops: (S, N, latent), S >= 2.
        steps: moments from one stop to the next.
        closed: come back to the first stop, so that a film can be repeated; else end at the last.
        along: `slerp` (the default) or `lerp`.

    Returns:
        float32 (S * steps, N, latent) when closed, ((S - 1) * steps + 1, N, latent) else.
    """
    ends = np.concatenate([stops[1:], stops[:1]]) if closed else stops[1:]
    between = along or slerp
    moments = [between(a, b, i / steps) for a, b in zip(stops, ends, strict=False) for i in range(steps)]
    return np.stack(moments if closed else [*moments, stops[-1]]).astype(np.float32)


def slerp(a: np.ndarray, b: np.ndarray, t: float) -> np.ndarray:
    """Return the point a share ``t`` of the way from ``a`` to ``b``, (N, latent) each, along a great circle.

    sin((1 - t) w) / sin w a + sin(t w) / sin w b, w the angle between the two.  A straight line would pass
    nearer to the origin than almost any latent vector of N(0, 1) lies: pictures nobody trained for.
    White, "Sampling Generative Networks", arXiv 1609.04468, section 2.1.
    """
    lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    cosine = np.einsum("nl,nl->n", a, b) / np.maximum(lengths, 1e-12)
    angle = np.arccos(cosine.clip(-1, 1))[:, None]
    sine = np.sin(angle)
    straight = sine < 1e-4  # the same direction or opposite ones: the formula divides by nothing
    safe = np.where(straight, 1, sine)
    first = np.where(straight, 1 - t, np.sin((1 - t) * angle) / safe)
    return first * a + np.where(straight, t, np.sin(t * angle) / safe) * b


WAYS: dict[str, Way] = {"slerp": slerp, "lerp": lerp}

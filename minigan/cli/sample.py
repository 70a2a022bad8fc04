"""``minigan sample``: draw new pictures from a trained run."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import Any

import numpy as np

from minigan.cli import arguments as types
from minigan.cli import styles
from minigan.cli.loop import columns_of
from minigan.cli.run_folder import RunFolder
from minigan.errors import ArgumentError, FileError

MOST = 100_000
EPILOG = """\
examples:
  minigan sample runs/first                               64 pictures, runs/first/sample-0.png
  minigan sample runs/first -n 100 --seed 3 --out grid.png
  minigan sample runs/first -n 10000 --out samples.npz    arrays "images", uint8 (N, C, H, W), and "latents"
  minigan sample runs/style --psi 0.7                     a style-based run: tamer pictures, less variety
  minigan sample runs/style --mix 1                       coarse levels of one picture, fine ones of another
"""


def add_parser(subparsers):
    """Add the ``sample`` parser and return it."""
    parser = subparsers.add_parser(
        "sample",
        help="draw pictures from a run",
        description="Draw new pictures from a trained run.",
        epilog=EPILOG,
    )
    parser.add_argument("run_folder", metavar="RUN", help="folder of the run")
    parser.add_argument(
        "-n", "--count", type=types.integer(least=1, most=MOST), default=64, metavar="N", help="default 64"
    )
    parser.add_argument("--out", metavar="FILE", help="ends in .png or .npz; default: RUN/sample-SEED.png")
    parser.add_argument("--columns", type=types.integer(least=1), help="pictures in a row of the grid")
    styles.add_options(parser)
    add_sampling(parser)
    return parser


def add_sampling(parser) -> None:
    """Add the options that say which latent vectors are drawn."""
    parser.add_argument(
        "--seed", type=types.integer(least=0), default=0, help="of the latent vectors; default 0"
    )
    parser.add_argument(
        "--truncation",
        type=types.number(least=0.1),
        metavar="T",
        help="draw latents beyond +-T again: tamer pictures, less variety (try 1)",
    )
    parser.add_argument(
        "--label", metavar="CLASS", help="of a conditional run: this class only, by its name or its number"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace FILE if it exists")


def run(arguments: Namespace) -> None:
    """Draw and write."""
    from minigan.data.arrays import write_npz
    from minigan.viz import save_grid
    from minigan.viz.grid import to_pixels

    folder = RunFolder(arguments.run_folder)
    out = Path(arguments.out or folder.path / f"sample-{arguments.seed}.png")
    sampler = open_sampler(folder)
    check_target(out, (".png", ".npz"), arguments.overwrite)
    latents = sampler.latents(arguments.count, seed=arguments.seed, truncation=arguments.truncation)
    labels, columns = labels_of(folder, sampler, arguments), arguments.columns
    if arguments.mix is not None:
        if out.suffix == ".npz" or columns:
            raise ArgumentError("--mix makes a table of its own: leave out --columns, and --out ends in .png")
        psi = 1.0 if arguments.psi is None else arguments.psi
        images, columns = styles.mixed(sampler, latents, labels, level=arguments.mix, psi=psi)
    elif arguments.psi is not None:
        images = styles.styled(sampler, latents, labels, psi=arguments.psi)
    else:
        images = sampler(latents, labels)
    if out.suffix == ".npz":
        arrays = {"images": to_pixels(images).transpose(0, 3, 1, 2), "latents": latents}
        write_npz(out, arrays, {"run": folder.path.name, "seed": arguments.seed})
    else:
        by_class = sampler.config.classes and arguments.label is None
        save_grid(out, images, columns=columns or (columns_of(sampler.config) if by_class else None))
    print(f"{len(images)} pictures: {out}")


def open_sampler(folder: RunFolder):
    """Return the run's trained generator; FileError where there is no run."""
    from minigan.gan import checkpoint

    if not folder.checkpoint.is_file():
        raise FileError(
            f"no run in {folder.path}: expected {folder.checkpoint.name} there; train one with minigan train"
        )
    return checkpoint.load_sampler(folder.checkpoint)


def check_target(out: Path, suffixes: tuple[str, ...], overwrite: bool, *, option: str = "--out") -> None:
    """Refuse, before any work, a file that cannot be written or that exists."""
    if out.suffix.lower() not in suffixes:
        raise ArgumentError(f"{option}: expected a name that ends in {' or '.join(suffixes)}, got {out}")
    if not out.parent.is_dir():
        raise FileError(f"{option}: there is no folder {out.parent}; make it first")
    if out.exists() and not overwrite:
        raise FileError(f"{out} exists already; choose another {option} or allow it with --overwrite")


def labels_of(folder: RunFolder, sampler: Any, arguments: Namespace) -> np.ndarray | None:
    """Return the labels that --label asks for, or None; ArgumentError where the run knows no such class.

    A name goes before a number: of folders called 1, 2 and 3, --label 1 is the first.
    """
    if arguments.label is None:
        return None
    asked, classes = arguments.label, sampler.config.classes
    if not classes:
        raise ArgumentError(f"--label {asked}: the run knows no classes (trained without --conditional)")
    numbers = [str(number) for number in range(classes)]
    names = folder.class_names()
    names = names if len(names) == classes else numbers
    known = {name: number for kind in (numbers, names) for number, name in enumerate(kind)}
    if asked not in known:
        listed = ", ".join(names[:20]) + ", ..." * (classes > 20)
        listed = f"0 to {classes - 1}" if names == numbers else listed
        raise ArgumentError(f"--label {asked}: the run knows the classes {listed}")
    return np.full(arguments.count, known[asked])

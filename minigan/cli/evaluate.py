"""``minigan evaluate``: how good are a run's pictures, beside real ones?"""

from __future__ import annotations

import json
import sys
from argparse import Namespace

from minigan.cli import arguments as types
from minigan.cli.run_folder import RunFolder
from minigan.cli.sample import open_sampler

EPILOG = """\
examples:
  minigan evaluate runs/first                  figures beside those of real pictures; RUN/evaluation.json
  minigan evaluate runs/first -n 2000 --seed 3

The first call on a data set trains a small classifier (about a minute), kept in MINIGAN_CACHE.
"""


def add_parser(subparsers):
    """Add the ``evaluate`` parser and return it."""
    parser = subparsers.add_parser(
        "evaluate", help="measure a run's pictures", description=__doc__, epilog=EPILOG
    )
    parser.add_argument("run_folder", metavar="RUN", help="folder of the run")
    parser.add_argument(
        "-n", "--count", type=types.integer(least=10, most=100_000), default=5000, metavar="N"
    )
    parser.add_argument("--seed", type=types.integer(least=0), default=0, help="of the latent vectors")
    return parser


def run(arguments: Namespace) -> None:
    """Measure, print, and write evaluation.json and nearest.png."""
    import numpy as np

    from minigan.cli.page import write_page
    from minigan.cli.pictures import open_data
    from minigan.data.arrays import replace_file
    from minigan.gan import checkpoint, classifier
    from minigan.gan.evaluate import evaluate
    from minigan.viz import save_grid

    folder = RunFolder(arguments.run_folder)
    sampler = open_sampler(folder)
    data = folder.read_config().get("data", {})
    dataset = open_data(data, sampler.config.seed)

    def draw(count: int):
        return sampler(sampler.latents(count, seed=arguments.seed))

    def on_epoch(epoch: int, loss: float) -> None:
        print(f"training the classifier: epoch {epoch + 1}, loss {loss:.3f}", file=sys.stderr)

    step = checkpoint.read_facts(folder.checkpoint)[1].get("step")
    judge = classifier.for_data(dataset.images, dataset.labels, on_epoch=on_epoch)
    result = evaluate(draw, dataset.images, judge, samples=arguments.count, seed=arguments.seed)
    print(result.table())
    with replace_file(folder.evaluation) as file:
        file.write(json.dumps({"step": step, **result.to_dict()}, indent=2).encode() + b"\n")
    pairs = np.stack([draw(10), dataset.images[result.nearest[:10]]]).reshape(-1, *dataset.images.shape[1:])
    save_grid(folder.nearest, pairs, columns=10)
    print(f"written: {folder.evaluation}, nearest.png (generated above the nearest real ones)")
    write_page(folder)

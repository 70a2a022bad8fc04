"""One cell of ``minigan sweep``: a short run in a process of its own, measured at its end.

The job comes as JSON in the only argument, the result leaves as JSON on stdout.  When stdin closes, whoever
wanted the result is gone, and so is this process.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Mapping
from statistics import fmean
from time import perf_counter
from typing import Any

LABORATORIES = ("ring", "grid")
SAMPLES = 1000  # pictures that a cell is measured on
LATE = 0.2  # share of the run that its mean figures are taken over


def main() -> None:
    """Run the job and print its result."""
    job = json.loads(sys.argv[1])
    threading.Thread(target=_die_with_parent, daemon=True).start()
    print(json.dumps(run_cell(job)), flush=True)


def _die_with_parent() -> None:
    sys.stdin.read()
    os._exit(1)


def run_cell(job: Mapping[str, Any]) -> dict[str, Any]:
    """Train and measure ``job``: what (a recipe, or "ring" or "grid"), data, options, steps.

    Returns figures by name, or why there are none (``failed``: numbers that ran away), the diagnosis's kind,
    and seconds.  Raises ArgumentError and DataError as training does.
    """
    from minigan.errors import NumericError

    begun = perf_counter()
    prepare = _laboratory if job["what"] in LABORATORIES else _pictures
    steps, measure = prepare(job)
    records = []
    try:
        records.extend(steps)
        figures, failed = measure(), ""
    except NumericError as error:
        figures, failed = {}, str(error)
    figures |= _means(records)
    return {
        "figures": figures,
        "failed": failed,
        "verdict": _verdict(records),
        "seconds": round(perf_counter() - begun, 3),
    }


def _laboratory(job: Mapping[str, Any]):
    """Return (records of the run to come, how to measure it)."""
    from minigan.gan.laboratory import Laboratory

    lab = Laboratory(job["what"], **job["options"])

    def measure() -> dict[str, float]:
        found = lab.statistics()
        return {"modes": found.modes, "high_quality": found.high_quality, "kl": found.kl}

    return lab.run(job["steps"]), measure


def _pictures(job: Mapping[str, Any]):
    """Return the same for pictures: the figures are those of ``minigan evaluate``."""
    from minigan import gan
    from minigan.cli.pictures import open_data
    from minigan.gan import classifier
    from minigan.gan.evaluate import evaluate

    dataset = open_data(job["data"], seed=0)
    config = gan.resolve(job["what"], shape=dataset.images.shape[1:], **job["options"])
    trainer = gan.Trainer.create(config, dataset.images, dataset.labels)

    def measure() -> dict[str, float]:
        judge = classifier.for_data(dataset.images, dataset.labels)
        result = evaluate(
            lambda count: trainer.sample(trainer.fixed_latents(count)), dataset.images, judge, samples=SAMPLES
        )
        return result.figures

    return trainer.run(job["steps"]), measure


def _means(records: list) -> dict[str, float]:
    late = records[-max(1, round(LATE * len(records))) :]
    names = ("d_loss", "g_loss", "accuracy", "diversity") if late else ()
    return {name: fmean(getattr(record, name) for record in late) for name in names}


def _verdict(records: list) -> str:
    from minigan.gan.diagnosis import latest

    return latest(records).kind if records else "no step"


if __name__ == "__main__":
    main()

"""``report.html``: a run on one page, made from the files in its folder alone."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from minigan.cli.progress import clock
from minigan.cli.run_folder import RunFolder
from minigan.errors import FileError

if TYPE_CHECKING:
    from minigan.gan import Config, Record
    from minigan.viz import Report

FRAMES = 24  # grids on the page; a long run has more
LARGEST = 6_000_000  # bytes of all grids; large pictures get fewer
# Label of an axis -> name of the curve -> field of the record.
GAN_FIGURES = {
    "loss": {"D": "d_loss", "G": "g_loss"},
    "belief that it is real": {"D(x)": "d_real", "D(G(z))": "d_fake"},
}
VAE_FIGURES = {"nats a number": {"reconstruction": "g_loss"}, "nats a picture": {"KL": "d_loss"}}
# Only on the page: what the diagnosis looks at besides.
SIGNS = {
    "share of pictures D sorts rightly, spread of the samples over the data's": {
        "accuracy": "accuracy",
        "diversity": "diversity",
    },
    "length of the gradient": {"D": "d_norm", "G": "g_norm"},
}


def figures_of(config: Config) -> dict[str, dict[str, str]]:
    """Return what is shown of a run's steps."""
    return VAE_FIGURES if config.model == "vae" else GAN_FIGURES


def write_page(folder: RunFolder, *, seconds: float | None = None, failure: str = "") -> None:
    """Write report.html of the run as it stands, after no step or any number of them.

    ``seconds`` of training are those of the checkpoint where they are not given; ``failure`` says why the run
    ended before its time.  Raises FileError.
    """
    from minigan.gan import Config, checkpoint
    from minigan.viz import Report

    record = folder.read_config()
    try:
        config, rows = Config.from_dict(record["settings"]), folder.read_metrics()
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise FileError(
            f"{folder.config} is not of minigan's form ({error}); bring the old one back"
        ) from error
    if seconds is None and folder.checkpoint.is_file():
        seconds = checkpoint.read_facts(folder.checkpoint)[1].get("seconds")
    data = Path(record["data"]["data"]).name
    page = Report(f"{config.recipe} on {data}")
    page.text(_summary(config, record, rows, seconds))
    if failure:
        page.text(f"The run failed: {failure}", kind="bad")
    _samples(page, folder.pictures())
    if config.model != "vae":
        _diagnosis(page, rows)
    _curves(page, config, rows)
    _evaluation(page, folder, rows[-1]["step"] if rows else 0)
    _settings(page, config, record)
    path = shlex.quote(str(folder.path))
    page.heading("Go on from here").code(
        f"minigan train --resume --out {path} --minutes 5\n"
        f"minigan sample {path} -n 100\nminigan interpolate {path}\nminigan evaluate {path}"
    )
    page.write(folder.page)


def _summary(
    config: Config, record: Mapping[str, Any], rows: Sequence[Mapping], seconds: float | None
) -> str:
    from minigan.gan import models

    generator, discriminator = (models.count_parameters(network) for network in models.build(config))
    channels, height, width = config.shape
    done = f"{rows[-1]['step']:,} steps ({rows[-1]['epoch']} epochs)" if rows else "No step yet"
    if seconds is not None and rows:
        done += f" in {clock(seconds)}"
    names = ("decoder", "encoder") if config.model == "vae" else ("G", "D")
    return (
        f"{done}, {record['data']['pictures']:,} pictures of {height} x {width}, "
        f"{'grey' if channels == 1 else 'colour'}; {names[0]} has {generator:,} parameters, "
        f"{names[1]} {discriminator:,}."
    )


def _samples(page: Report, pictures: Sequence[Path]) -> None:
    if not pictures:
        return
    last = len(pictures) - 1
    count = min(len(pictures), FRAMES, max(2, LARGEST // pictures[-1].stat().st_size))
    chosen = [pictures[round(i * last / max(count - 1, 1))] for i in range(count)]
    page.heading("Samples")
    page.text("Always from the same latent vectors. Drag the slider to go back in time.")
    page.slider([path.read_bytes() for path in chosen], [f"step {_step(path):,}" for path in chosen])


def _step(path: Path) -> int:
    return int(path.stem.rpartition("-")[2])


def _diagnosis(page: Report, rows: Sequence[Mapping[str, Any]]) -> None:
    from minigan.gan import diagnosis

    page.heading("Diagnosis")
    records = _records(rows)
    verdicts = diagnosis.history(records)
    if not verdicts:
        page.text("Too early for a verdict: it looks at 300 steps and ten lines of the log.")
        return
    kind, words = verdicts[-1][1].kind, diagnosis.latest(records).words
    page.text(words[0].upper() + words[1:] + ".", kind="good" if kind == "healthy" else "bad")
    if len(verdicts) > 1:
        page.table([(step, found.words) for step, found in verdicts], ["from step", "verdict"])


def _records(rows: Sequence[Mapping[str, Any]]) -> list[Record]:
    from minigan.gan import Record

    known = {field.name for field in fields(Record)}
    return [Record(**{name: value for name, value in row.items() if name in known}) for row in rows]


def _curves(page: Report, config: Config, rows: Sequence[Mapping[str, Any]]) -> None:
    from minigan.viz import curves_svg
    from minigan.viz.curves import series

    page.heading("Curves")
    if not rows:
        page.text("Nothing is logged yet.")
        return
    shown = figures_of(config) | ({} if config.model == "vae" else SIGNS)
    panels = {
        label: {name: series(rows, key) for name, key in curves.items()} for label, curves in shown.items()
    }
    nature = "fall" if config.model == "vae" else "of two players do not fall, they oscillate"
    page.svg(curves_svg(panels), f"Faint as measured, bold the mean around. The losses {nature}.")


def _evaluation(page: Report, folder: RunFolder, step: int) -> None:
    page.heading("Quality and variety")
    if not folder.evaluation.is_file():
        page.text("Not measured yet: minigan evaluate does it.")
        return
    found = json.loads(folder.evaluation.read_text(encoding="utf-8"))
    if found.get("step", step) != step:
        page.text(f"Measured at step {found['step']:,}; the run has gone on since.", kind="bad")
    figures, floor = found["figures"], found["floor"]
    page.table(
        [(name.replace("_", " "), figures[name], floor[name]) for name in figures],
        ["", "generated", "real, for comparison"],
    )
    page.text(
        f"{found['samples']:,} of each, {found['note']}; its accuracy is {found['classifier_accuracy']:.1%}."
    )
    if found["verdict"]:
        page.text(found["verdict"][0].upper() + found["verdict"][1:] + ".")
    if found["class_shares"]:
        shares = zip(found["class_shares"], found["real_shares"], strict=True)
        names = folder.class_names()
        rows = [(names[k] if k < len(names) else k, *pair) for k, pair in enumerate(shares)]
        page.details("Shares of the classes", lambda: page.table(rows, ["class", "generated", "real"]))
    if folder.nearest.is_file():
        page.image(
            folder.nearest.read_bytes(),
            "generated pictures, and below each the real one nearest to it in the classifier's features",
        )


def _settings(page: Report, config: Config, record: Mapping[str, Any]) -> None:
    from minigan.gan import Config

    page.heading("Configuration")
    plain, settings = Config().to_dict(), config.to_dict()
    changed = {name: value for name, value in settings.items() if value != plain[name]}
    budget = {name: value for name, value in record["budget"].items() if value is not None}
    page.text("What differs from minigan's plain settings, and how long the run is:")
    page.table([*changed.items(), *budget.items()], ["setting", "value"])
    page.details(
        "Every setting, the data and the versions",
        lambda: page.table(
            [
                *settings.items(),
                *(
                    (f"{part}: {name}", value)
                    for part in ("data", "made_with")
                    for name, value in record.get(part, {}).items()
                ),
            ],
            ["setting", "value"],
        ),
    )

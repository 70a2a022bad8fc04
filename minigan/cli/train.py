"""``minigan train``: train a GAN on pictures, or go on with a run."""

from __future__ import annotations

import contextlib
import math
import shlex
import sys
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from minigan.cli import arguments as types
from minigan.cli import ranks, speed
from minigan.cli.budget import Budget, Schedule, Start, continued
from minigan.cli.classes import check_classes, check_labels
from minigan.cli.loop import Loop, write_summary
from minigan.cli.pictures import add_data_options, data_options, digest, open_data
from minigan.cli.progress import clock
from minigan.cli.run_folder import RunFolder, free_folder
from minigan.errors import ArgumentError, DataError, FileError

if TYPE_CHECKING:
    from minigan.data import Dataset
    from minigan.gan import Config, Trainer
    from minigan.gan.team import Team

EXIT_INTERRUPTED = 130
DEFAULT_MINUTES = 5.0
EPILOG = """\
examples:
  minigan train dcgan --data glyphs --minutes 2 --out runs/first
  minigan train dcgan --data path/to/pictures --size 32 --epochs 50 --out runs/mine
  minigan train lesson-dense --data mnist --steps 2000
  minigan train --resume --out runs/first --minutes 5      five more minutes

With --resume, --minutes come on top; --steps and --epochs are totals. Another length never turns the schedule
back: a run that was finished keeps its last learning rates (lr_end) and all that has grown; one that was not
goes on from where it stands, to the end of its schedule at its new end.
Press Ctrl-C once to stop after the step and keep a checkpoint; go on with --resume.
mpiexec -n 2 minigan train ... trains the same run with two processes, half of every batch each.
"""
LOG_EVERY = 10
# What --resume may change: the rest decides what the checkpoint's arrays and the order of the data mean.
CHANGEABLE = ("lr_g", "lr_d", "lr_end", "r1", "r2", "penalty_every", "skip_d_below", "accuracy_target")


def add_parser(subparsers):
    """Add the ``train`` parser and return it."""
    from minigan.gan.recipes import RECIPES, SUMMARIES

    recipes = "recipes:\n" + "".join(f"  {name:<15} {SUMMARIES.get(name, '')}\n" for name in RECIPES)
    parser = subparsers.add_parser(
        "train",
        help="train a GAN on pictures",
        description="Train a GAN on pictures, or go on with a run.",
        epilog=recipes + "\n" + EPILOG,
    )
    parser.add_argument("recipe", nargs="?", choices=list(RECIPES), metavar="RECIPE", help="default: dcgan")
    where = parser.add_argument_group("pictures and results")
    add_data_options(where)
    where.add_argument("--out", metavar="RUN", help="folder of the run; default: a new one under runs/")
    where.add_argument("--resume", action="store_true", help="go on with the run in --out")
    long = parser.add_argument_group("how long (one of)").add_mutually_exclusive_group()
    long.add_argument(
        "--minutes",
        type=types.number(above=0),
        help=f"default {DEFAULT_MINUTES:g}; with --resume: more minutes",
    )
    long.add_argument("--epochs", type=types.integer(least=1), help="passes over the pictures, in all")
    long.add_argument("--steps", type=types.integer(least=1), help="batches, in all")
    _add_settings(parser.add_argument_group("settings (default: those of the recipe)"))
    return parser


def _add_settings(group: Any) -> None:
    whole, positive, share = types.integer(least=1), types.number(above=0), types.number(least=0, most=1)
    group.add_argument("--batch", type=whole, help="pictures in a step")
    group.add_argument("--lr-g", type=positive, metavar="RATE", help="learning rate of the generator")
    group.add_argument("--lr-d", type=positive, metavar="RATE", help="learning rate of the discriminator")
    group.add_argument(
        "--seed", type=types.integer(least=0), help="of weights, data order and latents; default 0"
    )
    group.add_argument(
        "--loss", help="non-saturating, relativistic, hinge, wgan, least-squares or saturating"
    )
    group.add_argument("--r1", type=types.number(least=0), metavar="GAMMA", help="strength of the R1 penalty")
    group.add_argument("--ema", type=share, help="decay of the averaged generator; 0 for none")
    group.add_argument(
        "--skip-d-below",
        type=types.number(least=0),
        metavar="LOSS",
        help="skip D's step while its loss is lower",
    )
    group.add_argument(
        "--conditional",
        action="store_true",
        default=None,
        help="tell both networks the label of each picture",
    )
    group.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="any other setting of config.json; true or false for a switch",
    )
    group.add_argument(
        "--log-every", type=whole, metavar="STEPS", help="steps between lines of the log; default 10"
    )


SETTINGS = ("batch", "lr_g", "lr_d", "seed", "loss", "r1", "ema", "skip_d_below")


def run(arguments: Namespace) -> int:
    """Train; returns 0 at the end of the budget, 130 when interrupted."""
    team = ranks.team()
    with ranks.together(team):
        if team.rank:
            return ranks.follow(team, _recorded)
        return _run(arguments, team)


def _run(arguments: Namespace, team: Team) -> int:
    """Be the process that the run belongs to: the only one, or rank 0 of several."""
    with contextlib.ExitStack() as held:
        with ranks.heard(team):
            if arguments.resume and not arguments.out:
                raise ArgumentError("--resume: say which run, with --out RUN")
            usual = free_folder(arguments.recipe or "dcgan", arguments.data or "glyphs")
            folder = RunFolder(arguments.out or usual)
            if arguments.resume:
                held.enter_context(folder.locked(resume=True))
                prepared = _resumed(folder, arguments)
            else:
                folder.refuse_overwriting()
                prepared = _fresh(arguments)  # a mistake in the arguments or the data leaves no folder behind
                held.enter_context(folder.locked(resume=False))
            prepared[0].check_share(team)
        ranks.gather(team, *prepared[:2])
        finished, loop = _train(folder, *prepared)
    _farewell(folder, loop, finished)
    return 0 if finished else EXIT_INTERRUPTED


def _train(folder: RunFolder, trainer: Trainer, record: dict[str, Any], spent: float) -> tuple[bool, Loop]:
    """Write the settings down, run the loop and draw the summary; say whether the run is finished."""
    from minigan.gan import checkpoint

    def save(seconds: float) -> None:
        facts = {"seconds": math.ceil(1000 * seconds) / 1000, "step": trainer.step}  # used up stays used up
        checkpoint.save(folder.checkpoint, trainer, facts=facts)

    folder.write_config(record)
    schedule = _schedule(record, trainer)
    loop = Loop(folder, trainer, schedule, spent=spent, log_every=record["log_every"], save=save)
    _say(loop.forecast())
    try:
        finished = loop.run()
    except KeyboardInterrupt:  # the second one
        _say(f"the last checkpoint is whole; {_how_to_go_on(folder)}")
        raise
    write_summary(folder, trainer.config, f"{trainer.config.recipe} on {Path(record['data']['data']).name}")
    return finished, loop


def _fresh(arguments: Namespace) -> tuple[Trainer, dict[str, Any], float]:
    """Resolve every setting and build the networks; returns trainer, config.json's content, seconds spent."""
    from minigan import gan

    given = _given(arguments)
    data = {"data": "glyphs", **data_options(arguments)}
    dataset = open_data(data, given.get("seed", 0))
    if arguments.conditional:
        given["classes"] = len(dataset.classes) or 1  # 1: no labels, which is refused below
    config = gan.resolve(arguments.recipe or "dcgan", shape=dataset.images.shape[1:], **given)
    if "batch" not in given:
        config = _fitted(config, len(dataset))
    check_labels(dataset, config.classes)
    budget = Budget(arguments.minutes, arguments.epochs, arguments.steps)
    if budget == Budget():
        budget = Budget(minutes=DEFAULT_MINUTES)
    trainer = gan.Trainer.create(config, dataset.images, dataset.labels)
    record = {
        "data": {**data, "pictures": len(dataset), "sha256": digest(dataset), "classes": dataset.classes},
        "budget": vars(budget),
        "log_every": arguments.log_every or LOG_EVERY,
        "settings": config.to_dict(),
        "made_with": made_with(),
    }
    _say(f"{dataset.name}: {len(dataset)} pictures of {_size(config)}; {_describe(trainer)}")
    return trainer, record, 0.0


def _resumed(folder: RunFolder, arguments: Namespace) -> tuple[Trainer, dict[str, Any], float]:
    """Build the networks as they were and put the saved state into them; returns what `_fresh` does."""
    from minigan.gan import Trainer, checkpoint

    record = _read_record(folder)
    speed.adopt(record.get("made_with", {}).get("rates"))
    config, facts = checkpoint.read_facts(folder.checkpoint)
    changed = _changes(arguments, config, record)
    seconds = float(facts.get("seconds", 0.0))
    lengths = {name: getattr(arguments, name) for name in ("minutes", "epochs", "steps")}
    budget = continued(Budget(**record["budget"]), seconds, **lengths)
    dataset, found = _recorded(record["data"], config.seed)
    if found != record["data"]["sha256"]:
        raise DataError(
            f"--resume: the pictures in {record['data']['data']} are not those the run began with; "
            "bring them back, or start a new run"
        )
    check_classes(record, config.classes, dataset)
    trainer = Trainer.create(config, dataset.images, dataset.labels)
    checkpoint.restore(folder.checkpoint, trainer)
    trainer.config = changed
    last_step = budget.last_step(len(trainer.loader))
    if last_step is not None and trainer.step >= last_step:
        raise ArgumentError(f"--resume: the run is at step {trainer.step} of {last_step}: give more --steps")
    before = _schedule(record, trainer)
    schedule = before.extended(budget, step=trainer.step, seconds=seconds, reached=trainer.progress)
    for line in config.differences(changed):
        _say(f"changed: {line}")
    record |= {"settings": changed.to_dict(), "budget": vars(budget), "start": vars(schedule.start)}
    record |= {"made_with": made_with(), "log_every": arguments.log_every or record["log_every"]}
    folder.rewind(trainer.step)
    _say(f"going on at step {trainer.step}")
    if schedule.start != before.start:
        _say(_moved(trainer, schedule.start.progress))
    return trainer, record, seconds


def _schedule(record: dict[str, Any], trainer: Trainer) -> Schedule:
    """Return the schedule that config.json describes."""
    start = Start(**record.get("start", {}))  # runs that kept their first length have none
    return Schedule(Budget(**record["budget"]), len(trainer.loader), start)


def _moved(trainer: Trainer, progress: float) -> str:
    """Say what another length means for a schedule that is so far through: nothing in it runs back."""
    from minigan.gan import models
    from minigan.gan.trainer import rate_share

    percent = 100 * rate_share(trainer.config.lr_end, progress)
    words = [f"learning rates {'stay' if progress == 1 else 'go on'} at {percent:.3g} % of their full value"]
    if models.grows(trainer.generator):
        words.append("what has grown stays grown")
    return f"another length: the schedule is {progress:.0%} through and does not run back; {', '.join(words)}"


def _read_record(folder: RunFolder) -> dict[str, Any]:
    """Return config.json, proved to hold what going on needs."""
    record = folder.read_config()
    try:
        lengths = Budget(**record["budget"]), Budget(steps=record["log_every"])
        if Budget() in lengths:
            raise ValueError("a length is missing")
        Start(**record.get("start", {}))
        {**record["data"]}["sha256"]
    except (KeyError, TypeError, ValueError) as error:
        raise FileError(
            f"{folder.config} is not of minigan's form ({error}); bring the old one back"
        ) from error
    return record


def _changes(arguments: Namespace, config: Config, record: dict[str, Any]) -> Config:
    """Return the settings the run goes on with; ArgumentError that lists what cannot be changed."""
    from minigan.gan import Config

    data = {
        name: value for name, value in data_options(arguments).items() if record["data"].get(name) != value
    }
    recipe = {"recipe": arguments.recipe} if arguments.recipe else {}
    changed = Config(**{**config.to_dict(), **_given(arguments), **recipe})
    lines = config.differences(changed)
    fixed = [line for line in lines if line.split(":")[0] not in CHANGEABLE]
    fixed += ["conditional: False, now True"] * bool(arguments.conditional and not config.classes)
    fixed += [f"{name}: {record['data'].get(name)!r}, now {value!r}" for name, value in data.items()]
    if fixed:
        raise ArgumentError(
            f"--resume: the run was made with other settings: {'; '.join(fixed)}; leave these out "
            f"(only {', '.join(CHANGEABLE)} may change), or start a new run"
        )
    return changed


def _given(arguments: Namespace) -> dict[str, Any]:
    """Return the settings that were given, by options of their own and by --set."""
    named = types.assignments(arguments.set)
    given = {name: value for name in SETTINGS if (value := getattr(arguments, name)) is not None}
    options = [*given, *["classes"] * bool(arguments.conditional)]
    if twice := [name for name in options if name in named]:
        option = "conditional" if twice[0] == "classes" else twice[0].replace("_", "-")
        raise ArgumentError(f"--set {twice[0]}: --{option} says it too; leave one out")
    return given | named


def _fitted(config: Config, pictures: int) -> Config:
    """Return the options with a batch that is not larger than the set, which is said."""
    from minigan.gan import fit_batch

    fitted = fit_batch(config, pictures)
    if fitted.batch < config.batch:
        _say(f"note: {config.recipe}'s batch of {config.batch} is larger than the set of {pictures} "
             f"pictures; taking --batch {fitted.batch}")  # fmt: skip
    return fitted


def _recorded(data: dict[str, Any], seed: int) -> tuple[Dataset, str]:
    """Open the pictures that the ``data`` part of config.json names; return them and their digest now."""
    dataset = open_data(data, seed)
    return dataset, digest(dataset)


def _describe(trainer: Trainer) -> str:
    from minigan.gan.models import count_parameters

    generator, discriminator = count_parameters(trainer.generator), count_parameters(trainer.discriminator)
    return f"{trainer.config.recipe}: G has {generator:,} parameters, D {discriminator:,}"


def _size(config: Config) -> str:
    channels, height, width = config.shape
    return f"{height} x {width}, {'grey' if channels == 1 else 'colour'}"


def _farewell(folder: RunFolder, loop: Loop, finished: bool) -> None:
    """Say what was done, where it lies and how to go on."""
    trainer, path = loop.trainer, shlex.quote(str(folder.path))
    for phase, names in trainer.touched.items():
        counts = [
            f"{sum(n.startswith(who) for n in names)} of the {who}" for who in ("generator", "discriminator")
        ]
        print(f"{phase}: parameters that got gradients: {', '.join(counts)}")
    print(f"{trainer.step} steps in {clock(loop.spent)}; pictures: {folder.picture(trainer.step)}")
    if finished:
        print(f"more pictures: minigan sample {path} -n 100")
    else:
        print(f"interrupted; {_how_to_go_on(folder)}")


def _how_to_go_on(folder: RunFolder) -> str:
    return f"go on with: minigan train --resume --out {shlex.quote(str(folder.path))}"


def made_with() -> dict[str, Any]:
    """Return the versions and the backend that decide whether a run can be repeated bit for bit."""
    from minigan import backend
    from minigan.cli.info import describe_blas, versions

    here = backend.current().name
    return {**versions(), "backend": here, "blas": describe_blas(), "rates": speed.rates()}


def _say(line: str) -> None:
    print(line, file=sys.stderr)

"""``mpiexec -n K minigan train ...``: one run, trained by K processes (its ranks) together.

Rank 0 is the run: it reads the options, holds the folder, writes every file, says everything, and decides
when training ends.  The others know of it what it tells them: the settings, its whole state before the first
step, and before each step how far the run is.  So the command means what it means without mpiexec, and a run
may go on with another number of processes.
"""

from __future__ import annotations

import contextlib
import io
import os
import signal
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from minigan.errors import ArgumentError, DataError, MiniganError, NumericError

if TYPE_CHECKING:
    from minigan.gan import Trainer
    from minigan.gan.team import Team

# What mpiexec tells the processes it starts: Open MPI, MPICH and its kin (Hydra), MVAPICH.
COUNTS = ("OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "MV2_COMM_WORLD_SIZE")


def team() -> Team:
    """Return the processes that mpiexec started with us; a team of one where there was no mpiexec.

    Raises ArgumentError when it started several and mpi4py cannot bring them together.
    """
    from minigan.gan.team import Ranks, Team

    count = next((int(word) for name in COUNTS if (word := os.environ.get(name, "")).isdecimal()), 1)
    if count == 1:
        return Team()
    try:
        from mpi4py import MPI
    except (ImportError, RuntimeError) as error:
        first = {os.environ.get(name, "0") for name in ("OMPI_COMM_WORLD_RANK", "PMI_RANK")} == {"0"}
        missing = isinstance(error, ModuleNotFoundError)
        why = "mpi4py is not installed" if missing else f"mpi4py fails ({error})"
        message = f"mpiexec started {count} processes, but {why}: pip install 'minigan[cluster]'"
        raise ArgumentError(message) if first else SystemExit(ArgumentError.exit_code) from error
    if MPI.COMM_WORLD.Get_size() != count:
        raise ArgumentError(
            f"mpiexec started {count} processes, mpi4py sees {MPI.COMM_WORLD.Get_size()}: they belong to two "
            "MPIs; use the mpiexec of the MPI that mpi4py loads"
        )
    return Ranks(MPI.COMM_WORLD)


@contextlib.contextmanager
def together(team: Team):
    """End all ranks when one ends badly and alone; without this the others would wait for it for ever."""
    try:
        yield
    except BaseException as error:
        if team.size == 1 or isinstance(error, _AllKnow) or getattr(error, "all_know", False):
            raise
        code = error.exit_code if isinstance(error, MiniganError) else 1
        words = " ".join(str(error).split()) or type(error).__name__
        print(f"minigan: error: process {team.rank} of {team.size}: {words}", file=sys.stderr, flush=True)
        team.communicator.Abort(code)  # type: ignore[attr-defined]
        raise


class _AllKnow(SystemExit):
    """A rank leaves because rank 0 has said why."""


@contextlib.contextmanager
def heard(team: Team):
    """Tell the other ranks when rank 0 cannot even begin, so that they leave in silence."""
    try:
        yield
    except BaseException as error:
        if team.size > 1:
            team.from_first(getattr(error, "exit_code", 1))
            error.all_know = True  # type: ignore[attr-defined]
        raise


def gather(team: Team, trainer: Trainer, record: dict[str, Any]) -> None:
    """Give every rank the run that rank 0 has made; raises ArgumentError if one of them cannot have it."""
    from minigan.gan import checkpoint

    if team.size == 1:
        return
    team.from_first({"record": record, "config": trainer.config, "state": checkpoint.state(trainer)})
    _agree(team, "")
    trainer.join(team)


def follow(team: Team, open_pictures: Callable[[dict[str, Any], int], tuple[Any, str]]) -> int:
    """Be one of the ranks that are not rank 0: train until rank 0 says that it is enough.

    ``open_pictures`` takes config.json's ``data`` and a seed; it returns the data set and its digest.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # rank 0 hears Ctrl-C
    told = team.from_first(None)
    if isinstance(told, int):
        raise _AllKnow(told)
    trainer, trouble = None, ""
    try:
        trainer = _same(told, open_pictures)
    except MiniganError as error:
        trouble = f"process {team.rank}: {error}"
    _agree(team, trouble)
    assert trainer
    trainer.join(team)
    try:
        while (progress := team.from_first(None)) is not None:
            trainer.progress = progress
            trainer.train_step()
    except NumericError as error:  # the same on every rank; rank 0 says it
        raise _AllKnow(error.exit_code) from error
    return 0


def _agree(team: Team, trouble: str) -> None:
    """Raise on every rank if one is in trouble; rank 0 says which."""
    if found := next(filter(None, team.everyones(trouble)), ""):
        if team.rank:
            raise _AllKnow(ArgumentError.exit_code)
        error = ArgumentError(found)
        error.all_know = True  # type: ignore[attr-defined]
        raise error


def _same(told: dict[str, Any], open_pictures: Callable[..., tuple[Any, str]]) -> Trainer:
    """Build the trainer that rank 0 has, and put its state into it."""
    from minigan.gan import Trainer, checkpoint

    config, data = told["config"], told["record"]["data"]
    with contextlib.redirect_stderr(io.StringIO()):  # notes on the pictures: rank 0 has made them
        dataset, digest = open_pictures(data, config.seed)
    if digest != data["sha256"]:
        raise DataError(f"the pictures in {data['data']} are not those of process 0")
    trainer = Trainer.create(config, dataset.images, dataset.labels)
    checkpoint.put(trainer, told["state"])
    return trainer

"""`mpiexec -n 2 minigan train`: one run by two processes, and what is said when they cannot meet."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from minigan.cli import ranks
from minigan.errors import ArgumentError, BadInput, NumericError
from minigan.gan.team import Team

ROOT = Path(__file__).resolve().parents[2]
MPIEXEC = shutil.which("mpiexec")
needs_mpi = pytest.mark.skipif(
    find_spec("mpi4py") is None or MPIEXEC is None, reason="needs the extra 'cluster' and an mpiexec"
)
TINY = ["msg", "--set", "latent=3", "--set", "base=4", "--batch", "8", "--log-every", "1"]
GLYPHS = ["--data", "glyphs", "--limit", "40", "--size", "16"]


@pytest.fixture(autouse=True)
def nobody_started_us(monkeypatch):
    for name in ranks.COUNTS:
        monkeypatch.delenv(name, raising=False)


# A program of one's own on MPI: the weights after three steps, written by rank 0.
STEPS = """
import importlib.util, sys
import numpy as np
from mpi4py import MPI
from minigan.gan.team import Ranks
spec = importlib.util.spec_from_file_location("plain", {team!r})
plain = importlib.util.module_from_spec(spec)
spec.loader.exec_module(plain)
team = Ranks(MPI.COMM_WORLD)
found = plain.train(lambda: plain.plain_trainer(**plain.PENALTIES), 3, team)[0]
if team.rank == 0:
    np.savez(sys.argv[1], *found)
"""


def mpi(count, *words, program=("-m", "minigan", "train")):
    """Start ``count`` ranks; more than there are processors, and as whoever we are."""
    allowed = ("OMPI_ALLOW_RUN_AS_ROOT", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM")
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "OMP_NUM_THREADS": "1",
        **dict.fromkeys(allowed, "1"),
    }
    environment |= {
        "OMPI_MCA_rmaps_base_oversubscribe": "1",
        "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe",
    }
    command = [MPIEXEC, "-n", str(count), sys.executable, *program, *words]
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def done(process):
    with process:
        out, err = process.communicate(timeout=120)
    return process.returncode, out, err


def ours(err):
    return [line for line in err.splitlines() if line.startswith("minigan: ")]


def test_alone_without_mpiexec():
    assert type(ranks.team()) is Team


def test_mpi4py_is_missing(monkeypatch):
    monkeypatch.setenv("PMI_SIZE", "4")
    monkeypatch.setenv("PMI_RANK", "0")
    monkeypatch.setitem(sys.modules, "mpi4py", None)
    with pytest.raises(ArgumentError, match="started 4 processes, but mpi4py is not installed: pip"):
        ranks.team()
    monkeypatch.setenv("PMI_RANK", "3")  # the others leave it to the first
    with pytest.raises(SystemExit) as leaving:
        ranks.team()
    assert leaving.value.code == BadInput.exit_code


class TestTogether:
    class Two(Team):
        size = 2

        def __init__(self):
            self.sent, self.aborted = [], []
            self.communicator = self

        def from_first(self, value):
            self.sent.append(value)
            return value

        def Abort(self, code):
            self.aborted.append(code)

    def test_who_ends_alone_ends_all(self, capsys):
        team = self.Two()
        with pytest.raises(OSError), ranks.together(team):
            raise OSError("disk\nfull")
        assert team.aborted == [1]
        assert capsys.readouterr().err == "minigan: error: process 0 of 2: disk full\n"

    def test_what_all_know_is_left_to_the_usual_way(self, capsys):
        team = self.Two()
        with pytest.raises(ArgumentError), ranks.together(team), ranks.heard(team):
            raise ArgumentError("no such thing")
        assert team.sent == [2] and not team.aborted and not capsys.readouterr().err

    def test_one_alone_has_nobody_to_tell(self):
        with pytest.raises(NumericError), ranks.together(Team()), ranks.heard(Team()):
            raise NumericError("too large")


@needs_mpi
class TestMpi:
    def test_two_ranks_take_the_steps_of_one_process(self, tmp_path):
        """Without batch norm: the plain networks of the test of `minigan.gan.team`, over real MPI."""
        script = tmp_path / "train.py"
        script.write_text(STEPS.format(team=str(ROOT / "tests" / "gan" / "test_team.py")))
        for count in (1, 2):
            code, _, err = done(mpi(count, str(tmp_path / f"{count}.npz"), program=[str(script)]))
            assert code == 0, err
        one, two = (np.load(tmp_path / f"{count}.npz") for count in (1, 2))
        assert len(one.files) > 10
        for name in one.files:
            np.testing.assert_allclose(one[name], two[name], rtol=1e-5, atol=1e-5)

    def test_one_run_has_one_voice_and_one_log(self, tmp_path):
        given = [*TINY, *GLYPHS, "--steps", "3", "--out", str(tmp_path / "run")]
        code, out, err = done(mpi(2, *given))
        assert code == 0 and out.count("more pictures:") == 1 and err.count("forecast:") == 1, err
        rows = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
        assert [row["step"] for row in rows] == [1, 2, 3]
        assert (tmp_path / "run" / "report.html").exists()

    @pytest.mark.parametrize(
        "count, words, said",
        [
            (3, [], "batch: 8 pictures cannot be shared evenly by 3 processes"),
            (2, ["--data", "nowhere"], "no data set or path 'nowhere'"),
        ],
    )
    def test_bad_input_is_one_line(self, tmp_path, count, words, said):
        given = [*TINY, *GLYPHS, *words, "--steps", "1", "--out", str(tmp_path / "run")]
        code, _, err = done(mpi(count, *given))
        assert code != 0 and len(ours(err)) == 1 and said in ours(err)[0], err
        assert not (tmp_path / "run" / "checkpoint.npz").exists()

    def test_a_rank_that_is_killed_ends_the_run_and_loses_nothing(self, tmp_path):
        given = [*TINY, *GLYPHS, "--steps", "1000000", "--out", str(tmp_path / "run")]
        process = mpi(2, *given)
        log = tmp_path / "run" / "metrics.jsonl"
        while not log.is_file() or log.read_text().count("\n") < 5:
            assert process.poll() is None, done(process)
            time.sleep(0.05)
        victims = [int(pid) for pid in _children(process.pid)]
        os.kill(victims[-1], signal.SIGKILL)
        assert done(process)[0] != 0
        code, _, err = done(mpi(1, "--resume", "--steps", "9", "--out", str(tmp_path / "run")))
        assert code == 0, err
        assert [json.loads(line)["step"] for line in log.read_text().splitlines()] == list(range(1, 10))


def _children(pid):
    """The ranks: descendants of mpiexec that are Python."""
    found = []
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        name = Path(f"/proc/{child}/comm").read_text()
        found += [child] if name.startswith(("python", "minigan")) else _children(child)
    return found

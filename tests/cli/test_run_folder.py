"""The run folder: nothing lost, one run at a time, a log that can be rewound."""

import signal
import subprocess
import sys

import pytest

from minigan.cli.run_folder import RunFolder
from minigan.errors import ArgumentError, FileError


def test_a_new_folder_is_made_with_its_parents(tmp_path):
    folder = RunFolder(tmp_path / "a" / "b")
    with folder.locked(resume=False):
        assert folder.samples.is_dir()


@pytest.mark.parametrize(
    "name", ["config.json", "metrics.jsonl", "gradients.jsonl", "checkpoint.npz", "samples.gif", "losses.png"]
)
def test_what_is_there_is_left_alone(tmp_path, name):
    (tmp_path / name).write_text("mine")
    with pytest.raises(ArgumentError, match="--out"), RunFolder(tmp_path).locked(resume=False):
        pass
    assert (tmp_path / name).read_text() == "mine"


def test_resume_needs_a_checkpoint(tmp_path):
    with pytest.raises(ArgumentError, match="no checkpoint"), RunFolder(tmp_path / "run").locked(resume=True):
        pass
    assert not (tmp_path / "run").exists()


def test_the_second_run_is_refused_and_the_lock_ends_with_the_first(tmp_path):
    folder = RunFolder(tmp_path)
    with folder.locked(resume=False):
        with pytest.raises(FileError, match="in use"), RunFolder(tmp_path).locked(resume=False):
            pass
    folder.samples.rmdir()
    with RunFolder(tmp_path).locked(resume=False):
        pass


def test_a_killed_run_leaves_no_lock(tmp_path):
    code = (
        "import sys, time\nfrom minigan.cli.run_folder import RunFolder\n"
        "with RunFolder(sys.argv[1]).locked(resume=False):\n"
        "    print('held', flush=True)\n    time.sleep(60)\n"
    )
    run = [sys.executable, "-c", code, str(tmp_path / "run")]
    with subprocess.Popen(run, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"held\n"
        with pytest.raises(FileError, match="in use"), RunFolder(tmp_path / "run").locked(resume=False):
            pass
        process.send_signal(signal.SIGKILL)
        process.wait()
    (tmp_path / "run" / "samples").rmdir()
    with RunFolder(tmp_path / "run").locked(resume=False):
        pass


def test_a_file_in_the_way_is_one_error(tmp_path):
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file", tmp_path / "file" / "run"):
        with pytest.raises(FileError, match="--out"), RunFolder(path).locked(resume=False):
            pass


def test_an_unwritable_folder_is_found_at_once(tmp_path, monkeypatch):
    def refuse(path, mode="r"):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("builtins.open", refuse)
    with pytest.raises(FileError, match="Permission denied.*--out"), RunFolder(tmp_path).locked(resume=False):
        pass


def test_config_round_trip_and_its_errors(tmp_path):
    folder = RunFolder(tmp_path)
    with pytest.raises(FileError, match="no run in"):
        folder.read_config()
    folder.write_config({"steps": 3, "lr": 2e-4})
    assert folder.read_config() == {"steps": 3, "lr": 2e-4}
    folder.config.write_text("{")
    with pytest.raises(FileError, match="JSON"):
        folder.read_config()
    folder.config.write_text("[1]")
    with pytest.raises(FileError, match="object"):
        folder.read_config()


def test_metrics_survive_a_torn_line_and_can_be_rewound(tmp_path):
    folder = RunFolder(tmp_path)
    assert folder.read_metrics() == []
    for step in (1, 2, 3):
        folder.append_metrics({"step": step, "loss": step / 3})
    with open(folder.metrics, "a") as file:
        file.write('{"step": 4, "lo')
    assert [row["step"] for row in folder.read_metrics()] == [1, 2, 3]
    folder.samples.mkdir()
    for step in (1, 2, 3):
        folder.picture(step).touch()
    folder.rewind(2)
    assert folder.pictures() == [folder.picture(1), folder.picture(2)]
    folder.append_metrics({"step": 3, "loss": 0.5})
    assert [row["step"] for row in folder.read_metrics()] == [1, 2, 3]
    assert folder.read_metrics()[0] == {"step": 1, "loss": 1 / 3}


def test_pictures_are_listed_by_step(tmp_path):
    folder = RunFolder(tmp_path)
    folder.samples.mkdir()
    for step in (100, 20, 3):
        folder.picture(step).write_bytes(b"")
    assert [path.name for path in folder.pictures()] == [f"step-{n:07d}.png" for n in (3, 20, 100)]

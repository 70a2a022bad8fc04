"""`minigan bench` runs the files of benchmarks/ and passes their exit code on."""

from pathlib import Path

import pytest

from minigan import cli
from minigan.cli import bench


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A checkout with one benchmark that writes down what pins its BLAS and ends with code 3."""
    (tmp_path / "minigan").mkdir()
    (tmp_path / "benchmarks").mkdir()
    (tmp_path / "benchmarks" / "common.py").write_text("")
    script = "import os, sys\npins = [os.environ.get(f'OPENBLAS_{x}') for x in ('CORETYPE', 'L2_SIZE')]\n"
    script += "open(sys.argv[1], 'w').write(str(pins))\n"
    script += "if __name__ == '__main__':\n    sys.exit(3)\n"
    (tmp_path / "benchmarks" / "probe.py").write_text(script)
    monkeypatch.setattr(bench, "__file__", str(tmp_path / "minigan" / "cli" / "bench.py"))
    return tmp_path


def test_list(checkout, capsys):
    assert cli.main(["bench", "--list"]) == 0
    assert capsys.readouterr().out == "probe\n"


def test_runs_one_with_the_blas_unpinned(checkout, monkeypatch):
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    monkeypatch.setenv("OPENBLAS_L2_SIZE", "1048576")
    assert cli.main(["bench", "probe", str(checkout / "answer")]) == 3
    assert (checkout / "answer").read_text() == "[None, None]"


def test_unknown_name_lists_those_there_are(checkout, capsys):
    assert cli.main(["bench", "nothing"]) == 2
    assert "probe" in capsys.readouterr().err


@pytest.fixture
def installed(tmp_path_factory, monkeypatch):
    """minigan lies among other packages, and the user stands elsewhere."""
    packages = tmp_path_factory.mktemp("site-packages")
    (packages / "minigan").mkdir()
    monkeypatch.setattr(bench, "__file__", str(packages / "minigan" / "cli" / "bench.py"))
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))


def test_an_installed_copy_has_those_of_the_checkout_that_the_user_stands_in(
    checkout, installed, monkeypatch, capsys
):
    monkeypatch.chdir(checkout)
    assert cli.main(["bench", "--list"]) == 0
    assert capsys.readouterr().out == "probe\n"


def test_an_installed_copy_has_none(installed, capsys):
    Path("benchmarks").mkdir()  # somebody else's
    Path("benchmarks/other.py").write_text("__main__")
    assert cli.main(["bench", "--list"]) == 2
    assert "checkout" in capsys.readouterr().err


def test_bench_all_runs_benchmarks_that_are_there_and_draws_their_ratios(tmp_path, monkeypatch):
    import importlib.util

    folder = Path(__file__).resolve().parents[2] / "benchmarks"
    monkeypatch.syspath_prepend(str(folder))
    spec = importlib.util.spec_from_file_location("bench_all", folder / "all.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert all((folder / f"{name}.py").is_file() for _, name, _, _ in module.PARTS)
    assert sum(seconds for *_, seconds in module.PARTS) < 60 * module.MINUTES
    found = module.ratios("convolutions", {"rows": [{"chosen": True, "ratio": r} for r in (0.5, 2.0)]})
    assert found == {"2 functions, 1 above 1.2": {"ratio": 1.0, "low": 0.5, "high": 2.0}}
    facts = dict.fromkeys(("processor", "blas core", "threads", "sgemm"), "x")
    module.draw(tmp_path / "all.png", {"convolutions": found, "memory": {"dense": {"ratio": 0.3}}}, facts)
    assert (tmp_path / "all.png").read_bytes().startswith(b"\x89PNG")

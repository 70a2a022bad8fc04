"""``minigan gradcheck``: prove every operation's, layer's and loss's derivatives, on random settings."""

import difflib
import json
from argparse import Namespace
from pathlib import Path

from minigan import errors
from minigan.cli.arguments import integer

EPILOG = """\
examples:
  minigan gradcheck                            every operation, layer and loss, 25 settings each
  minigan gradcheck conv2d nn.Linear gan.r1    some of them
  minigan gradcheck --examples 125 --seed 7    more than 15,000 settings, others than usual
  minigan gradcheck --cases my_op.py           your own operations: a file with a list CASES of OpCase
  minigan gradcheck --backend cupy             on the graphics card

Each setting is held against an oracle that is not the code under test, to first and second order, over
memory layouts and in float32.  INCONCLUSIVE settings are those where finite differences can decide nothing.
Exit code 1 if anything FAILs.
"""


def add_parser(subparsers):
    """Add the ``gradcheck`` parser and return it."""
    parser = subparsers.add_parser(
        "gradcheck", help="prove derivatives, ours or yours", epilog=EPILOG, description=__doc__
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="which ones (all)")
    parser.add_argument("--list", action="store_true", help="list their names")
    parser.add_argument(
        "--order", type=int, choices=(1, 2), default=2, help="highest order of derivative (2)"
    )
    parser.add_argument(
        "--examples", type=integer(least=1), default=25, metavar="N", help="settings drawn for each (25)"
    )
    parser.add_argument(
        "--seed", type=integer(least=0), default=0, metavar="N", help="seed of the settings (0)"
    )
    parser.add_argument(
        "--cases", type=Path, metavar="FILE", help="check the CASES of this Python file instead"
    )
    parser.add_argument("--report", type=Path, metavar="FILE", help="also write the table as JSON")
    return parser


def run(arguments: Namespace) -> int:
    """Print the table as it grows; returns 1 if any operation fails."""
    from minigan.testing import FAIL, check_op
    from minigan.testing.table import as_data, head, line, totals

    cases = chosen(arguments.names, arguments.cases)
    if arguments.report and not arguments.report.parent.is_dir():  # known before the minutes, not after
        raise errors.FileError(f"--report: no folder {str(arguments.report.parent)!r} to write into")
    if arguments.list:
        print("\n".join(case.name for case in cases))
        return 0
    width = max(len(case.name) for case in cases)
    print(head(width))
    reports = []
    for case in cases:
        order = min(arguments.order, case.order)
        report = check_op(case, examples=arguments.examples, order=order, seed=arguments.seed)
        reports.append(report)
        print(line(report, width), flush=True)
        if report.verdict == FAIL:
            print(report, flush=True)
    print(totals(reports))
    if arguments.report:
        arguments.report.write_text(json.dumps(as_data(reports), indent=1) + "\n", encoding="utf-8")
    return int(any(report.verdict == FAIL for report in reports))


def chosen(names, file):
    """Return the cases of those names (all if there are none) from the library or from ``file``.

    Raises ArgumentError for an unknown name, DataError for a file without CASES.
    """
    cases = own_cases(file) if file else _library_cases()
    known = {case.name: case for case in cases}
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
            guess = f"did you mean {' or '.join(near)}? " if near else ""
            raise errors.ArgumentError(f"no record {name!r}; {guess}--list names all {len(known)}")
    return [known[name] for name in names] if names else cases


def _library_cases():
    from minigan.testing.cases import all_cases

    return all_cases()


def own_cases(file: Path):
    """Run a Python file and return its list CASES; DataError where it raises, or holds anything else."""
    import runpy

    from minigan.testing import OpCase

    if not file.is_file():
        raise errors.FileError(f"no file {str(file)!r}; expected a Python file with a list CASES of OpCase")
    try:
        cases = runpy.run_path(str(file)).get("CASES")
    except Exception as error:
        raise errors.DataError(f"{str(file)!r} raised {type(error).__name__}: {error}") from error
    if not cases or not all(isinstance(case, OpCase) for case in cases):
        raise errors.DataError(f"{str(file)!r} defines no CASES; expected a list of minigan.testing.OpCase")
    return list(cases)

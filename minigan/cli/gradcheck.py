"""``minigan gradcheck``: prove every operation's derivatives, on settings drawn at random."""

import json
from argparse import Namespace
from pathlib import Path

from minigan import errors
from minigan.cli.arguments import integer

EPILOG = """\
examples:
  minigan gradcheck                            every operation, 25 settings each
  minigan gradcheck conv2d softmax             two of them
  minigan gradcheck --examples 125 --seed 7    more than 10,000 settings, others than usual
  minigan gradcheck --cases my_op.py           your own operations: a file with a list CASES of OpCase
  minigan gradcheck --backend cupy             on the graphics card

Each setting is held against an oracle that is not the code under test, to first and second order, over
memory layouts and in float32.  INCONCLUSIVE settings are those where finite differences can decide nothing.
Exit code 1 if anything FAILs.
"""


def add_parser(subparsers):
    """Add the ``gradcheck`` parser and return it."""
    parser = subparsers.add_parser(
        "gradcheck", help="prove every operation's derivatives", epilog=EPILOG, description=__doc__
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="which operations (all)")
    parser.add_argument("--list", action="store_true", help="list the operations")
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

    Raises ArgumentError for an unknown name or for a missing optional package, DataError for a file without
    CASES.
    """
    try:
        cases = own_cases(file) if file else _library_cases()
    except ModuleNotFoundError as error:
        if error.name != "hypothesis":
            raise
        raise errors.ArgumentError(
            "gradcheck draws its settings with hypothesis, which is missing: pip install 'minigan[test]'"
        ) from error
    known = {case.name: case for case in cases}
    if unknown := [name for name in names if name not in known]:
        raise errors.ArgumentError(f"no operation {unknown[0]!r}; there are: {', '.join(known)}")
    return [known[name] for name in names] if names else cases


def _library_cases():
    from minigan.testing.cases import all_cases

    return all_cases()


def own_cases(file: Path):
    """Run a Python file and return its list CASES."""
    import runpy

    if not file.is_file():
        raise errors.FileError(f"no file {str(file)!r}; expected a Python file with a list CASES of OpCase")
    cases = runpy.run_path(str(file)).get("CASES")
    if not cases:
        raise errors.DataError(f"{str(file)!r} defines no CASES; expected a list of minigan.testing.OpCase")
    return cases

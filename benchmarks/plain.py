"""What the kernels buy: every operation by definition, with its kernel, and in PyTorch.

    python benchmarks/plain.py                         every operation that has a kernel, and whole steps
    python benchmarks/plain.py relu conv               those whose names have one of these words in them
    python benchmarks/plain.py --json out.json --plot out.png

The three are timed in processes of their own, in turn. A forward is recorded, as in training; a derivative
is the gradient for all inputs. Both libraries get the same arrays, images channels-last. Without PyTorch
its column is left out.
"""

import argparse
import importlib.util
import math
import sys
import time
from pathlib import Path

import common
import plain_picture
import plain_programs

SIDES = ("definition", "kernel", "pytorch")
LONG = 0.5  # seconds: a call of that length needs no other to warm up
COLUMNS = "{:<22}{:<11}{:>12}{:>10}{:>12}{:>16}"
TORCH_COLUMNS = "{:>12}{:>12}{:>16}"


class Parser(argparse.ArgumentParser):
    """Complains in one line, and ends with code 2."""

    def error(self, message):
        """Name the mistake."""
        self.exit(2, f"plain: {message}\n")


def seconds_a_call(call, at_least):
    """Seconds of a call that is long, or of one where none are given; else as `common.seconds_a_call`."""
    started = time.perf_counter()
    call()
    once = time.perf_counter() - started
    return once if once >= LONG or not at_least else common.seconds_a_call(call, at_least)


def serve(side, quick):
    """Answer {name, part, seconds} with the seconds of a call."""
    if quick:
        common.SETTLE = 0.0
    if side == "pytorch":
        import torch

        library, facts = plain_programs.Torch(), {"torch": torch.__version__}
    else:
        from minigan import kernels

        kernels.use_kernels_by_default(side == "kernel")
        library, facts = plain_programs.Minigan(), common.environment()
    known, made = {program.name: program for program in plain_programs.programs()}, {}

    def answer(request):
        if "environment" in request:
            return facts
        name, part = request["name"], request["part"]
        if name not in made:
            made.clear()
            made[name] = known[name].make(library, quick)
            for call in made[name].values():
                call()
        return seconds_a_call(made[name][part], request["seconds"])

    common.serve(answer)


def measure(workers, program, part, options):
    """A result: the median seconds of every side, and the ratios with their spread."""
    times = {side: [] for side in workers}
    for _ in range(options.rounds):
        for side, worker in workers.items():
            times[side].append(worker.ask(name=program.name, part=part, seconds=options.seconds))
    size = program.sizes[options.quick]
    row = {"name": program.name, "part": part, "size": size, "whole": not program.kinds}
    for one, other in zip(SIDES, SIDES[1:], strict=False):
        if other in times:
            found = common.summary(times[one], times[other])
            row[one], row[other] = found["ours"], found["theirs"]
            row[f"{one}/{other}"] = {key: found[key] for key in ("ratio", "low", "high")}
    return row


def heading(with_torch):
    """What stands above the columns."""
    line = COLUMNS.format("operation", "", "definition", "kernel", "def/kernel", "spread")
    return line + (TORCH_COLUMNS.format("PyTorch", "kernel/PT", "spread") if with_torch else "") + "   size"


def line(row):
    """One result on one line, in milliseconds."""

    def ratio(key):
        found = row[key]
        return f"{found['ratio']:.2f}", f"{found['low']:.2f}..{found['high']:.2f}"

    ms = {side: f"{1e3 * row[side]:.3f}" for side in SIDES if side in row}
    text = COLUMNS.format(
        row["name"], row["part"], ms["definition"], ms["kernel"], *ratio("definition/kernel")
    )
    if "pytorch" in ms:
        text += TORCH_COLUMNS.format(ms["pytorch"], *ratio("kernel/pytorch"))
    return f"{text}   {row['size']}"


def report(rows):
    """Geometric means, of operations and of whole steps."""
    for what, whole in (("operations", False), ("whole steps", True)):
        some = [row for row in rows if row["whole"] is whole]
        for key in ("definition/kernel", "kernel/pytorch"):
            found = [math.log(row[key]["ratio"]) for row in some if key in row]
            if found:
                mean = math.exp(sum(found) / len(found))
                print(f"{key}, geometric mean of {len(found)} rows of {what}: {mean:.2f}")


def options_of(arguments):
    """The command line, checked before anything is measured; and the programs it asks for."""
    parser = Parser(description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("names", nargs="*", metavar="name", help="parts of operations' names; default: all")
    parser.add_argument("--rounds", type=int, help="in turn (default 5; with --quick 1)")
    parser.add_argument("--seconds", type=float, help="of calls, a round and side (default 0.05)")
    parser.add_argument("--quick", action="store_true", help="tiny arrays and one round: does it run?")
    parser.add_argument("--no-torch", action="store_true", help="leave PyTorch's column out")
    common.add_outputs(parser)
    parser.add_argument("--worker", choices=SIDES, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.rounds is None:
        options.rounds = 1 if options.quick else 5
    if options.seconds is None:
        options.seconds = 0.0 if options.quick else 0.05
    if options.rounds < 1 or not 0 <= options.seconds < math.inf:
        parser.error("--rounds must be at least 1 and --seconds at least 0")
    for path in (Path(file) for file in (options.json, options.plot) if file):
        if path.is_dir() or not path.absolute().parent.is_dir():
            parser.error(f"cannot write {path}: expected a file in a folder that is there")
    if options.plot and Path(options.plot).suffix not in (".png", ".svg"):
        parser.error(f"--plot: expected a file called .png or .svg, got {options.plot}")
    there = plain_programs.programs()
    for word in options.names:
        if not any(word.lower() in program.name.lower() for program in there):
            parser.error(f"nothing is called {word!r}; there are: {', '.join(p.name for p in there)}")
    words = [word.lower() for word in options.names] or [""]
    return options, [program for program in there if any(word in program.name.lower() for word in words)]


def sides(options):
    """What is timed: PyTorch where it is installed and wanted."""
    there = importlib.util.find_spec("torch") is not None and not options.no_torch
    return SIDES if there else SIDES[:2]


def main(arguments=None):
    """Measure, print, and write what is asked for; returns the exit code."""
    sys.path.insert(0, str(common.ROOT))  # as the workers have it: minigan need not be installed
    options, programs = options_of(arguments)
    if options.worker:
        return serve(options.worker, options.quick)
    command = (__file__, *(["--quick"] if options.quick else []), "--worker")
    workers = {side: common.Worker(*command, side) for side in sides(options)}
    facts = {}
    for worker in workers.values():
        facts |= worker.ask(environment=True)
    common.print_environment(facts)
    print(heading("pytorch" in workers))
    rows = []
    for program in programs:
        for part in program.parts:
            rows.append(measure(workers, program, part, options))
            print(line(rows[-1]), flush=True)
    report(rows)
    for worker in workers.values():
        worker.close()
    if options.json:
        common.write_json(options.json, {"facts": facts, "rows": rows})
    if options.plot:
        plain_picture.draw(options.plot, rows, facts)
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""The command line: ``minigan train | sample | interpolate | evaluate | inspect | lab | sweep | style`` ...

Each subcommand is a module with ``add_parser(subparsers)`` and ``run(arguments) -> int | None``.
They import what they need inside ``run``, so that ``minigan --help`` answers at once.
"""

import importlib
import os
import sys
import traceback
from argparse import SUPPRESS, ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Sequence

from minigan import errors

COMMANDS = "train sample interpolate evaluate inspect lab sweep style gradcheck learn info bench".split()

EXIT_BAD_INPUT = 2
EXIT_FAILED = 1
EXIT_INTERRUPTED = 130
EXIT_BROKEN_PIPE = 141


class Parser(ArgumentParser):
    """An ``ArgumentParser`` whose complaint is one line on stderr and exit code 2."""

    def __init__(self, *args, **kwargs):
        kwargs.setdefault("formatter_class", RawDescriptionHelpFormatter)
        kwargs.setdefault("allow_abbrev", False)
        if kwargs.get("description"):  # a module's docstring serves, without its mark-up
            name = kwargs["prog"].split()[-1]
            words = kwargs["description"].replace("``", "").removeprefix(f"minigan {name}: ")
            kwargs["description"] = words[0].upper() + words[1:]
        super().__init__(*args, **kwargs)

    def parse_known_args(self, args=None, namespace=None):
        """Parse; a subcommand complains of what it does not know itself, so its own help is named."""
        namespace, unknown = super().parse_known_args(args, namespace)
        if unknown and " " in self.prog:  # "minigan train"
            self.error(f"unrecognized arguments: {' '.join(unknown)}")
        return namespace, unknown

    def error(self, message: str):
        """Print ``message`` on one line and leave with exit code 2."""
        self.exit(EXIT_BAD_INPUT, f"minigan: error: {' '.join(message.split())} (see {self.prog} --help)\n")


def build_parser() -> Parser:
    """Return the parser of the whole command line, every subcommand included."""
    parser = Parser(prog="minigan", description="Train GANs and look inside them, on NumPy or CuPy.")
    parser.add_argument("--version", action="store_true", help="print the version and stop")
    parser.set_defaults(backend=None, debug=False)
    _add_common(parser)
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    for name in COMMANDS:
        subparser = importlib.import_module(f"minigan.cli.{name}").add_parser(subparsers)
        _add_common(subparser)
    return parser


def _add_common(parser: ArgumentParser) -> None:
    """Add the options that are good before and after the command's name."""
    group = parser.add_argument_group("everywhere")
    group.add_argument(
        "--backend",
        choices=("numpy", "cupy"),
        default=SUPPRESS,
        help="where arrays live: numpy (processor) or cupy (NVIDIA GPU); else MINIGAN_BACKEND, else numpy",
    )
    group.add_argument(
        "--kernels",
        choices=("on", "off"),
        default=SUPPRESS,
        help="off: every operation by its definition, slowly; else MINIGAN_KERNELS, else on",
    )
    group.add_argument(
        "--precision",
        choices=("highest", "high"),
        default=SUPPRESS,
        help="of float32 products on a GPU: high rounds factors to TF32, faster; default highest",
    )
    group.add_argument(
        "--debug", action="store_true", default=SUPPRESS, help="show the traceback of an error"
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    Args:
        argv: the words after ``minigan``; those of the process when None.

    Returns:
        0 when all went well, 2 for bad input (arguments, shapes, files, data), 1 for a failed run, 130 after
        Ctrl-C, 141 when whoever read our output went away. Nothing but ``--debug`` prints a traceback.
    """
    argv = list(sys.argv[1:] if argv is None else argv)
    debug = "--debug" in argv
    _open_closed_streams()
    try:
        code = _dispatch(argv)
        sys.stdout.flush()
        return code
    except SystemExit as leaving:  # argparse: --help and bad arguments
        return leaving.code if isinstance(leaving.code, int) else EXIT_BAD_INPUT
    except BrokenPipeError:
        _silence_stdout()
        return EXIT_BROKEN_PIPE
    except KeyboardInterrupt:
        return _complain("interrupted", EXIT_INTERRUPTED, debug)
    except errors.MiniganError as error:
        return _complain(f"error: {error}", error.exit_code, debug)
    except MemoryError as error:
        return _complain(f"error: out of memory: {error or 'try a smaller --batch'}", EXIT_FAILED, debug)
    except OSError as error:
        return _complain(f"error: {error}", EXIT_BAD_INPUT, debug)
    except Exception as error:
        name = type(error).__name__
        text = f"error: unexpected {name}: {error} (a bug: please report it with what --debug prints)"
        return _complain(text, EXIT_FAILED, debug)


def _dispatch(argv: list[str]) -> int:
    parser = build_parser()
    arguments = parser.parse_args(argv)
    if arguments.version:
        print(f"minigan {version()}")
        return 0
    if arguments.command is None:
        parser.print_help()
        return EXIT_BAD_INPUT
    if arguments.backend:
        from minigan import backend

        backend.use(arguments.backend)
    if precision := getattr(arguments, "precision", None):
        _set_precision(precision)
    from minigan.cli import speed

    speed.choose_kernels(getattr(arguments, "kernels", None))
    speed.threads()  # a mistake in the environment is said before anything is written
    return _command(arguments) or 0


def _set_precision(precision: str) -> None:
    from minigan import backend

    if precision == "high" and backend.current() is backend.NUMPY:
        raise errors.ArgumentError("--precision high: only a GPU has it; add --backend cupy, or leave it out")
    backend.set_matmul_precision(precision)


def _command(arguments: Namespace) -> int | None:
    return importlib.import_module(f"minigan.cli.{arguments.command}").run(arguments)


def _complain(text: str, code: int, debug: bool) -> int:
    if debug:
        traceback.print_exc()
    try:
        print(f"minigan: {' '.join(text.split())}", file=sys.stderr)
    except BrokenPipeError:
        pass
    return code


def _open_closed_streams() -> None:
    """Give a process that was started with stdout or stderr closed something to write to."""
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w")
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")


def _silence_stdout() -> None:
    """Point stdout at nothing, so that the interpreter's own flush at exit has nowhere to fail."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError):  # a stdout without a descriptor, as under a test runner
        pass


def version() -> str:
    """Return the version of minigan, such as ``0.1.0``."""
    import minigan

    return minigan.__version__

"""What every command of the command line says of itself, and the words of the small ones."""

from __future__ import annotations

import argparse
import contextlib
import sys
from pathlib import Path
from typing import NoReturn

from engine import __version__
from engine.cli.failing import BAD_INPUT, asks_for_json
from engine.cli.printing import print_json
from engine.spec.choices import NetworkName
from engine.spec.errors import EngineError
from engine.spec.wording import plain
from engine.system.streams import check_printed

_INSTALLED = tuple(map(str, (NetworkName.VGG19, NetworkName.VGG16)))
"""The networks whose weights do not ship with the program."""

EXIT_CODES = """\
exit codes: 0 done, 2 bad usage or input, 3 it could not be done, and when ended
by a signal 128 and its number: 130 Ctrl-C, 143 SIGTERM, 129 SIGHUP"""

_WINDOW_USAGE = """gramarye [CONTENT] [--style STYLE ...]
       gramarye render CONTENT --style FILE --output FILE [options]
       gramarye render --recipe PICTURE [--output FILE] [options]
       gramarye recipe PICTURE [--json]
       gramarye plan CONTENT [--style FILE ...] [--size N] [options]
       gramarye devices [--check] [--json]
       gramarye weights download|import|path ..."""

_WINDOW_EPILOG = f"""\
commands that need no window:
  render                make a pastiche; see gramarye render --help
  plan                  what a pastiche would take; see gramarye plan --help
  recipe                what made a picture; see gramarye recipe --help
  devices               what there is to compute on; see gramarye devices --help
  weights               manage the network weights; see gramarye weights --help

{EXIT_CODES}
"""

_RECIPE_EPILOG = f"""\
examples:
  gramarye recipe pastiche.png
  gramarye recipe pastiche.png --json

{EXIT_CODES}
"""


_DEVICES_EPILOG = f"""\
examples:
  gramarye devices
  gramarye devices --check --json

Before a device is first used it is tried: what it computes is held against the
CPU, and what it gets wrong is given up. --check tries every device now, in
seconds each, whatever is known of it, and keeps what was found.

{EXIT_CODES}
"""


class Parser(argparse.ArgumentParser):
    """A parser whose complaints are JSON as well where that was asked for."""

    _tells_json = False

    def parse_known_args(self, args=None, namespace=None):  # type: ignore[no-untyped-def]
        """Look for `--json` before anything can be complained of."""
        words = sys.argv[1:] if args is None else args
        self._tells_json = asks_for_json(words)
        return super().parse_known_args(args, namespace)

    def error(self, message: str) -> NoReturn:
        """Say what is wrong, and end with exit code 2."""
        message = plain(message, 300)
        if self._tells_json:
            with contextlib.suppress(EngineError):  # stderr says it too
                print_json({"error": f"{self.prog}: {message}", "exit_code": BAD_INPUT})
        super().error(message)

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:
        """End, once help and the like have gone out.

        Raises:
            EngineError: They could not be printed.
        """
        if not status:
            check_printed()
        super().exit(status, message)


def formatter(prog: str) -> argparse.HelpFormatter:
    """Lay help out as it is written, with room for the words of options."""
    return argparse.RawDescriptionHelpFormatter(prog, max_help_position=24)


def window_parser() -> argparse.ArgumentParser:
    """What opens the window: pictures, or nothing."""
    parser = Parser(
        prog="gramarye",
        usage=_WINDOW_USAGE,
        description="Neural style transfer by optimisation: paint your photograph in the manner\n"
        "of a painting. Without a command, the window opens with the pictures named.",
        epilog=_WINDOW_EPILOG,
        formatter_class=formatter,
    )
    add = parser.add_argument
    add("content", nargs="?", type=Path, metavar="CONTENT", help="the photograph")
    add(
        "--style", action="append", default=[], type=Path, metavar="STYLE",
        help="a painting; may be given several times",
    )  # fmt: skip
    add("--version", action="version", version=f"gramarye {__version__}", help="print the version")
    return parser


def weights_parser() -> argparse.ArgumentParser:
    """What `weights` takes: one of three commands."""
    parser = Parser(
        prog="gramarye weights",
        description="Manage the network weights that Gramarye measures pictures with.",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    download = commands.add_parser("download", help="fetch from where torchvision publishes them")
    taken = commands.add_parser("import", help="keep a copy of a .pth or .safetensors file")
    path = commands.add_parser("path", help="print the file that would be used")
    taken.add_argument("file", type=Path, metavar="FILE", help="the file to import")
    taken.add_argument(
        "--network", choices=_INSTALLED, default=_INSTALLED[0], metavar="NAME",
        help=f"which network it is: {' or '.join(_INSTALLED)} ({_INSTALLED[0]})",
    )  # fmt: skip
    for command in (download, path):
        command.add_argument(
            "network", choices=_INSTALLED, metavar="NETWORK", help=" or ".join(_INSTALLED)
        )
    return parser


def recipe_parser() -> argparse.ArgumentParser:
    """What `recipe` takes: a picture."""
    parser = Parser(
        prog="gramarye recipe",
        description="Tell what made a picture: what was asked, what was decided, what happened.",
        epilog=_RECIPE_EPILOG,
        formatter_class=formatter,
    )
    parser.add_argument("picture", type=Path, metavar="PICTURE", help="saved by Gramarye")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


def devices_parser() -> argparse.ArgumentParser:
    """What `devices` takes."""
    parser = Parser(
        prog="gramarye devices",
        description="Tell what there is to compute on: how it computes, what was proven, what was\n"
        "given up and why; and why a graphics card is not used.",
        epilog=_DEVICES_EPILOG,
        formatter_class=formatter,
    )
    parser.add_argument("--check", action="store_true", help="try every device now")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser

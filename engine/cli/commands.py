"""The command line: what was typed, the commands that need no window, and their exit codes."""

from __future__ import annotations

import argparse
import logging
import sys
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.cli.usage import plan_parser, render_parser, weights_parser, window_parser
from engine.spec.choices import NetworkName
from engine.spec.errors import Cancelled, GramaryeError, InputError

DONE, BAD_INPUT, FAILED, INTERRUPTED = 0, 2, 3, 130
"""Exit codes."""


@dataclass(frozen=True)
class OpenWindow:
    """Open the window with these pictures."""

    content: Path | None
    styles: tuple[Path, ...]


@dataclass(frozen=True)
class Headless:
    """A command that needs no window, and its arguments."""

    action: Callable[[argparse.Namespace], int]
    arguments: argparse.Namespace


def parse(arguments: Sequence[str]) -> OpenWindow | Headless:
    """Understand the command line; bad usage ends the program with exit code 2 and a sentence."""
    if arguments and arguments[0] == "render":
        return Headless(_render, render_parser().parse_args(arguments[1:]))
    if arguments and arguments[0] == "plan":
        return Headless(_plan, plan_parser().parse_args(arguments[1:]))
    if arguments and arguments[0] == "weights":
        return Headless(_weights, weights_parser().parse_args(arguments[1:]))
    options = window_parser().parse_args(arguments)
    return OpenWindow(options.content, tuple(options.style))


def run(command: Headless) -> int:
    """Run a command; every failure becomes one sentence on stderr and an exit code."""
    try:
        with warnings.catch_warnings():
            if not sys.warnoptions:  # what libraries warn of is for developers
                warnings.simplefilter("ignore")
            return command.action(command.arguments)
    except (Exception, KeyboardInterrupt) as error:
        code, message = explain(error)
        if getattr(command.arguments, "json", False):
            from engine.cli.console import print_json

            print_json({"error": message, "exit_code": code})
        print(f"gramarye: {message}", file=sys.stderr)
        return code


def explain(error: BaseException) -> tuple[int, str]:
    """Exit code and words for an error; what nobody foresaw goes to the log with its traceback."""
    if isinstance(error, Cancelled | KeyboardInterrupt):
        return INTERRUPTED, "Interrupted; nothing was saved."
    if isinstance(error, InputError):
        return BAD_INPUT, str(error)
    if isinstance(error, GramaryeError):
        return FAILED, str(error)
    return FAILED, f"Something unexpected went wrong ({type(error).__name__}). {_logged(error)}"


def _logged(error: BaseException) -> str:
    """Write an error down for whoever mends it, and say where."""
    from engine.storage.paths import log_folder

    log = log_folder() / "gramarye.log"
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        handler = logging.FileHandler(log, encoding="utf-8")
    except OSError:
        return f"The details could not be written to {log}."
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    logger = logging.getLogger(__name__)
    logger.addHandler(handler)
    logger.error("unexpected", exc_info=error)
    logger.removeHandler(handler)
    handler.close()
    return f"Details: {log}"


def _render(arguments: argparse.Namespace) -> int:
    from engine.cli.render import render

    return render(arguments)


def _plan(arguments: argparse.Namespace) -> int:
    from engine.cli.plan import tell_plan

    return tell_plan(arguments)


def _weights(arguments: argparse.Namespace) -> int:
    from engine.cli.console import download_with_progress
    from engine.weights import installed

    network = NetworkName(arguments.network)
    match arguments.command:
        case "download":
            print(download_with_progress(network, quiet=False))
        case "import":
            print(installed.import_weights(arguments.file, network))
        case "path":
            print(installed.find_weights(network))
    return DONE

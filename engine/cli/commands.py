"""The command line: what was typed, the commands that need no window, and their exit codes."""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.cli.usage import plan_parser, render_parser, weights_parser, window_parser
from engine.spec.choices import NetworkName
from engine.storage.failures import Kind, explain

DONE, BAD_INPUT, FAILED, INTERRUPTED = 0, 2, 3, 130
"""Exit codes."""

_CODES = {
    Kind.CANCELLED: INTERRUPTED,
    Kind.INPUT: BAD_INPUT,
    Kind.ENGINE: FAILED,
    Kind.UNFORESEEN: FAILED,
}


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
        failure = explain(error)
        code = _CODES[failure.kind]
        if getattr(command.arguments, "json", False):
            from engine.cli.console import print_json

            print_json({"error": str(failure), "exit_code": code})
        print(f"gramarye: {failure}", file=sys.stderr)
        return code


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

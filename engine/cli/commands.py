"""The command line: what was typed, and the commands that need no window."""

from __future__ import annotations

import argparse
import logging
import os
import sys
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.cli.options import (
    Asked,
    DevicesOptions,
    PlanOptions,
    RecipeOptions,
    RenderOptions,
    WeightsOptions,
)
from engine.cli.usage import devices_parser, recipe_parser, weights_parser, window_parser
from engine.spec.choices import NetworkName
from engine.spec.errors import InputError

_UNHEARD = logging.NullHandler()


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
    match arguments:
        case ["render", *words]:
            _begin_decoder()
            from engine.cli.render_usage import parsed_render

            return Headless(_render, parsed_render(words))
        case ["plan", *words]:
            _begin_decoder()
            from engine.cli.render_usage import parsed_plan

            return Headless(_plan, parsed_plan(words))
        case ["recipe", *words]:
            _begin_decoder()
            return Headless(_recipe, recipe_parser().parse_args(words))
        case ["devices", *words]:
            return Headless(_devices, devices_parser().parse_args(words))
        case ["weights", *words]:
            return Headless(_weights, weights_parser().parse_args(words))
    options = window_parser().parse_args(arguments)
    return OpenWindow(options.content, tuple(options.style))


def run(command: Headless) -> int:
    """Run a command; returns the exit code.

    Raises:
        InputError: The working folder is gone; and whatever the command raises.
    """
    try:
        os.getcwd()
    except OSError as error:
        # Names of files mean nothing here, and torch's libraries end the process.
        raise InputError(
            "The folder in which you work is gone.", "Change to another one, as with `cd ~`."
        ) from error
    # What nobody takes, Python prints; what a person is told is told by `failing`.
    logging.getLogger().addHandler(_UNHEARD)
    with warnings.catch_warnings():
        if not sys.warnoptions:  # what libraries warn of is for developers
            warnings.simplefilter("ignore")
        return command.action(command.arguments)


def _begin_decoder() -> None:
    """Have pictures not wait for what decodes them: it gets ready while the rest is loaded."""
    from engine.storage.decoder import DECODER

    DECODER.begin()


def _render(words: argparse.Namespace) -> int:
    from engine.cli.render import render

    return render(
        RenderOptions(
            asked=Asked.of(words),
            recipe=words.recipe,
            exact=words.exact,
            output=words.output,
            overwrite=words.overwrite,
            quality=words.quality,
            weights=words.weights,
            download=words.download,
            json=words.json,
            quiet=words.quiet,
        )
    )


def _plan(words: argparse.Namespace) -> int:
    from engine.cli.plan import tell_plan

    return tell_plan(PlanOptions(Asked.of(words), words.json))


def _recipe(words: argparse.Namespace) -> int:
    from engine.cli.recipe import tell_recipe

    return tell_recipe(RecipeOptions(words.picture, words.json))


def _devices(words: argparse.Namespace) -> int:
    from engine.cli.devices import tell_devices

    return tell_devices(DevicesOptions(words.check, words.json))


def _weights(words: argparse.Namespace) -> int:
    from engine.cli.weights import manage_weights

    file = words.file if words.command == "import" else None
    return manage_weights(WeightsOptions(words.command, NetworkName(words.network), file))

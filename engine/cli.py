"""The command line: what may be typed, and the commands that need no window."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from engine import __version__
from engine.errors import Cancelled, EngineError, GramaryeError, InputError
from engine.settings import PARAMETERS, Device, Group, Kind, NetworkName, Parameter, format_layers

DONE, BAD_INPUT, FAILED, INTERRUPTED = 0, 2, 3, 130
"""Exit codes."""

_WINDOW_HELP = """\
Without a command, Gramarye opens its window, with the pictures named loaded.

commands:
  render CONTENT --style FILE --output FILE   make a pastiche without the window
  weights download|import|path                manage the network weights
  COMMAND --help                              tells more

exit codes: 0 done, 2 bad usage or input, 3 the engine failed, 130 interrupted
"""


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
        return Headless(_render, _render_parser().parse_args(arguments[1:]))
    if arguments and arguments[0] == "weights":
        return Headless(_weights, _weights_parser().parse_args(arguments[1:]))
    options = _window_parser().parse_args(arguments)
    return OpenWindow(options.content, tuple(options.style))


def run(command: Headless) -> int:
    """Run a command; every failure becomes one sentence on stderr and an exit code."""
    try:
        return command.action(command.arguments)
    except (Cancelled, KeyboardInterrupt):
        return INTERRUPTED
    except Exception as error:
        code, message = explain(error)
        if getattr(command.arguments, "json", False):
            from engine.console import print_json

            print_json({"error": message, "exit_code": code})
        print(f"gramarye: {message}", file=sys.stderr)
        return code


def explain(error: Exception) -> tuple[int, str]:
    """Exit code and words for an error; what nobody foresaw goes to the log with its traceback."""
    if isinstance(error, InputError):
        return BAD_INPUT, str(error)
    if isinstance(error, EngineError | GramaryeError):
        return FAILED, str(error)
    from engine.paths import log_folder

    log = log_folder() / "gramarye.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    logging.basicConfig(filename=log, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger(__name__).error("unexpected", exc_info=error)
    return FAILED, f"Something unexpected went wrong ({type(error).__name__}). Details: {log}"


def _window_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="gramarye",
        description="Neural style transfer by optimisation: paint your photograph in the manner "
        "of a painting.",
        epilog=_WINDOW_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("content", nargs="?", type=Path, metavar="CONTENT", help="the photograph")
    parser.add_argument(
        "--style", action="append", default=[], type=Path, metavar="STYLE",
        help="a painting; may be given several times",
    )  # fmt: skip
    parser.add_argument("--version", action="version", version=f"gramarye {__version__}")
    return parser


def _render_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="gramarye render",
        description="Make a pastiche without the window.",
        epilog="Ctrl-C stops and keeps: the pastiche so far is saved and the exit code is 130.",
    )
    add = parser.add_argument
    add("content", metavar="CONTENT", help="the photograph, or 'none' to make a texture")
    add(
        "--style", action="append", required=True, metavar="FILE[:WEIGHT]",
        help="a painting and its share in the blend; may be given several times",
    )  # fmt: skip
    add(
        "--output", required=True, type=Path, metavar="FILE",
        help="where to save: .png, .jpg, .tiff or .webp",
    )  # fmt: skip
    add("--overwrite", action="store_true", help="replace the output file if it exists")
    add("--quality", type=int, default=95, metavar="N", help="of JPEG and WebP, 1 to 100 (95)")
    add("--start", type=Path, metavar="FILE", help="start from this picture")
    add("--preset", metavar="NAME", help="begin with a preset's settings; see --list-presets")
    add(
        "--set", action="append", default=[], metavar="NAME=VALUE", dest="assignments",
        help="set any setting; see --list-settings",
    )  # fmt: skip
    add("--size", metavar="N", dest="output_size", help="long side of the output, pixels")
    add("--network", choices=[str(name) for name in NetworkName], help="the network")
    add("--device", choices=[str(device) for device in Device], help="where to compute")
    add("--seed", metavar="N", help="of the noise")
    add("--weights", type=Path, metavar="FILE", help="the network weights to use")
    add("--download", action="store_true", help="fetch the network weights first if missing")
    add("--json", action="store_true", help="print one JSON object on stdout at the end")
    add("--quiet", action="store_true", help="no progress, no words unless something fails")
    add("--list-settings", action=_ListSettings, help="print every setting, and end")
    add("--list-presets", action=_ListPresets, help="print every preset, and end")
    return parser


def _weights_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="gramarye weights",
        description="Manage the network weights that Gramarye measures pictures with.",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    networks = [str(name) for name in NetworkName]
    download = commands.add_parser("download", help="fetch from where torchvision publishes them")
    download.add_argument("network", choices=networks)
    taken = commands.add_parser("import", help="take over a .pth or .safetensors file")
    taken.add_argument("file", type=Path)
    taken.add_argument("--network", choices=networks, default=str(NetworkName.VGG19))
    path = commands.add_parser("path", help="print the file that would be used")
    path.add_argument("network", choices=networks)
    return parser


def _render(arguments: argparse.Namespace) -> int:
    from engine.headless import render

    return render(arguments)


def _weights(arguments: argparse.Namespace) -> int:
    from engine import weights
    from engine.console import download_with_progress

    network = NetworkName(arguments.network)
    match arguments.command:
        case "download":
            print(download_with_progress(network, quiet=False))
        case "import":
            print(weights.import_weights(arguments.file, network))
        case "path":
            print(weights.find_weights(network))
    return DONE


class _PrintAndEnd(argparse.Action):
    """An option that prints something instead of running the command."""

    def __init__(self, option_strings: Sequence[str], dest: str, help: str | None = None) -> None:
        super().__init__(option_strings, dest, nargs=0, help=help)

    def __call__(self, *_: object) -> NoReturn:
        print(self.text())
        sys.exit(DONE)

    def text(self) -> str:
        raise NotImplementedError


class _ListSettings(_PrintAndEnd):
    def text(self) -> str:
        return settings_text()


class _ListPresets(_PrintAndEnd):
    def text(self) -> str:
        from engine.preset_store import known_presets

        return "\n".join(f"{preset.name}\n    {preset.description}" for preset in known_presets())


def settings_text() -> str:
    """Every setting as `--list-settings` prints it, read from the declaration."""
    lines = []
    for group in Group:
        lines.append(f"{group}:")
        for row in PARAMETERS:
            if row.group is group:
                lines += [f"  {row.name} = {default_text(row)}", f"      {summary(row)}"]
        lines.append("")
    return "\n".join(lines).rstrip()


def default_text(row: Parameter) -> str:
    """A parameter's default the way it is typed."""
    return format_layers(row.default) if row.kind is Kind.LAYERS else str(row.default)


def summary(row: Parameter) -> str:
    """Plain name, range or choices, and help, in one paragraph."""
    if row.kind is Kind.CHOICE:
        values = "one of " + ", ".join(row.choices)
    elif row.kind is Kind.LAYERS:
        values = "layers with weights"
    else:
        values = f"{row.low:g} to {row.high:g}" + (f" {row.unit}" if row.unit else "")
    term = f" ({row.term})" if row.term else ""
    live = "; may change while running" if row.live else ""
    return f"{row.label}{term}: {values}{live}. {row.help}"

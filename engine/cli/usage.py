"""Every word the command line knows, with its help."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from engine import __version__
from engine.spec.choices import Device, NetworkName
from engine.spec.settings import DEFAULTS
from engine.storage.formats import FORMATS, QUALITIES, USUAL_QUALITY

_NETWORKS = tuple(map(str, NetworkName))
_INSTALLED = tuple(map(str, (NetworkName.VGG19, NetworkName.VGG16)))
"""The networks whose weights do not ship with the program."""

_DEVICES = tuple(map(str, Device))
_EXIT_CODES = "exit codes: 0 done, 2 bad usage or input, 3 the engine failed, 130 interrupted"

_WINDOW_USAGE = """gramarye [CONTENT] [--style STYLE ...]
       gramarye render CONTENT --style FILE --output FILE [options]
       gramarye render --recipe PICTURE [--output FILE] [options]
       gramarye recipe PICTURE [--json]
       gramarye plan CONTENT [--style FILE ...] [--size N] [options]
       gramarye weights download|import|path ..."""

_WINDOW_EPILOG = f"""\
commands that need no window:
  render                make a pastiche; see gramarye render --help
  plan                  what a pastiche would take; see gramarye plan --help
  recipe                what made a picture; see gramarye recipe --help
  weights               manage the network weights; see gramarye weights --help

{_EXIT_CODES}
"""

_RENDER_EPILOG = f"""\
examples:
  gramarye render photo.jpg --style night.jpg --output pastiche.png
  gramarye render photo.jpg --style a.jpg:2 --style b.jpg:1 --output blend.jpg
  gramarye render photo.jpg --style night.jpg --output large.tiff --size 2048 \\
      --preset Painterly --set style_strength=2 --set stroke_size=0.5
  gramarye render none --style marble.jpg --output texture.png --preset Texture
  gramarye render --recipe pastiche.png --set output_size=2048

With --recipe a picture is made again from the recipe inside it. Its photograph
and paintings are looked for beside it and where they were last opened, or are
named with --content and --style. Without changes the pixels are the same.

Ctrl-C stops and keeps: the pastiche so far is saved, and the exit code is 130.
A second Ctrl-C discards it.

{_EXIT_CODES}
"""


_PLAN_EPILOG = f"""\
examples:
  gramarye plan photo.jpg --style night.jpg --size 4096
  gramarye plan photo.jpg --preset Painterly --set tile=256 --json

Without --style, a painting as long as the canvas is assumed. The network
weights need not be there. A plan that does not fit is a plan all the same:
the exit code is 0.

{_EXIT_CODES}
"""


_RECIPE_EPILOG = f"""\
examples:
  gramarye recipe pastiche.png
  gramarye recipe pastiche.png --json

{_EXIT_CODES}
"""


class _Parser(argparse.ArgumentParser):
    """A parser whose complaints are JSON as well where that was asked for."""

    _tells_json = False

    def parse_known_args(self, args=None, namespace=None):  # type: ignore[no-untyped-def]
        """Look for `--json` before anything can be complained of."""
        words = sys.argv[1:] if args is None else args
        self._tells_json = any(len(word) > 3 and "--json".startswith(word) for word in words)
        return super().parse_known_args(args, namespace)

    def error(self, message: str) -> NoReturn:
        """Say what is wrong, and end with exit code 2."""
        if self._tells_json:
            from engine.cli.console import print_json

            print_json({"error": f"{self.prog}: {message}", "exit_code": 2})
        super().error(message)


def _formatter(prog: str) -> argparse.HelpFormatter:
    return argparse.RawDescriptionHelpFormatter(prog, max_help_position=24)


def window_parser() -> argparse.ArgumentParser:
    """What opens the window: pictures, or nothing."""
    parser = _Parser(
        prog="gramarye",
        usage=_WINDOW_USAGE,
        description="Neural style transfer by optimisation: paint your photograph in the manner\n"
        "of a painting. Without a command, the window opens with the pictures named.",
        epilog=_WINDOW_EPILOG,
        formatter_class=_formatter,
    )
    add = parser.add_argument
    add("content", nargs="?", type=Path, metavar="CONTENT", help="the photograph")
    add(
        "--style", action="append", default=[], type=Path, metavar="STYLE",
        help="a painting; may be given several times",
    )  # fmt: skip
    add("--version", action="version", version=f"gramarye {__version__}", help="print the version")
    return parser


def render_parser() -> argparse.ArgumentParser:
    """What `render` takes: pictures, their look, where to, and on what."""
    parser = _Parser(
        prog="gramarye render",
        usage="gramarye render CONTENT --style FILE[:WEIGHT] --output FILE [options]\n"
        "       gramarye render --recipe PICTURE [--output FILE] [options]",
        description="Make a pastiche without the window.",
        epilog=_RENDER_EPILOG,
        formatter_class=_formatter,
        add_help=False,
    )
    pictures = parser.add_argument_group("pictures")
    _name_pictures(pictures)
    pictures.add_argument(
        "--content", dest="named_content", metavar="FILE",
        help="the photograph, for a recipe whose own is not found",
    )  # fmt: skip
    _name_recipe(parser.add_argument_group("again"))
    _name_look(parser.add_argument_group("look"))
    _name_result(parser.add_argument_group("result"))
    machine = parser.add_argument_group("network and machine")
    _name_machine(machine)
    _name_weights(machine)
    _name_help(parser.add_argument_group("help"))
    return parser


def plan_parser() -> argparse.ArgumentParser:
    """What `plan` takes: the words of `render` that say what it makes, and on what."""
    parser = _Parser(
        prog="gramarye plan",
        usage="gramarye plan CONTENT [--style FILE[:WEIGHT] ...] [options]",
        description="Say what a pastiche would take: memory, time, and the largest that fits.",
        epilog=_PLAN_EPILOG,
        formatter_class=_formatter,
        add_help=False,
    )
    _name_pictures(parser.add_argument_group("pictures"))
    _name_look(parser.add_argument_group("look"))
    _name_machine(parser.add_argument_group("network and machine"))
    result = parser.add_argument_group("result").add_argument
    result("--json", action="store_true", help="print one JSON object instead of words")
    _name_help(parser.add_argument_group("help"))
    return parser


def _name_recipe(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--recipe", type=Path, metavar="PICTURE", help="make this picture of Gramarye's again")
    add("--exact", action="store_true", help="refuse if it would not be the very same picture")


def _name_pictures(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add(
        "content", nargs="?", metavar="CONTENT",
        help="the photograph, or 'none' to make a texture",
    )  # fmt: skip
    add(
        "--style", action="append", default=[], metavar="FILE[:WEIGHT]",
        help="a painting and its share in the blend (1); may be given several times",
    )  # fmt: skip
    add("--start", type=Path, metavar="FILE", help="begin with this picture on the canvas")


def _name_look(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--preset", metavar="NAME", help="begin with a preset's settings; see --list-presets")
    size, seed = DEFAULTS.output_size, DEFAULTS.seed
    add("--size", dest="output_size", metavar="N", help=f"long side of the output, pixels ({size})")
    add("--seed", metavar="N", help=f"of the noise ({seed})")
    add(
        "--set", action="append", default=[], metavar="NAME=VALUE", dest="assignments",
        help="any setting, over the preset's; may be given several times; see --list-settings",
    )  # fmt: skip


def _name_result(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    *first, last = (each.suffixes[0] for each in FORMATS)
    add(
        "--output", type=Path, metavar="FILE",
        help=f"where to save: {', '.join(first)} or {last}; beside the picture for a recipe",
    )  # fmt: skip
    add("--overwrite", action="store_true", help="replace the output file if it exists")
    add(
        "--quality", type=_quality, default=USUAL_QUALITY, metavar="N",
        help=f"of JPEG and WebP, {QUALITIES[0]} to {QUALITIES[-1]} ({USUAL_QUALITY})",
    )  # fmt: skip
    add("--json", action="store_true", help="print one JSON object on stdout at the end")
    add("--quiet", action="store_true", help="no progress, no words unless something fails")


def _name_machine(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add(
        "--network", choices=_NETWORKS, metavar="NAME",
        help=f"{', '.join(_NETWORKS)} ({DEFAULTS.network})",
    )  # fmt: skip
    add(
        "--device", choices=_DEVICES, metavar="NAME",
        help=f"where to compute: {', '.join(_DEVICES)} ({DEFAULTS.device})",
    )  # fmt: skip


def _name_weights(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--weights", type=Path, metavar="FILE", help="the network weights to use")
    add("--download", action="store_true", help="fetch the network weights first if missing")


def _name_help(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("-h", "--help", action="help", help="print this, and end")
    add("--list-settings", action=_ListSettings, help="print every setting, and end")
    add("--list-presets", action=_ListPresets, help="print every preset, and end")


def _quality(text: str) -> int:
    if not text.isdecimal() or int(text) not in QUALITIES:
        bounds = f"{QUALITIES[0]} to {QUALITIES[-1]}"
        raise argparse.ArgumentTypeError(f"give a number from {bounds}, not {text!r}")
    return int(text)


def weights_parser() -> argparse.ArgumentParser:
    """What `weights` takes: one of three commands."""
    parser = _Parser(
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


class _PrintAndEnd(argparse.Action):
    """An option that prints something instead of running the command."""

    def __init__(self, option_strings: Sequence[str], dest: str, help: str | None = None) -> None:
        super().__init__(option_strings, dest, nargs=0, help=help)

    def __call__(self, *_: object) -> NoReturn:
        from engine.cli.console import print_text

        print_text(self.text())
        sys.exit(0)

    def text(self) -> str:
        raise NotImplementedError


def parsed_render(words: Sequence[str]) -> argparse.Namespace:
    """Understand the words after `render`; bad usage ends the program."""
    parser = render_parser()
    found = parser.parse_args(words)
    if found.recipe is None:
        needed = [("CONTENT", found.content), ("--style", found.style), ("--output", found.output)]
        missing = [word for word, value in needed if not value]
        if missing:
            parser.error(f"the following arguments are required: {', '.join(missing)}")
        if found.named_content is not None or found.exact:
            parser.error("--content and --exact go with --recipe")
    elif found.content is not None:
        parser.error("--recipe has a photograph of its own; name another with --content")
    else:
        found.content = found.named_content
    return found


def parsed_plan(words: Sequence[str]) -> argparse.Namespace:
    """Understand the words after `plan`; bad usage ends the program."""
    parser = plan_parser()
    found = parser.parse_args(words)
    if found.content is None:
        parser.error("the following arguments are required: CONTENT")
    return found


def recipe_parser() -> argparse.ArgumentParser:
    """What `recipe` takes: a picture."""
    parser = _Parser(
        prog="gramarye recipe",
        description="Tell what made a picture: what was asked, what was decided, what happened.",
        epilog=_RECIPE_EPILOG,
        formatter_class=_formatter,
    )
    parser.add_argument("picture", type=Path, metavar="PICTURE", help="saved by Gramarye")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


class _ListSettings(_PrintAndEnd):
    def text(self) -> str:
        from engine.cli.listings import settings_text

        return settings_text()


class _ListPresets(_PrintAndEnd):
    def text(self) -> str:
        from engine.cli.listings import presets_text

        return presets_text()

"""The words that `render` and `plan` know, with their help."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from engine.cli.printing import print_text
from engine.cli.usage import EXIT_CODES, Parser, formatter
from engine.spec.choices import Device, NetworkName
from engine.spec.settings import DEFAULTS, PARAMETER
from engine.storage.formats import FORMATS, QUALITIES, USUAL_QUALITY

_NETWORKS = tuple(map(str, NetworkName))
_DEVICES = ", ".join(PARAMETER["device"].words)

_RENDER_EPILOG = f"""\
examples:
  gramarye render photo.jpg --style night.jpg --output pastiche.png
  gramarye render photo.jpg --style a.jpg:2 --style b.jpg:1 --output blend.jpg
  gramarye render photo.jpg --style night.jpg --output large.tiff --size 2048 \\
      --preset painterly --set style_strength=2 --set stroke_size=0.5
  gramarye render none --style marble.jpg --output texture.png --preset texture
  gramarye render --recipe pastiche.png --set output_size=2048

With --recipe a picture is made again from the recipe inside it. Its photograph
and paintings are looked for beside it and where they were last opened, or are
named with --content and --style. Without changes the pixels are the same.

Ctrl-C stops and keeps: the pastiche so far is saved, and the exit code is 130.
A second Ctrl-C discards it. SIGTERM and SIGHUP, which come of a logout or a
closed terminal, stop and keep too: 143 and 129.

{EXIT_CODES}
"""


_PLAN_EPILOG = f"""\
examples:
  gramarye plan photo.jpg --style night.jpg --size 4096
  gramarye plan photo.jpg --preset painterly --set tile=256 --json

Without --style, a painting as long as the canvas is assumed. The network
weights need not be there. A plan that does not fit is a plan all the same:
the exit code is 0.

{EXIT_CODES}
"""


def render_parser() -> argparse.ArgumentParser:
    """What `render` takes: pictures, their look, where to, and on what."""
    parser = Parser(
        prog="gramarye render",
        usage="gramarye render CONTENT --style FILE[:WEIGHT] --output FILE [options]\n"
        "       gramarye render --recipe PICTURE [--output FILE] [options]",
        description="Make a pastiche without the window.",
        epilog=_RENDER_EPILOG,
        formatter_class=formatter,
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
    parser = Parser(
        prog="gramarye plan",
        usage="gramarye plan CONTENT [--style FILE[:WEIGHT] ...] [options]",
        description="Say what a pastiche would take: memory, time, and the largest that fits.",
        epilog=_PLAN_EPILOG,
        formatter_class=formatter,
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
    add(
        "--preset", metavar="NAME",
        help="begin with a preset's settings; the beginning of its name will do; see "
        "--list-presets",
    )  # fmt: skip
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
        "--device", type=_device, metavar="NAME",
        help=f"where to compute: {_DEVICES} ({DEFAULTS.device}); see gramarye devices",
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


def _device(text: str) -> str:
    if text not in tuple(Device):
        raise argparse.ArgumentTypeError(f"invalid choice: {text!r} (choose from {_DEVICES})")
    return text


def _quality(text: str) -> int:
    if not text.isdecimal() or int(text) not in QUALITIES:
        bounds = f"{QUALITIES[0]} to {QUALITIES[-1]}"
        raise argparse.ArgumentTypeError(f"give a number from {bounds}, not {text!r}")
    return int(text)


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


class _PrintAndEnd(argparse.Action):
    """An option that prints something instead of running the command."""

    def __init__(self, option_strings: Sequence[str], dest: str, help: str | None = None) -> None:
        super().__init__(option_strings, dest, nargs=0, help=help)

    def __call__(self, *_: object) -> NoReturn:
        print_text(self.text())
        sys.exit(0)

    def text(self) -> str:
        raise NotImplementedError


class _ListSettings(_PrintAndEnd):
    def text(self) -> str:
        from engine.cli.listings import settings_text

        return settings_text()


class _ListPresets(_PrintAndEnd):
    def text(self) -> str:
        from engine.cli.listings import presets_text

        return presets_text()

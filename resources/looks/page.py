"""What the page of looks shows and says: presets and main settings, in their own words."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from engine.spec.choices import Canvas, MatchMetric, NetworkName, Start, StyleLoss
from engine.spec.settings import DEFAULTS, PARAMETER, Settings
from engine.storage.presets import Preset, builtin_presets
from resources import LOOKS

SIDE = 256
"""Pixels of a picture's long side."""

LONGEST_ROW = 3
"""Pictures side by side, so that a window is wide enough."""

PAGE = LOOKS / "looks.md"
PHOTOGRAPH = "photograph"
PAINTINGS = ("painting", "woodcut")
"""The samples that are painted from, each by its file's name."""

PLAIN, *_ = (preset.name for preset in builtin_presets())
"""The preset that settings are shown with, unless a strip says otherwise."""

Value = float | StrEnum


@dataclass(frozen=True)
class Strip:
    """Pictures that differ in one setting.

    Attributes:
        setting: Its name.
        values: What is shown beside the value that the preset has.
        preset: What all other settings are taken from.
        painting: One of `PAINTINGS`.
    """

    setting: str
    values: tuple[Value, ...]
    preset: str = PLAIN
    painting: str = PAINTINGS[0]


STRIPS = (
    Strip("style_strength", (0.25, 1.0, 4.0)),
    Strip("stroke_size", (0.5, 1.0, 2.0)),
    Strip("steps", (20, 120)),
    Strip("smoothness", (0.0, 2.0, 10.0)),
    Strip("clean_colours", (0.0, 0.1, 1.0), preset="Flowing", painting="woodcut"),
    Strip("keep_edges", (0.0, 1.0, 5.0), painting="woodcut"),
    Strip("start", (Start.CONTENT, Start.STYLE_NOISE)),
    Strip("matched_weight", (0.0, 1.0)),
    Strip("match_canvas", (0.0, 0.5, 1.0)),
    Strip("match_metric", tuple(MatchMetric)),
    Strip("style_loss", tuple(StyleLoss), preset="Flowing"),
    Strip("canvas", tuple(Canvas)),
)


@dataclass(frozen=True)
class Shot:
    """All that one picture is painted from, beside the photograph.

    Attributes:
        painting: One of `PAINTINGS`.
        settings: Complete.
    """

    painting: str
    settings: Settings


def shots() -> dict[Shot, str]:
    """Every picture that is painted for the page, once, and the name of its file."""
    named: dict[Shot, str] = {}
    for preset in builtin_presets():
        for painting in PAINTINGS:
            named.setdefault(_of_preset(preset.name, painting), _file(preset.name, painting))
    for strip in STRIPS:
        for value in _values(strip):
            named.setdefault(_of_strip(strip, value), _file(strip.setting, _word(value)))
    return named


def page() -> str:
    """The page itself, in Markdown."""
    names = shots()
    parts = [_head()]
    parts += [_preset(preset, names) for preset in builtin_presets()]
    parts += ["## Settings", *(_strip(strip, names) for strip in STRIPS)]
    return "\n\n".join(parts) + "\n"


def _head() -> str:
    samples = {name: f"{name}.jpg" for name in (PHOTOGRAPH, *PAINTINGS)}
    return "\n\n".join(
        (
            "# What presets and settings do",
            "A photograph, a painting and a woodcut, samples that come with Gramarye, painted at "
            f"{SIDE} px with the draft network. Larger pictures and VGG-19 are finer.",
            _tables(samples),
            "## Presets",
        )
    )


def _preset(preset: Preset, names: Mapping[Shot, str]) -> str:
    shown = {each: names[_of_preset(preset.name, each)] for each in PAINTINGS}
    return f"### {preset.name}\n\n{preset.description}\n\n{_tables(shown, preset.name)}"


def _strip(strip: Strip, names: Mapping[Shot, str]) -> str:
    row = PARAMETER[strip.setting]
    own = getattr(_look(strip.preset), strip.setting)
    shown = {}
    for value in _values(strip):
        caption = f"{_word(value)} {row.unit}".rstrip()
        caption += f" ({strip.preset})" * (value == own)
        shown[caption] = names[_of_strip(strip, value)]
    term = f" ({row.term})" if row.term else ""
    return "\n\n".join(
        (
            f"### {row.label}",
            f"`{row.name}`{term}. {row.help}",
            f"The {strip.painting} with *{strip.preset}*:",
            _tables(shown, row.label),
        )
    )


def _values(strip: Strip) -> Iterator[Value]:
    """What a strip shows, from little to much; words as they are declared."""
    own: Value = getattr(_look(strip.preset), strip.setting)
    if isinstance(own, StrEnum):
        yield from strip.values
    else:
        yield from sorted({own, *map(type(own), strip.values)})


def _of_preset(name: str, painting: str) -> Shot:
    return Shot(painting, _look(name))


def _of_strip(strip: Strip, value: Value) -> Shot:
    return Shot(strip.painting, _look(strip.preset).changed(**{strip.setting: value}))


def _look(name: str) -> Settings:
    """A preset's settings, for the pictures of this page."""
    (preset,) = (each for each in builtin_presets() if each.name == name)
    return preset.applied_to(DEFAULTS).on(NetworkName.DRAFT).changed(output_size=SIDE)


def _word(value: Value) -> str:
    return str(value) if isinstance(value, StrEnum) else f"{value:g}"


def _file(*words: str) -> str:
    """A file name of plain characters: `classic-gatys-2016-woodcut.jpg`."""
    plain = (re.sub(r"[^a-z0-9.]+", "-", word.lower()).strip("-") for word in words)
    return f"{'-'.join(plain)}.jpg"


def _tables(shown: Mapping[str, str], of: str = "") -> str:
    """Pictures under their captions, in rows as long as each other; file names by caption."""
    captions = list(shown)
    length = math.ceil(len(captions) / math.ceil(len(captions) / LONGEST_ROW))
    starts = range(0, len(captions), length)
    return "\n\n".join(_table(captions[at : at + length], shown, of) for at in starts)


def _table(captions: Sequence[str], shown: Mapping[str, str], of: str) -> str:
    before = f"{of}: " if of else ""
    pictures = [f"![{before}{caption}]({shown[caption]})" for caption in captions]
    lines = (captions, ["---"] * len(captions), pictures)
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)

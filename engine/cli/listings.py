"""Every setting and preset in words, wrapped for the terminal they are read in."""

from __future__ import annotations

import shutil
import textwrap

from engine.spec.layers import format_layers, layer_names
from engine.spec.limits import LONGEST_SIDE
from engine.spec.parameters import Group, Kind, Parameter
from engine.spec.settings import DEFAULTS, PARAMETERS
from engine.spec.tiles import SMALLEST_TILE
from engine.storage.preset_store import known_presets

_WIDEST = 100
"""Columns; longer lines are hard to follow."""


def settings_text() -> str:
    """Every setting with its default, range and help, read from the declaration."""
    lines = ["Settings and their defaults; change one with --set NAME=VALUE."]
    for group in Group:
        lines += ["", f"{group}:"]
        for row in PARAMETERS:
            if row.group is group:
                lines += [f"  {row.name} = {default_text(row)}", _paragraph(summary(row))]
    return "\n".join(lines)


def presets_text() -> str:
    """Every preset with its description: those that ship, then the person's own."""
    lines = ["Presets; begin with one by --preset NAME."]
    for preset in known_presets():
        lines += ["", f"  {preset.name}"]
        if preset.description:
            lines.append(_paragraph(preset.description))
    return "\n".join(lines)


def default_text(row: Parameter) -> str:
    """A parameter's default the way it is typed."""
    return format_layers(row.default) if row.kind is Kind.LAYERS else str(row.default)


def summary(row: Parameter) -> str:
    """Plain name, range or choices, help, and where it matters, in one paragraph."""
    term = f" ({row.term})" if row.term else ""
    text = f"{row.label}{term}: {_values(row)}. {row.help}"
    if row.relevant is not None:
        name, values = row.relevant
        text += f" Matters only if {name} is {' or '.join(values)}."
    return text


def _values(row: Parameter) -> str:
    match row.kind:
        case Kind.CHOICE:
            return "one of " + ", ".join(row.words)
        case Kind.TILE:
            return f"auto, none or {SMALLEST_TILE} to {LONGEST_SIDE} px"
        case Kind.LAYERS:
            first, second, *_, last = layer_names(DEFAULTS.network)
            return f"any of {first}, {second} to {last}"
    return f"{row.low:.10g} to {row.high:.10g}" + (f" {row.unit}" if row.unit else "")


def _paragraph(text: str) -> str:
    width = min(shutil.get_terminal_size().columns, _WIDEST)
    indent = " " * 6
    return textwrap.fill(
        text, width, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False
    )

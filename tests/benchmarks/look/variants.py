"""What is compared: presets, presets with some settings changed, pictures of other programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.spec.errors import InputError
from engine.spec.settings import DEFAULTS, Settings
from engine.storage.preset_store import preset_named
from engine.storage.presets import Preset, read_preset

_SEPARATOR = ","


@dataclass(frozen=True)
class Variant:
    """One column of a comparison.

    Attributes:
        label: What it is called.
        settings: What it is painted with, network and size included; None for a folder's pictures.
        folder: Where finished pictures lie, `content__style.png`; None where it is painted.
    """

    label: str
    settings: Settings | None = None
    folder: Path | None = None


def variants(
    presets: str, given: Sequence[str], folders: Sequence[Path], common: Mapping[str, str]
) -> list[Variant]:
    """All columns in order: presets, variants of presets, folders of pictures.

    Args:
        presets: Names or files, with commas between them; may be empty.
        given: `label: preset=NAME, NAME=VALUE, ...` each; the preset may be left out.
        folders: Each a column of its own, called by its name.
        common: Settings of all that are painted, by name; a variant's own go before them.

    Raises:
        InputError: There is no such preset or setting, a value does not fit, or two columns would
            have one label.
    """
    names = [name.strip() for name in presets.split(_SEPARATOR) if name.strip()]
    found = [_painted(*_preset(name), {}, common) for name in names]
    found += [_variant(text, common) for text in given]
    found += [Variant(folder.name, folder=folder) for folder in folders]
    labels = [variant.label for variant in found]
    twice = next((label for label in labels if labels.count(label) > 1), None)
    if twice is not None:
        raise InputError(f"Two columns would be called {twice}.", "Give one another label.")
    if not found:
        raise InputError("There is nothing to judge.", "Name presets with --presets.")
    return found


def named_values(words: Sequence[str]) -> dict[str, str]:
    """Settings out of `NAME=VALUE` each.

    Raises:
        InputError: One has no `=`.
    """
    values = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals:
            raise InputError(f"{word} is no setting.", "Write NAME=VALUE.")
        values[name.strip()] = value.strip()
    return values


def _variant(text: str, common: Mapping[str, str]) -> Variant:
    label, colon, rest = text.partition(":")
    if not colon or not label.strip():
        raise InputError(f"{text} has no label.", 'Write "LABEL: preset=NAME, NAME=VALUE, ...".')
    values = named_values(_parts(rest))
    preset = _preset(values.pop("preset"))[1] if "preset" in values else None
    return _painted(label.strip(), preset, values, common)


def _parts(text: str) -> list[str]:
    """Cut at the commas behind which a setting begins: a list of layers has commas of its own."""
    parts: list[str] = []
    for piece in text.split(_SEPARATOR):
        if parts and "=" not in piece:
            parts[-1] += _SEPARATOR + piece
        elif piece.strip():
            parts.append(piece)
    return parts


def _preset(name: str) -> tuple[str, Preset]:
    path = Path(name)
    read = read_preset(path) if path.suffix == ".json" else preset_named(name)
    if read.notes:
        raise InputError(f"The preset {name} cannot be used as it is: {' '.join(read.notes)}")
    return read.preset.name, read.preset


def _painted(
    label: str, preset: Preset | None, own: Mapping[str, str], common: Mapping[str, str]
) -> Variant:
    settings = preset.applied_to(DEFAULTS) if preset else DEFAULTS
    values = {**common, **own}
    # First the network: a preset's layers are replaced where it lacks them.
    network = DEFAULTS.changed(network=values.pop("network", settings.network)).network
    return Variant(label, settings.on(network).changed(**values))

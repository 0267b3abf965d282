"""Named settings without pictures: what a preset is, its file, and the looks that ship."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_serializer,
    field_validator,
)

from engine.spec.earlier_settings import with_former_meaning
from engine.spec.errors import InputError
from engine.spec.settings import PARAMETER, PARAMETERS, Settings, present_name, settings_from
from engine.spec.stored_settings import usable_values, with_present_names
from engine.spec.versions import Migration, migrated, numbered, unknown_in
from engine.storage.naming import shown_name
from engine.storage.ordinary import read_ordinary
from engine.storage.paths import replacing, unreadable
from resources import PRESETS

_CHAIN: Final[tuple[Migration, ...]] = (
    with_present_names,
    functools.partial(with_former_meaning, preset=True),
)
"""Format 2 has the settings by their present names, format 3 those of a look as they are meant."""


class Preset(BaseModel):
    """A name for a look: values for what a preset carries, the rest of that at its defaults.

    Attributes:
        name: 1 to 80 printable characters without slashes.
        description: What it does to a picture, at most 1000 printable characters.
        settings: Names and values as JSON has them; made from the same, or from `Settings`.

    Raises:
        InputError: The name, the description or a setting cannot be; the message says which.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False)

    name: str
    description: str = ""
    settings: Mapping[str, Any] = Field(default_factory=lambda: MappingProxyType({}))

    @field_validator("name")
    @classmethod
    def _plain(cls, name: str) -> str:
        name = name.strip()
        if not 1 <= len(name) <= 80 or not name.isprintable() or set(name) & set("/\\"):
            raise InputError(
                f"A preset cannot be named {name[:80]!r}.",
                "Use 1 to 80 printable characters without slashes.",
            )
        return name

    @field_validator("description")
    @classmethod
    def _readable(cls, description: str) -> str:
        if len(description) > 1000 or not description.isprintable():
            raise InputError(
                "The preset's description cannot be shown.",
                "Use at most 1000 printable characters.",
            )
        return description

    @field_validator("settings", mode="plain")
    @classmethod
    def _carried(cls, settings: object) -> Mapping[str, Any]:
        # All that a preset carries, so that an own look outlives a change of defaults.
        if isinstance(settings, Settings):
            return _as_json(settings, {row.name for row in PARAMETERS if row.preset})
        if not isinstance(settings, Mapping):
            raise InputError("The preset's settings are not names with values.")
        for name in settings:
            if not _carries(name):
                raise InputError(f"A preset cannot carry the setting {name}.")
        return _as_json(settings_from(settings), set(map(present_name, settings)))

    @field_serializer("settings")
    def _plain_dict(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        return dict(settings)

    def applied_to(self, settings: Settings) -> Settings:
        """The preset's look, with what belongs to the machine or the occasion left as it is."""
        defaults = {row.name: row.default for row in PARAMETERS if row.preset}
        return settings.changed(**{**defaults, **self.settings})


class ReadPreset(NamedTuple):
    """A preset out of a file, and a sentence on everything in the file that could not be used.

    Attributes:
        rest: What that is, as the file has it.
    """

    preset: Preset
    notes: tuple[str, ...]
    rest: Mapping[str, Any] = MappingProxyType({})


def parse_preset(data: bytes, source: str) -> ReadPreset:
    """Read a preset from JSON, trusting nothing in it.

    What is unknown or no longer fits costs only itself.

    Args:
        data: The file's bytes.
        source: What to call the file in messages.

    Raises:
        NewerFormatError: It was made by a newer version.
        InputError: It is no preset; the message says why.
    """
    try:
        values = _object_in(data)
    except InputError as error:
        reason = error.message.rstrip(".")
    except RecursionError:
        reason = "it is nested too deeply"
    except ValueError as error:
        reason = f"it is not valid JSON ({error})"
    else:
        return _preset_from(migrated(values, _CHAIN, f"The preset {source}"), source)
    raise _unusable(source, reason)


def read_preset(path: Path) -> ReadPreset:
    """Read a preset's file.

    Raises:
        NewerFormatError: It was made by a newer version.
        InputError: It cannot be read or is no preset; the message says why.
    """
    try:
        data = read_ordinary(path)
    except OSError as error:
        raise unreadable(path, error) from error
    return parse_preset(data, shown_name(path))


def write_preset(
    preset: Preset,
    path: Path,
    *,
    overwrite: bool = True,
    rest: Mapping[str, Any] = MappingProxyType({}),
) -> None:
    """Write a preset's file.

    Args:
        preset: What it is to hold.
        path: Where it goes.
        overwrite: Whether what is there may be replaced.
        rest: What else stands in it, of which another version may know the use.

    Raises:
        InputError: The place cannot be written to, or is taken and may not be overwritten; what
            was there is still there.
    """

    def check(written: bytes) -> None:
        read = parse_preset(written, path.name)
        if (read.preset, read.rest) != (preset, rest):
            raise InputError(f"{path} was not written faithfully.", "Check the disk.")

    values = {**preset.model_dump(), **rest}
    values["settings"] = {**preset.settings, **rest.get("settings", {})}
    text = json.dumps(numbered(values, _CHAIN), indent=2, ensure_ascii=False)
    with replacing(path, overwrite=overwrite, check=check) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")


@functools.cache
def builtin_presets() -> tuple[Preset, ...]:
    """The presets that ship with the program, in the order to show them."""
    return tuple(read_preset(path).preset for path in sorted(PRESETS.glob("*.json")))


def _object_in(data: bytes) -> dict[str, Any]:
    """The JSON object that a file consists of.

    Raises:
        InputError, ValueError, RecursionError: It is something else, or not even JSON.
    """
    values = json.loads(
        data, object_pairs_hook=_once_each, parse_int=_whole, parse_constant=_no_constant
    )
    if not isinstance(values, dict):
        raise InputError("it holds something else")
    return values


def _preset_from(values: Mapping[str, Any], source: str) -> ReadPreset:
    """The preset that a file's values make, whatever else they hold."""
    settings = values.get("settings", {})
    if not isinstance(settings, Mapping):
        raise _unusable(source, "its settings are not names with values")
    notes = [f"A preset has no {key[:40]!r}." for key in values if key not in Preset.model_fields]
    notes += [
        f"A preset cannot carry the setting {name}." for name in settings if not _carries(name)
    ]
    taken, lost = usable_values({name: settings[name] for name in filter(_carries, settings)})
    fields = {"name": values.get("name"), "settings": taken}
    known = set(Preset.model_fields)
    try:
        preset = Preset.model_validate(fields)
    except InputError as error:
        raise _unusable(source, error.message.rstrip(".")) from error
    except ValidationError as error:
        raise _unusable(source, "it has no name") from error
    try:
        preset = Preset.model_validate({**fields, "description": values.get("description", "")})
    except (InputError, ValidationError):
        notes.append("Its description cannot be shown.")
        known.remove("description")
    rest = unknown_in(values, known)
    unused = {name: settings[name] for name in settings if present_name(name) not in taken}
    if unused:
        rest["settings"] = unknown_in(unused, ())
    notes = [f"{source}: {note}" for note in (*notes, *lost)]
    return ReadPreset(preset, tuple(notes), MappingProxyType(rest))


def _unusable(source: str, reason: str) -> InputError:
    return InputError(
        f"The preset {source} cannot be used: {reason[:200]}.", "Choose another file, or mend this."
    )


def _carries(name: str) -> bool:
    """Whether a preset may hold a setting; what no setting is called is refused elsewhere."""
    row = PARAMETER.get(present_name(name))
    return row is None or row.preset


def _as_json(settings: Settings, names: set[str]) -> Mapping[str, Any]:
    return MappingProxyType(settings.model_dump(mode="json", include=names))


def _whole(digits: str) -> int | float:
    # No parameter is as large as this, and Python refuses to read thousands of digits.
    return int(digits) if len(digits) <= 18 else float(digits)


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        raise InputError("a name stands in it twice")
    return values


def _no_constant(word: str) -> object:
    raise InputError(f"{word} is not a number")

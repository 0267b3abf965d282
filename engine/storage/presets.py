"""Named settings without pictures: what a preset is, its file, and the looks that ship."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_serializer,
    field_validator,
)

from engine.spec.errors import InputError
from engine.spec.settings import PARAMETER, PARAMETERS, Settings, settings_from
from engine.storage.paths import replacing, unreadable
from resources import PRESETS

_LARGEST = 2**20
"""Bytes in a file; a preset has a few hundred."""


class Preset(BaseModel):
    """A name for a look: values for what a preset carries, the rest of that at its defaults.

    Attributes:
        format: The version of the file's layout.
        name: 1 to 80 printable characters without slashes.
        description: What it does to a picture, at most 1000 printable characters.
        settings: Names and values as JSON has them; made from the same, or from `Settings`.

    Raises:
        InputError: The name, the description or a setting cannot be; the message says which.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False)

    format: Literal[1] = 1
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
            if name in PARAMETER and not PARAMETER[name].preset:
                raise InputError(f"A preset cannot carry the setting {name}.")
        return _as_json(settings_from(settings), set(settings))

    @field_serializer("settings")
    def _plain_dict(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        return dict(settings)

    def applied_to(self, settings: Settings) -> Settings:
        """The preset's look, with what belongs to the machine or the occasion left as it is."""
        defaults = {row.name: row.default for row in PARAMETERS if row.preset}
        return settings.changed(**{**defaults, **self.settings})


def parse_preset(data: bytes, source: str) -> Preset:
    """Read a preset from JSON, trusting nothing in it.

    Args:
        data: The file's bytes.
        source: What to call the file in messages.

    Raises:
        InputError: It is not a valid preset; the message says why.
    """
    try:
        if len(data) > _LARGEST:
            raise InputError("it is far too large")
        values = json.loads(
            data, object_pairs_hook=_once_each, parse_int=_whole, parse_constant=_no_constant
        )
        if not isinstance(values, dict):
            raise InputError("it holds something else")
        return Preset.model_validate(values)
    except InputError as error:
        reason = error.message.rstrip(".")
    except ValidationError as error:
        first = error.errors()[0]
        reason = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    except RecursionError:
        reason = "it is nested too deeply"
    except ValueError as error:
        reason = f"it is not valid JSON ({error})"
    raise InputError(
        f"The preset {source} cannot be used: {reason[:200]}.", "Choose another file, or mend this."
    )


def read_preset(path: Path) -> Preset:
    """Read a preset's file.

    Raises:
        InputError: It cannot be read or is not a valid preset; the message says why.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST + 1)
    except OSError as error:
        raise unreadable(path, error) from error
    return parse_preset(data, path.name)


def write_preset(preset: Preset, path: Path) -> None:
    """Write a preset's file, replacing what is there.

    Raises:
        InputError: The place cannot be written to; what was there is still there.
    """
    with replacing(path) as temporary:
        temporary.write_text(preset.model_dump_json(indent=2) + "\n", encoding="utf-8")
        if parse_preset(temporary.read_bytes(), path.name) != preset:
            raise InputError(f"{path} was not written faithfully.", "Check the disk.")


@functools.cache
def builtin_presets() -> tuple[Preset, ...]:
    """The presets that ship with the program, in the order to show them."""
    return tuple(read_preset(path) for path in sorted(PRESETS.glob("*.json")))


def _as_json(settings: Settings, names: set[str]) -> Mapping[str, Any]:
    return MappingProxyType(settings.model_dump(mode="json", include=names))


def _whole(digits: str) -> int:
    # No parameter is as large as this, and what is larger may not fit a float.
    if len(digits) > 18:
        raise InputError("a number in it is far too large")
    return int(digits)


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        raise InputError("a name stands in it twice")
    return values


def _no_constant(word: str) -> object:
    raise InputError(f"{word} is not a number")

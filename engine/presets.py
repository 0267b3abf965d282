"""Named settings without pictures: the looks that ship, and the form in which people share theirs."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from pydantic import field_validator

from engine.errors import InputError
from engine.paths import replacing
from engine.settings import PARAMETER, PARAMETERS, Settings, settings_from
from resources import PRESETS

FORMAT = 1
"""The version of the file's layout; a program reads its own only."""

_LARGEST = 2**20
"""Bytes; a preset has a few hundred."""


class Preset(BaseModel):
    """A name for a look: values of the parameters a preset carries, the rest at their defaults.

    Made by `preset_of` and `preset_from`, which put what is wrong into words.

    Attributes:
        name: 1 to 80 printable characters, without slashes.
        description: What it does to a picture; printable lines.
        settings: Names and values as JSON has them, checked by `settings_from`.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False)

    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]
    description: Annotated[str, StringConstraints(max_length=1000)] = ""
    settings: Mapping[str, Any] = MappingProxyType({})

    @field_validator("name")
    @classmethod
    def _plain(cls, name: str) -> str:
    ...

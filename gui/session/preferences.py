"""What the window remembers between two starts, in one versioned file of plain text."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_serializer

from engine.spec.settings import DEFAULTS, Settings
from engine.storage.paths import replacing

MOST_RECENT = 10

_NOT_KEPT = "The file stays as it is, and what you choose now is not kept."


class Theme(StrEnum):
    """How the window is coloured."""

    SYSTEM = "system"
    LIGHT = "light"
    DARK = "dark"


class Preferences(BaseModel):
    """All that is remembered; frozen, replaced as a whole.

    Attributes:
        version: Of this layout.
        settings: As the panel last showed them.
        theme: How the window is coloured.
        jpeg_quality: Last chosen, 1 to 100.
        loss_curves: Whether they are shown.
        advanced: Whether the field's own terms are unfolded.
        draft: Whether the draft network is used whatever the settings say.
        vgg_offered: Whether the offer to fetch VGG-19 has been read and put away.
        contents, styles: Recently opened files, the latest first.
        save_folder: Where the last pastiche was saved; empty before the first. Not written down if
            it is not valid Unicode, which JSON cannot hold.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False)

    version: Literal[1] = 1
    settings: Settings = DEFAULTS
    theme: Theme = Theme.SYSTEM
    jpeg_quality: int = Field(95, ge=1, le=100)
    loss_curves: bool = True
    advanced: bool = False
    draft: bool = False
    vgg_offered: bool = False
    contents: tuple[str, ...] = ()
    styles: tuple[str, ...] = ()
    save_folder: str = ""

    @field_serializer("save_folder")
    def _write_folder(self, folder: str) -> str:
        return folder if _is_unicode(folder) else ""


def with_recent(files: tuple[str, ...], path: Path) -> tuple[str, ...]:
    """A list of recent files with one more in front, each once, not too long.

    A path that is not valid Unicode, which JSON cannot hold, is left out.
    """
    latest = str(path.absolute())
    if not _is_unicode(latest):
        return files
    return (latest, *(file for file in files if file != latest))[:MOST_RECENT]


class PreferenceStore:
    """Loads and saves `Preferences`.

    A file that cannot be understood is set aside. One that cannot be read, or not set aside, stays
    where it is, and nothing is saved over it: it may hold all a person has chosen.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._may_save = True

    def load(self) -> tuple[Preferences, str]:
        """The preferences, and a sentence for the person if defaults were taken; else empty."""
        try:
            return Preferences.model_validate_json(self._path.read_bytes()), ""
        except FileNotFoundError:
            return Preferences(), ""
        except OSError as error:
            self._may_save = False
            reason = error.strerror or error
            return Preferences(), f"The preferences could not be read: {reason}. {_NOT_KEPT}"
        except ValidationError:
            aside = self._set_aside()
            self._may_save = aside is not None
            then = f"The old file is now {aside.name}." if aside else _NOT_KEPT
            return Preferences(), f"The preferences could not be understood. {then}"

    def save(self, preferences: Preferences) -> None:
        """Replace the file as a whole, unless what it holds would be lost.

        Raises:
            InputError: The folder cannot be written to; the old file is as it was.
        """
        if not self._may_save:
            return
        with replacing(self._path) as temporary:
            temporary.write_text(preferences.model_dump_json(indent=1), encoding="utf-8")

    def _set_aside(self) -> Path | None:
        """Rename the file to the first free `preferences.unreadable-1.json`, `-2`, ..."""
        number = 1
        try:
            while (aside := self._path.with_suffix(f".unreadable-{number}.json")).exists():
                number += 1
            return self._path.rename(aside)
        except OSError:
            return None


def _is_unicode(path: str) -> bool:
    """Whether a name is free of the surrogates that stand for bytes of another encoding."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True

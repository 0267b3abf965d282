"""What the window remembers between two starts: as it is now, and in one file of plain text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_serializer
from PySide6.QtCore import QObject, QTimer, Signal, Slot

from engine.spec.earlier_settings import with_former_choices
from engine.spec.errors import InputError, NewerFormatError
from engine.spec.settings import DEFAULTS, PARAMETER, Settings, present_name
from engine.spec.stored_settings import settings_and_notes, with_present_names
from engine.spec.versions import Migration, migrated, numbered, unknown_in
from engine.storage.formats import QUALITIES, USUAL_QUALITY
from engine.storage.ordinary import read_ordinary
from engine.storage.paths import replacing, set_aside
from gui.base.tasks import Tasks

MOST_RECENT = 10

SAVE_MILLISECONDS = 1000
"""A burst of changes, as from a dragged slider, is written once."""

_NOT_KEPT = "The file stays as it is, and what you choose now is not kept."


def _without_version(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name != "version"}


_CHAIN: tuple[Migration, ...] = (
    lambda values: with_present_names(_without_version(values)),
    with_former_choices,
)
"""Format 2 has the settings by their present names, and its number where every file has it; format
3 has them as they are meant."""


class Theme(StrEnum):
    """How the window is coloured."""

    SYSTEM = "system"
    LIGHT = "light"
    DARK = "dark"


class Preferences(BaseModel):
    """All that is remembered; frozen, replaced as a whole.

    Attributes:
        settings: As the panel last showed them.
        theme: How the window is coloured.
        jpeg_quality: Last chosen.
        loss_curves: Whether they are shown.
        advanced: Whether the field's own terms are unfolded.
        draft: Whether the draft network is used whatever the settings say.
        vgg_offered: Whether the offer to fetch VGG-19 has been read and put away.
        card_remark: Why no graphics card is used, as it was when that was read and put away.
        contents, styles: Recently opened files, the latest first.
        save_folder: Where the last pastiche was saved; empty before the first. Not written down if
            it is not valid Unicode, which JSON cannot hold.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False)

    settings: Settings = DEFAULTS
    theme: Theme = Theme.SYSTEM
    jpeg_quality: int = Field(USUAL_QUALITY, ge=QUALITIES[0], le=QUALITIES[-1])
    loss_curves: bool = True
    advanced: bool = False
    draft: bool = False
    vgg_offered: bool = False
    card_remark: str = ""
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

    A file that cannot be understood is set aside. One that cannot be read, or not set aside, or is
    of a newer version stays as it is, and nothing is saved over it: it may hold all a person has
    chosen. What only another version knows is written again as it was read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._may_save = True
        self._rest: dict[str, Any] = {}

    def load(self) -> tuple[Preferences, str]:
        """The preferences, and sentences on what was left at its default and why; else empty."""
        try:
            values = _object_in(read_ordinary(self._path))
            values = migrated(values, _CHAIN, "The preferences' file")
        except FileNotFoundError:
            return Preferences(), ""
        except OSError as error:
            self._may_save = False
            reason = error.strerror or error
            return Preferences(), f"The preferences could not be read: {reason}. {_NOT_KEPT}"
        except NewerFormatError as error:
            self._may_save = False
            return Preferences(), f"{error} {_NOT_KEPT}"
        except (InputError, ValueError, RecursionError):
            aside = set_aside(self._path)
            self._may_save = aside is not None
            then = f"The old file is now {aside.name}." if aside else _NOT_KEPT
            return Preferences(), f"The preferences could not be understood. {then}"
        preferences, notes, self._rest = _preferences_from(values)
        return preferences, " ".join(("In the preferences:", *notes)) if notes else ""

    def save(self, preferences: Preferences) -> None:
        """Replace the file as a whole, unless what it holds would be lost.

        Raises:
            InputError: The folder cannot be written to; the old file is as it was.
        """
        if not self._may_save:
            return
        values = preferences.model_dump(mode="json")
        settings = {**self._rest.get("settings", {}), **values["settings"]}
        values = {**self._rest, **values, "settings": settings}
        text = json.dumps(numbered(values, _CHAIN), indent=1)
        with replacing(self._path) as temporary:
            temporary.write_text(text, encoding="utf-8")


class Memory(QObject):
    """Holds the preferences for everyone who reads or changes some of them.

    Attributes:
        changed: Carries the new `Preferences`.
        noticed: Carries a sentence for the person when they cannot be kept.
    """

    changed = Signal(object)
    noticed = Signal(str)

    def __init__(
        self,
        preferences: Preferences,
        store: PreferenceStore,
        tasks: Tasks,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.now = preferences
        self._store = store
        self._tasks = tasks
        self._timer = QTimer(self, interval=SAVE_MILLISECONDS, singleShot=True)
        self._timer.timeout.connect(self._save_soon)

    def change(self, **values: Any) -> None:
        """Replace some of the preferences."""
        self.now = self.now.model_copy(update=values)
        self._timer.start()
        self.changed.emit(self.now)

    async def save(self) -> None:
        """Write them down if there is anything new."""
        if not self._timer.isActive():
            return
        self._timer.stop()
        await self._write()

    @Slot()
    def _save_soon(self) -> None:
        self._tasks.start(self._write)

    async def _write(self) -> None:
        try:
            await self._tasks.in_background(self._store.save, self.now)
        except InputError as error:
            self.noticed.emit(f"Your preferences are not kept. {error}")


def _object_in(data: bytes) -> dict[str, Any]:
    values = json.loads(data)
    if not isinstance(values, dict):
        raise ValueError("preferences are names with values")
    return values


def _preferences_from(
    values: Mapping[str, Any],
) -> tuple[Preferences, tuple[str, ...], dict[str, Any]]:
    """What a file's values make, a note on each that does not fit, and those that are unknown."""
    rest = unknown_in(values, Preferences.model_fields)
    given = values.get("settings", {})
    if isinstance(given, Mapping):
        foreign = {name: value for name, value in given.items() if not _is_setting(name)}
        given = {name: value for name, value in given.items() if _is_setting(name)}
        rest["settings"] = unknown_in(foreign, ())
    settings, lost = settings_and_notes(given)
    chosen: dict[str, Any] = {"settings": settings}
    notes = list(lost)
    for name, value in values.items():
        if name in Preferences.model_fields and name != "settings":
            try:
                # JSON has neither enums nor tuples, which pydantic knows only of its own reading.
                one = Preferences.model_validate_json(json.dumps({name: value}))
            except ValidationError:
                notes.append(f"The preference {name} does not fit, so it is at its default.")
            else:
                chosen[name] = getattr(one, name)
    return Preferences(**chosen), tuple(notes), rest


def _is_setting(name: str) -> bool:
    return present_name(name) in PARAMETER


def _is_unicode(path: str) -> bool:
    """Whether a name is free of the surrogates that stand for bytes of another encoding."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True

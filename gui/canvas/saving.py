"""How a pastiche goes out: never lost without a question, never called saved before it is."""

from __future__ import annotations

import os
from enum import Enum, auto
from pathlib import Path

from PySide6.QtCore import QObject, QStandardPaths, Signal

from engine.storage.naming import output_name
from engine.storage.recipes import recipe_of
from engine.storage.saving import save_pixels
from gui.base.dialogs import Dialogs
from gui.base.tasks import Tasks
from gui.session.preferences import Memory
from gui.session.session import Result, Session

JPEG_SUFFIXES = (".jpg", ".jpeg")


class Keep(Enum):
    """What to do with a pastiche that is in the way and not saved."""

    SAVE = auto()
    DROP = auto()


class Existing(Enum):
    """What to do with a file of the name to save under."""

    REPLACE = auto()


class Saving(QObject):
    """Writes the session's result to files.

    Attributes:
        noticed: Carries a sentence once a file is safely there.
    """

    noticed = Signal(str)

    def __init__(
        self,
        session: Session,
        tasks: Tasks,
        dialogs: Dialogs,
        memory: Memory,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._tasks = tasks
        self._dialogs = dialogs
        self._memory = memory

    async def save_as(self) -> bool:
        """Ask where and save; whether it is saved.

        Raises:
            InputError: It could not be written; the pastiche is still there and still unsaved.
        """
        result = self._session.result
        if result is None:
            return False
        path = await self._dialogs.save_picture(self._suggestion(result))
        if path is None:
            return False
        quality = self._memory.now.jpeg_quality
        if path.suffix.lower() in JPEG_SUFFIXES:
            chosen = await self._dialogs.jpeg_quality(quality)
            if chosen is None:
                return False
            quality = chosen
        taken = await self._tasks.in_background(os.path.lexists, path)
        if taken and not await self._may_overwrite(path):
            return False
        self._memory.change(save_folder=str(path.parent), jpeg_quality=quality)
        await self._tasks.in_background(_write, result, path, quality, overwrite=taken)
        self._session.mark_saved(result, path)
        self.noticed.emit(f"Saved {path.name} in {path.parent}")
        return True

    async def may_replace(self, reason: str) -> bool:
        """Ask what becomes of an unsaved pastiche; whether it may go now.

        Args:
            reason: What is about to happen to it, one sentence.
        """
        if not self._session.unsaved:
            return True
        answers = {"Save…": Keep.SAVE, "Don't save": Keep.DROP}
        answer = await self._dialogs.choose("Save the pastiche first?", reason, answers)
        return answer is Keep.DROP or (answer is Keep.SAVE and await self.save_as())

    async def _may_overwrite(self, path: Path) -> bool:
        question, detail = f"{path.name} exists already. Replace it?", f"It is in {path.parent}."
        answers = {"Replace": Existing.REPLACE}
        return await self._dialogs.choose(question, detail, answers) is Existing.REPLACE

    def _suggestion(self, result: Result) -> Path:
        folder = self._memory.now.save_folder
        if not folder or not Path(folder).is_dir():
            place = QStandardPaths.StandardLocation.PicturesLocation
            folder = QStandardPaths.writableLocation(place)
        height, width = result.pastiche.pixels.shape[:2]
        request = result.outcome.request
        return output_name(
            Path(folder),
            content=request.content.name if request.content else "texture",
            style=request.styles[0].name,
            preset=result.preset,
            size=(width, height),
            suffix=".png",
        )


def _write(result: Result, path: Path, quality: int, *, overwrite: bool) -> None:
    recipe = recipe_of(result.outcome, result.preset)
    save_pixels(result.pastiche.pixels, path, recipe=recipe, quality=quality, overwrite=overwrite)

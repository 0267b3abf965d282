"""The preferences as they are now, written to their file soon after each change."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from engine.spec.errors import InputError
from gui.base.tasks import Tasks
from gui.session.preferences import Preferences, PreferenceStore

SAVE_MILLISECONDS = 1000
"""A burst of changes, as from a dragged slider, is written once."""


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

"""The stories that concern more than one part of the program."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QGuiApplication

from engine.choices import Start
from gui.copying import clipboard_data, encoded
from gui.network_desk import NetworkDesk
from gui.opening import Opening, Role
from gui.saving import Saving
from gui.session import Session
from gui.tasks import Tasks
from resources import SAMPLES


class Commands(QObject):
    """What the larger actions do.

    Args:
        commit: Takes over a setting that is still being typed.

    Attributes:
        noticed: Carries a sentence for the person.
    """

    noticed = Signal(str)

    def __init__(
        self,
        session: Session,
        opening: Opening,
        saving: Saving,
        desk: NetworkDesk,
        commit: Callable[[], None],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._opening = opening
        self._saving = saving
        self._desk = desk
        self._commit = commit

    async def render(self) -> None:
        """Render, once there is a picture to start from and the last pastiche is settled."""
        self._commit()
        session = self._session
        if session.settings.start is Start.PICTURE and session.start is None:
            await self._opening.choose(Role.START)
            if session.start is None:
                return
        if await self._saving.may_replace("Rendering again will replace it."):
            await session.render()

    async def open_sample(self) -> None:
        """Open the pair of pictures that comes with the program."""
        await self._opening.open(Role.CONTENT, (SAMPLES / "photograph.jpg",))
        if not self._session.styles:
            await self._opening.open(Role.STYLE, (SAMPLES / "painting.jpg",))

    async def show_network(self) -> None:
        """Show where the chosen network's weights are."""
        await self._desk.show(self._session.settings.network)

    async def copy_image(self, tasks: Tasks) -> None:
        """Put the pastiche into the clipboard."""
        result = self._session.result
        if result is not None:
            png = await tasks.in_background(encoded, result.image)
            QGuiApplication.clipboard().setMimeData(clipboard_data(result.image, png))
            self.noticed.emit("The pastiche is in the clipboard.")

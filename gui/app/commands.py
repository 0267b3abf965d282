"""The stories that concern more than one part of the program."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QGuiApplication

from engine.spec.choices import Start
from gui.base.tasks import Tasks
from gui.canvas.copying import clipboard_data, encoded
from gui.canvas.saving import Saving
from gui.inputs.opening import Opening, Role
from gui.inputs.samples import SAMPLE_PAIRS, sample_thumbnail
from gui.inputs.start_page import StartPage
from gui.session.session import Session
from gui.weights.controller import NetworkDesk


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

    async def show_samples(self, tasks: Tasks, page: StartPage) -> None:
        """Put small copies of the sample pictures on the start page."""
        files = {file for pair in SAMPLE_PAIRS for file in (pair.painting, pair.photograph)}
        page.show_samples(
            {file: await tasks.in_background(sample_thumbnail, file) for file in files}
        )

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

"""What the Help menu shows."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QObject, QUrl, Slot
from PySide6.QtGui import QAction, QDesktopServices, QKeySequence

from engine import __version__
from engine.plan.machine import Inventory
from engine.storage.paths import log_folder
from gui.app.system_information import system_information
from gui.base.dialogs import Dialogs
from gui.session.engine_thread import EngineThread
from resources import LOOKS

ABOUT = (
    f"<h3>Gramarye {__version__}</h3>"
    "<p>Neural style transfer by optimisation, for artists: offline, on your own machine.</p>"
    "<p>After L. A. Gatys, A. S. Ecker and M. Bethge, <i>Image Style Transfer Using "
    "Convolutional Neural Networks</i>, 2016.</p>"
)


class Helping(QObject):
    """Tells about the program and the machine it runs on."""

    def __init__(
        self,
        actions: Iterable[QAction],
        engine: EngineThread,
        dialogs: Dialogs,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._actions = tuple(actions)
        self._dialogs = dialogs
        self._inventory = Inventory()
        engine.warmed.connect(self._note_devices)

    async def show_shortcuts(self) -> None:
        """List the keys of all actions."""
        lines = shortcut_lines(self._actions)
        width = max(len(keys) for keys, _ in lines)
        text = "\n".join(f"{keys:<{width}}  {words}" for keys, words in lines)
        await self._dialogs.show_text("Keyboard shortcuts", text)

    async def show_looks(self) -> None:
        """Show pictures of what presets and settings do."""
        await self._dialogs.show_page("What presets and settings do", LOOKS / "looks.md")

    async def show_system_information(self) -> None:
        """Show what a report of a problem needs."""
        await self._dialogs.show_text("System information", system_information(self._inventory))

    async def show_about(self) -> None:
        """Say what this program is."""
        await self._dialogs.show_about(ABOUT)

    def open_logs(self) -> None:
        """Show the folder with the logs."""
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(log_folder())))

    @Slot(object)
    def _note_devices(self, inventory: Inventory) -> None:
        self._inventory = inventory


def shortcut_lines(actions: Iterable[QAction]) -> list[tuple[str, str]]:
    """Keys and words of every action that has keys, as the platform writes them."""
    native = QKeySequence.SequenceFormat.NativeText
    return [
        (action.shortcut().toString(native), action.text().replace("&", "").rstrip("…"))
        for action in actions
        if not action.shortcut().isEmpty()
    ]

"""Gets hold of network weights from the window: looks for them, downloads them, imports a file."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from engine import weights
from engine.choices import NetworkName
from engine.errors import Cancelled, NetworkMissingError
from gui.dialogs import Dialogs
from gui.network_page import NetworkPage
from gui.tasks import Tasks

SHOW_MILLISECONDS = 100


class NetworkDesk(QObject):
    """Runs the network page; one download at a time.

    Attributes:
        missing: A network is not there, the page tells of it.
        settled: The page has nothing more to say.
        noticed: Carries a sentence for the person.
    """

    missing = Signal()
    settled = Signal()
    noticed = Signal(str)

    def __init__(
        self,
        page: NetworkPage,
        tasks: Tasks,
        dialogs: Dialogs,
        find_weights: Callable[[NetworkName], Path],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._page = page
        self._tasks = tasks
        self._dialogs = dialogs
        self._find_weights = find_weights
        self._network = NetworkName.VGG19
        self._engine_loaded = asyncio.Event()
        self._cancelled = threading.Event()
        self._arrived: tuple[int, int] | None = None
        self._busy = False
        self._clock = QTimer(self, interval=SHOW_MILLISECONDS)
        self._clock.timeout.connect(self._show_arrived)

    async def check(self, network: NetworkName) -> None:
        """Look for a network's weights; show the page only if they are missing."""
        if self._busy:
            return
        self._network = network
        try:
            await self._tasks.in_background(self._find_weights, network)
        except NetworkMissingError:
            await self._offer()
        else:
            self.settled.emit()

    async def show(self, network: NetworkName) -> None:
        """Show where a network's weights are, or that they are missing."""
        if self._busy:
            self.missing.emit()
            return
        self._network = network
        try:
            path = await self._tasks.in_background(self._find_weights, network)
        except NetworkMissingError:
            await self._offer()
        else:
            self._page.show_found(weights.network_title(network), str(path))
            self.missing.emit()

    async def download(self) -> None:
        """Fetch and import the network that is missing.

        Raises:
            GramaryeError: It could not be fetched or is damaged.
        """
        network = self._network
        self._cancelled.clear()
        self._arrived = None
        self._clock.start()
        try:
            await self._import(
                "Asking for the file…",
                weights.download_weights,
                network,
                self._count,
                self._cancelled.is_set,
            )
        except Cancelled:
            self.noticed.emit("The download was cancelled; what has arrived is kept.")

    async def locate(self) -> None:
        """Ask for a file and import it.

        Raises:
            InputError: It is no such network.
        """
        title = weights.network_title(self._network)
        path = await self._dialogs.open_network(f"Locate the weights of {title}")
        if path is not None:
            await self._import(f"Reading {path.name}…", weights.import_weights, path, self._network)

    def cancel(self) -> None:
        """End a download; what has arrived is kept for the next attempt."""
        self._cancelled.set()

    @Slot()
    def note_engine_loaded(self) -> None:
        """Looking up the published file needs torchvision, which would compete with the engine."""
        self._engine_loaded.set()

    async def _offer(self) -> None:
        """Show the page at once, and the size and the place as soon as they are known."""
        network = self._network
        self._page.show_missing(weights.network_title(network))
        self.missing.emit()
        await self._engine_loaded.wait()
        download = await self._tasks.in_background(weights.download_of, network)
        if network is self._network and not self._busy:
            self._page.show_offer(download.url, download.size, str(download.destination))

    async def _import(self, words: str, work: Callable[..., Path], *arguments: object) -> None:
        """Show the page busy while weights come; afterwards what has become of them."""
        network, self._busy = self._network, True
        self._page.show_busy(words)
        try:
            await self._engine_loaded.wait()
            path = await self._tasks.in_background(work, *arguments)
        finally:
            self._busy = False
            self._clock.stop()
            self._page.show_busy(None)
            self._tasks.start(self.check(network))
        self.noticed.emit(f"{weights.network_title(network)} is ready: {path}")

    def _count(self, done: int, total: int) -> None:
        # Runs in the executor's thread: one assignment, shown by the clock.
        self._arrived = (done, total)

    @Slot()
    def _show_arrived(self) -> None:
        if self._arrived is not None:
            self._page.show_download(*self._arrived)

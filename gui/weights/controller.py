"""Gets hold of network weights from the window: looks for them, downloads them, imports a file."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from engine.spec.choices import NetworkName
from engine.spec.errors import Cancelled, NetworkMissingError
from engine.weights import installed
from gui.base.dialogs import Dialogs
from gui.base.tasks import Tasks
from gui.session.network_choice import published_network, refuse_without_weights
from gui.weights.network_page import NetworkPage

SHOW_MILLISECONDS = 100


class NetworkDesk(QObject):
    """Runs the network page; one download at a time.

    Attributes:
        page_needed: The page has something to say.
        settled: The page has nothing more to say; a network may have come.
        noticed: Carries a sentence for the person.
    """

    page_needed = Signal()
    settled = Signal()
    noticed = Signal(str)

    def __init__(
        self,
        page: NetworkPage,
        tasks: Tasks,
        dialogs: Dialogs,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._page = page
        self._tasks = tasks
        self._dialogs = dialogs
        self._wanted = NetworkName.AUTO
        self._engine_loaded = asyncio.Event()
        self._cancelled = threading.Event()
        self._arrived: tuple[int, int] | None = None
        self._busy = False
        self._clock = QTimer(self, interval=SHOW_MILLISECONDS)
        self._clock.timeout.connect(self._show_arrived)

    @property
    def _network(self) -> NetworkName:
        return published_network(self._wanted)

    async def check(self, wanted: NetworkName) -> None:
        """Look for a network's weights; show the page only if nothing can be painted without them.

        While others are on their way this waits until they are there.
        """
        self._wanted = wanted
        if self._busy:
            return
        try:
            await self._tasks.in_background(refuse_without_weights, wanted)
        except NetworkMissingError:
            await self._offer()
        else:
            self.settled.emit()

    async def show(self, wanted: NetworkName) -> None:
        """Show where a network's weights are, or that they are missing or on their way."""
        self._wanted = wanted
        if self._busy:
            self.page_needed.emit()
            return
        network = self._network
        try:
            path = await self._tasks.in_background(installed.find_weights, network)
        except NetworkMissingError:
            await self._offer()
        else:
            self._page.show_found(installed.network_title(network), str(path))
            self.page_needed.emit()

    async def download(self) -> None:
        """Fetch and import the network that is missing.

        Raises:
            GramaryeError: It could not be fetched or is damaged.
        """
        network = self._network
        self._arrived = None
        self._clock.start()
        work = partial(installed.download_weights, network, self._count, self._cancelled.is_set)
        try:
            await self._import(network, "Asking for the file…", work, cancellable=True)
        except Cancelled:
            self.noticed.emit("The download was cancelled; what has arrived is kept.")

    async def locate(self) -> None:
        """Ask for a file and import it.

        Raises:
            InputError: It is no such network.
        """
        network = self._network
        title = installed.network_title(network)
        path = await self._dialogs.open_network(f"Locate the weights of {title}")
        if path is not None:
            work = partial(installed.import_weights, path, network)
            await self._import(network, f"Reading {path.name}…", work)

    def cancel(self) -> None:
        """End a download, or the wait for the engine; what has arrived is kept."""
        self._cancelled.set()

    @Slot()
    def note_engine_loaded(self) -> None:
        """Looking up the published file needs torchvision, which would compete with the engine."""
        self._engine_loaded.set()

    async def _offer(self) -> None:
        """Show the page at once, and the size and the place as soon as they are known."""
        network = self._network
        needed = network is self._wanted
        self._page.show_missing(installed.network_title(network), needed=needed)
        self.page_needed.emit()
        await self._engine_loaded.wait()
        download = await self._tasks.in_background(installed.download_of, network)
        if network is self._network and not self._busy:
            self._page.show_offer(download.url, download.size, str(download.destination))

    async def _import(
        self,
        network: NetworkName,
        words: str,
        work: Callable[[], Path],
        *,
        cancellable: bool = False,
    ) -> None:
        """Show the page busy while weights come; afterwards what is still missing."""
        self._busy = True
        self._cancelled.clear()
        self.page_needed.emit()
        try:
            self._page.show_busy("Waiting for the engine to load…", cancellable=True)
            await self._engine_or_cancel()
            self._page.show_busy(words, cancellable=cancellable)
            path = await self._tasks.in_background(work)
        finally:
            self._busy = False
            self._clock.stop()
            self._page.show_busy(None)
            # Another network may have been chosen meanwhile.
            self._tasks.start(self.check(self._wanted))
        self.noticed.emit(f"{installed.network_title(network)} is ready: {path}")

    async def _engine_or_cancel(self) -> None:
        while not self._engine_loaded.is_set():
            if self._cancelled.is_set():
                raise Cancelled
            await asyncio.sleep(SHOW_MILLISECONDS / 1000)

    def _count(self, done: int, total: int) -> None:
        # Runs in the executor's thread: one assignment, shown by the clock.
        self._arrived = (done, total)

    @Slot()
    def _show_arrived(self) -> None:
        if self._arrived is not None:
            self._page.show_download(*self._arrived)

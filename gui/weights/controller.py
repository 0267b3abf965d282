"""Gets hold of network weights from the window: looks for them, downloads them, imports a file."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from engine.spec.choices import NetworkName
from engine.spec.errors import Cancelled, InputError, NetworkMissingError
from engine.spec.layers import network_title
from engine.spec.settings import Settings
from engine.storage.naming import shown_name, shown_path
from engine.weights import installed
from gui.base.dialogs import Dialogs
from gui.base.tasks import Tasks
from gui.session.engine_thread import EngineThread
from gui.session.forecast import Forecaster
from gui.session.network_choice import (
    NetworkChoice,
    published_network,
    refuse_without_weights,
)
from gui.session.preferences import Memory
from gui.session.session import Session
from gui.weights.network_line import NetworkLine
from gui.weights.network_page import NetworkPage

SHOW_MILLISECONDS = 100


class WeightsController(QObject):
    """Runs the network page and the line above the canvas; weights come one at a time.

    Attributes:
        page: Tells of network weights and how they come; in place of the canvas while needed.
        line: Offers VGG-19 while the draft network stands in.
        page_wanted: Carries whether the page has something to say.
        noticed: Carries a sentence for the person.
    """

    page_wanted = Signal(bool)
    noticed = Signal(str)

    def __init__(
        self,
        session: Session,
        engine: EngineThread,
        forecaster: Forecaster,
        memory: Memory,
        dialogs: Dialogs,
        tasks: Tasks,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._forecaster = forecaster
        self._memory = memory
        self._dialogs = dialogs
        self._tasks = tasks
        self._wanted: NetworkName | None = None
        self._engine_loaded = asyncio.Event()
        self._coming: threading.Event | None = None
        self._arrived: tuple[int, int] | None = None
        self._clock = QTimer(self, interval=SHOW_MILLISECONDS)
        self._clock.timeout.connect(self._show_arrived)
        self.page = NetworkPage()
        self.page.download_requested.connect(tasks.starter(self.download))
        self.page.locate_requested.connect(tasks.starter(self.locate))
        self.page.cancel_requested.connect(self.cancel)
        self.page.dismissed.connect(partial(self.page_wanted.emit, False))
        self.line = NetworkLine()
        self.line.download_requested.connect(tasks.starter(self.show))
        self.line.locate_requested.connect(tasks.starter(self.locate))
        self.line.dismissed.connect(self._dismiss_line)
        session.settings_changed.connect(self.follow)
        forecaster.network_chosen.connect(self._offer_better)
        engine.warmed.connect(self._note_engine_loaded)

    @Slot(object)
    def follow(self, settings: Settings) -> None:
        """Tell at once, not only when rendering, that a network's weights are missing."""
        if settings.network is not self._wanted:
            self._look()

    async def show(self) -> None:
        """Show where the network's weights are, or that they are missing or on their way."""
        self._wanted = self._session.settings.network
        network = published_network(self._wanted)
        if self._coming is None:
            try:
                path = await self._tasks.in_background(installed.find_weights, network)
            except NetworkMissingError:
                await self._offer(network)
                return
            if self._coming is None:
                self.page.show_found(network_title(network), shown_path(path))
        self.page_wanted.emit(True)

    async def download(self) -> None:
        """Fetch and import the network that is missing.

        Raises:
            GramaryeError: It could not be fetched or is damaged, or others are on their way.
        """
        with self._one_at_a_time() as cancelled:
            network = self._network
            self._arrived = None
            self._clock.start()
            work = partial(installed.download_weights, network, self._count, cancelled.is_set)
            try:
                await self._import(network, "Asking for the file…", work, cancellable=True)
            except Cancelled:
                self.noticed.emit("The download was cancelled; what has arrived is kept.")

    async def locate(self) -> None:
        """Ask for a file and import it.

        Raises:
            InputError: It is no such network, or others are on their way.
        """
        with self._one_at_a_time():
            network = self._network
            title = network_title(network)
            path = await self._dialogs.open_network(f"Locate the weights of {title}")
            if path is not None:
                work = partial(installed.import_weights, path, network)
                await self._import(network, f"Reading {shown_name(path)}…", work)

    @Slot()
    def cancel(self) -> None:
        """End a download, or the wait for the engine; what has arrived is kept."""
        if self._coming is not None:
            self._coming.set()

    @property
    def _network(self) -> NetworkName:
        return published_network(self._session.settings.network)

    @contextmanager
    def _one_at_a_time(self) -> Iterator[threading.Event]:
        """Meanwhile let nothing else bring weights; yields what tells that it was cancelled."""
        if self._coming is not None:
            raise InputError(
                "Network weights are on their way already.",
                "Wait until they are here, or cancel them first.",
            )
        # One of its own for each, so that beginning another cannot take a cancelling back.
        self._coming = threading.Event()
        self.line.set_busy(True)
        try:
            yield self._coming
        finally:
            self._coming = None
            self.line.set_busy(False)

    async def _import(
        self,
        network: NetworkName,
        words: str,
        work: Callable[[], Path],
        *,
        cancellable: bool = False,
    ) -> None:
        """Show the page busy while weights come; afterwards what is still missing."""
        self.page_wanted.emit(True)
        try:
            self.page.show_busy("Waiting for the engine to load…", cancellable=True)
            await self._engine_or_cancel()
            self.page.show_busy(words, cancellable=cancellable)
            path = await self._tasks.in_background(work)
        finally:
            self._clock.stop()
            self.page.show_busy(None)
            self._look()  # for another network may have been chosen meanwhile
        self.noticed.emit(f"{network_title(network)} is ready: {path}")

    async def _engine_or_cancel(self) -> None:
        assert self._coming is not None
        while not self._coming.is_set():
            if self._engine_loaded.is_set():
                return
            await asyncio.sleep(SHOW_MILLISECONDS / 1000)
        raise Cancelled

    def _look(self) -> None:
        self._wanted = self._session.settings.network
        self._tasks.start(self._check, self._wanted)

    async def _check(self, wanted: NetworkName) -> None:
        """Look for a network's weights; show the page only if nothing can be painted without them.

        While weights are on their way nothing is said; once they are here this is done again.
        """
        try:
            if self._coming is None:
                await self._tasks.in_background(refuse_without_weights, wanted)
        except NetworkMissingError:
            if wanted is self._wanted:
                await self._offer(published_network(wanted))
        else:
            if self._coming is None and wanted is self._wanted:
                self.page_wanted.emit(False)
                self._forecaster.look_soon()

    async def _offer(self, network: NetworkName) -> None:
        """Show the page at once, and the size and the place as soon as they are known."""
        if self._coming is None:
            needed = network is self._wanted
            self.page.show_missing(network_title(network), needed=needed)
        self.page_wanted.emit(True)
        await self._engine_loaded.wait()
        download = await self._tasks.in_background(installed.download_of, network)
        if network is self._network and self._coming is None:
            self.page.show_offer(
                download.file.url, download.file.size, shown_path(download.destination)
            )

    @Slot()
    def _note_engine_loaded(self) -> None:
        # Looking up the published file needs torchvision, which would compete with the engine.
        self._engine_loaded.set()

    @Slot(object)
    def _offer_better(self, choice: NetworkChoice) -> None:
        self.line.setVisible(choice.stands_in and not self._memory.now.vgg_offered)

    @Slot()
    def _dismiss_line(self) -> None:
        self.line.hide()
        self._memory.change(vgg_offered=True)

    def _count(self, done: int, total: int) -> None:
        # Runs in the executor's thread: one assignment, shown by the clock.
        self._arrived = (done, total)

    @Slot()
    def _show_arrived(self) -> None:
        if self._arrived is not None:
            self.page.show_download(*self._arrived)

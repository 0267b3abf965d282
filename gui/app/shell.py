"""The window and everything behind it, put together in one place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import cast

from PySide6.QtCore import QObject, Slot
from PySide6.QtWidgets import QApplication, QWidget

from engine.spec.errors import ComplaintsError, NetworkMissingError
from engine.storage.decoder import DECODER
from engine.storage.failures import Failure, Kind, explain
from engine.storage.paths import config_folder
from engine.storage.preset_store import PresetStore
from gui.app.helping import Helping
from gui.app.leaving import Leaving
from gui.app.parts import Parts
from gui.app.presenter import Presenter
from gui.app.qactions import connect_actions
from gui.app.theme import Theming
from gui.app.window import MainWindow
from gui.base.dialogs import Dialogs
from gui.base.tasks import Tasks
from gui.canvas.controller import CanvasController
from gui.canvas.saving import Saving
from gui.inputs.controller import InputsController
from gui.inputs.opening import Opening, Role
from gui.session.engine_thread import EngineThread
from gui.session.forecast import Forecaster
from gui.session.preferences import Memory, PreferenceStore
from gui.session.session import Session
from gui.settings.controller import SettingsController
from gui.weights.controller import WeightsController


class Shell(QObject):
    """Makes every part and holds those that live on; made inside the running asyncio loop.

    Args:
        engine: Not started yet.
        dialogs: Makes what asks and tells; tests give something that answers by itself.
    """

    def __init__(
        self, engine: EngineThread, dialogs: Callable[[QWidget], Dialogs] = Dialogs
    ) -> None:
        super().__init__()
        self._engine = engine
        self._geometry = config_folder() / "window.ini"
        self._being_told: set[Failure] = set()
        self.tasks = tasks = Tasks(self.fail)
        store = PreferenceStore(config_folder() / "preferences.json")
        preferences, self._complaint = store.load()
        self.memory = memory = Memory(preferences, store, tasks, self)
        theme = Theming(cast(QApplication, QApplication.instance()), memory, self)
        self.window = window = MainWindow()
        self.dialogs = asked = dialogs(window)
        self.session = session = Session(engine, tasks, self)
        session.set_settings(preferences.settings)
        session.set_draft(preferences.draft)
        self.forecaster = forecaster = Forecaster(session, engine, tasks, self)
        self.opening = opening = Opening(session, tasks, asked, memory, self)
        self.saving = saving = Saving(session, tasks, asked, memory, self)
        self.inputs = inputs = InputsController(session, opening, memory, tasks, self)
        self.canvas = canvas = CanvasController(
            inputs.start_page, session, engine, forecaster, memory, tasks, self
        )
        presets = PresetStore(config_folder() / "presets")
        self.settings = settings = SettingsController(
            session, engine, presets, memory, asked, tasks, self
        )
        self.weights = weights = WeightsController(
            session, engine, forecaster, memory, asked, tasks, self
        )
        self.leaving = leaving = Leaving(
            session, engine, tasks, asked, memory, saving, weights, self
        )
        helping = Helping(window.actions_by_name.values(), engine, asked, self)
        window.arrange(inputs, canvas, settings, weights)
        inputs.accept_drops(window)
        parts = Parts(
            session, memory, tasks, opening, saving, canvas, settings, weights, theme, helping,
            leaving, window.notice,
        )  # fmt: skip
        connect_actions(window.actions_by_name, parts)
        Presenter(window, parts, engine, forecaster)
        for speaker in (opening, saving, weights, memory):
            speaker.noticed.connect(window.notice)
        weights.page_wanted.connect(window.show_network_page)
        window.close_requested.connect(tasks.starter(leaving.close))
        leaving.decided.connect(self._hide_window)
        leaving.closed.connect(window.close_now)
        session.settings_changed.connect(lambda settings: memory.change(settings=settings))
        session.draft_changed.connect(lambda draft: memory.change(draft=draft))

    def open(self, content: Path | None = None, styles: tuple[Path, ...] = ()) -> None:
        """Show the window, load the engine behind it, and open these pictures."""
        self.window.restore_geometry(self._geometry)
        self.window.show()
        self._engine.start()
        self.weights.follow(self.session.settings)
        self.tasks.start(self._load_presets)
        self.tasks.start(self._fill_the_start_page)
        if content is not None:
            self.tasks.start(self.opening.open_one, Role.CONTENT, content)
        self.tasks.start(self.opening.open, Role.STYLE, styles)

    @Slot(object)
    def fail(self, error: BaseException) -> None:
        """Tell the person of an error: the end of every story that went wrong."""
        failure = explain(error)
        if isinstance(error, NetworkMissingError):
            self.tasks.start(self.weights.show)
        elif failure.kind is not Kind.CANCELLED and failure not in self._being_told:
            self.tasks.start(self._tell, failure)

    async def _tell(self, failure: Failure) -> None:
        # An error in painting would otherwise open a dialog for every repaint.
        self._being_told.add(failure)
        try:
            await self.dialogs.report(failure)
        finally:
            self._being_told.discard(failure)

    async def _fill_the_start_page(self) -> None:
        """Show the samples; then have the first picture not wait for its decoder."""
        await self.inputs.show_samples()
        await self.tasks.in_background(DECODER.begin)

    async def _load_presets(self) -> None:
        """List the presets; tell of their files that are damaged, and of the preferences' own."""
        complaints = (self._complaint, *await self.settings.presets.load())
        if any(complaints):
            raise ComplaintsError(filter(None, complaints))

    @Slot()
    def _hide_window(self) -> None:
        """Go at once: shutting down may have to wait until the engine has loaded."""
        self.window.save_geometry(self._geometry)
        self.window.hide()

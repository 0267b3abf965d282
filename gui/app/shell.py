"""The window and everything behind it, put together in one place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, Slot
from PySide6.QtWidgets import QApplication

from engine.spec.choices import NetworkName
from engine.spec.errors import InputError, NetworkMissingError
from engine.spec.settings import Settings
from engine.storage.failures import Failure, Kind, explain
from engine.storage.paths import config_folder
from engine.storage.preset_store import PresetStore
from gui.app.commands import Commands
from gui.app.helping import Helping
from gui.app.leaving import Leaving
from gui.app.presenter import Presenter
from gui.app.window import MainWindow
from gui.app.wiring import THEMES, connect_actions, connect_panes
from gui.base.dialogs import Dialogs
from gui.base.states import Action
from gui.base.tasks import Tasks
from gui.base.theme import apply_theme
from gui.canvas.saving import Saving
from gui.inputs.opening import Opening, Role
from gui.session.engine_thread import EngineThread
from gui.session.forecast import Forecaster
from gui.session.network_choice import NetworkChoice
from gui.session.preferences import Memory, Preferences, PreferenceStore
from gui.session.session import Session
from gui.weights.controller import NetworkDesk


class Shell(QObject):
    """Owns every part; made inside the running asyncio loop.

    Args:
        engine: Not started yet.
        dialogs: Makes what asks and tells; tests give something that answers by itself.
    """

    def __init__(
        self, engine: EngineThread, dialogs: Callable[[MainWindow], Dialogs] = Dialogs
    ) -> None:
        super().__init__()
        self._engine = engine
        self._application = QApplication.instance()
        self._geometry = config_folder() / "window.ini"
        self._network: NetworkName | None = None
        self._draft_stands_in = False
        self._being_told: set[Failure] = set()
        store = PreferenceStore(config_folder() / "preferences.json")
        preferences, self._complaint = store.load()
        self._theme = preferences.theme
        apply_theme(self._application, self._theme)
        self.tasks = tasks = Tasks(self.fail)
        self._presets = PresetStore(config_folder() / "presets")
        self.window = window = MainWindow(self._presets)
        self.dialogs = asked = dialogs(window)
        self.memory = memory = Memory(preferences, store, tasks, self)
        self.session = session = Session(engine, tasks, self)
        session.set_settings(preferences.settings)
        self.presenter = Presenter(window, session, tasks)
        self.forecaster = Forecaster(session, engine, tasks, self)
        self.opening = Opening(session, tasks, asked, memory, self)
        self.saving = Saving(session, tasks, asked, memory, self)
        self.desk = NetworkDesk(window.network_page, tasks, asked, self)
        commit = window.parameter_panel.commit
        self.commands = Commands(session, self.opening, self.saving, self.desk, commit, self)
        self.helping = Helping(window, engine, asked, self)
        self.leaving = Leaving(session, engine, tasks, asked, memory, self.saving, self.desk, self)
        self._connect()
        self._show_preferences(preferences)
        session.set_draft(preferences.draft)

    def open(self, content: Path | None = None, styles: tuple[Path, ...] = ()) -> None:
        """Show the window, load the engine behind it, and open these pictures."""
        self.window.restore_geometry(self._geometry)
        self.window.show()
        self._engine.start()
        complaints = tuple(filter(None, (self._complaint, *self._presets.problems)))
        if complaints:
            self.fail(InputError("\n\n".join(complaints)))
        self._follow_network(self.session.settings)
        self.tasks.start(self.commands.show_samples(self.tasks, self.window.result_pane.start_page))
        if content is not None:
            self.tasks.start(self.opening.open_one(Role.CONTENT, content))
        self.tasks.start(self.opening.open(Role.STYLE, styles))

    @Slot(object)
    def fail(self, error: BaseException) -> None:
        """Tell the person of an error: the end of every story that went wrong."""
        failure = explain(error)
        if isinstance(error, NetworkMissingError):
            self.tasks.start(self.desk.show(self.session.settings.network))
        elif failure.kind is not Kind.CANCELLED and failure not in self._being_told:
            self.tasks.start(self._tell(failure))

    async def _tell(self, failure: Failure) -> None:
        # An error in painting would otherwise open a dialog for every repaint.
        self._being_told.add(failure)
        try:
            await self.dialogs.report(failure)
        finally:
            self._being_told.discard(failure)

    def _connect(self) -> None:
        connect_actions(self)
        connect_panes(self)
        for speaker in (self.opening, self.saving, self.desk, self.commands, self.memory):
            speaker.noticed.connect(self.presenter.notice)
        self.window.preset_bar.failed.connect(self.fail)
        self.window.preset_bar.saving.connect(self.window.parameter_panel.commit)
        self.memory.changed.connect(self._show_preferences)
        self.session.settings_changed.connect(self._remember_settings)
        self.session.settings_changed.connect(self._follow_network)
        self.session.draft_changed.connect(self._remember_draft)
        self.forecaster.network_chosen.connect(self.presenter.show_network)
        self.forecaster.network_chosen.connect(self._offer_network)
        self.forecaster.foreseen.connect(self.presenter.show_forecast)
        self.desk.settled.connect(self.forecaster.look_soon)
        self._engine.warmed.connect(self.presenter.show_devices)
        self._engine.warmed.connect(self.desk.note_engine_loaded)
        self._engine.warmed.connect(self._prepare_plot)
        self.leaving.decided.connect(self._hide_window)
        self.leaving.closed.connect(self.window.close_now)
        self._application.styleHints().colorSchemeChanged.connect(self._apply_theme)

    @Slot(object)
    def _prepare_plot(self, devices: tuple[str, ...]) -> None:
        if devices:
            self.window.loss_plot.prepare()

    @Slot(object)
    def _remember_settings(self, settings: Settings) -> None:
        self.memory.change(settings=settings)

    @Slot(bool)
    def _remember_draft(self, draft: bool) -> None:
        self.memory.change(draft=draft)

    @Slot(object)
    def _offer_network(self, choice: NetworkChoice) -> None:
        self._draft_stands_in = choice.stands_in
        self._show_offer()

    def _show_offer(self) -> None:
        offered = self._draft_stands_in and not self.memory.now.vgg_offered
        self.window.network_line.setVisible(offered)

    @Slot(object)
    def _follow_network(self, settings: Settings) -> None:
        """Tell at once, not only when rendering, that a network's weights are missing."""
        if settings.network is not self._network:
            self._network = settings.network
            self.tasks.start(self.desk.check(settings.network))

    @Slot(object)
    def _show_preferences(self, preferences: Preferences) -> None:
        window = self.window
        window.menus.contents.show_files(preferences.contents)
        window.menus.styles.show_files(preferences.styles)
        window.result_pane.start_page.show_recent(preferences.contents, preferences.styles)
        self._show_offer()
        window.parameter_panel.show_advanced(preferences.advanced)
        window.loss_plot.setVisible(preferences.loss_curves)
        actions = window.actions_by_name
        actions[Action.LOSS_CURVES].setChecked(preferences.loss_curves)
        for action, theme in THEMES.items():
            actions[action].setChecked(theme is preferences.theme)
        if preferences.theme is not self._theme:
            self._apply_theme()

    @Slot()
    def _apply_theme(self) -> None:
        self._theme = self.memory.now.theme
        apply_theme(self._application, self._theme)

    @Slot()
    def _hide_window(self) -> None:
        """Go at once: shutting down may have to wait until the engine has loaded."""
        self.window.save_geometry(self._geometry)
        self.window.hide()

"""Keeps the panel, the presets and the session's settings one."""

from __future__ import annotations

from PySide6.QtCore import QObject, Slot

from engine.plan.machine import Inventory
from engine.storage.preset_store import PresetStore
from gui.base.dialogs import Dialogs
from gui.base.states import State
from gui.base.tasks import Tasks
from gui.session.engine_thread import EngineThread
from gui.session.preferences import Memory
from gui.session.session import Session
from gui.settings.device_words import device_words
from gui.settings.parameter_panel import ParameterPanel
from gui.settings.preset_keeper import PresetKeeper


class SettingsController(QObject):
    """Makes the panel and the presets' bar, and keeps them true to the session.

    Attributes:
        panel: All parameters.
        presets: Keeps the presets, and has the bar that shows them.
    """

    def __init__(
        self,
        session: Session,
        engine: EngineThread,
        store: PresetStore,
        memory: Memory,
        dialogs: Dialogs,
        tasks: Tasks,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._memory = memory
        self.panel = ParameterPanel()
        self.panel.offer("device", device_words(Inventory()))
        self.panel.set_settings(session.settings)
        self.panel.show_advanced(memory.now.advanced)
        self.presets = PresetKeeper(session, store, dialogs, tasks, self.panel.commit, self)
        self.panel.changed.connect(session.set_settings)
        self.panel.advanced_unfolded.connect(self._remember_advanced)
        session.settings_changed.connect(self.panel.set_settings)
        session.state_changed.connect(self._show_state)
        engine.warmed.connect(self._offer_devices)

    @Slot(object)
    def _show_state(self, state: State) -> None:
        idle = state is State.IDLE
        self.panel.set_running(not idle)
        self.presets.bar.setEnabled(idle)

    @Slot(object)
    def _offer_devices(self, inventory: Inventory) -> None:
        self.panel.offer("device", device_words(inventory))

    @Slot(bool)
    def _remember_advanced(self, unfolded: bool) -> None:
        self._memory.change(advanced=unfolded)

"""Shows in the frame what concerns no room alone: the actions, the title, the status bar."""

from __future__ import annotations

from PySide6.QtCore import QObject, Slot

from engine.plan.machine import Inventory
from engine.spec.wording import plain
from gui.app.parts import Parts
from gui.app.qactions import show_actions, show_pause
from gui.app.window import MainWindow
from gui.base.states import State
from gui.base.words import tip_of, titled
from gui.session.engine_thread import EngineThread
from gui.session.forecast import Forecaster
from gui.session.mailbox import Update
from gui.session.network_choice import NetworkChoice
from gui.settings.parameter_widgets import readable

LONGEST_TITLE = 120
"""Characters of the pictures' names in the window's title."""

MORE_ON_DEVICES = "Help, System information tells of every device."


class Presenter(QObject):
    """Keeps the frame true to the session."""

    def __init__(
        self, window: MainWindow, parts: Parts, engine: EngineThread, forecaster: Forecaster
    ) -> None:
        super().__init__(window)
        self._window = window
        self._parts = parts
        self._remark = ""
        session = parts.session
        session.state_changed.connect(self._show_state)
        session.result_changed.connect(self._show_result)
        session.draft_changed.connect(self._show_actions)
        session.progressed.connect(self._show_progress)
        session.content_changed.connect(self._show_title)
        session.styles_changed.connect(self._show_title)
        engine.warmed.connect(self._show_devices)
        forecaster.network_chosen.connect(self._show_network)
        window.icons_drawn.connect(self._show_pause)
        window.card_line.dismissed.connect(self._dismiss_remark)
        window.device_label.setText("Loading the engine…")
        self._show_actions()
        self._show_title()

    @Slot(object)
    def _show_state(self, state: State) -> None:
        self._show_actions()
        self._show_pause()
        if state is State.PREPARING:
            self._window.show_network_page(False)
        elif state is State.IDLE:
            self._window.memory_label.clear()

    @Slot()
    def _show_result(self) -> None:
        self._show_actions()
        self._window.setWindowModified(self._parts.session.unsaved)

    @Slot()
    def _show_actions(self) -> None:
        show_actions(self._window.actions_by_name, self._parts)

    @Slot()
    def _show_pause(self) -> None:
        window = self._window
        show_pause(window.actions_by_name, self._parts.session.state, window.palette())

    @Slot(object)
    def _show_progress(self, update: Update) -> None:
        if update.progress.device:
            self._window.device_label.setText(update.progress.device)
        if update.progress.memory:
            self._window.memory_label.setText(f"{update.progress.memory / 1e9:.1f} GB in use")

    @Slot()
    def _show_title(self) -> None:
        session = self._parts.session
        names = [session.content.name] if session.content else []
        names += [style.picture.name for style in session.styles]
        pictures = " × ".join(name.rpartition(".")[0] or name for name in names)
        title = titled(plain(pictures, LONGEST_TITLE)) or "New pastiche"
        self._window.setWindowTitle(f"{title}[*] — Gramarye")

    @Slot(object)
    def _show_devices(self, inventory: Inventory) -> None:
        """Show what the engine can run on, once it is loaded, and once why on no card."""
        words = [device.words for device in inventory.devices]
        self._window.device_label.setText(words[0] if words else "The engine did not load")
        self._window.device_label.setToolTip(tip_of("\n".join(words)))
        self._remark = inventory.remark
        if self._remark not in ("", self._parts.memory.now.card_remark):
            self._window.card_line.say(self._remark, f"{self._remark}\n{MORE_ON_DEVICES}")
            self._window.card_line.show()

    @Slot()
    def _dismiss_remark(self) -> None:
        self._window.card_line.hide()
        self._parts.memory.change(card_remark=self._remark)

    @Slot(object)
    def _show_network(self, choice: NetworkChoice) -> None:
        self._window.network_label.setText(readable(choice.used))
        self._window.network_label.setToolTip("The network that the next pastiche is painted with")

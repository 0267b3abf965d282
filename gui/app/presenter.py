"""Shows the session in the window: every change on one side becomes a call on the other."""

from __future__ import annotations

from PySide6.QtCore import QObject, QSize, Slot

from engine.spec.choices import Start
from engine.spec.pictures import Picture, StyleImage
from engine.spec.progress import Progress
from engine.spec.settings import Settings
from engine.spec.wording import duration_text
from gui.app.actions import show_pause
from gui.app.window import MainWindow
from gui.base.qimages import to_qimage
from gui.base.states import Action, State, allowed
from gui.base.tasks import Tasks
from gui.session.mailbox import Update
from gui.session.network_choice import NetworkChoice
from gui.session.session import Result, Session
from gui.settings.parameter_widgets import readable

NOTICE_MILLISECONDS = 10_000


class Presenter(QObject):
    """Keeps the window true to the session."""

    def __init__(self, window: MainWindow, session: Session, tasks: Tasks) -> None:
        super().__init__(window)
        self._window = window
        self._session = session
        self._tasks = tasks
        self._compared: Picture | None = None
        self._forecast = ""
        self._result_is_news = False
        self._progress: Progress | None = None
        session.state_changed.connect(self._show_state)
        session.content_changed.connect(self._show_content)
        session.start_changed.connect(window.start_row.show_picture)
        session.styles_changed.connect(self._show_styles)
        session.settings_changed.connect(self._show_settings)
        session.draft_changed.connect(self._show_draft)
        session.progressed.connect(self._show_progress)
        session.result_changed.connect(self._show_result)
        window.preset_bar.shown.connect(session.note_preset)
        window.icons_drawn.connect(self._show_pause)
        window.actions_by_name[Action.COMPARE_RESULT].setChecked(True)
        window.device_label.setText("Loading the engine…")
        self._show_state(session.state)
        self._show_settings(session.settings)
        self._show_title()
        self._say_idle()

    @Slot(object)
    def show_devices(self, devices: tuple[str, ...]) -> None:
        """Show what the engine can run on, once it is loaded."""
        self._window.device_label.setText(devices[0] if devices else "The engine did not load")
        self._window.device_label.setToolTip("\n".join(devices))

    @Slot(object)
    def show_network(self, choice: NetworkChoice) -> None:
        """Show which network the next job uses."""
        self._window.network_label.setText(readable(choice.used))
        self._window.network_label.setToolTip("The network that the next pastiche is painted with")

    @Slot(str)
    def show_forecast(self, text: str) -> None:
        """Show what the next job would take; empty where that is not known."""
        self._forecast = text
        self._say_idle()

    @Slot(str)
    def notice(self, text: str) -> None:
        """Show a sentence for a while."""
        self._window.statusBar().showMessage(text, NOTICE_MILLISECONDS)

    @Slot(object)
    def _show_state(self, state: State) -> None:
        window = self._window
        self._enable_actions()
        idle = state is State.IDLE
        window.set_running(not idle)
        window.parameter_panel.set_running(not idle)
        window.preset_bar.setEnabled(idle)
        self._show_pause()
        if state is State.PREPARING:
            self._begin()
        elif state is State.STOPPING:
            window.progress_strip.show_busy("Stopping…")
        elif state is State.PAUSED and self._progress is not None:
            window.progress_strip.show_paused(self._progress)
        elif state is State.RUNNING and self._progress is not None:
            window.progress_strip.show_progress(self._progress)
        elif idle:
            self._end()

    def _enable_actions(self) -> None:
        session = self._session
        has_pastiche = session.result is not None
        can = allowed(session.state, pastiche=has_pastiche, unsaved=session.unsaved)
        for name, action in self._window.actions_by_name.items():
            action.setEnabled(name in can)

    @Slot()
    def _show_pause(self) -> None:
        pause = self._window.actions_by_name[Action.PAUSE]
        show_pause(pause, self._session.state, self._window.palette())

    def _begin(self) -> None:
        self._progress = None
        self._window.show_network_page(False)
        self._window.loss_plot.clear()
        self._window.progress_strip.show_busy("Preparing…")
        self._compare_with(self._session.content)

    def _end(self) -> None:
        """Show the last result again, which a discarded or failed job has not touched."""
        self._show_result(self._session.result)
        self._window.memory_label.clear()

    @Slot(object)
    def _show_settings(self, settings: Settings) -> None:
        self._window.parameter_panel.set_settings(settings)
        self._window.preset_bar.show_settings(settings)
        self._window.start_row.setVisible(settings.start is Start.PICTURE)
        self._expect_another()

    @Slot(bool)
    def _show_draft(self, draft: bool) -> None:
        self._window.actions_by_name[Action.DRAFT].setChecked(draft)
        self._expect_another()

    @Slot(object)
    def _show_content(self, picture: Picture | None) -> None:
        self._window.content_pane.show_picture(picture)
        self._show_pictures()

    @Slot(object)
    def _show_styles(self, styles: tuple[StyleImage, ...]) -> None:
        self._window.styles_pane.set_styles(styles)
        self._show_pictures()

    def _show_pictures(self) -> None:
        session = self._session
        content, styles = session.content is not None, bool(session.styles)
        self._window.result_pane.start_page.show_step(content=content, styles=styles)
        self._forecast = ""
        self._show_title()
        self._expect_another()

    @Slot(object)
    def _show_progress(self, update: Update) -> None:
        self._progress = update.progress
        window = self._window
        window.loss_plot.add(update.progress)
        if self._session.state not in (State.PAUSED, State.STOPPING):
            window.progress_strip.show_progress(update.progress)
        if update.image is not None:
            window.result_pane.show_frame(update.image, QSize(*update.progress.size))
        if update.progress.device:
            window.device_label.setText(update.progress.device)
        if update.progress.memory:
            window.memory_label.setText(f"{update.progress.memory / 1e9:.1f} GB in use")

    @Slot(object)
    def _show_result(self, result: Result | None) -> None:
        self._window.result_pane.show_frame(result.image if result else None)
        self._compare_with(result.content if result else None)
        self._result_is_news = result is not None
        self._say_idle()
        self._window.setWindowModified(self._session.unsaved)
        self._enable_actions()

    def _expect_another(self) -> None:
        """Speak of the next job from now on, no longer of the last."""
        self._result_is_news = False
        self._say_idle()

    def _say_idle(self) -> None:
        """Say what became of the last job, what is still needed for the next, or what it takes."""
        session = self._session
        if session.state is not State.IDLE:
            return
        if session.result is not None and self._result_is_news:
            text = _summary(session.result)
        elif not session.styles:
            text = "Add a painting" if session.content else "Open a photograph and add a painting"
            text += " to begin."
        elif session.content is None and session.settings.start in (Start.CONTENT, Start.MIX):
            text = "Open a photograph, or start from noise and render a texture."
        else:
            text = self._forecast or "Ready to render."
        self._window.progress_strip.show_idle(text)

    def _show_title(self) -> None:
        session = self._session
        names = [session.content.name] if session.content else []
        names += [style.picture.name for style in session.styles]
        pictures = " × ".join(name.rpartition(".")[0] or name for name in names)
        self._window.setWindowTitle(f"{pictures or 'New pastiche'}[*] — Gramarye")

    def _compare_with(self, picture: Picture | None) -> None:
        if picture is not self._compared:
            self._compared = picture
            self._tasks.start(self._show_comparison(picture))

    async def _show_comparison(self, picture: Picture | None) -> None:
        image = None
        if picture is not None:
            image = await self._tasks.in_background(to_qimage, picture.pixels)
        if picture is self._compared:
            self._window.result_pane.show_content(image)


def _summary(result: Result) -> str:
    """What became of the last job, in one line."""
    progress, path = result.pastiche.progress, result.path
    height, width = result.pastiche.pixels.shape[:2]
    parts = (
        "Finished" if result.complete else "Stopped and kept",
        f"{width} × {height} px",
        f"{progress.step} steps in {duration_text(progress.seconds)}",
        f"saved as {path.name}" if path else "not saved yet",
        *result.outcome.notes,
    )
    return " · ".join(parts)

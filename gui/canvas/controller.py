"""What the canvas shows of the session: the picture as it forms, its progress, what came of it."""

from __future__ import annotations

from PySide6.QtCore import QObject, QSize, Slot
from PySide6.QtWidgets import QWidget

from engine.plan.machine import Inventory
from engine.spec.choices import Start
from engine.spec.pictures import Picture
from engine.spec.progress import Progress
from engine.spec.wording import duration_text
from engine.storage.naming import shown_name
from gui.base.qimages import to_qimage
from gui.base.states import State
from gui.base.tasks import Tasks
from gui.canvas.loss_plot import LossPlot, warm_import
from gui.canvas.progress_strip import ProgressStrip
from gui.canvas.result_pane import ResultPane
from gui.session.engine_thread import EngineThread
from gui.session.forecast import Forecaster
from gui.session.mailbox import Update
from gui.session.preferences import Memory
from gui.session.session import Result, Session


class CanvasController(QObject):
    """Makes the canvas and what stands below it, and keeps them true to the session.

    Args:
        start_page: What is seen before there is a pastiche.

    Attributes:
        pane: The canvas itself.
        strip: The line that says how far the job is, what came of it, or what comes next.
        plot: The loss curves.
    """

    def __init__(
        self,
        start_page: QWidget,
        session: Session,
        engine: EngineThread,
        forecaster: Forecaster,
        memory: Memory,
        tasks: Tasks,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._memory = memory
        self._tasks = tasks
        self._compared: Picture | None = None
        self._progress: Progress | None = None
        self._forecast = ""
        self._result_is_news = False
        self.pane = ResultPane(start_page)
        self.strip = ProgressStrip()
        self.plot = LossPlot()
        if not memory.now.loss_curves:
            self.plot.hide()
        session.state_changed.connect(self._show_state)
        session.progressed.connect(self._show_progress)
        session.result_changed.connect(self._show_result)
        session.content_changed.connect(self._expect_other_pictures)
        session.styles_changed.connect(self._expect_other_pictures)
        session.settings_changed.connect(self._expect_another)
        session.draft_changed.connect(self._expect_another)
        forecaster.foreseen.connect(self._show_forecast)
        engine.warmed.connect(tasks.starter(self._prepare_plot))
        self._say_idle()

    def show_curves(self, shown: bool) -> None:
        """Show the loss curves or put them away, from now on."""
        self.plot.setVisible(shown)
        self._memory.change(loss_curves=shown)

    @Slot(object)
    def _show_state(self, state: State) -> None:
        match state:
            case State.PREPARING:
                self._begin()
            case State.STOPPING:
                self.strip.show_busy("Stopping…")
            case State.PAUSED if self._progress is not None:
                self.strip.show_paused(self._progress)
            case State.RUNNING if self._progress is not None:
                self.strip.show_progress(self._progress)
            case State.IDLE:
                # A discarded or failed job has not touched the last result.
                self._show_result(self._session.result)

    def _begin(self) -> None:
        self._progress = None
        self.plot.clear()
        self.strip.show_busy("Preparing…")
        self._compare_with(self._session.content)

    @Slot(object)
    def _show_progress(self, update: Update) -> None:
        self._progress = update.progress
        self.plot.add(update.progress)
        if self._session.state not in (State.PAUSED, State.STOPPING):
            self.strip.show_progress(update.progress)
        if update.image is not None:
            self.pane.show_frame(update.image, QSize(*update.progress.size))

    @Slot(object)
    def _show_result(self, result: Result | None) -> None:
        self.pane.show_frame(result.image if result else None)
        self._compare_with(result.content if result else None)
        self._result_is_news = result is not None
        self._say_idle()

    @Slot()
    def _expect_other_pictures(self) -> None:
        # The old ones' forecast would be wrong; settings change too often to go without one.
        self._forecast = ""
        self._expect_another()

    @Slot()
    def _expect_another(self) -> None:
        """Speak of the next job from now on, no longer of the last."""
        self._result_is_news = False
        self._say_idle()

    @Slot(str)
    def _show_forecast(self, text: str) -> None:
        self._forecast = text
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
        self.strip.show_idle(text)

    def _compare_with(self, picture: Picture | None) -> None:
        if picture is not self._compared:
            self._compared = picture
            self._tasks.start(self._show_comparison, picture)

    async def _show_comparison(self, picture: Picture | None) -> None:
        image = None
        if picture is not None:
            image = await self._tasks.in_background(to_qimage, picture.pixels)
        if picture is self._compared:
            self.pane.show_content(image)

    async def _prepare_plot(self, inventory: Inventory) -> None:
        if inventory.devices:
            await self._tasks.in_background(warm_import)
            self.plot.prepare()


def _summary(result: Result) -> str:
    """What became of the last job, in one line."""
    progress, path = result.pastiche.progress, result.path
    height, width = result.pastiche.pixels.shape[:2]
    parts = (
        "Finished" if result.complete else "Stopped and kept",
        f"{width} × {height} px",
        f"{progress.step} steps in {duration_text(progress.seconds)}",
        f"saved as {shown_name(path)}" if path else "not saved yet",
        *result.outcome.notes,
    )
    return " · ".join(parts)

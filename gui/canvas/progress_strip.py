"""Says in one line how far the job is, how fast it goes and how long it will still take."""

from __future__ import annotations

from PySide6.QtWidgets import QProgressBar, QSizePolicy, QVBoxLayout, QWidget

from engine.spec.progress import Progress, Stage
from engine.spec.wording import about_text
from gui.base.words import plain_label, tip_of

_BAR_HEIGHT = 6


def speed_text(steps_per_second: float) -> str:
    """How fast the steps come, in the words that give a number above 1; empty until known."""
    if steps_per_second <= 0:
        return ""
    if steps_per_second < 1:
        return f"{1 / steps_per_second:.1f} s per step"
    return f"{steps_per_second:.3g} steps/s"


def progress_text(progress: Progress) -> str:
    """One line: scale, canvas, step, speed, what remains, and what has just happened."""
    if progress.stage is Stage.PREPARING:
        return progress.message or "Preparing"
    width, height = progress.size
    remaining = progress.remaining
    parts = (
        f"Scale {progress.scale} of {progress.scales}" if progress.scales > 1 else "",
        f"{width} × {height} px",
        f"step {progress.step} of {progress.steps}",
        speed_text(progress.steps_per_second),
        "" if remaining is None else f"{about_text(remaining)} left",
        progress.message,
    )
    return " · ".join(part for part in parts if part)


class ProgressStrip(QWidget):
    """A thin bar over all steps with a line of text below it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("progressStrip")
        self._bar = QProgressBar()
        self._bar.setObjectName("progressBar")
        self._bar.setAccessibleName("Progress")
        self._bar.setTextVisible(False)
        self._bar.setFixedHeight(_BAR_HEIGHT)
        # Where the bar was stays free when there is none, so that nothing jumps.
        policy = self._bar.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self._bar.setSizePolicy(policy)
        self._text = plain_label()
        self._text.setObjectName("progressText")
        self._text.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 4, 8, 6)
        column.setSpacing(6)
        column.addWidget(self._bar)
        column.addWidget(self._text)
        self.show_idle("")

    def show_progress(self, progress: Progress) -> None:
        """Show where a job stands; a busy bar while it prepares."""
        if progress.stage is Stage.PREPARING:
            self.show_busy(progress_text(progress))
            return
        self._bar.show()
        self._bar.setRange(0, max(progress.steps, 1))
        self._bar.setValue(progress.step)
        self._say(progress_text(progress))

    def show_busy(self, text: str) -> None:
        """Show a sentence while something goes on that cannot be counted."""
        self._bar.show()
        self._bar.setRange(0, 0)
        self._say(text)

    def show_paused(self, progress: Progress) -> None:
        """Show where a held job stands, without a speed and a time that no longer hold."""
        self._bar.setRange(0, max(progress.steps, 1))
        self._bar.setValue(progress.step)
        self._say(f"Paused at step {progress.step} of {progress.steps}")

    def show_idle(self, text: str) -> None:
        """Show a sentence and no bar."""
        self._bar.hide()
        self._say(text)

    def _say(self, text: str) -> None:
        self._text.setText(text)
        self._text.setToolTip(tip_of(text))

"""Shows how each term of the objective falls while a pastiche forms; light until there is data."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QEvent, Qt, QTimer
from PySide6.QtGui import QColor, QPalette, QPen
from PySide6.QtWidgets import QLabel, QStackedWidget, QVBoxLayout, QWidget

from engine.spec.progress import Progress
from gui.base.words import plain_label

Values = npt.NDArray[np.float64]

CURVE_LIMIT = 400
REDRAW_MS = 300
TOTAL = "total"
_ON_LIGHT = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#B8860B", "#3B9BD1")
_ON_DARK = ("#56B4E9", "#E69F00", "#2FC79B", "#E39CC4", "#F0E442", "#F0805A")
_LINES = (Qt.PenStyle.SolidLine, Qt.PenStyle.DashLine, Qt.PenStyle.DotLine)

_imported = threading.Event()


def warm_import() -> None:
    """Import pyqtgraph ahead of need, in any thread; `LossPlot` draws once this is done."""
    import pyqtgraph  # noqa: F401

    _imported.set()


def thinned(steps: Values, values: Values, limit: int) -> tuple[Values, Values]:
    """At most `limit` points of a curve, evenly along its steps, the first and the last among them.

    Args:
        steps: Shape (N,), rising.
        values: Shape (N,).
        limit: 2 or more.
    """
    if len(steps) <= limit:
        return steps, values
    places = np.searchsorted(steps, np.linspace(steps[0], steps[-1], limit))
    kept = np.unique(np.append(places, len(steps) - 1))
    return steps[kept[-limit:]], values[kept[-limit:]]


def positive_or_gap(values: Values) -> Values:
    """The values a logarithm can show; NaN, hence a gap in the curve, for all others."""
    return np.where(np.isfinite(values) & (values > 0), values, np.nan)


def term_colours(dark: bool, count: int) -> tuple[tuple[str, Qt.PenStyle], ...]:
    """Colour and line of each term: told apart by colour-blind eyes (after Okabe and Ito 2008)."""
    colours = _ON_DARK if dark else _ON_LIGHT
    return tuple(
        (colours[index % len(colours)], _LINES[index // len(colours) % len(_LINES)])
        for index in range(count)
    )


def legend_text(colours: dict[str, tuple[str, Qt.PenStyle]]) -> str:
    """The legend as wrapping rich text: a stroke in the curve's colour and its name, for each."""
    strokes = {Qt.PenStyle.SolidLine: "━", Qt.PenStyle.DashLine: "╍", Qt.PenStyle.DotLine: "┅"}
    return " &ensp; ".join(
        f'<span style="white-space:nowrap"><span style="color:{colour}">{strokes[line]}</span>'
        f"&nbsp;{name.capitalize().replace(' ', '&nbsp;')}</span>"
        for name, (colour, line) in colours.items()
    )


@dataclass
class _Curve:
    """What is known of one term; thinned now and then, so that a night's job stays small."""

    steps: list[float] = field(default_factory=list)
    values: list[float] = field(default_factory=list)

    def add(self, step: float, value: float) -> None:
        self.steps.append(step)
        self.values.append(value)
        if len(self.steps) > 2 * CURVE_LIMIT:
            steps, values = thinned(np.array(self.steps), np.array(self.values), CURVE_LIMIT)
            self.steps, self.values = steps.tolist(), values.tolist()


class LossPlot(QWidget):
    """One curve per term and one for the total, over the steps, on a logarithmic axis.

    Redraws about three times a second at most. A dashed vertical line marks where a new scale
    begins.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("lossPlot")
        self.setAccessibleName("Loss curves")
        self._curves: dict[str, _Curve] = {}
        self._scale_starts: list[int] = []
        self._scale = 0
        self._plot: Any = None
        self._lines: dict[str, Any] = {}
        self._boundaries: list[Any] = []
        self._legend = QLabel(wordWrap=True, textFormat=Qt.TextFormat.RichText)
        self._empty = plain_label("The loss curves appear here while a picture is rendered.")
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._empty.setWordWrap(True)
        self._empty.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        self._drawn = QWidget()
        self._pages = QStackedWidget()
        self._pages.addWidget(self._empty)
        self._pages.addWidget(self._drawn)
        self._column = QVBoxLayout(self._drawn)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.addWidget(self._legend)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(8, 4, 8, 4)
        whole.addWidget(self._pages)
        self._timer = QTimer(self, interval=REDRAW_MS, singleShot=True)
        self._timer.timeout.connect(self._redraw)

    def add(self, progress: Progress) -> None:
        """Take the terms of one progress in; preparing has none and changes nothing."""
        if not progress.terms:
            return
        if self._scale and progress.scale != self._scale:
            self._scale_starts.append(progress.step)
        self._scale = progress.scale
        self._curve(TOTAL).add(progress.step, progress.total)
        for term in progress.terms:
            self._curve(term.name).add(progress.step, term.value)
        if not self._timer.isActive():
            self._timer.start()

    def prepare(self) -> None:
        """Make the plot while nothing runs: it takes longer than a running job should be felt."""
        if self._plot is None:
            self._plot = _new_plot()
            self._column.insertWidget(0, self._plot, 1)
            self._colour()
            # So does painting the first curve.
            self._plot.plot([1, 2], [1, 10])
            self._plot.grab()
            self._plot.clear()

    def clear(self) -> None:
        """Forget all curves, as before a new job."""
        self._curves.clear()
        self._scale_starts.clear()
        self._scale = 0
        self._lines.clear()
        self._boundaries.clear()
        if self._plot is not None:
            self._plot.clear()
        self._timer.stop()
        self._pages.setCurrentWidget(self._empty)

    def _curve(self, name: str) -> _Curve:
        return self._curves.setdefault(name, _Curve())

    def _redraw(self) -> None:
        if not _imported.is_set():
            self._timer.start()
            return
        self.prepare()
        self._draw_boundaries()
        if self._lines.keys() != self._curves.keys():
            for name in [name for name in self._curves if name not in self._lines]:
                self._lines[name] = self._plot.plot(connect="finite")
            self._colour()
        for name, curve in self._curves.items():
            values = positive_or_gap(np.array(curve.values))
            some = not np.isnan(values).all()
            self._lines[name].setData(*((np.array(curve.steps), values) if some else ([], [])))
        self._pages.setCurrentWidget(self._drawn)

    def _draw_boundaries(self) -> None:
        import pyqtgraph

        for step in self._scale_starts[len(self._boundaries) :]:
            line = pyqtgraph.InfiniteLine(step, angle=90, pen=self._boundary_pen())
            self._plot.addItem(line)
            self._boundaries.append(line)

    def _boundary_pen(self) -> QPen:
        colour = self.palette().color(QPalette.ColorRole.PlaceholderText)
        return QPen(colour, 0, Qt.PenStyle.DashLine)

    def _colour(self) -> None:
        palette = self.palette()
        self._plot.setBackground(palette.color(QPalette.ColorRole.Base))
        for side in ("left", "bottom"):
            self._plot.getAxis(side).setPen(palette.color(QPalette.ColorRole.PlaceholderText))
            self._plot.getAxis(side).setTextPen(palette.color(QPalette.ColorRole.Text))
        for line in self._boundaries:
            line.setPen(self._boundary_pen())
        looks = self._looks()
        for name, line in self._lines.items():
            colour, style = looks[name]
            pen = QPen(QColor(colour), 2.0 if name == TOTAL else 1.5, style)
            pen.setCosmetic(True)
            line.setPen(pen)
        self._legend.setText(legend_text(looks))

    def _looks(self) -> dict[str, tuple[str, Qt.PenStyle]]:
        text = self.palette().color(QPalette.ColorRole.Text)
        dark = QColor(text).lightnessF() > 0.5
        terms = [name for name in self._curves if name != TOTAL]
        total = {TOTAL: (text.name(), Qt.PenStyle.SolidLine)}
        return total | dict(zip(terms, term_colours(dark, len(terms)), strict=True))

    def changeEvent(self, event: QEvent) -> None:
        """Follow light and dark."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and self._plot is not None:
            self._colour()


def _new_plot() -> Any:
    import pyqtgraph

    plot = pyqtgraph.PlotWidget()
    plot.setLogMode(x=False, y=True)
    plot.setMouseEnabled(x=False, y=False)
    plot.setMenuEnabled(False)
    plot.hideButtons()
    plot.setAntialiasing(True)
    plot.setFrameShape(plot.Shape.NoFrame)
    plot.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    plot.setLabel("bottom", "step")
    plot.getAxis("left").setWidth(56)
    return plot

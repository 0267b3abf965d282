"""The paintings a pastiche borrows from, and how much it takes from each."""

from __future__ import annotations

from itertools import pairwise

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QFrame, QPushButton, QScrollArea, QVBoxLayout, QWidget

from engine.spec.pictures import StyleImage
from gui.inputs.dropping import DropTarget
from gui.inputs.picture_well import PictureWell
from gui.inputs.style_row import StyleRow


class StylesPane(QWidget):
    """A list of style images with a weight each; the weights are shares of one blend.

    Weights above 1 are brought into the range of the sliders by dividing all by the largest, which
    leaves the blend as it is.

    Attributes:
        add_requested: The person wants to choose paintings.
        removed: Carries the index of the painting the person took out.
        weights_changed: Carries all weights as a tuple of floats from 0 to 1.
        dropped: Carries the `Dropped` that landed here.
    """

    add_requested = Signal()
    removed = Signal(int)
    weights_changed = Signal(object)
    dropped = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("stylesPane")
        self._rows: list[StyleRow] = []
        self._weights: list[float] = []
        self._running = False
        self._well = PictureWell("Drop paintings here", "Or click to add one or several")
        self._add = QPushButton("Add painting…")
        self._add.setObjectName("addStyleButton")
        self._add.setAccessibleName("Add style images")
        self._add.clicked.connect(self.add_requested)
        self._lay_out()
        self.setFocusProxy(self._add)
        self._drops = DropTarget(self)
        self._drops.dropped.connect(self.dropped)
        self.set_styles(())

    def set_styles(self, styles: tuple[StyleImage, ...]) -> None:
        """Show these style images; rows whose picture stays keep focus and dragging."""
        largest = max((style.weight for style in styles), default=1.0)
        self._weights = [style.weight / max(largest, 1.0) for style in styles]
        old, self._rows = self._rows, []
        for style in styles:
            row = next((row for row in old if row.picture is style.picture), None)
            if row is None:
                row = self._new_row(style)
            else:
                old.remove(row)
            self._rows.append(row)
        for row in old:
            self._list.removeWidget(row)
            row.setParent(None)
            row.deleteLater()
        for index, (row, weight) in enumerate(zip(self._rows, self._weights, strict=True)):
            if self._list.indexOf(row) != index:
                self._list.insertWidget(index, row)
            row.set_index(index)
            row.show_weight(round(100 * weight))
        stops = [stop for row in self._rows for stop in row.tab_stops] + [self._add]
        for stop, following in pairwise(stops):
            self.setTabOrder(stop, following)
        self._show_shares()
        self._well.setVisible(not styles)
        self._scroll.setVisible(bool(styles))
        self.setAccessibleName(f"Style images: {len(styles) or 'none yet'}")
        self._enable()

    def set_running(self, running: bool) -> None:
        """Leave the paintings to a running job, all but their weights, or to the person again."""
        self._running = running
        self._enable()

    @property
    def _inviting(self) -> bool:
        return not self._rows and not self._running

    def _enable(self) -> None:
        """Allow what can be done now."""
        for control in (self._well, self._add):
            control.setEnabled(not self._running)
        for row in self._rows:
            row.set_running(self._running)
        self._drops.set_enabled(not self._running)
        shapes = Qt.CursorShape
        self.setCursor(shapes.PointingHandCursor if self._inviting else shapes.ArrowCursor)

    def _lay_out(self) -> None:
        rows = QWidget()
        self._list = QVBoxLayout(rows)
        self._list.setContentsMargins(0, 0, 0, 0)
        self._list.setSpacing(4)
        self._list.addStretch()
        self._scroll = QScrollArea()
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._scroll.setWidgetResizable(True)
        self._scroll.setWidget(rows)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 12, 12, 12)
        layout.setSpacing(8)
        layout.addWidget(self._well, 1)
        layout.addWidget(self._scroll, 1)
        layout.addWidget(self._add, 0, Qt.AlignmentFlag.AlignLeft)

    def _new_row(self, style: StyleImage) -> StyleRow:
        row = StyleRow(style.picture)
        row.weight_changed.connect(self._change_weight)
        row.removed.connect(self._remove)
        return row

    def _change_weight(self, row: StyleRow, percent: int) -> None:
        self._weights[self._rows.index(row)] = percent / 100
        self._show_shares()
        self.weights_changed.emit(tuple(self._weights))

    def _remove(self, row: StyleRow) -> None:
        self.removed.emit(self._rows.index(row))

    def _show_shares(self) -> None:
        total = sum(self._weights)
        for row, weight in zip(self._rows, self._weights, strict=True):
            if total == 0:
                row.show_share("Not used: no painting has a weight")
            else:
                row.show_share(f"{100 * weight / total:.0f} % of the blend")

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """A click on the invitation adds."""
        left = event.button() == Qt.MouseButton.LeftButton
        if left and self._inviting and self.rect().contains(event.position().toPoint()):
            self.add_requested.emit()

"""The photograph before and the pastiche after, in one view, with a divider between them."""

from __future__ import annotations

from enum import Enum, auto

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import (
    QImage,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPalette,
    QPen,
    QPolygonF,
    QWheelEvent,
)
from PySide6.QtWidgets import QAbstractSlider, QLabel, QWidget

from gui.canvas.picture_item import PictureItem
from gui.canvas.picture_view import MARGIN, PictureView

STEPS = 1000
"""Positions the divider has from the left to the right of what is visible."""

GRIP = 16
"""Radius of the divider's handle in logical pixels."""


class CompareMode(Enum):
    """How the result is looked at."""

    RESULT = auto()
    SLIDER = auto()
    SIDE_BY_SIDE = auto()


class Caption(QLabel):
    """A word in an upper corner of the visible picture, legible on any."""

    def __init__(self, text: str, view: PictureView, *, at_right: bool = False) -> None:
        super().__init__(text, view)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self._view = view
        self._at_right = at_right
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setContentsMargins(8, 3, 8, 3)
        self.adjustSize()
        view.view_changed.connect(self._move_to_corner)

    def _move_to_corner(self) -> None:
        visible = self._view.visible_picture().toRect()
        x = visible.right() - MARGIN - self.width() if self._at_right else visible.x() + MARGIN
        self.move(x, visible.y() + MARGIN)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw a rounded plate behind the word."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        plate = self.palette().color(QPalette.ColorRole.Window)
        plate.setAlphaF(0.85)
        painter.setBrush(plate)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.drawRoundedRect(self.rect(), 6, 6)
        painter.end()
        super().paintEvent(event)


class Divider(QAbstractSlider):
    """A line with a handle, dragged with the mouse or moved with arrow keys, Home and End."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("compareDivider")
        self.setAccessibleName("Divider between before and after")
        self.setToolTip("Drag, or use the arrow keys, to compare")
        self.setOrientation(Qt.Orientation.Horizontal)
        self.setRange(0, STEPS)
        self.setSingleStep(STEPS // 50)
        self.setPageStep(STEPS // 10)
        self.setValue(STEPS // 2)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.SplitHCursor)
        self._span = QRectF()
        self._grabbed = 0.0
        self.valueChanged.connect(self._place)

    @property
    def position(self) -> float:
        """Where the line is, in the parent's coordinates."""
        return self._span.left() + self._span.width() * self.value() / STEPS

    def set_span(self, span: QRectF) -> None:
        """Say over which part of the parent the line moves."""
        self._span = span
        self._place()

    def _place(self) -> None:
        left = round(self.position) - GRIP
        self.setGeometry(left, round(self._span.top()), 2 * GRIP, round(self._span.height()))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take the line where it is held."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._grabbed = self.mapToParent(event.position()).x() - self.position
            self.setSliderDown(True)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Move the line with the hand."""
        if self.isSliderDown() and self._span.width() > 0:
            across = self.mapToParent(event.position()).x() - self._grabbed - self._span.left()
            self.setSliderPosition(round(STEPS * across / self._span.width()))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Let the line go."""
        self.setSliderDown(False)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Leave the wheel to the view, which zooms."""
        event.ignore()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw line and handle, outlined so that they show on any picture."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        palette = self.palette()
        outline = QPen(Qt.GlobalColor.black, 4)
        line = QPen(Qt.GlobalColor.white, 2)
        for pen in (outline, line):
            painter.setPen(pen)
            painter.drawLine(QPointF(GRIP, 0), QPointF(GRIP, self.height()))
        centre = QPointF(GRIP, self.height() / 2)
        painter.setPen(outline)
        painter.drawEllipse(centre, GRIP - 4, GRIP - 4)
        painter.setPen(line)
        painter.setBrush(palette.highlight() if self.hasFocus() else palette.button())
        painter.drawEllipse(centre, GRIP - 4, GRIP - 4)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(palette.highlightedText() if self.hasFocus() else palette.buttonText())
        for side in (-1, 1):
            tip = [QPointF(side * x, y) + centre for x, y in ((8, 0), (3, -4), (3, 4))]
            painter.drawPolygon(QPolygonF(tip))
        painter.end()


class CompareView(PictureView):
    """A picture view over whose left part another picture can be laid."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._before: QImage | None = None
        self._before_item = PictureItem()
        self._before_item.setZValue(1)
        self.scene().addItem(self._before_item)
        # The scroll area itself takes no wheel; its viewport does, for its children too.
        self._divider = Divider(self.viewport())
        self._captions = Caption("Before", self), Caption("After", self, at_right=True)
        self.view_changed.connect(self._arrange)
        self._divider.valueChanged.connect(self._arrange)
        self._arrange()

    def set_image(self, image: QImage | None, canvas: QSize | None = None) -> None:
        """Show another image; what is laid over it is stretched to the same rectangle."""
        super().set_image(image, canvas)
        self._arrange()

    def set_before(self, before: QImage | None) -> None:
        """Lay a picture over the part left of the divider; None takes picture and divider away."""
        self._before = before
        self._arrange()

    def _arrange(self) -> None:
        """Put the divider and the words where the picture is visible."""
        comparing = self._before is not None
        self._before_item.set_image(self._before, self.sceneRect().size())
        for widget in (self._divider, *self._captions):
            widget.setVisible(comparing)
        if not comparing:
            return
        self._divider.set_span(self.visible_picture())
        position = self._divider.position
        cut = self.viewportTransform().inverted()[0].map(QPointF(position, 0.0))
        self._before_item.show_left_of(cut.x())
        before, after = self._captions
        before.setVisible(before.geometry().right() < position - GRIP)
        after.setVisible(after.x() > position + GRIP)

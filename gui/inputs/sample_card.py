"""A painting to click on, with the photograph that comes with it in a corner."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, QSizeF, Qt, Signal
from PySide6.QtGui import (
    QBrush,
    QEnterEvent,
    QImage,
    QKeyEvent,
    QPainter,
    QPaintEvent,
    QPalette,
    QPen,
    QTransform,
)
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QWidget

from gui.inputs.samples import SamplePair

RADIUS = 8
MARGIN = 3
"""Logical pixels around the pictures, where the focus ring is drawn."""

GAP = 6
INSET = 0.36
"""Of the card's width, the photograph's."""


class SampleCard(QAbstractButton):
    """One sample pair; its pictures come later, from another thread.

    Attributes:
        chosen: Carries the `SamplePair`.
    """

    chosen = Signal(object)

    def __init__(self, pair: SamplePair, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.pair = pair
        self._painting = QImage()
        self._photograph = QImage()
        self.setText(pair.title)
        self.setAccessibleName(f"Sample pair: {pair.title}")
        self.setToolTip(f"Open a photograph and the painting “{pair.title}”")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        self.clicked.connect(lambda: self.chosen.emit(pair))

    def show_pictures(self, painting: QImage, photograph: QImage) -> None:
        """Show the pair."""
        self._painting, self._photograph = painting, photograph
        self.update()

    def sizeHint(self) -> QSize:
        """Room for a painting that can be recognised."""
        return QSize(200, 170)

    def minimumSizeHint(self) -> QSize:
        """Room for the title, and a stamp of a painting."""
        return QSize(88, 80)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw both pictures, the title, and a ring while the card has the focus or the mouse."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        words = self.fontMetrics().height()
        place = QRectF(self.rect()).adjusted(MARGIN, MARGIN, -MARGIN, -MARGIN - GAP - words)
        self._draw(painter, place, self._painting, RADIUS)
        inset = QSizeF(place.width() * INSET, place.width() * INSET * 2 / 3)
        corner = QRectF(QPointF(0, 0), inset)
        corner.moveBottomRight(place.bottomRight() - QPointF(GAP, GAP))
        if not self._photograph.isNull():
            painter.setPen(QPen(self.palette().window(), 4))
            painter.drawRoundedRect(corner, RADIUS / 2, RADIUS / 2)
            self._draw(painter, corner, self._photograph, RADIUS / 2)
        if self.hasFocus() or self.underMouse():
            painter.setPen(QPen(self.palette().highlight(), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(place.adjusted(-2, -2, 2, 2), RADIUS + 2, RADIUS + 2)
        painter.setPen(self.palette().color(QPalette.ColorRole.WindowText))
        title = QRectF(0, place.bottom() + GAP, self.width(), words)
        elided = self.fontMetrics().elidedText(
            self.text(), Qt.TextElideMode.ElideRight, self.width()
        )
        painter.drawText(title, Qt.AlignmentFlag.AlignHCenter, elided)
        painter.end()

    def _draw(self, painter: QPainter, place: QRectF, image: QImage, radius: float) -> None:
        """Fill a rounded place with the middle of an image, or with a plain ground for none."""
        brush = self.palette().mid()
        if not image.isNull():
            ratio = self.devicePixelRatioF()
            scaled = image.scaled(
                (place.size() * ratio).toSize().expandedTo(QSize(1, 1)),
                Qt.AspectRatioMode.KeepAspectRatioByExpanding,
                Qt.TransformationMode.SmoothTransformation,
            )
            brush = QBrush(scaled)
            spare = QPointF(scaled.width(), scaled.height()) / ratio
            spare -= QPointF(place.width(), place.height())
            origin = place.topLeft() - spare / 2
            brush.setTransform(
                QTransform.fromTranslate(origin.x(), origin.y()).scale(1 / ratio, 1 / ratio)
            )
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(brush)
        painter.drawRoundedRect(place, radius, radius)
        painter.setBrush(Qt.BrushStyle.NoBrush)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Return opens the pair as the space bar does."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.click()
        else:
            super().keyPressEvent(event)

    def enterEvent(self, event: QEnterEvent) -> None:
        """Show the ring."""
        super().enterEvent(event)
        self.update()

    def leaveEvent(self, event: QEvent) -> None:
        """Take the ring away."""
        super().leaveEvent(event)
        self.update()

"""A view to zoom and pan that stays put while the picture grows from scale to scale.

The scene is the canvas, not the image: its long side is always `LONG_SIDE` units. An image with
more pixels fills the same canvas, so what is visible does not move when the resolution changes.
"""

from __future__ import annotations

import math

from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QFocusEvent,
    QImage,
    QKeyEvent,
    QNativeGestureEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QTransform,
    QWheelEvent,
)
from PySide6.QtWidgets import QFrame, QGraphicsScene, QGraphicsView, QWidget

from gui.canvas.picture_item import PictureItem

LONG_SIDE = 1000.0
MARGIN = 12
"""Logical pixels left free around a fitted picture."""

DARKER = 125
"""Per cent by which the surroundings are darker than the window."""

MOST_ZOOM = 32.0
SAME_SHAPE = 0.02
"""Relative difference of aspect that rounding to whole pixels explains."""

KEYBOARD_FOCUS = (
    Qt.FocusReason.TabFocusReason,
    Qt.FocusReason.BacktabFocusReason,
    Qt.FocusReason.ShortcutFocusReason,
)
SHORTCUT_KEYS = (
    Qt.KeyboardModifier.ControlModifier
    | Qt.KeyboardModifier.AltModifier
    | Qt.KeyboardModifier.MetaModifier
)


class PictureView(QGraphicsView):
    """Shows one picture; wheel or pinch zooms about the cursor, dragging and arrow keys pan.

    Attributes:
        view_changed: Another part of the picture is visible, or at another zoom.
    """

    view_changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._canvas = QSize()
        self._fitting = True
        self._ringed = False
        self._item = PictureItem()
        scene = QGraphicsScene(self)
        scene.addItem(self._item)
        self.setScene(scene)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setViewportUpdateMode(QGraphicsView.ViewportUpdateMode.FullViewportUpdate)
        self.setTransformationAnchor(QGraphicsView.ViewportAnchor.NoAnchor)
        self.setResizeAnchor(QGraphicsView.ViewportAnchor.AnchorViewCenter)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setInteractive(False)
        self.setAcceptDrops(False)
        self.horizontalScrollBar().valueChanged.connect(self.view_changed)
        self.verticalScrollBar().valueChanged.connect(self.view_changed)

    @property
    def zoom(self) -> float:
        """Screen pixels (not logical ones) per pixel of the picture; 1 is 100 %."""
        if self._canvas.isEmpty():
            return 1.0
        return self.transform().m11() / self._scale_of(1.0)

    @property
    def fitting(self) -> bool:
        """Whether the whole picture is kept in view when the view is resized."""
        return self._fitting

    def visible_picture(self) -> QRectF:
        """The part of the viewport that the picture covers, in logical pixels."""
        picture = self.viewportTransform().mapRect(self.sceneRect())
        return picture.intersected(QRectF(self.viewport().rect()))

    def set_image(self, image: QImage | None, canvas: QSize | None = None) -> None:
        """Show another image, or none; the visible part of the canvas stays the same.

        Args:
            image: The picture; shared, not copied.
            canvas: The size in pixels that 100 % refers to and whose shape the image is stretched
                to; the image's own if None.
        """
        if image is None or image.isNull():
            self._item.set_image(None, self.sceneRect().size())
            return
        before, self._canvas = self._canvas, canvas or image.size()
        long_side = max(self._canvas.width(), self._canvas.height())
        size = self._canvas.toSizeF() * (LONG_SIDE / long_side)
        self._item.set_image(image, size)
        self.setSceneRect(QRectF(QPointF(), size))
        if self._fitting or not _same_shape(before, self._canvas):
            self.fit()
        elif before != self._canvas:
            self._changed()

    def fit(self) -> None:
        """Show the whole picture, and go on doing so when the view is resized."""
        self._fitting = True
        if not self._canvas.isEmpty():
            self._set_scale(self._fit_scale())
        self._changed()

    def actual_size(self) -> None:
        """Show one pixel of the picture on one pixel of the screen, about the centre."""
        self._zoom_to(1.0, self._centre())

    def zoom_in(self) -> None:
        """Go to the next larger of 50, 71, 100, 141, 200 % ..., about the centre."""
        self._zoom_to(2 ** ((math.floor(2 * math.log2(self.zoom) + 1e-6) + 1) / 2), self._centre())

    def zoom_out(self) -> None:
        """Go to the next smaller of 200, 141, 100, 71, 50 % ..., about the centre."""
        self._zoom_to(2 ** ((math.ceil(2 * math.log2(self.zoom) - 1e-6) - 1) / 2), self._centre())

    def follow(self, other: PictureView) -> None:
        """Show what another view of the same canvas shows."""
        if other.fitting:
            self.fit()
            return
        self._fitting = False
        self._set_scale(other.transform().m11())
        self.centerOn(other.mapToScene(other.viewport().rect()).boundingRect().center())
        self._changed()

    def _zoom_to(self, zoom: float, at: QPointF) -> None:
        """Zoom while what lies under a point of the viewport stays there."""
        if self._canvas.isEmpty():
            return
        fit_zoom = self._fit_scale() / self._scale_of(1.0)
        zoom = min(max(zoom, min(1.0, fit_zoom) / 2), max(MOST_ZOOM, fit_zoom))
        anchor = self.viewportTransform().inverted()[0].map(at)
        self._fitting = False
        self._set_scale(self._scale_of(zoom))
        shift = self.viewportTransform().map(anchor) - at
        for bar, amount in (
            (self.horizontalScrollBar(), shift.x()),
            (self.verticalScrollBar(), shift.y()),
        ):
            bar.setValue(bar.value() + round(amount))
        self._changed()

    def _scale_of(self, zoom: float) -> float:
        """The scene's scale, in logical pixels per unit, at which the zoom is this."""
        return zoom * self._canvas.width() / (self.sceneRect().width() * self.devicePixelRatioF())

    def _fit_scale(self) -> float:
        room = self.viewport().size() - QSize(2 * MARGIN, 2 * MARGIN)
        room = room.expandedTo(QSize(1, 1))
        rect = self.sceneRect()
        return min(room.width() / rect.width(), room.height() / rect.height())

    def _set_scale(self, scale: float) -> None:
        self.setTransform(QTransform.fromScale(scale, scale))

    def _centre(self) -> QPointF:
        return QRectF(self.viewport().rect()).center()

    def _changed(self) -> None:
        # A small first scale is watched as a whole; its pixels are of interest only up close.
        self._item.set_smooth(self._fitting)
        pannable = self.horizontalScrollBar().maximum() > self.horizontalScrollBar().minimum()
        pannable |= self.verticalScrollBar().maximum() > self.verticalScrollBar().minimum()
        mode = QGraphicsView.DragMode
        self.setDragMode(mode.ScrollHandDrag if pannable else mode.NoDrag)
        self.view_changed.emit()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom about the cursor; four notches double or halve."""
        turned = event.angleDelta().y()
        if turned:
            self._zoom_to(self.zoom * 2 ** (turned / 480), event.position())
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Zoom with + and -, fit with 0, 100 % with 1, pan with arrows; leave shortcuts alone."""
        key = Qt.Key
        actions = {
            key.Key_Plus: self.zoom_in,
            key.Key_Equal: self.zoom_in,
            key.Key_Minus: self.zoom_out,
            key.Key_0: self.fit,
            key.Key_1: self.actual_size,
        }
        if event.modifiers() & SHORTCUT_KEYS:
            event.ignore()
        elif event.key() in actions:
            actions[key(event.key())]()
        else:
            super().keyPressEvent(event)

    def viewportEvent(self, event: QEvent) -> bool:
        """Zoom about the fingers of a pinch."""
        pinch = Qt.NativeGestureType.ZoomNativeGesture
        if isinstance(event, QNativeGestureEvent) and event.gestureType() == pinch:
            self._zoom_to(self.zoom * (1 + event.value()), event.position())
            return True
        return super().viewportEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Go on fitting, or keep the centre."""
        super().resizeEvent(event)
        if self._fitting:
            self.fit()
        else:
            self._changed()

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Remember whether the focus came by keyboard, where a ring is helpful."""
        self._ringed = event.reason() in KEYBOARD_FOCUS
        super().focusInEvent(event)
        self.viewport().update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Take the ring away."""
        self._ringed = False
        super().focusOutEvent(event)
        self.viewport().update()

    def drawBackground(self, painter: QPainter, rect: QRectF | QRect) -> None:
        """Surround the picture with a neutral tone, a little darker than the window."""
        painter.fillRect(rect, self.palette().window().color().darker(DARKER))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the picture, and the focus ring around the view."""
        super().paintEvent(event)
        if self._ringed:
            painter = QPainter(self.viewport())
            painter.setPen(QPen(self.palette().highlight(), 2))
            painter.drawRect(self.viewport().rect().adjusted(1, 1, -1, -1))
            painter.end()


def _same_shape(one: QSize, other: QSize) -> bool:
    if one.isEmpty() or other.isEmpty():
        return False
    crossed = one.width() * other.height(), one.height() * other.width()
    return abs(crossed[0] - crossed[1]) <= SAME_SHAPE * max(crossed)

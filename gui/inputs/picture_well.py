"""The place where a picture lies or will lie: a preview, or an invitation to bring one."""

from __future__ import annotations

from PySide6.QtCore import QRect, QRectF, QSize, Qt
from PySide6.QtGui import QFont, QImage, QPainter, QPaintEvent, QPalette, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

PADDING = 16
GAP = 6
RADIUS = 8


class PictureWell(QWidget):
    """Shows an image as large as fits, or a title and a hint while there is none.

    Args:
        title: What belongs here, a few words.
        hint: How to bring it, one sentence.
    """

    def __init__(self, title: str, hint: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title = title
        self._hint = hint
        self._image: QImage | None = None
        self._ringed = False
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)

    def show_image(self, image: QImage | None) -> None:
        """Show another image, or the invitation again."""
        self._image = image
        self.updateGeometry()
        self.update()

    def set_ringed(self, ringed: bool) -> None:
        """Show or hide the focus ring."""
        self._ringed = ringed
        self.update()

    def sizeHint(self) -> QSize:
        """Room for a preview that can be judged."""
        return QSize(280, 200)

    def hasHeightForWidth(self) -> bool:
        """A filled well is as high as its image."""
        return self._image is not None

    def heightForWidth(self, width: int) -> int:
        """The height at which the image fills the width."""
        if self._image is None:
            return -1
        return max(1, width * self._image.height() // self._image.width())

    def minimumSizeHint(self) -> QSize:
        """Room for title and hint."""
        return QSize(160, 120)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the image or the invitation, and the focus ring."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        frame = QRectF(self.rect()).adjusted(1, 1, -1, -1)
        radius = RADIUS if self._image is None else 0
        if self._image is None:
            self._draw_invitation(painter, frame)
        else:
            frame = self._draw_image(painter, self._image)
        if self._ringed:
            painter.setPen(QPen(self.palette().highlight(), 2))
            painter.drawRoundedRect(frame, radius, radius)
        painter.end()

    def _draw_image(self, painter: QPainter, image: QImage) -> QRectF:
        """Draw the image in the middle and return where it lies."""
        ratio = self.devicePixelRatioF()
        room = (self.size().toSizeF() * ratio).toSize()
        size = image.size().scaled(room, Qt.AspectRatioMode.KeepAspectRatio)
        scaled = image.scaled(
            size.expandedTo(QSize(1, 1)),
            Qt.AspectRatioMode.IgnoreAspectRatio,
            Qt.TransformationMode.SmoothTransformation,
        )
        scaled.setDevicePixelRatio(ratio)
        place = QRectF(0, 0, scaled.width() / ratio, scaled.height() / ratio)
        place.moveCenter(QRectF(self.rect()).center())
        painter.drawImage(place.topLeft(), scaled)
        return place.adjusted(1, 1, -1, -1)

    def _draw_invitation(self, painter: QPainter, frame: QRectF) -> None:
        painter.setPen(QPen(self.palette().placeholderText(), 1, Qt.PenStyle.DashLine))
        painter.drawRoundedRect(frame, RADIUS, RADIUS)
        flags = Qt.AlignmentFlag.AlignHCenter | Qt.TextFlag.TextWordWrap
        room = self.rect().adjusted(PADDING, 0, -PADDING, 0)
        bold = QFont(self.font())
        bold.setWeight(QFont.Weight.DemiBold)
        painter.setFont(bold)
        title = painter.boundingRect(room, flags, self._title)
        painter.setFont(self.font())
        hint = painter.boundingRect(room, flags, self._hint)
        top = room.center().y() - (title.height() + GAP + hint.height()) // 2
        painter.setPen(self.palette().color(QPalette.ColorRole.PlaceholderText))
        painter.drawText(
            QRect(room.x(), top + title.height() + GAP, room.width(), hint.height()),
            flags,
            self._hint,
        )
        painter.setFont(bold)
        painter.setPen(self.palette().color(QPalette.ColorRole.WindowText))
        painter.drawText(QRect(room.x(), top, room.width(), title.height()), flags, self._title)

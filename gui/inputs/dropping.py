"""What a drag, a drop or the clipboard offers, and a way to make any widget take it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QEvent, QMimeData, QObject, QRectF, Qt, Signal
from PySide6.QtGui import QDropEvent, QImage, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from gui.base.qimages import PNG


@dataclass(frozen=True)
class Dropped:
    """Pictures that came in other ways than a dialog: files, or else one picture without a file.

    Attributes:
        paths: The files.
        png: The picture as the bytes of a PNG file, which can be decoded in the background.
        image: The picture where there are no such bytes.
    """

    paths: tuple[Path, ...]
    png: bytes = b""
    image: QImage | None = None


def can_take(mime: QMimeData) -> bool:
    """Whether there is a local file or an image in it; cheap enough for every mouse move."""
    return bool(_local_files(mime)) or mime.hasFormat(PNG) or mime.hasImage()


def dropped_from(mime: QMimeData) -> Dropped | None:
    """The local files, or else the image, in a drop or the clipboard; None when there is neither.

    A browser offers an image beside its address in the net: then only the image is of use.
    """
    paths = _local_files(mime)
    if paths:
        return Dropped(paths)
    png = bytes(mime.data(PNG).data()) if mime.hasFormat(PNG) else b""
    if png:
        return Dropped((), png)
    image = QImage(mime.imageData()) if mime.hasImage() else QImage()
    return None if image.isNull() else Dropped((), image=image)


def _local_files(mime: QMimeData) -> tuple[Path, ...]:
    return tuple(Path(url.toLocalFile()) for url in mime.urls() if url.isLocalFile())


class DropTarget(QObject):
    """Lets a widget take dropped pictures, and shows so while they hover over it.

    Attributes:
        dropped: Carries the `Dropped`.
    """

    dropped = Signal(object)

    def __init__(self, widget: QWidget) -> None:
        super().__init__(widget)
        self._widget = widget
        self._highlight = _Highlight(widget)
        widget.setAcceptDrops(True)
        widget.installEventFilter(self)

    def set_enabled(self, enabled: bool) -> None:
        """Take drops, or let them pass as if this were not here."""
        self._widget.setAcceptDrops(enabled)
        if not enabled:
            self._highlight.hide()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Answer the four events of dragging and dropping; all others pass."""
        # Entering and moving are drops to be, in Qt's eyes: their classes derive from QDropEvent.
        if event.type() == QEvent.Type.DragLeave:
            self._highlight.hide()
        elif not isinstance(event, QDropEvent):
            return False
        elif event.type() == QEvent.Type.Drop:
            self._take_drop(event)
        else:
            self._answer_drag(event)
        return True

    def _answer_drag(self, event: QDropEvent) -> None:
        if not (self._widget.acceptDrops() and can_take(event.mimeData())):
            event.ignore()
            return
        _accept_as_copy(event)
        self._highlight.cover(self._widget)

    def _take_drop(self, event: QDropEvent) -> None:
        self._highlight.hide()
        # What was dragged here before it was disabled still arrives.
        dropped = dropped_from(event.mimeData()) if self._widget.acceptDrops() else None
        if dropped is None:
            event.ignore()
            return
        _accept_as_copy(event)
        self.dropped.emit(dropped)


def _accept_as_copy(event: QDropEvent) -> None:
    # After a move the file manager would delete the person's original.
    event.setDropAction(Qt.DropAction.CopyAction)
    event.accept()


class _Highlight(QWidget):
    """A tint and a frame over the widget that would take what is dragged."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("dropHighlight")
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    def cover(self, widget: QWidget) -> None:
        self.setGeometry(widget.rect())
        self.raise_()
        self.show()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colour = self.palette().highlight().color()
        painter.setPen(QPen(colour, 2))
        colour.setAlphaF(0.15)
        painter.setBrush(colour)
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(2, 2, -2, -2), 8, 8)
        painter.end()

"""How a pastiche goes into the clipboard without freezing the window when it is fetched."""

from __future__ import annotations

from PySide6.QtCore import QBuffer, QMimeData
from PySide6.QtGui import QGuiApplication, QImage, QImageWriter

from gui.base.qimages import PNG
from gui.base.tasks import Tasks
from gui.session.session import Session

LARGEST_IMAGE = 4_000_000
"""Pixels that Qt can encode in the window's thread, as it does for whoever asks for no PNG."""

_FAST = 80
"""Qt's name for zlib's level 1 to 2: a higher level takes longer for hardly fewer bytes."""


async def copy_image(session: Session, tasks: Tasks) -> bool:
    """Put the pastiche into the clipboard; whether there is one."""
    result = session.result
    if result is None:
        return False
    png = await tasks.in_background(encoded, result.image)
    QGuiApplication.clipboard().setMimeData(clipboard_data(result.image, png))
    return True


def encoded(image: QImage) -> bytes:
    """The image as a PNG file; takes seconds for a large one, so not in the window's thread."""
    buffer = QBuffer()
    buffer.open(QBuffer.OpenModeFlag.WriteOnly)
    writer = QImageWriter(buffer, b"png")
    writer.setQuality(_FAST)
    writer.write(image)
    return bytes(buffer.data().data())


def clipboard_data(image: QImage, png: bytes) -> QMimeData:
    """What to put into the clipboard: the PNG file, and a small image itself as well."""
    data = QMimeData()
    data.setData(PNG, png)
    if image.width() * image.height() <= LARGEST_IMAGE:
        data.setImageData(image)
    return data

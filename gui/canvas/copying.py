"""How an image goes into the clipboard without freezing the window when it is fetched."""

from __future__ import annotations

from PySide6.QtCore import QBuffer, QMimeData
from PySide6.QtGui import QImage

from gui.inputs.dropping import PNG

LARGEST_IMAGE = 4_000_000
"""Pixels that Qt can encode in the window's thread, as it does for whoever asks for no PNG."""

_FAST = 80
"""Qt's name for zlib's level 1 to 2: a higher level takes longer for hardly fewer bytes."""


def encoded(image: QImage) -> bytes:
    """The image as a PNG file; takes seconds for a large one, so not in the window's thread."""
    buffer = QBuffer()
    buffer.open(QBuffer.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG", _FAST)
    return buffer.data().data()


def clipboard_data(image: QImage, png: bytes) -> QMimeData:
    """What to put into the clipboard: the PNG file, and a small image itself as well."""
    data = QMimeData()
    data.setData(PNG, png)
    if image.width() * image.height() <= LARGEST_IMAGE:
        data.setImageData(image)
    return data

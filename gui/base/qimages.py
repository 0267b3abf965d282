"""Turns the engine's arrays into Qt's images and back, and reduces large images cheaply."""

from __future__ import annotations

import math

import numpy as np
from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QColorSpace, QImage, QPainter

from engine.spec.pictures import Pixels

PNG = "image/png"
"""The format in which pictures pass through the clipboard and drags, beside files."""

MOST_PICKED = 3_000_000
"""Pixels that can be averaged within one frame."""

ENOUGH_PICKED = 16
"""Pixels for each of a copy's, beyond which an average looks no better."""


def to_qimage(pixels: Pixels) -> QImage:
    """Copy pixels of shape (H, W, 3) into an image that owns its memory."""
    return _borrowed(pixels).copy()


def from_qimage(image: QImage) -> Pixels:
    """Copy an image into pixels of shape (H, W, 3): sRGB, transparency laid on white.

    Args:
        image: Any format and colour space; not null.
    """
    image = image.copy()
    image.setDevicePixelRatio(1.0)
    if image.colorSpace().isValid():
        image.convertToColorSpace(QColorSpace(QColorSpace.NamedColorSpace.SRgb))
    if image.hasAlphaChannel():
        image = _on_white(image)
    image = image.convertToFormat(QImage.Format.Format_RGB888)
    width, height = image.width(), image.height()
    # Qt pads each line to a multiple of four bytes.
    lines = np.frombuffer(image.constBits(), np.uint8).reshape(height, image.bytesPerLine())
    return lines[:, : 3 * width].reshape(height, width, 3).copy()


def thumbnail(pixels: Pixels, side: int) -> QImage:
    """A small image of pixels of shape (H, W, 3), its long side at most `side` pixels."""
    image = _borrowed(pixels)
    if max(image.width(), image.height()) <= side:
        return image.copy()
    size = image.size().scaled(side, side, Qt.AspectRatioMode.KeepAspectRatio)
    return reduced(image, size.expandedTo(QSize(1, 1)))


def reduced(image: QImage, size: QSize) -> QImage:
    """A smaller 32-bit copy that costs no more for a large image than for a middling one.

    Of a large image evenly spaced pixels are picked, and only those are averaged: a true average
    over 50 megapixels takes a third of a second.
    """
    stretch = Qt.AspectRatioMode.IgnoreAspectRatio
    pixels = image.width() * image.height()
    enough = min(MOST_PICKED, ENOUGH_PICKED * size.width() * size.height())
    if pixels > 2 * enough:
        picked = (image.size() * math.sqrt(enough / pixels)).expandedTo(size)
        image = image.scaled(picked, stretch, Qt.TransformationMode.FastTransformation)
    # Qt averages and draws 32-bit pixels several times faster than 24-bit ones.
    image = image.convertToFormat(QImage.Format.Format_RGB32)
    return image.scaled(size, stretch, Qt.TransformationMode.SmoothTransformation)


def _borrowed(pixels: Pixels) -> QImage:
    """An image on the array's own memory: valid only while the array is."""
    height, width, _ = pixels.shape
    return QImage(pixels.data, width, height, 3 * width, QImage.Format.Format_RGB888)


def _on_white(image: QImage) -> QImage:
    page = QImage(image.size(), QImage.Format.Format_RGB32)
    page.fill(Qt.GlobalColor.white)
    painter = QPainter(page)
    painter.drawImage(0, 0, image)
    painter.end()
    return page

"""Draws a picture of any size on a canvas: well averaged when small, crisp when magnified."""

from __future__ import annotations

import math

from PySide6.QtCore import QPointF, QRectF, QSize, QSizeF
from PySide6.QtGui import QImage, QPainter
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from gui.base.qimages import reduced

CRISP_FROM = 3.0
"""Screen pixels per picture pixel from which the pixels themselves are shown."""

LARGEST_COPY = 4_000_000
"""Pixels up to which a reduced copy is made within one frame."""

LONGEST_SIDE = 32_767
"""Qt's fixed-point sampling cannot address pixels beyond."""


class PictureItem(QGraphicsItem):
    """An image stretched from the scene's origin over a given size, whatever its own resolution."""

    def __init__(self) -> None:
        super().__init__()
        self.setFlag(QGraphicsItem.GraphicsItemFlag.ItemUsesExtendedStyleOption)
        self._image = QImage()
        self._levels: dict[int, QImage] = {}
        self._size = QSizeF()
        self._right = math.inf
        self._smooth = True

    def set_image(self, image: QImage | None, size: QSizeF) -> None:
        """Show an image stretched over so much of the scene, or nothing."""
        image = image if image is not None else QImage()
        if image.cacheKey() != self._image.cacheKey():
            self._image = image
            self._levels.clear()
        if size != self._size:
            self.prepareGeometryChange()
            self._size = QSizeF(size)
        self.update()

    def show_left_of(self, right: float) -> None:
        """Show only what lies left of a scene coordinate; infinity shows all."""
        self._right = right
        self.update()

    def set_smooth(self, smooth: bool) -> None:
        """Interpolate at any magnification, or only below `CRISP_FROM`."""
        self._smooth = smooth
        self.update()

    def boundingRect(self) -> QRectF:
        """The picture's rectangle, from the scene's origin."""
        return QRectF(QPointF(), self._size)

    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        """Draw the exposed part from the copy whose resolution is nearest to the screen's."""
        if self._image.isNull() or self._right <= 0:
            return
        zoom = painter.deviceTransform().m11() * self._size.width() / self._image.width()
        source = self._level(max(0, math.floor(-math.log2(zoom))))
        across = source.width() / self._size.width()
        down = source.height() / self._size.height()
        shown = option.exposedRect
        # Whole pixels, and one more all round, so that no seam moves with the view.
        part = QRectF(
            shown.x() * across, shown.y() * down, shown.width() * across, shown.height() * down
        ).toAlignedRect()
        part = part.adjusted(-1, -1, 1, 1).intersected(source.rect())
        target = QRectF(
            part.x() / across, part.y() / down, part.width() / across, part.height() / down
        )
        if self._right < self._size.width():
            painter.setClipRect(QRectF(0, 0, self._right, self._size.height()))
        painter.setRenderHint(
            QPainter.RenderHint.SmoothPixmapTransform, self._smooth or zoom < CRISP_FROM
        )
        if max(source.width(), source.height()) > LONGEST_SIDE:
            source = source.copy(part)
            part.moveTo(0, 0)
        painter.drawImage(target, source, part)

    def _level(self, level: int) -> QImage:
        """The image with its sides halved `level` times; itself where the copy would be dear."""
        if level not in self._levels:
            full = self._image.size()
            size = QSize(full.width() >> level, full.height() >> level).expandedTo(QSize(1, 1))
            if (
                size.width() * size.height() > LARGEST_COPY
                or max(size.width(), size.height()) > LONGEST_SIDE
            ):
                return self._image
            self._levels[level] = reduced(self._image, size)
        return self._levels[level]

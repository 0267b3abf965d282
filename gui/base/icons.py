"""Our one-colour drawings as icons in the colour of the words beside them, sharp at every scale."""

from __future__ import annotations

from functools import cache

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPalette, QPixmap
from PySide6.QtSvg import QSvgRenderer

from resources import ICONS

INK = "#000"
SIDES = (16, 20, 24, 32, 40, 48, 64, 96)
"""Physical pixels; a device pixel ratio is met by the next larger one."""


def icon(name: str, palette: QPalette) -> QIcon:
    """The drawing `name` in a palette's button colours; null if there is no such drawing."""
    role, group = QPalette.ColorRole.ButtonText, QPalette.ColorGroup
    return tinted(
        name, palette.color(group.Active, role).name(), palette.color(group.Disabled, role).name()
    )


@cache
def tinted(name: str, colour: str, disabled: str) -> QIcon:
    """The drawing `name` in two colours; a null icon if there is no such drawing."""
    drawn = QIcon()
    for mode, ink in ((QIcon.Mode.Normal, colour), (QIcon.Mode.Disabled, disabled)):
        drawing = _drawing(name)
        if drawing is None:
            break
        renderer = QSvgRenderer(QByteArray(drawing.replace(INK, QColor(ink).name()).encode()))
        for side in SIDES:
            pixmap = QPixmap(side, side)
            pixmap.fill(Qt.GlobalColor.transparent)
            painter = QPainter(pixmap)
            renderer.render(painter, QRectF(0, 0, side, side))
            painter.end()
            drawn.addPixmap(pixmap, mode)
    return drawn


def application_icon() -> QIcon:
    """The program's own picture, in its own colours."""
    return QIcon(str(ICONS / "gramarye.svg"))


def _drawing(name: str) -> str | None:
    try:
        return (ICONS / f"{name}.svg").read_text(encoding="utf-8")
    except OSError:
        return None

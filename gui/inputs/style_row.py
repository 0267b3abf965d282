"""One painting of the blend: its thumbnail, its name, its weight and a way to take it out."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent, QImage, QKeyEvent, QPainter, QPaintEvent, QPalette, QPen
from PySide6.QtWidgets import (
    QHBoxLayout,
    QSizePolicy,
    QSlider,
    QSpinBox,
    QToolButton,
    QVBoxLayout,
    QWidget,
)
from superqt import QElidingLabel

from engine.spec.pictures import Picture
from gui.base.qimages import thumbnail
from gui.base.wheel import FocusedWheel
from gui.base.words import plain_label, tip_of

THUMBNAIL = 64
"""Logical pixels of the thumbnail's side."""

SHARPNESS = 4
"""Picture pixels kept per logical pixel of the thumbnail: for cropping and dense screens."""


class _Slider(FocusedWheel, QSlider):
    """A weight to drag."""


class _Field(FocusedWheel, QSpinBox):
    """A weight to type."""


class StyleRow(QWidget):
    """A row of the styles pane.

    Attributes:
        weight_changed: Carries this row and the weight the person set, 0 to 100.
        removed: Carries this row, whose painting the person took out.
    """

    weight_changed = Signal(object, int)
    removed = Signal(object)

    def __init__(self, picture: Picture, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.picture = picture
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(f"Style image {picture.name}")
        self._slider = _Slider(Qt.Orientation.Horizontal)
        self._slider.setRange(0, 100)
        # The field beside it is in the tab chain already and takes the same keys.
        self._slider.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self._field = _Field()
        self._field.setRange(0, 100)
        self._field.setSuffix(" %")
        self._field.setAlignment(Qt.AlignmentFlag.AlignRight)
        self._field.lineEdit().setAcceptDrops(False)
        for control in (self._slider, self._field):
            control.setAccessibleName(f"Weight of {picture.name}")
            control.setToolTip(
                "How much of this painting goes into the blend, relative to the others"
            )
            control.valueChanged.connect(self._take_weight)
        self._remove = QToolButton()
        self._remove.setText("✕")
        self._remove.setAutoRaise(True)
        self._remove.setAccessibleName(f"Remove {picture.name}")
        self._remove.setToolTip("Remove this painting (Delete)")
        self._remove.clicked.connect(self._ask_removal)
        self._share = plain_label()
        self._share.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        self._lay_out()

    @property
    def tab_stops(self) -> tuple[QWidget, ...]:
        """What the Tab key visits, in order."""
        return self, self._field, self._remove

    def set_index(self, index: int) -> None:
        """Name the controls by the row's place in the list, from 0."""
        self.setObjectName(f"style_{index}")
        self._field.setObjectName(f"styleWeight_{index}")
        self._slider.setObjectName(f"styleSlider_{index}")
        self._remove.setObjectName(f"styleRemove_{index}")

    def show_weight(self, percent: int) -> None:
        """Show a weight from 0 to 100 that was set elsewhere."""
        for control in (self._slider, self._field):
            with QSignalBlocker(control):
                control.setValue(percent)

    def show_share(self, share: str) -> None:
        """Say what the weight comes to among the others."""
        self._share.setText(share)

    def set_running(self, running: bool) -> None:
        """Keep the painting in a running job; its weight can be changed nevertheless."""
        self._remove.setEnabled(not running)

    def _lay_out(self) -> None:
        name = QElidingLabel(self.picture.name)
        name.setTextFormat(Qt.TextFormat.PlainText)
        name.setElideMode(Qt.TextElideMode.ElideMiddle)
        name.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        name.setToolTip(tip_of(str(self.picture.path or self.picture.name)))
        head = QHBoxLayout()
        head.addWidget(name, 1)
        head.addWidget(self._remove)
        weight = QHBoxLayout()
        weight.setSpacing(10)
        weight.addWidget(self._slider, 1)
        weight.addWidget(self._field)
        right = QVBoxLayout()
        right.setSpacing(2)
        right.addLayout(head)
        right.addWidget(self._share)
        right.addLayout(weight)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.setSpacing(12)
        layout.addWidget(_Thumbnail(thumbnail(self.picture.pixels, SHARPNESS * THUMBNAIL)))
        layout.addLayout(right, 1)

    def _take_weight(self, percent: int) -> None:
        self.show_weight(percent)
        self.weight_changed.emit(self, percent)

    def _ask_removal(self) -> None:
        self.removed.emit(self)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Delete takes the painting out."""
        if event.key() == Qt.Key.Key_Delete:
            self._remove.click()
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show the ring."""
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Take the ring away."""
        super().focusOutEvent(event)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the focus ring."""
        if self.hasFocus():
            painter = QPainter(self)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(self.palette().highlight(), 2))
            painter.drawRoundedRect(self.rect().adjusted(1, 1, -1, -1), 8, 8)
            painter.end()


class _Thumbnail(QWidget):
    """The middle of an image, as a square."""

    def __init__(self, image: QImage) -> None:
        super().__init__()
        self._image = image
        self.setFixedSize(QSize(THUMBNAIL, THUMBNAIL))

    def paintEvent(self, event: QPaintEvent) -> None:
        ratio = self.devicePixelRatioF()
        side = round(THUMBNAIL * ratio)
        filled = self._image.scaled(
            side,
            side,
            Qt.AspectRatioMode.KeepAspectRatioByExpanding,
            Qt.TransformationMode.SmoothTransformation,
        )
        middle = filled.copy(
            (filled.width() - side) // 2, (filled.height() - side) // 2, side, side
        )
        middle.setDevicePixelRatio(ratio)
        painter = QPainter(self)
        painter.drawImage(0, 0, middle)
        painter.end()

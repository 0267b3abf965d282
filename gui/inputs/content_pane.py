"""Shows the content image, or invites the person to bring one."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction, QFocusEvent, QKeyEvent, QMouseEvent, QPalette
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget
from superqt import QElidingLabel

from engine.spec.pictures import Picture
from gui.base.qimages import thumbnail
from gui.base.words import plain_label, tip_of
from gui.inputs.dropping import DropTarget
from gui.inputs.picture_well import PictureWell

PREVIEW_SIDE = 768
"""Pixels of the preview's long side: enough for a wide pane on a dense screen."""


class ContentPane(QWidget):
    """Preview, name, size and notes of the content image.

    Attributes:
        open_requested: The person wants to choose a photograph.
        removed: The person took the photograph away.
        dropped: Carries the `Dropped` that landed here.
    """

    open_requested = Signal()
    removed = Signal()
    dropped = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("contentPane")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._picture: Picture | None = None
        self._running = False
        self._well = PictureWell("Drop a photograph here", "Paste one, or click to open")
        self._name = QElidingLabel()
        self._name.setTextFormat(Qt.TextFormat.PlainText)
        self._name.setElideMode(Qt.TextElideMode.ElideMiddle)
        self._details = plain_label()
        self._details.setWordWrap(True)
        self._details.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        self._open = QPushButton("Open…")
        self._open.setObjectName("openContentButton")
        self._open.setAccessibleName("Open a content image")
        self._open.clicked.connect(self.open_requested)
        self._remove = QPushButton("Remove")
        self._remove.setObjectName("removeContentButton")
        self._remove.setAccessibleName("Remove the content image")
        self._remove.clicked.connect(self.removed)
        self._lay_out()
        self._add_menu()
        self._drops = DropTarget(self)
        self._drops.dropped.connect(self.dropped)
        self.show_picture(None)

    def show_picture(self, picture: Picture | None) -> None:
        """Show another content image, or the invitation."""
        self._picture = picture
        filled = picture is not None
        # The invitation takes all the room; a preview only its own, so that its name lies close.
        self._column.setStretchFactor(self._well, 0 if filled else 1)
        for widget in (self._name, self._details, self._remove):
            widget.setVisible(filled)
        self._enable()
        if picture is None:
            self._well.show_image(None)
            self.setAccessibleName("Content image: none yet")
            self._name.setToolTip("")
            return
        width, height = picture.size
        self._well.show_image(thumbnail(picture.pixels, PREVIEW_SIDE))
        self._name.setText(picture.name)
        self._name.setToolTip(tip_of(str(picture.path or picture.name)))
        self._details.setText("\n".join((f"{width} × {height} px", *picture.notes)))
        self.setAccessibleName(f"Content image: {picture.name}, {width} × {height} pixels")

    def set_running(self, running: bool) -> None:
        """Leave the photograph to a running job, or to the person again."""
        self._running = running
        self._enable()

    @property
    def _inviting(self) -> bool:
        return self._picture is None and not self._running

    def _enable(self) -> None:
        """Allow what can be done now."""
        for control in (self._well, self._open, self._remove, self._open_action):
            control.setEnabled(not self._running)
        self._remove_action.setEnabled(self._picture is not None and not self._running)
        self._drops.set_enabled(not self._running)
        shapes = Qt.CursorShape
        self.setCursor(shapes.PointingHandCursor if self._inviting else shapes.ArrowCursor)

    def _lay_out(self) -> None:
        buttons = QHBoxLayout()
        buttons.addWidget(self._open)
        buttons.addWidget(self._remove)
        buttons.addStretch()
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(12, 12, 12, 12)
        self._column.addWidget(self._well)
        self._column.addSpacing(6)
        self._column.addWidget(self._name)
        self._column.addWidget(self._details)
        self._column.addSpacing(6)
        self._column.addLayout(buttons)
        self._column.addStretch()

    def _add_menu(self) -> None:
        self._open_action = QAction("Open…", self)
        self._open_action.triggered.connect(self.open_requested)
        self._remove_action = QAction("Remove", self)
        self._remove_action.triggered.connect(self.removed)
        self.addActions([self._open_action, self._remove_action])
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """A click on the invitation opens."""
        left = event.button() == Qt.MouseButton.LeftButton
        if left and self._inviting and self.rect().contains(event.position().toPoint()):
            self.open_requested.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Return or Space on the invitation opens; Delete takes the photograph away."""
        key = Qt.Key
        if self._inviting and event.key() in (key.Key_Return, key.Key_Enter, key.Key_Space):
            self.open_requested.emit()
        elif event.key() == key.Key_Delete:
            self._remove_action.trigger()
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show where the keys go."""
        super().focusInEvent(event)
        self._well.set_ringed(True)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Take the ring away."""
        super().focusOutEvent(event)
        self._well.set_ringed(False)

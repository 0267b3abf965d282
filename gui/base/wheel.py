"""Calm under the wheel: in a scroll area it scrolls, unless a control was chosen first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtGui import QWheelEvent

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget as _Control
else:
    # A mixin beside a class of Qt's cannot have such a base itself.
    _Control = object


class FocusedWheel(_Control):
    """Mixed into a control inside a scroll area: without focus the wheel scrolls, not the value."""

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Leave the wheel to the scroll area unless the person chose this control first."""
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()

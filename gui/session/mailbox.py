"""The one place where a running job leaves its progress for the window: the latest wins."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace

from PySide6.QtGui import QImage

from engine.spec.progress import Progress
from gui.base.qimages import to_qimage


@dataclass(frozen=True)
class Update:
    """A job's progress, and the pastiche as it is if one was due."""

    progress: Progress
    image: QImage | None = None


class Mailbox:
    """Holds one update; a job may put in as many as it likes, the window takes them when it can.

    No frame is asked for while one waits to be taken, so a window that draws slowly slows the
    frames and not itself.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: Update | None = None

    def frame_due(self) -> bool:
        """Whether a frame would be welcome."""
        with self._lock:
            return self._waiting is None or self._waiting.image is None

    def put(self, progress: Progress) -> None:
        """Leave progress in place of what waits; a frame or message not yet taken is kept."""
        image = None if progress.frame is None else to_qimage(progress.frame)
        update = Update(replace(progress, frame=None), image)
        with self._lock:
            self._waiting = update if self._waiting is None else _merged(self._waiting, update)

    def take(self) -> Update | None:
        """Empty the box."""
        with self._lock:
            update, self._waiting = self._waiting, None
            return update


def _merged(older: Update, newer: Update) -> Update:
    message = newer.progress.message or older.progress.message
    return Update(replace(newer.progress, message=message), newer.image or older.image)

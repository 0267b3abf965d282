"""Shows the pastiche as it forms, alone or against the photograph it is made from."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QImage, QPalette
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from gui.base.words import plain_label
from gui.canvas.compare import Caption, CompareMode, CompareView
from gui.canvas.picture_view import PictureView


class ResultPane(QWidget):
    """The canvas: the pastiche with zoom and pan, and two ways to compare it.

    Args:
        start_page: What is seen before there is one.
        parent: The widget it stands in.
    """

    def __init__(self, start_page: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("resultPane")
        self.setAccessibleName("Result")
        self._mode = CompareMode.RESULT
        self._frame: QImage | None = None
        self._canvas = QSize()
        self._content: QImage | None = None
        self._result = CompareView()
        self._result.setObjectName("resultView")
        self._result.setAccessibleName("Pastiche")
        self._before = PictureView()
        self._before.setObjectName("beforeView")
        self._before.setAccessibleName("Content image")
        self._captions = Caption("Before", self._before), Caption("After", self._result)
        self._zoom_label = plain_label()
        self._zoom_label.setObjectName("zoomLabel")
        self._zoom_label.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        self._lay_out(start_page)
        self._following = False
        self._result.view_changed.connect(self._take_view_of_result)
        self._before.view_changed.connect(self._take_view_of_before)
        self._arrange()

    @property
    def mode(self) -> CompareMode:
        """How the result is looked at."""
        return self._mode

    def show_frame(self, frame: QImage | None, canvas: QSize | None = None) -> None:
        """Show the pastiche as it is now, or the empty canvas; shared, not copied.

        Args:
            frame: The picture, of a large canvas a smaller copy.
            canvas: The size in pixels that it stands for; the frame's own if None.
        """
        self._frame = frame
        if frame is not None:
            self._canvas = canvas or frame.size()
        self._arrange()

    def show_content(self, content: QImage | None) -> None:
        """Take the photograph to compare with; None leaves nothing to compare."""
        self._content = content
        self._arrange()

    def set_mode(self, mode: CompareMode) -> None:
        """Look at the result in another way; zoom and place stay."""
        if mode is not self._mode:
            self._mode = mode
            self._arrange()

    def fit(self) -> None:
        """Show the whole picture."""
        self._result.fit()

    def actual_size(self) -> None:
        """Show one picture pixel on one screen pixel."""
        self._result.actual_size()

    def zoom_in(self) -> None:
        """Show less, larger."""
        self._result.zoom_in()

    def zoom_out(self) -> None:
        """Show more, smaller."""
        self._result.zoom_out()

    def _lay_out(self, start_page: QWidget) -> None:
        views = QWidget()
        side_by_side = QHBoxLayout(views)
        side_by_side.setContentsMargins(0, 0, 0, 0)
        side_by_side.setSpacing(2)
        side_by_side.addWidget(self._before, 1)
        side_by_side.addWidget(self._result, 1)
        canvas = QWidget()
        column = QVBoxLayout(canvas)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(views, 1)
        column.addWidget(self._zoom_label, 0, Qt.AlignmentFlag.AlignRight)
        self._zoom_label.setContentsMargins(12, 4, 12, 4)
        self._pages = QStackedWidget()
        self._pages.addWidget(start_page)
        self._pages.addWidget(canvas)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._pages)

    def _arrange(self) -> None:
        """Put frame and content where the mode wants them."""
        self._turn_page()
        comparable = self._frame is not None and self._content is not None
        beside = comparable and self._mode is CompareMode.SIDE_BY_SIDE
        under = comparable and self._mode is CompareMode.SLIDER
        self._before.setVisible(beside)
        for caption in self._captions:
            caption.setVisible(beside)
        self._result.set_image(self._frame, self._canvas)
        self._result.set_before(self._content if under else None)
        if beside:
            self._before.set_image(self._content, self._canvas)
            self._synchronise(self._before, self._result)
        else:
            self._before.set_image(None)
        self._say_zoom()

    def _turn_page(self) -> None:
        page = 0 if self._frame is None else 1
        if page != self._pages.currentIndex():
            self._pages.setCurrentIndex(page)
            # The tab key would go to a proxy even where it is hidden, past the start page.
            proxy = self._result if page else None
            self.setFocusProxy(proxy)  # type: ignore[arg-type] # the stubs forget that it may be None

    def _synchronise(self, follower: PictureView, leader: PictureView) -> None:
        # The follower's own change must not lead the leader: rounding would make both creep.
        if not self._following and self._before.isVisible():
            self._following = True
            follower.follow(leader)
            self._following = False

    def _take_view_of_result(self) -> None:
        self._synchronise(self._before, self._result)
        self._say_zoom()

    def _take_view_of_before(self) -> None:
        self._synchronise(self._result, self._before)

    def _say_zoom(self) -> None:
        if self._frame is None:
            return
        width, height = self._canvas.width(), self._canvas.height()
        self._zoom_label.setText(f"{width} × {height} px   ·   {100 * self._result.zoom:.0f} %")

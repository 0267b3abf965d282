from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QColor, QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QLabel, QPushButton

from engine.spec.pictures import Picture
from gui.inputs.content_pane import ContentPane
from gui.inputs.dropping import Dropped

pytestmark = pytest.mark.qt_log_ignore("does not support propagateSizeHints")

BLUE = QColor(0, 0, 255)


def picture(width=60, height=40, name="lake.jpg", notes=()):
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[..., 2] = 255
    pixels.flags.writeable = False
    return Picture(pixels, name, "0" * 64, Path("/pictures") / name, notes)


@pytest.fixture
def pane(qtbot):
    pane = ContentPane()
    qtbot.addWidget(pane)
    pane.resize(300, 400)
    pane.show()
    return pane


def shows_blue(pane):
    shot = pane.grab().toImage()
    return any(shot.pixelColor(150, y) == BLUE for y in range(0, 400, 5))


def text(pane):
    labels = pane.findChildren(QLabel)
    return "\n".join(label.text() for label in labels if label.isVisible())


def test_a_click_on_the_empty_pane_asks_to_open(pane, qtbot):
    with qtbot.waitSignal(pane.open_requested):
        qtbot.mouseClick(pane, Qt.MouseButton.LeftButton)


@pytest.mark.parametrize("key", [Qt.Key.Key_Return, Qt.Key.Key_Space])
def test_return_and_space_on_the_empty_pane_ask_to_open(pane, qtbot, key):
    with qtbot.waitSignal(pane.open_requested):
        qtbot.keyClick(pane, key)


def test_the_open_button_works_empty_and_filled(pane, qtbot):
    button = pane.findChild(QPushButton, "openContentButton")
    for shown in (None, picture()):
        pane.show_picture(shown)
        with qtbot.waitSignal(pane.open_requested):
            qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def test_a_picture_is_shown_with_name_size_and_notes(pane):
    assert not shows_blue(pane)
    pane.show_picture(picture(notes=("Turned upright.",)))
    assert shows_blue(pane)
    for words in ("lake.jpg", "60 × 40", "Turned upright."):
        assert words in text(pane)
    assert "lake.jpg" in pane.accessibleName()
    pane.show_picture(None)
    assert not shows_blue(pane)
    assert text(pane) == ""


def test_a_filled_pane_is_not_opened_by_accident(pane, qtbot):
    pane.show_picture(picture())
    with qtbot.assertNotEmitted(pane.open_requested):
        qtbot.mouseClick(pane, Qt.MouseButton.LeftButton)
        qtbot.keyClick(pane, Qt.Key.Key_Return)


def test_a_picture_is_removed_by_button_key_or_menu(pane, qtbot):
    pane.show_picture(picture())
    button = pane.findChild(QPushButton, "removeContentButton")
    with qtbot.waitSignal(pane.removed):
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    with qtbot.waitSignal(pane.removed):
        qtbot.keyClick(pane, Qt.Key.Key_Delete)
    remove = next(action for action in pane.actions() if action.text() == "Remove")
    with qtbot.waitSignal(pane.removed):
        remove.trigger()


def test_an_empty_pane_has_nothing_to_remove(pane, qtbot):
    assert not pane.findChild(QPushButton, "removeContentButton").isVisible()
    with qtbot.assertNotEmitted(pane.removed):
        qtbot.keyClick(pane, Qt.Key.Key_Delete)


def test_a_drop_is_passed_on(pane, qtbot):
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile("/pictures/lake.jpg")])
    how = Qt.DropAction.CopyAction, mime, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    with qtbot.waitSignal(pane.dropped) as told:
        QApplication.sendEvent(pane, QDragEnterEvent(QPoint(20, 20), *how))
        QApplication.sendEvent(pane, QDropEvent(QPointF(20, 20), *how))
    assert told.args == [Dropped((Path("/pictures/lake.jpg"),))]


@pytest.mark.parametrize("size", [(1, 1), (1, 4000), (4000, 1)])
def test_pictures_of_odd_shapes_are_shown_whole(pane, size):
    pane.show_picture(picture(*size))
    assert pane.grab().width() == 300
    assert f"{size[0]} × {size[1]}" in text(pane)


def test_a_name_is_shown_as_it_is_written(pane):
    pane.show_picture(picture(name="<b>lake</b>.jpg"))
    assert "<b>lake</b>.jpg" in text(pane)
    assert all(label.textFormat() is Qt.TextFormat.PlainText for label in pane.findChildren(QLabel))


def test_a_running_job_keeps_its_photograph(pane, qtbot):
    pane.set_running(True)
    open_, remove = (
        pane.findChild(QPushButton, f"{name}ContentButton") for name in ("open", "remove")
    )
    for shown in (None, picture()):
        pane.show_picture(shown)
        assert not open_.isEnabled()
        assert not remove.isEnabled()
        assert not any(action.isEnabled() for action in pane.actions())
        with qtbot.assertNotEmitted(pane.open_requested), qtbot.assertNotEmitted(pane.removed):
            qtbot.mouseClick(pane, Qt.MouseButton.LeftButton)
            qtbot.keyClick(pane, Qt.Key.Key_Return)
            qtbot.keyClick(pane, Qt.Key.Key_Delete)
    pane.set_running(False)
    with qtbot.waitSignal(pane.removed):
        qtbot.mouseClick(remove, Qt.MouseButton.LeftButton)

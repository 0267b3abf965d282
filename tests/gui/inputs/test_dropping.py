from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QColor, QDragEnterEvent, QDragLeaveEvent, QDropEvent, QImage
from PySide6.QtWidgets import QApplication, QWidget

from gui.inputs.dropping import Dropped, DropTarget, can_take, dropped_from

BUTTON, NO_KEYS = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
ALL_ACTIONS = Qt.DropAction.CopyAction | Qt.DropAction.MoveAction


def files(*urls):
    mime = QMimeData()
    mime.setUrls([QUrl(url) for url in urls])
    return mime


def red_image():
    image = QImage(3, 2, QImage.Format.Format_RGB32)
    image.fill(QColor("red"))
    return image


def hover(widget, mime):
    event = QDragEnterEvent(QPoint(5, 5), ALL_ACTIONS, mime, BUTTON, NO_KEYS)
    QApplication.sendEvent(widget, event)
    return event.isAccepted()


def drop(widget, mime):
    hover(widget, mime)
    event = QDropEvent(QPointF(5, 5), ALL_ACTIONS, mime, BUTTON, NO_KEYS)
    QApplication.sendEvent(widget, event)
    return event


@pytest.fixture
def target(qtbot):
    widget = QWidget()
    qtbot.addWidget(widget)
    widget.resize(80, 60)
    widget.show()
    widget.target = DropTarget(widget)
    widget.taken = []
    widget.target.dropped.connect(widget.taken.append)
    return widget


def test_several_files_come_in_order_with_spaces_and_umlauts():
    mime = files("file:///tmp/a%20b.jpg", "file:///tmp/M%C3%BCnchen.png")
    assert dropped_from(mime) == Dropped((Path("/tmp/a b.jpg"), Path("/tmp/München.png")))


def test_an_image_without_a_file_comes_as_an_image():
    mime = QMimeData()
    mime.setImageData(red_image())
    dropped = dropped_from(mime)
    assert dropped.paths == ()
    assert dropped.image.pixelColor(0, 0) == QColor("red")


def test_of_a_picture_dragged_from_a_browser_the_image_is_taken_and_the_address_left():
    mime = files("https://example.org/picture.jpg")
    mime.setImageData(red_image())
    dropped = dropped_from(mime)
    assert dropped.paths == ()
    assert dropped.image.width() == 3


def test_a_png_comes_as_its_bytes_before_it_comes_as_an_image():
    mime = QMimeData()
    mime.setData("image/png", b"bytes of a file")
    mime.setImageData(red_image())
    assert can_take(mime)
    assert dropped_from(mime) == Dropped((), b"bytes of a file")


def test_text_and_bare_addresses_offer_nothing():
    text = QMimeData()
    text.setText("file:///tmp/a.jpg")
    for mime in (QMimeData(), text, files("https://example.org/picture.jpg")):
        assert not can_take(mime)
        assert dropped_from(mime) is None


def test_a_file_dropped_on_the_widget_is_reported(target):
    mime = files("file:///tmp/a.jpg")
    assert hover(target, mime)
    assert drop(target, mime).isAccepted()
    assert target.taken == [Dropped((Path("/tmp/a.jpg"),))]


def test_a_drop_never_moves_the_original_away(target):
    assert drop(target, files("file:///tmp/a.jpg")).dropAction() is Qt.DropAction.CopyAction


def test_what_is_no_picture_is_refused(target):
    mime = QMimeData()
    mime.setText("a poem")
    assert not hover(target, mime)
    drop(target, mime)
    assert target.taken == []


def test_the_widget_lights_up_while_a_picture_hovers_over_it(target):
    plain = target.grab().toImage()
    hover(target, files("file:///tmp/a.jpg"))
    assert target.grab().toImage() != plain
    QApplication.sendEvent(target, QDragLeaveEvent())
    assert target.grab().toImage() == plain
    drop(target, files("file:///tmp/a.jpg"))
    assert target.grab().toImage() == plain


def test_a_disabled_target_neither_lights_up_nor_takes_anything(target):
    plain = target.grab().toImage()
    target.target.set_enabled(False)
    assert not hover(target, files("file:///tmp/a.jpg"))
    assert target.grab().toImage() == plain
    drop(target, files("file:///tmp/a.jpg"))
    target.target.set_enabled(True)
    drop(target, files("file:///tmp/b.jpg"))
    assert target.taken == [Dropped((Path("/tmp/b.jpg"),))]


def test_a_picture_that_hovers_while_the_target_is_disabled_does_not_land(target):
    plain = target.grab().toImage()
    mime = files("file:///tmp/a.jpg")
    hover(target, mime)
    target.target.set_enabled(False)
    assert target.grab().toImage() == plain
    event = QDropEvent(QPointF(5, 5), ALL_ACTIONS, mime, BUTTON, NO_KEYS)
    QApplication.sendEvent(target, event)
    assert target.taken == []

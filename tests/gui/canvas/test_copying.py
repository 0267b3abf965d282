from PySide6.QtCore import QSize
from PySide6.QtGui import QColor, QImage

from engine.storage.images import open_bytes
from gui.canvas.copying import LARGEST_IMAGE, clipboard_data, encoded
from gui.inputs.dropping import dropped_from


def red(width, height):
    image = QImage(width, height, QImage.Format.Format_RGB888)
    image.fill(QColor(255, 0, 0))
    return image


def test_what_is_copied_can_be_pasted():
    image = red(3, 2)
    pasted = open_bytes(dropped_from(clipboard_data(image, encoded(image))).png, "Pasted")
    assert pasted.size == (3, 2)
    assert pasted.pixels[0, 0].tolist() == [255, 0, 0]


def test_a_small_image_is_there_for_programs_that_take_no_png():
    image = red(3, 2)
    assert QImage(clipboard_data(image, b"png").imageData()).size() == QSize(3, 2)


def test_of_a_large_image_only_the_file_made_beforehand_is_offered():
    data = clipboard_data(red(LARGEST_IMAGE // 1000 + 1, 1000), b"png")
    assert data.formats() == ["image/png"]
    assert data.data("image/png") == b"png"

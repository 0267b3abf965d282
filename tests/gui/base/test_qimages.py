import numpy as np
import pytest
from PySide6.QtCore import QSize
from PySide6.QtGui import QColor, QColorSpace, QImage

from gui.base.qimages import from_qimage, reduced, thumbnail, to_qimage


@pytest.mark.parametrize("shape", [(1, 1, 3), (7, 5, 3), (4, 13, 3)])
def test_pixels_survive_the_way_there_and_back(shape):
    pixels = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    assert np.array_equal(from_qimage(to_qimage(pixels)), pixels)


def test_an_image_outlives_the_array_it_was_made_from():
    pixels = np.full((4, 4, 3), 200, np.uint8)
    image = to_qimage(pixels)
    pixels[:] = 0
    assert image.pixelColor(2, 2) == QColor(200, 200, 200)


def test_transparency_is_laid_on_white():
    image = QImage(2, 1, QImage.Format.Format_ARGB32)
    image.fill(QColor(0, 0, 0, 0))
    image.setPixelColor(1, 0, QColor(255, 0, 0, 255))
    assert from_qimage(image).tolist() == [[[255, 255, 255], [255, 0, 0]]]


def test_another_colour_space_becomes_srgb():
    image = QImage(1, 1, QImage.Format.Format_RGB32)
    image.fill(QColor(128, 128, 128))
    image.setColorSpace(QColorSpace(QColorSpace.NamedColorSpace.SRgbLinear))
    # Linear 0.502 is sRGB 0.7366 by IEC 61966-2-1.
    assert from_qimage(image)[0, 0] == pytest.approx([188, 188, 188], abs=1)


def test_an_image_from_a_dense_screen_keeps_all_its_pixels():
    image = QImage(6, 4, QImage.Format.Format_ARGB32)
    image.fill(QColor("red"))
    image.setDevicePixelRatio(2.0)
    assert (from_qimage(image) == [255, 0, 0]).all()


@pytest.mark.parametrize(
    ("shape", "expected"),
    [((300, 600), (100, 50)), ((20, 10), (10, 20)), ((4000, 1), (1, 100))],
)
def test_a_thumbnail_keeps_the_shape_and_never_enlarges(shape, expected):
    image = thumbnail(np.zeros((*shape, 3), np.uint8), 100)
    assert (image.width(), image.height()) == expected


def test_reducing_averages_rather_than_skipping():
    columns = np.zeros((400, 400, 3), np.uint8)
    columns[:, ::2] = 255
    image = reduced(to_qimage(columns), QSize(100, 100))
    assert image.pixelColor(50, 50).red() == pytest.approx(128, abs=2)

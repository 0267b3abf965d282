"""What the program ships must be whole: drawings that can be recoloured and pictures to try."""

import re

import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage, QPainter
from PySide6.QtSvg import QSvgRenderer

from resources import ICONS, SAMPLES

DRAWINGS = sorted(path for path in ICONS.glob("*.svg") if path.stem != "gramarye")


def painted_share(renderer: QSvgRenderer, side: int) -> float:
    """Share of the pixels that a drawing covers at a size."""
    image = QImage(side, side, QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    renderer.render(painter)
    painter.end()
    covered = sum(image.pixelColor(x, y).alpha() > 60 for x in range(side) for y in range(side))
    return covered / side**2


@pytest.mark.parametrize("path", DRAWINGS, ids=lambda path: path.stem)
def test_drawing_is_of_black_ink_alone_so_that_themes_can_recolour_it(path):
    assert set(re.findall(r"#[0-9a-fA-F]+", path.read_text(encoding="utf-8"))) == {"#000"}


@pytest.mark.parametrize("path", DRAWINGS, ids=lambda path: path.stem)
def test_drawing_is_visible_at_sixteen_pixels_without_filling_the_square(path):
    renderer = QSvgRenderer(str(path))
    assert renderer.isValid()
    assert renderer.viewBoxF().getRect() == (0, 0, 24, 24)
    assert 0.04 < painted_share(renderer, 16) < 0.7


def test_application_icon_fills_its_square():
    renderer = QSvgRenderer(str(ICONS / "gramarye.svg"))
    assert renderer.isValid()
    assert painted_share(renderer, 32) > 0.75


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("photograph", (960, 640)),
        ("painting", (900, 680)),
        ("woodcut", (900, 640)),
        ("wash", (720, 900)),
        ("mosaic", (760, 760)),
    ],
)
def test_sample_opens_at_its_size_and_is_light_to_ship(name, size):
    path = SAMPLES / f"{name}.jpg"
    with Image.open(path) as picture:
        picture.load()
        assert (picture.mode, picture.size) == ("RGB", size)
    assert path.stat().st_size < 300_000

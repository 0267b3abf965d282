"""What the program ships must be whole: drawings that can be recoloured and pictures to try."""

import re

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage, QPainter
from PySide6.QtSvg import QSvgRenderer

from engine.spec.choices import NetworkName
from engine.spec.settings import DEFAULTS
from resources import ICONS, LOOKS, SAMPLES
from resources.looks import make
from resources.looks.page import SIDE, Shot

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


def test_pictures_of_looks_are_of_one_size_and_light_to_ship():
    files = sorted(LOOKS.glob("*.jpg"))
    for file in files:
        with Image.open(file) as picture:
            picture.load()
            assert (picture.mode, max(picture.size)) == ("RGB", SIDE), file.name
    assert sum(file.stat().st_size for file in files) < 1_500_000


def test_a_look_is_painted_as_its_settings_say():
    settings = DEFAULTS.on(NetworkName.DRAFT).changed(output_size=48, steps=1)
    one, other = (make.paint(Shot(name, settings)) for name in ("painting", "woodcut"))
    assert one.size == other.size == (48, 32)
    assert np.abs(np.asarray(one, float) - np.asarray(other, float)).mean() > 2


def test_the_example_shows_photograph_painting_and_what_the_default_makes_of_them(monkeypatch):
    asked = []

    def paint(shot):
        asked.append(shot)
        return Image.new("RGB", (640, 427), "red")

    monkeypatch.setattr(make, "paint", paint)
    sheet = make.example()
    with Image.open(SAMPLES / "example.jpg") as shipped:
        assert shipped.size == sheet.size
    (shot,) = asked
    assert shot.settings == DEFAULTS.on(NetworkName.DRAFT).changed(output_size=640)
    assert sheet.crop((sheet.width - 640, 0, sheet.width, 427)).getcolors() == [
        (640 * 427, (255, 0, 0))
    ]
    for name, at in (("photograph", (0, 0)), ("painting", (0, 427 - 209))):
        with Image.open(SAMPLES / f"{name}.jpg") as sample:
            colour = np.asarray(sample, float).mean((0, 1))
        part = sheet.crop((*at, at[0] + 314, at[1] + 209))
        assert np.abs(np.asarray(part, float).mean((0, 1)) - colour).max() < 12

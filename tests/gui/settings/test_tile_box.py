"""The field for a tile's side."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QToolButton

from engine.spec.settings import DEFAULTS
from gui.settings.parameter_panel import ParameterPanel
from gui.settings.tile_box import TileBox


@pytest.fixture
def panel(qtbot):
    panel = ParameterPanel()
    qtbot.addWidget(panel)
    panel.show_advanced(True)
    with qtbot.waitExposed(panel):
        panel.show()
    return panel


@pytest.fixture
def box(panel):
    return panel.findChild(TileBox, "setting_tile")


@pytest.fixture
def told(panel):
    told = []
    panel.changed.connect(told.append)
    return told


def type_in(qtbot, box, text, key=Qt.Key.Key_Return):
    box.lineEdit().selectAll()
    qtbot.keyClicks(box.lineEdit(), text)
    if key is not None:
        qtbot.keyClick(box.lineEdit(), key)


def test_the_usual_tiles_are_offered_in_words_and_pixels(box):
    offered = [box.itemText(index) for index in range(box.count())]
    assert offered == ["Auto", "None", "128 px", "256 px", "512 px", "1024 px"]
    assert box.currentText() == "Auto"


def test_a_tile_is_picked_from_the_list(box, told):
    box.setCurrentIndex(box.findText("256 px"))
    assert [settings.tile for settings in told] == ["256"]


@pytest.mark.parametrize(
    ("text", "tile"), [("320", "320"), ("320 px", "320"), ("256", "256"), ("NONE", "none")]
)
def test_a_tile_is_typed(box, told, text, tile, qtbot):
    type_in(qtbot, box, text)
    assert [settings.tile for settings in told] == [tile]


def test_what_was_typed_is_written_as_the_others_are(box, qtbot):
    type_in(qtbot, box, "0320")
    assert box.currentText() == "320 px"


@pytest.mark.parametrize("text", ["8", "large", "-64", "20000", ""])
def test_what_is_no_tile_is_refused_and_the_last_one_stays(panel, box, told, text, qtbot):
    if text:
        type_in(qtbot, box, text)
    else:
        box.lineEdit().selectAll()
        qtbot.keyClick(box.lineEdit(), Qt.Key.Key_Delete)
        qtbot.keyClick(box.lineEdit(), Qt.Key.Key_Return)
    assert told == []
    assert box.currentText() == "Auto"
    assert "auto, none or a whole number" in panel.findChild(QLabel, "setting_tile_refusal").text()


def test_typing_survives_settings_that_arrive_meanwhile(panel, box, told, qtbot):
    type_in(qtbot, box, "3", key=None)
    panel.set_settings(DEFAULTS.changed(steps=33))
    qtbot.keyClicks(box.lineEdit(), "20")
    qtbot.keyClick(box.lineEdit(), Qt.Key.Key_Return)
    assert told == [DEFAULTS.changed(steps=33, tile="320")]


def test_what_is_being_typed_is_taken_over_for_a_render(panel, box, told, qtbot):
    panel.activateWindow()
    box.setFocus()
    qtbot.waitUntil(box.hasFocus)
    type_in(qtbot, box, "640", key=None)
    panel.commit()
    assert [settings.tile for settings in told] == ["640"]


def test_a_tile_goes_back_to_auto(panel, box, told, qtbot):
    type_in(qtbot, box, "640")
    reset = panel.findChild(QToolButton, "setting_tile_reset")
    assert reset.toolTip() == "Back to Auto"
    reset.click()
    assert told[-1] == DEFAULTS
    assert box.currentText() == "Auto"

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QColor, QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QPushButton, QSlider, QSpinBox, QToolButton

from engine.spec.pictures import Picture, StyleImage
from gui.inputs.dropping import Dropped
from gui.inputs.style_row import StyleRow
from gui.inputs.styles_pane import StylesPane

pytestmark = pytest.mark.qt_log_ignore("does not support propagateSizeHints")

COLOURS = {"starry_night.jpg": (0, 0, 255), "the_scream.jpg": (255, 128, 0), "x.png": (0, 255, 0)}


def style(name, weight=1.0):
    pixels = np.full((30, 50, 3), COLOURS[name], np.uint8)
    return StyleImage(Picture(pixels, name, "0" * 64, Path("/paintings") / name), weight)


@pytest.fixture
def pane(qtbot):
    pane = StylesPane()
    qtbot.addWidget(pane)
    pane.resize(320, 400)
    pane.show()
    return pane


@pytest.fixture
def pair(pane):
    styles = style("starry_night.jpg"), style("the_scream.jpg")
    pane.set_styles(styles)
    return styles


def field(pane, index):
    return pane.findChild(QSpinBox, f"styleWeight_{index}")


def slider(pane, index):
    return pane.findChild(QSlider, f"styleSlider_{index}")


def row(pane, index):
    return pane.findChild(StyleRow, f"style_{index}")


def text(pane):
    labels = pane.findChildren(QLabel)
    return "\n".join(label.text() for label in labels if label.isVisible())


def test_a_click_on_the_empty_pane_or_the_button_asks_to_add(pane, qtbot):
    with qtbot.waitSignal(pane.add_requested):
        qtbot.mouseClick(pane, Qt.MouseButton.LeftButton)
    with qtbot.waitSignal(pane.add_requested):
        qtbot.mouseClick(pane.findChild(QPushButton, "addStyleButton"), Qt.MouseButton.LeftButton)


def test_a_filled_pane_adds_by_the_button_only(pane, pair, qtbot):
    with qtbot.assertNotEmitted(pane.add_requested):
        qtbot.mouseClick(pane, Qt.MouseButton.LeftButton)
    with qtbot.waitSignal(pane.add_requested):
        qtbot.keyClick(pane.findChild(QPushButton, "addStyleButton"), Qt.Key.Key_Space)


def test_each_painting_shows_thumbnail_name_and_share(pane, pair):
    shot = pane.grab().toImage()
    for index, name in enumerate(("starry_night.jpg", "the_scream.jpg")):
        at = row(pane, index).mapTo(pane, QPoint(40, 40))
        assert shot.pixelColor(at) == QColor(*COLOURS[name])
        assert name in text(pane)
    assert text(pane).count("50 % of the blend") == 2


@pytest.mark.parametrize("control", [field, slider])
def test_a_weight_set_by_keyboard_is_told_and_changes_the_shares(pane, pair, qtbot, control):
    with qtbot.waitSignal(pane.weights_changed) as told:
        qtbot.keyClick(control(pane, 1), Qt.Key.Key_Down)
    assert told.args == [(1.0, 0.99)]
    assert field(pane, 1).value() == slider(pane, 1).value() == 99
    field(pane, 1).setValue(25)
    assert "80 % of the blend" in text(pane)
    assert "20 % of the blend" in text(pane)


def test_a_typed_weight_is_told(pane, pair, qtbot):
    field(pane, 0).selectAll()
    qtbot.keyClicks(field(pane, 0), "30")
    qtbot.keyClick(field(pane, 0), Qt.Key.Key_Return)
    assert slider(pane, 0).value() == 30


def test_weights_set_from_outside_are_shown_but_not_told(pane, pair, qtbot):
    with qtbot.assertNotEmitted(pane.weights_changed):
        pane.set_styles(tuple(StyleImage(style.picture, 0.25) for style in pair))
    assert field(pane, 0).value() == slider(pane, 1).value() == 25


def test_large_weights_keep_their_proportion(pane, qtbot):
    pane.set_styles((style("starry_night.jpg", 3.0), style("the_scream.jpg", 1.5)))
    assert (field(pane, 0).value(), field(pane, 1).value()) == (100, 50)
    with qtbot.waitSignal(pane.weights_changed) as told:
        field(pane, 0).setValue(50)
    assert told.args == [(0.5, 0.5)]


def test_a_weight_that_is_not_touched_keeps_its_full_precision(pane, qtbot):
    pane.set_styles((style("starry_night.jpg", 1 / 3), style("the_scream.jpg")))
    with qtbot.waitSignal(pane.weights_changed) as told:
        field(pane, 1).setValue(50)
    assert told.args == [(1 / 3, 0.5)]


def test_weights_of_nothing_are_said_plainly(pane, pair):
    field(pane, 0).setValue(0)
    field(pane, 1).setValue(0)
    assert "no painting has a weight" in text(pane)


def test_focus_and_dragging_survive_new_weights_and_new_paintings(pane, pair, qtbot):
    pane.activateWindow()
    slider(pane, 1).setSliderDown(True)
    field(pane, 1).setFocus()
    first = row(pane, 1)
    pane.set_styles((StyleImage(pair[0].picture, 0.5), pair[1], style("x.png")))
    assert row(pane, 1) is first
    assert slider(pane, 1).isSliderDown()
    assert first.isAncestorOf(pane.focusWidget())


def test_a_painting_is_removed_by_button_or_delete(pane, pair, qtbot):
    with qtbot.waitSignal(pane.removed) as told:
        qtbot.mouseClick(pane.findChild(QToolButton, "styleRemove_1"), Qt.MouseButton.LeftButton)
    assert told.args == [1]
    with qtbot.waitSignal(pane.removed) as told:
        qtbot.keyClick(row(pane, 0), Qt.Key.Key_Delete)
    assert told.args == [0]


def test_delete_in_the_field_edits_the_number(pane, pair, qtbot):
    with qtbot.assertNotEmitted(pane.removed):
        qtbot.keyClick(field(pane, 0), Qt.Key.Key_Delete)


def test_rows_are_numbered_anew_when_one_goes(pane, pair, qtbot):
    second = row(pane, 1)
    pane.set_styles(pair[1:])
    assert second.objectName() == "style_0"
    assert field(pane, 0).accessibleName() == "Weight of the_scream.jpg"
    with qtbot.waitSignal(pane.weights_changed) as told:
        field(pane, 0).setValue(40)
    assert told.args == [(0.4,)]


def test_the_same_painting_may_be_there_twice(pane, pair):
    pane.set_styles((pair[0], pair[0]))
    assert row(pane, 0) is not row(pane, 1)


def test_tab_reaches_row_field_and_remove_of_each_painting(pane, pair):
    chain, widget = [], pane.nextInFocusChain()
    while widget is not pane:
        if widget.focusPolicy() & Qt.FocusPolicy.TabFocus and widget.isVisibleTo(pane):
            chain.append(widget)
        widget = widget.nextInFocusChain()
    rows = [widget for widget in chain if isinstance(widget, (StyleRow, QSpinBox, QToolButton))]
    kinds = [StyleRow, QSpinBox, QToolButton] * 2
    assert all(isinstance(widget, kind) for widget, kind in zip(rows, kinds, strict=True))


def test_scrolling_over_a_weight_scrolls_the_list(pane, qtbot):
    pane.set_styles(tuple(style("x.png") for _ in range(8)))
    QApplication.processEvents()
    place = QPointF(slider(pane, 1).mapTo(pane, QPoint(5, 5)))
    top = row(pane, 1).mapTo(pane, QPoint(0, 0)).y()
    QTest.wheelEvent(pane.windowHandle(), place, QPoint(0, -120))
    assert field(pane, 1).value() == 100
    assert row(pane, 1).mapTo(pane, QPoint(0, 0)).y() < top


def test_several_files_dropped_at_once_are_passed_on_together(pane, pair, qtbot):
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile("/a.jpg"), QUrl.fromLocalFile("/b.jpg")])
    how = Qt.DropAction.CopyAction, mime, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    with qtbot.waitSignal(pane.dropped) as told:
        QApplication.sendEvent(pane, QDragEnterEvent(QPoint(20, 20), *how))
        QApplication.sendEvent(pane, QDropEvent(QPointF(20, 20), *how))
    assert told.args == [Dropped((Path("/a.jpg"), Path("/b.jpg")))]


def test_every_control_has_a_name_for_assistive_tools(pane, pair):
    for kind in (QSpinBox, QSlider, QToolButton, QPushButton, StyleRow):
        assert all(control.accessibleName() for control in pane.findChildren(kind))


def test_a_running_job_keeps_its_paintings_but_not_their_weights(pane, pair, qtbot):
    pane.set_running(True)
    assert not pane.findChild(QPushButton, "addStyleButton").isEnabled()
    assert not pane.findChild(QToolButton, "styleRemove_0").isEnabled()
    with qtbot.assertNotEmitted(pane.removed):
        qtbot.keyClick(row(pane, 0), Qt.Key.Key_Delete)
    with qtbot.waitSignal(pane.weights_changed):
        qtbot.keyClick(field(pane, 1), Qt.Key.Key_Down)
    pane.set_running(False)
    with qtbot.waitSignal(pane.removed):
        qtbot.keyClick(row(pane, 0), Qt.Key.Key_Delete)


def test_an_empty_pane_invites_nobody_while_a_job_runs(pane, qtbot):
    pane.set_running(True)
    with qtbot.assertNotEmitted(pane.add_requested):
        qtbot.mouseClick(pane, Qt.MouseButton.LeftButton)

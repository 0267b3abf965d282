import pytest
from PySide6.QtCore import QPoint, QPointF, QSize, Qt
from PySide6.QtGui import QColor, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QWidget

from gui.canvas.compare import Divider
from gui.canvas.picture_view import PictureView
from gui.canvas.result_pane import CompareMode, ResultPane

pytestmark = pytest.mark.qt_log_ignore("does not support propagateSizeHints")

GREEN, ORANGE = QColor("green"), QColor("orange")


def plain(colour, width, height):
    image = QImage(width, height, QImage.Format.Format_RGB888)
    image.fill(colour)
    return image


@pytest.fixture
def pane(qtbot):
    pane = ResultPane(QWidget(objectName="startPage"))
    qtbot.addWidget(pane)
    pane.resize(640, 480)
    pane.show()
    pane.show_content(plain(GREEN, 1200, 900))
    return pane


def views(pane):
    return pane.findChild(PictureView, "beforeView"), pane.findChild(PictureView, "resultView")


def colour(pane, x, y=120):
    return pane.grab().toImage().pixelColor(x, y)


def colours(pane, y=120):
    """What is seen along a line, without the divider, the words and the surroundings."""
    shot = pane.grab().toImage()
    row = [shot.pixelColor(x, y) for x in range(pane.width())]
    return [colour for colour in row if colour in (GREEN, ORANGE)]


def words(pane):
    return {label.text() for label in pane.findChildren(QLabel) if label.isVisible()}


def turn_wheel(widget, at, notches):
    place = QPointF(widget.mapTo(widget.window(), at))
    QTest.wheelEvent(widget.window().windowHandle(), place, QPoint(0, 120 * notches))


def share_of_content(pane):
    seen = colours(pane)
    return seen.count(GREEN) / len(seen)


def test_an_empty_canvas_shows_no_picture_in_any_mode(pane):
    for mode in CompareMode:
        pane.set_mode(mode)
        assert colours(pane) == []
        assert not any(view.isVisible() for view in views(pane))


def test_the_result_alone_hides_the_content(pane):
    pane.show_frame(plain(ORANGE, 120, 90))
    assert set(map(QColor.name, colours(pane))) == {ORANGE.name()}
    pane.show_frame(None)
    assert colours(pane) == []


def test_the_slider_shows_the_content_left_and_the_pastiche_right(pane):
    pane.show_frame(plain(ORANGE, 120, 90))
    pane.set_mode(CompareMode.SLIDER)
    assert colour(pane, 150) == GREEN
    assert colour(pane, 500) == ORANGE
    assert share_of_content(pane) == pytest.approx(0.5, abs=0.02)
    assert {"Before", "After"} <= words(pane)


def test_the_divider_follows_the_hand(pane, qtbot):
    pane.show_frame(plain(ORANGE, 120, 90))
    pane.set_mode(CompareMode.SLIDER)
    divider = pane.findChild(Divider, "compareDivider")
    middle = divider.rect().center()
    qtbot.mousePress(divider, Qt.MouseButton.LeftButton, pos=middle)
    qtbot.mouseMove(divider, middle - QPoint(120, 0))
    qtbot.mouseRelease(divider, Qt.MouseButton.LeftButton)
    picture = views(pane)[1].visible_picture()
    assert share_of_content(pane) == pytest.approx(0.5 - 120 / picture.width(), abs=0.02)


def test_the_divider_obeys_the_keyboard_and_ends_hide_their_words(pane, qtbot):
    pane.show_frame(plain(ORANGE, 120, 90))
    pane.set_mode(CompareMode.SLIDER)
    divider = pane.findChild(Divider, "compareDivider")
    assert divider.accessibleName()
    qtbot.keyClick(divider, Qt.Key.Key_Right)
    assert share_of_content(pane) == pytest.approx(0.52, abs=0.015)
    qtbot.keyClick(divider, Qt.Key.Key_End)
    assert share_of_content(pane) == 1.0
    assert "After" not in words(pane)
    qtbot.keyClick(divider, Qt.Key.Key_Home)
    assert share_of_content(pane) == 0.0
    assert "Before" not in words(pane)


def test_the_divider_stays_in_view_when_zoomed_in(pane):
    pane.show_frame(plain(ORANGE, 120, 90))
    pane.set_mode(CompareMode.SLIDER)
    turn_wheel(views(pane)[1], QPoint(600, 400), 12)
    assert share_of_content(pane) == pytest.approx(0.5, abs=0.02)


def test_the_wheel_over_the_divider_zooms(pane):
    pane.show_frame(plain(ORANGE, 120, 90))
    pane.set_mode(CompareMode.SLIDER)
    divider = pane.findChild(Divider, "compareDivider")
    view = views(pane)[1]
    zoom, value = view.zoom, divider.value()
    turn_wheel(divider, divider.rect().center(), 1)
    assert view.zoom > zoom
    assert divider.value() == value


def test_side_by_side_shows_both_whole(pane):
    pane.show_frame(plain(ORANGE, 120, 90))
    pane.set_mode(CompareMode.SIDE_BY_SIDE)
    seen = colours(pane, 240)
    assert seen == sorted(seen, key=lambda colour: colour == ORANGE)
    assert seen.count(GREEN) == pytest.approx(seen.count(ORANGE), abs=4)
    assert {"Before", "After"} <= words(pane)


@pytest.mark.parametrize("led_by", [0, 1])
def test_side_by_side_zooms_and_pans_together(pane, qtbot, led_by):
    pane.show_frame(plain(ORANGE, 120, 90))
    pane.set_mode(CompareMode.SIDE_BY_SIDE)
    leader = views(pane)[led_by]
    turn_wheel(leader, QPoint(200, 200), 8)
    qtbot.keyClick(leader, Qt.Key.Key_Right)
    before, result = views(pane)
    assert before.zoom == pytest.approx(result.zoom)
    apart = before.mapToScene(QPoint(0, 0)) - result.mapToScene(QPoint(0, 0))
    assert apart.manhattanLength() * result.transform().m11() < 4


def test_without_content_there_is_nothing_to_compare(pane):
    pane.show_content(None)
    pane.show_frame(plain(ORANGE, 120, 90))
    for mode in CompareMode:
        pane.set_mode(mode)
        assert set(map(QColor.name, colours(pane))) == {ORANGE.name()}
        assert not {"Before", "After"} & words(pane)


def test_the_photograph_is_let_go_when_it_is_not_beside(pane):
    pane.show_frame(plain(ORANGE, 120, 90))
    pane.set_mode(CompareMode.SIDE_BY_SIDE)
    before, _ = views(pane)
    assert GREEN in [before.grab().toImage().pixelColor(x, 120) for x in range(before.width())]
    pane.set_mode(CompareMode.RESULT)
    before.setVisible(True)
    shot = before.grab().toImage()
    assert GREEN not in [shot.pixelColor(x, 120) for x in range(before.width())]


def test_the_zoom_is_written(pane):
    pane.show_frame(plain(ORANGE, 120, 90))
    label = pane.findChild(QLabel, "zoomLabel")
    pane.actual_size()
    assert label.text().endswith("   100 %")
    pane.zoom_in()
    assert label.text().endswith("141 %")
    pane.zoom_out()
    assert label.text().endswith("   100 %")
    pane.fit()
    assert int(label.text().split()[-2]) > 300


def test_the_start_page_is_there_until_there_is_a_picture(pane):
    assert pane.findChild(QWidget, "startPage").isVisible()
    pane.show_frame(plain(ORANGE, 120, 90))
    assert not pane.findChild(QWidget, "startPage").isVisible()
    pane.show_frame(None)
    assert pane.findChild(QWidget, "startPage").isVisible()


def test_a_frame_smaller_than_its_canvas_stands_in_the_canvas_s_place(pane):
    canvas = QSize(6000, 4500)
    pane.show_frame(plain(ORANGE, 2000, 1500), canvas)
    pane.actual_size()
    label = pane.findChild(QLabel, "zoomLabel")
    assert label.text() == "6000 × 4500 px   ·   100 %"
    result = views(pane)[1]
    turn_wheel(result, QPoint(300, 100), -4)
    seen, zoom = result.visible_picture(), result.zoom
    pane.show_frame(plain(GREEN, 6000, 4500))
    assert (result.visible_picture(), result.zoom) == (seen, zoom)
    assert label.text().startswith("6000 × 4500 px")


def test_a_smaller_frame_is_compared_at_the_canvas_s_size(pane):
    pane.set_mode(CompareMode.SIDE_BY_SIDE)
    pane.show_frame(plain(ORANGE, 2000, 1500), QSize(6000, 4500))
    before, result = views(pane)
    pane.actual_size()
    assert before.zoom == result.zoom == 1
    assert before.visible_picture() == result.visible_picture()


def test_a_growing_frame_does_not_move_the_comparison(pane):
    pane.set_mode(CompareMode.SLIDER)
    pane.show_frame(plain(ORANGE, 128, 96))
    turn_wheel(views(pane)[1], QPoint(300, 100), 6)
    shot = pane.grab(views(pane)[1].geometry()).toImage()
    pane.show_frame(plain(ORANGE, 256, 192))
    assert pane.grab(views(pane)[1].geometry()).toImage() == shot

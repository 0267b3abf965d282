import pytest
from PySide6.QtCore import QPoint, QPointF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QKeyEvent, QPainter
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from gui.canvas.picture_view import MARGIN, PictureView

RED, BLUE = QColor("red"), QColor("blue")


def halves(width, height):
    """An image red on its left half and blue on its right."""
    image = QImage(width, height, QImage.Format.Format_RGB888)
    image.fill(RED)
    painter = QPainter(image)
    painter.fillRect(width // 2, 0, width - width // 2, height, BLUE)
    painter.end()
    return image


def colour(view, x, y):
    return view.grab().toImage().pixelColor(x, y)


def turn_wheel(view, at, notches, keys=Qt.KeyboardModifier.NoModifier):
    place = QPointF(view.viewport().mapTo(view.window(), at))
    turn = QPoint(0, 120 * notches)
    QTest.wheelEvent(view.window().windowHandle(), place, turn, QPoint(), keys)


def drag(qtbot, view, start, end):
    viewport = view.viewport()
    qtbot.mousePress(viewport, Qt.MouseButton.LeftButton, pos=start)
    qtbot.mouseMove(viewport, end)
    qtbot.mouseRelease(viewport, Qt.MouseButton.LeftButton, pos=end)


@pytest.fixture
def view(qtbot):
    view = PictureView()
    qtbot.addWidget(view)
    view.resize(424, 324)
    view.show()
    view.set_image(halves(200, 100))
    return view


def test_a_picture_is_fitted_with_a_margin(view):
    assert view.visible_picture().left() == pytest.approx(MARGIN, abs=1)
    assert view.zoom == pytest.approx(2.0)
    assert colour(view, 20, 162) == RED
    assert colour(view, 400, 162) == BLUE
    assert colour(view, 5, 5) not in (RED, BLUE)


def test_it_goes_on_fitting_when_resized_until_the_person_zooms(view):
    view.resize(224, 324)
    assert view.zoom == pytest.approx(1.0)
    view.zoom_in()
    zoom = view.zoom
    view.resize(624, 324)
    assert view.zoom == pytest.approx(zoom)
    view.fit()
    assert view.zoom == pytest.approx(3.0)


def test_one_picture_pixel_is_one_screen_pixel_at_100_per_cent(view, monkeypatch):
    view.actual_size()
    assert view.visible_picture().width() == pytest.approx(200, abs=1)
    monkeypatch.setattr(PictureView, "devicePixelRatioF", lambda self: 2.0)
    view.actual_size()
    assert view.visible_picture().width() == pytest.approx(100, abs=1)
    assert view.zoom == pytest.approx(1.0)


def test_zooming_by_steps_passes_through_100_per_cent(view):
    view.resize(360, 300)
    view.zoom_in()
    for _ in range(8):
        view.zoom_out()
        if view.zoom < 1.01:
            break
    assert view.zoom == pytest.approx(1.0)


@pytest.mark.parametrize(
    "keys", [Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ControlModifier]
)
def test_the_wheel_zooms_about_the_cursor(view, keys):
    at = QPoint(300, 150)
    before = view.mapToScene(at)
    turn_wheel(view, at, 4, keys)
    assert view.zoom == pytest.approx(4.0)
    assert (view.mapToScene(at) - before).manhattanLength() < 3
    turn_wheel(view, at, -4, keys)
    assert view.zoom == pytest.approx(2.0)


def test_the_zoom_has_sane_ends(view):
    turn_wheel(view, QPoint(200, 150), 100)
    assert view.zoom == pytest.approx(32.0)
    turn_wheel(view, QPoint(200, 150), -200)
    assert view.zoom == pytest.approx(0.5)


def test_the_hand_drags_the_picture_along(view, qtbot):
    view.zoom_in()
    view.zoom_in()
    grabbed = view.mapToScene(QPoint(300, 150))
    drag(qtbot, view, QPoint(300, 150), QPoint(220, 130))
    assert (view.mapToScene(QPoint(220, 130)) - grabbed).manhattanLength() < 3


def test_arrow_keys_pan_and_plain_keys_zoom(view, qtbot):
    for key in (Qt.Key.Key_Plus, Qt.Key.Key_Plus):
        qtbot.keyClick(view, key)
    assert view.zoom == pytest.approx(4.0)
    left = view.mapToScene(QPoint(0, 0)).x()
    qtbot.keyClick(view, Qt.Key.Key_Right)
    assert view.mapToScene(QPoint(0, 0)).x() > left
    qtbot.keyClick(view, Qt.Key.Key_Minus)
    assert view.zoom == pytest.approx(2 * 2**0.5)
    qtbot.keyClick(view, Qt.Key.Key_1)
    assert view.zoom == pytest.approx(1.0)
    qtbot.keyClick(view, Qt.Key.Key_0)
    assert view.zoom == pytest.approx(2.0)


@pytest.mark.parametrize(
    ("key", "keys"),
    [
        (Qt.Key.Key_0, Qt.KeyboardModifier.ControlModifier),
        (Qt.Key.Key_Space, Qt.KeyboardModifier.NoModifier),
        (Qt.Key.Key_Escape, Qt.KeyboardModifier.NoModifier),
    ],
)
def test_keys_of_the_application_are_left_alone(view, key, keys):
    view.zoom_in()
    zoom = view.zoom
    event = QKeyEvent(QKeyEvent.Type.KeyPress, key, keys)
    QApplication.sendEvent(view, event)
    assert not event.isAccepted()
    assert view.zoom == zoom


def test_a_larger_scale_shows_the_same_part_of_the_picture(view):
    turn_wheel(view, QPoint(300, 150), 6)
    part = view.mapToScene(view.viewport().rect()).boundingRect()
    zoom = view.zoom
    picture = colour(view, 100, 100), colour(view, 330, 200)
    view.set_image(halves(401, 200))
    assert view.mapToScene(view.viewport().rect()).boundingRect() == part
    assert view.zoom == pytest.approx(zoom * 200 / 401)
    assert (colour(view, 100, 100), colour(view, 330, 200)) == picture


def test_a_picture_of_another_shape_is_fitted(view):
    turn_wheel(view, QPoint(300, 150), 6)
    view.set_image(halves(100, 300))
    assert view.zoom == pytest.approx(1.0)


def test_no_picture_leaves_the_surroundings_only(view):
    view.set_image(None)
    view.zoom_in()
    shot = view.grab().toImage()
    assert {shot.pixelColor(x, y).name() for x in (5, 100, 300) for y in (5, 150)} == {
        view.palette().window().color().darker(125).name()
    }


def test_pixels_are_crisp_up_close_and_smooth_while_fitting(view):
    view.set_image(halves(4, 2))
    seam = [colour(view, x, 150).name() for x in range(190, 236)]
    assert set(seam) - {RED.name(), BLUE.name()}
    view.zoom_out()
    shot = view.grab().toImage()
    inside = view.visible_picture().toRect().adjusted(2, 2, -2, -2)
    row = {shot.pixelColor(x, 162).name() for x in range(inside.left(), inside.right())}
    assert row == {RED.name(), BLUE.name()}


def test_fine_stripes_become_an_even_tone_when_zoomed_out(view):
    stripes = QImage(2400, 1200, QImage.Format.Format_RGB888)
    stripes.fill(QColor("black"))
    painter = QPainter(stripes)
    for x in range(0, 2400, 2):
        painter.fillRect(x, 0, 1, 1200, QColor("white"))
    painter.end()
    view.set_image(stripes)
    shot = view.grab().toImage()
    tones = [shot.pixelColor(x, 162).red() for x in range(30, 390)]
    assert max(tones) - min(tones) < 40


@pytest.mark.parametrize("size", [(40_000, 20), (20, 40_000), (1, 4000), (1, 1)])
def test_pictures_of_any_shape_show_to_their_ends(view, size):
    view.set_image(halves(*size))
    view.actual_size()
    view.horizontalScrollBar().setValue(view.horizontalScrollBar().maximum())
    view.verticalScrollBar().setValue(view.verticalScrollBar().maximum())
    visible = view.visible_picture()
    assert colour(view, int(visible.right()) - 1, int(visible.center().y())) == BLUE


def test_two_views_of_one_canvas_show_the_same_part(view, qtbot):
    other = PictureView()
    qtbot.addWidget(other)
    other.resize(424, 324)
    other.show()
    other.set_image(halves(50, 25), canvas=QSize(200, 100))
    turn_wheel(view, QPoint(300, 150), 6)
    other.follow(view)
    assert other.zoom == pytest.approx(view.zoom)
    apart = other.mapToScene(QPoint(0, 0)) - view.mapToScene(QPoint(0, 0))
    assert apart.manhattanLength() < 3
    view.fit()
    other.follow(view)
    assert other.fitting

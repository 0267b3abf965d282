"""A real window from opening pictures to reading them back, driven by real events."""

import json

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QGuiApplication, QImage
from PySide6.QtWidgets import (
    QApplication,
    QComboBox,
    QDoubleSpinBox,
    QProgressBar,
    QToolButton,
    QWidget,
)
from scripted import act, leave, save_noise, strip_text

from engine.spec.choices import NetworkName, Start
from engine.spec.errors import EngineError
from engine.storage.paths import config_folder
from gui.app.actions import Action
from gui.base.states import State
from gui.canvas.compare import CompareMode
from gui.canvas.saving import Keep
from gui.inputs.dropping import Dropped
from gui.inputs.opening import OwnWork
from gui.session.mailbox import Update
from gui.session.preferences import Theme


def drop(widget, *paths):
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    how = Qt.DropAction.CopyAction, mime, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    QApplication.sendEvent(widget, QDragEnterEvent(QPoint(5, 5), *how))
    QApplication.sendEvent(widget, QDropEvent(QPointF(5, 5), *how))


def test_the_preset_shown_at_first_start_is_the_results(rendered):
    shown = rendered.window.findChild(QComboBox, "presetCombo").currentText()
    assert shown
    assert rendered.session.result.preset == shown


def test_a_file_that_is_no_picture_gets_one_clear_sentence_and_changes_nothing(
    loaded, tmp_path, qtbot
):
    (tmp_path / "notes.jpg").write_text("not a picture")
    before = loaded.session.content
    drop(loaded.inputs.content_pane, tmp_path / "notes.jpg")
    qtbot.waitUntil(lambda: bool(loaded.dialogs.reports))
    assert "notes.jpg" in loaded.dialogs.reports[0].message
    assert loaded.session.content is before


def test_of_several_dropped_paintings_the_good_ones_are_added(loaded, tmp_path, qtbot):
    (tmp_path / "notes.jpg").write_text("not a picture")
    good = save_noise(tmp_path / "another.png", 3)
    drop(loaded.inputs.styles_pane, tmp_path / "notes.jpg", good)
    qtbot.waitUntil(lambda: bool(loaded.dialogs.reports))
    names = [style.picture.name for style in loaded.session.styles]
    assert names == ["painting.png", "another.png"]


def test_a_picture_dropped_beside_the_panes_is_the_photograph(shell, photograph, qtbot):
    drop(shell.window, photograph)
    qtbot.waitUntil(lambda: shell.session.content is not None)
    assert shell.session.content.name == "photograph.png"
    assert "photograph" in shell.window.windowTitle()


def test_pictures_are_pasted_as_content_and_as_style(shell, qtbot):
    image = QImage(20, 10, QImage.Format.Format_RGB32)
    image.fill(Qt.GlobalColor.red)
    QGuiApplication.clipboard().setImage(image)
    act(shell, Action.PASTE_CONTENT)
    act(shell, Action.PASTE_STYLE)
    qtbot.waitUntil(lambda: bool(shell.session.content and shell.session.styles))
    assert shell.session.content.size == (20, 10)


def test_pasting_nothing_says_so(shell, qtbot):
    QGuiApplication.clipboard().setText("words")
    act(shell, Action.PASTE_CONTENT)
    qtbot.waitUntil(lambda: bool(shell.dialogs.reports))
    assert "clipboard" in shell.dialogs.reports[0].message


def test_frames_progress_device_and_memory_show_while_it_runs(running, qtbot):
    window = running.window
    qtbot.waitUntil(lambda: "step" in strip_text(running))
    assert window.device_label.text() == "scripted device"
    assert window.memory_label.text() == "2.5 GB in use"
    assert not running.settings.presets.bar.isEnabled()
    running.session.stop()
    qtbot.waitUntil(lambda: running.session.state is State.IDLE)
    assert "Stopped and kept" in strip_text(running)


def test_the_network_page_can_be_used_while_a_job_runs(running, qtbot):
    act(running, Action.NETWORK)
    qtbot.waitUntil(running.weights.page.isVisible)
    frames = []
    running.session.progressed.connect(lambda update: frames.append(update.image))
    qtbot.waitUntil(lambda: any(frames))
    assert running.weights.page.isVisible()


def test_a_job_puts_the_network_page_away_when_it_begins(loaded, qtbot):
    act(loaded, Action.NETWORK)
    qtbot.waitUntil(loaded.weights.page.isVisible)
    act(loaded, Action.RENDER)
    qtbot.waitUntil(lambda: not loaded.weights.page.isVisible())


def test_stopping_is_said_until_it_is_done(running, qtbot):
    seen = []
    running.session.progressed.connect(seen.append)
    qtbot.waitUntil(lambda: bool(seen))
    act(running, Action.STOP)
    assert strip_text(running) == "Stopping…"
    assert running.window.findChild(QProgressBar, "progressBar").maximum() == 0
    running.session.progressed.emit(Update(seen[-1].progress, None))
    assert strip_text(running) == "Stopping…"
    qtbot.waitUntil(lambda: "Stopped and kept" in strip_text(running))


def test_render_uses_what_is_being_typed(loaded, engine, qtbot):
    loaded.window.activateWindow()
    field = loaded.window.findChild(QWidget, "setting_style_strength")
    field.setFocus()
    qtbot.waitUntil(field.hasFocus)
    field.selectAll()
    qtbot.keyClicks(field, "3.25")
    act(loaded, Action.RENDER)
    qtbot.waitUntil(lambda: bool(engine.jobs))
    assert engine.jobs[0].request.settings.style_strength == 3.25


def test_space_on_the_canvas_holds_and_goes_on(running, qtbot):
    qtbot.waitUntil(lambda: running.canvas.pane.focusProxy() is not None)
    running.window.activateWindow()
    running.canvas.pane.setFocus()
    canvas = running.canvas.pane.focusProxy()
    qtbot.waitUntil(canvas.hasFocus)
    qtbot.keyClick(canvas, Qt.Key.Key_Space)
    assert running.session.state is State.PAUSED
    assert "Paused" in strip_text(running)
    assert running.window.actions_by_name[Action.PAUSE].iconText() == "Resume"
    qtbot.keyClick(canvas, Qt.Key.Key_Space)
    assert running.session.state is State.RUNNING


def test_space_on_a_button_presses_the_button(running, qtbot):
    stop = running.window.findChild(QToolButton, "stopButton")
    running.window.activateWindow()
    stop.setFocus()
    qtbot.waitUntil(stop.hasFocus)
    qtbot.keyClick(stop, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: running.session.result is not None)
    assert not running.session.result.complete


def test_escape_stops_and_keeps_and_ctrl_return_renders(running, engine, qtbot):
    running.window.activateWindow()
    qtbot.keyClick(running.window, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: running.session.unsaved)
    running.dialogs.answers = [Keep.DROP]
    qtbot.keyClick(running.window, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: running.session.state is State.RUNNING)
    assert len(engine.jobs) == 2


def test_discard_leaves_an_empty_canvas_and_no_message(running, qtbot):
    act(running, Action.DISCARD)
    qtbot.waitUntil(lambda: running.session.state is State.IDLE)
    assert running.session.result is None
    assert not running.dialogs.reports
    assert strip_text(running).startswith("Ready to render")


def test_the_pictures_of_a_running_job_stay(running, painting, qtbot):
    running.inputs.styles_pane.dropped.emit(Dropped((painting,)))
    qtbot.waitUntil(lambda: bool(running.dialogs.reports))
    assert "while they are being rendered" in running.dialogs.reports[0].message
    assert len(running.session.styles) == 1


@pytest.mark.parametrize("error", [RuntimeError("broken"), EngineError("Too large.", "Smaller.")])
def test_an_error_in_the_engine_is_told_and_the_next_job_runs(loaded, engine, error, qtbot):
    engine.error = error
    act(loaded, Action.RENDER)
    qtbot.waitUntil(lambda: bool(loaded.dialogs.reports))
    told = loaded.dialogs.reports[0]
    assert "broken" not in told.message
    assert told.remedy
    qtbot.waitUntil(lambda: loaded.session.state is State.IDLE)
    act(loaded, Action.RENDER)
    qtbot.waitUntil(lambda: loaded.session.result is not None)


def test_an_unexpected_error_is_logged_with_its_traceback(loaded, engine, caplog, qtbot):
    engine.error = RuntimeError("broken")
    act(loaded, Action.RENDER)
    qtbot.waitUntil(lambda: bool(loaded.dialogs.reports))
    assert "Traceback" in caplog.text
    assert "RuntimeError: broken" in caplog.text
    assert "in _raised" in caplog.text


def test_a_slider_moved_while_running_retunes_the_job(running, engine, qtbot):
    field = running.window.findChild(QWidget, "setting_style_strength")
    settings = running.session.settings.changed(style_strength=3.0)
    assert field is not None
    running.settings.panel.changed.emit(settings)
    qtbot.waitUntil(lambda: bool(engine.retunes))
    assert engine.retunes[0].settings.style_strength == 3.0


def test_opening_a_pastiche_offers_its_settings(rendered, tmp_path, qtbot):
    session = rendered.session
    rendered.dialogs.output = tmp_path / "out.png"
    act(rendered, Action.SAVE)
    qtbot.waitUntil(lambda: not session.unsaved)
    used, content = session.settings, session.content
    session.set_settings(used.changed(content_weight=9.0))
    rendered.dialogs.answers = [OwnWork.RESTORE]
    drop(rendered.canvas.pane, tmp_path / "out.png")
    # What was asked comes back, `auto` and all; not what was decided on that machine.
    assert used.network is NetworkName.AUTO
    qtbot.waitUntil(lambda: session.settings == used)
    assert rendered.window.findChild(QDoubleSpinBox, "setting_content_weight").value() == 0.35
    assert session.content is content
    rendered.dialogs.answers = [OwnWork.OPEN]
    drop(rendered.inputs.content_pane, tmp_path / "out.png")
    qtbot.waitUntil(lambda: session.content.name == "out.png")


def test_a_start_from_a_picture_asks_for_the_picture(loaded, engine, photograph, qtbot):
    loaded.session.set_settings(loaded.session.settings.changed(start=Start.PICTURE))
    assert loaded.inputs.start_row.isVisible()
    loaded.dialogs.files = (photograph,)
    act(loaded, Action.RENDER)
    qtbot.waitUntil(lambda: loaded.session.result is not None)
    assert engine.jobs[0].request.start.name == "photograph.png"


def test_the_window_comes_back_as_it_was_left(make_shell, loaded, photograph, qtbot):
    loaded.session.set_settings(loaded.session.settings.changed(steps=77))
    act(loaded, Action.THEME_DARK)
    act(loaded, Action.LOSS_CURVES)
    advanced = loaded.window.findChild(QToolButton, "advancedButton")
    qtbot.mouseClick(advanced, Qt.MouseButton.LeftButton)
    leave(loaded, qtbot)
    again = make_shell()
    assert again.session.settings.steps == 77
    assert again.window.findChild(QDoubleSpinBox, "setting_steps").value() == 77
    assert again.memory.now.theme is Theme.DARK
    assert not again.canvas.plot.isVisible()
    assert again.window.findChild(QWidget, "setting_tile").isVisible()
    recent = again.inputs.recent_contents.actions()
    assert [entry.text() for entry in recent] == ["photograph.png"]
    recent[0].trigger()
    qtbot.waitUntil(lambda: again.session.content is not None)
    act(again, Action.THEME_SYSTEM)


@pytest.mark.parametrize("text", ["{", "[]", '{"format": "two"}'])
def test_corrupt_preferences_are_set_aside_and_said(make_shell, text, qtbot):
    config_folder().mkdir(parents=True)
    (config_folder() / "preferences.json").write_text(text)
    (config_folder() / "window.ini").write_bytes(b"\x00\xffnot an INI file")
    shell = make_shell()
    qtbot.waitUntil(lambda: bool(shell.dialogs.reports))
    assert "preferences" in shell.dialogs.reports[0].message
    aside = config_folder() / "preferences.json.corrupt"
    assert aside.read_text() == text


def test_all_that_was_set_aside_at_the_start_is_told_together(make_shell, qtbot):
    (config_folder() / "presets").mkdir(parents=True)
    (config_folder() / "preferences.json").write_text("{")
    (config_folder() / "presets" / "dusk.json").write_text("{")
    shell = make_shell()
    qtbot.waitUntil(lambda: bool(shell.dialogs.reports))
    told = [failure.message for failure in shell.dialogs.reports]
    assert len(told) == 1
    assert "preferences" in told[0]
    assert "dusk.json" in told[0]


def test_preferences_are_plain_json(loaded, qtbot):
    leave(loaded, qtbot)
    kept = json.loads((config_folder() / "preferences.json").read_text())
    assert kept["format"] == 3
    assert kept["contents"][0].endswith("photograph.png")


def test_the_compare_modes_and_zoom_are_wired(rendered):
    act(rendered, Action.COMPARE_SIDE_BY_SIDE)
    assert rendered.canvas.pane.mode is CompareMode.SIDE_BY_SIDE
    act(rendered, Action.COMPARE_RESULT)
    assert rendered.canvas.pane.mode is CompareMode.RESULT
    for action in (Action.ACTUAL_SIZE, Action.ZOOM_IN, Action.ZOOM_OUT, Action.FIT):
        act(rendered, action)


def test_help_lists_shortcuts_and_system(shell, qtbot):
    act(shell, Action.SHORTCUTS)
    act(shell, Action.SYSTEM_INFORMATION)
    qtbot.waitUntil(lambda: len(shell.dialogs.texts) == 2)
    shortcuts, system = shell.dialogs.texts
    assert "Ctrl+Return" in shortcuts
    assert "torch" in system
    assert "scripted device" in system

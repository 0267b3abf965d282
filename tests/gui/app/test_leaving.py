"""Closing the window, with and without something to lose."""

import threading

from scripted import act, leave

from engine.spec.errors import InputError
from engine.storage.images import open_picture
from engine.weights import installed
from gui.app.actions import Action
from gui.app.leaving import Unfinished
from gui.base.states import State
from gui.canvas.saving import Keep


def test_closing_with_an_unsaved_pastiche_asks_and_cancel_stays(rendered, qtbot):
    rendered.window.close()
    qtbot.waitUntil(lambda: bool(rendered.dialogs.questions))
    qtbot.wait(30)
    assert rendered.window.isVisible()
    assert rendered.session.unsaved


def test_closing_can_save_first(rendered, tmp_path, qtbot):
    rendered.dialogs.answers = [Keep.SAVE]
    rendered.dialogs.output = tmp_path / "out.webp"
    with qtbot.waitSignal(rendered.leaving.closed):
        rendered.window.close()
    assert open_picture(tmp_path / "out.webp").size == (32, 24)


def test_closing_stays_when_the_save_fails(rendered, tmp_path, qtbot):
    rendered.dialogs.answers = [Keep.SAVE]
    rendered.dialogs.output = tmp_path / "missing.psd"
    rendered.window.close()
    qtbot.waitUntil(lambda: bool(rendered.dialogs.reports))
    assert rendered.window.isVisible()
    assert rendered.session.unsaved


def test_closing_while_a_job_runs_can_stop_and_save_it(running, tmp_path, qtbot):
    running.dialogs.answers = [Unfinished.SAVE]
    running.dialogs.output = tmp_path / "out.tif"
    with qtbot.waitSignal(running.leaving.closed):
        running.window.close()
    assert open_picture(tmp_path / "out.tif").size == (32, 24)


def test_closing_stays_when_nothing_came_of_the_job(loaded, monkeypatch, qtbot):
    proceed = threading.Event()

    def find(*_wanted):
        proceed.wait()
        raise InputError("The disk is gone.")

    monkeypatch.setattr(installed, "find_weights", find)
    act(loaded, Action.RENDER)
    qtbot.waitUntil(lambda: loaded.session.state is State.PREPARING)
    loaded.dialogs.answers = [Unfinished.SAVE]
    loaded.window.close()
    qtbot.waitUntil(lambda: loaded.session.state is State.STOPPING)
    proceed.set()
    qtbot.waitUntil(lambda: bool(loaded.dialogs.reports))
    qtbot.wait(30)
    assert loaded.window.isVisible()


def test_the_window_goes_at_once_though_the_engine_is_still_loading(make_shell, engine, qtbot):
    engine.may_load.clear()
    shell = make_shell()
    closed = []
    shell.leaving.closed.connect(lambda: closed.append(True))
    shell.window.close()
    qtbot.waitUntil(lambda: not shell.window.isVisible())
    assert not closed
    engine.may_load.set()
    qtbot.waitUntil(lambda: bool(closed))


def test_closing_while_paused_can_discard(running, qtbot):
    act(running, Action.PAUSE)
    leave(running, qtbot)
    assert not running.window.isVisible()

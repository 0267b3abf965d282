"""Closing the window, with and without something to lose."""

import gc
import threading

from scripted import act, leave, settle

from engine.spec.errors import InputError
from engine.storage.images import open_picture
from engine.weights import installed
from gui.app.actions import Action
from gui.app.leaving import Unfinished
from gui.base.states import State
from gui.canvas.saving import Keep
from gui.session.engine_thread import EngineThread


def test_closing_with_an_unsaved_pastiche_asks_and_cancel_stays(rendered, qtbot):
    rendered.window.close()
    qtbot.waitUntil(lambda: bool(rendered.dialogs.questions))
    settle(rendered.tasks, qtbot)
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
    settle(loaded.tasks, qtbot)
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


def test_a_look_ahead_at_the_very_end_leaves_no_coroutine_unawaited(
    loaded, monkeypatch, recwarn, qtbot
):
    close = EngineThread.close

    async def close_while_a_change_is_looked_at(engine):
        await close(engine)
        loaded.forecaster._look()  # as its timer might at any moment

    monkeypatch.setattr(EngineThread, "close", close_while_a_change_is_looked_at)
    leave(loaded, qtbot)
    gc.collect()
    assert [str(each.message) for each in recwarn if "never awaited" in str(each.message)] == []

import gc
import threading
import weakref

import numpy as np
import pytest
from scripted import ScriptedEngine

from engine.plan.machine import Inventory
from engine.run.control import Control
from engine.spec.errors import EngineError
from engine.spec.job import Retune, job_of
from engine.spec.outcome import Ending, Outcome
from engine.spec.pictures import Picture, StyleImage
from engine.spec.progress import Progress, Stage
from engine.spec.settings import DEFAULTS
from gui.session.engine_thread import EngineThread
from gui.session.mailbox import Mailbox, Update


def grey_job(network):
    picture = Picture(np.zeros((24, 32, 3), np.uint8), "grey.png", "0" * 64)
    return job_of(picture, [StyleImage(picture)], DEFAULTS, network_weights=network)


@pytest.fixture
def job(network):
    return grey_job(network)


@pytest.fixture
def start(loop, finish):
    threads = []

    def start(stylize, warm_up=Inventory):
        threads.append(EngineThread(stylize, warm_up))
        threads[-1].start()
        return threads[-1]

    yield start
    for thread in threads:
        finish(thread.close())


def test_a_job_runs_away_from_the_windows_thread_and_returns_how_it_ended(start, finish, job):
    ran_in = []

    def stylize(job, frame_due, ending):
        ran_in.append(threading.get_ident())
        return ScriptedEngine()(job, frame_due, ending)

    outcome = finish(start(stylize).run(job, Control()))
    assert outcome.ending is Ending.FINISHED
    assert outcome.pastiche is not None
    assert ran_in != [threading.get_ident()]


def test_progress_arrives_in_the_windows_thread_with_frames(start, finish, job):
    thread = start(ScriptedEngine(steps=200))
    updates, threads = [], set()

    def note(update: Update) -> None:
        updates.append(update)
        threads.add(threading.get_ident())

    thread.progressed.connect(note)
    finish(thread.run(job, Control()))
    assert threads == {threading.get_ident()}
    assert len(updates) < 100
    assert updates[-1].progress.step == 200
    assert any(update.image is not None and update.image.width() == 32 for update in updates)


def test_what_a_job_failed_of_reaches_whoever_awaits_it_and_the_next_job_runs(start, finish, job):
    scripted = ScriptedEngine(error=EngineError("Out of memory.", "Choose a smaller size."))
    thread = start(scripted)
    failed = finish(thread.run(job, Control()))
    assert failed.ending is Ending.FAILED
    assert isinstance(failed.error, EngineError)
    assert finish(thread.run(job, Control())).ending is Ending.FINISHED


def test_an_error_does_not_keep_what_the_job_held(start, finish, job):
    class Tensor:
        pass

    held = []

    def broken():
        tensor = Tensor()
        held.append(weakref.ref(tensor))
        raise RuntimeError(f"failed with {tensor}")

    def stylize(job, frame_due, ending):
        yield Progress(Stage.RUNNING)
        try:
            broken()
        except RuntimeError as error:
            return Outcome(Ending.FAILED, job.request, error=error)

    outcome = finish(start(stylize).run(job, Control()))
    gc.collect()
    assert held[0]() is None
    assert outcome.error.__traceback__ is not None


def test_what_nobody_foresaw_in_a_job_reaches_whoever_awaits_it(start, finish, job):
    def stylize(job, frame_due, ending):
        yield Progress(Stage.RUNNING)
        raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        finish(start(stylize).run(job, Control()))


def test_cancel_while_paused_is_prompt(start, finish, job, loop, qtbot):
    scripted = ScriptedEngine(steps=None)
    thread, control = start(scripted), Control()
    task = loop.create_task(thread.run(job, control))
    qtbot.waitUntil(lambda: scripted.step > 2)
    control.pause()
    qtbot.waitUntil(scripted.held.is_set)
    assert not task.done()
    control.discard()
    qtbot.waitUntil(task.done)
    assert task.result().ending is Ending.DISCARDED


def test_a_retune_reaches_the_work(start, finish, job, loop, qtbot):
    scripted = ScriptedEngine(steps=None)
    thread, control = start(scripted), Control()
    task = loop.create_task(thread.run(job, control))
    change = Retune(DEFAULTS.changed(content_weight=3.0), (1.0,))
    control.retune(change)
    qtbot.waitUntil(lambda: scripted.retunes == [change])
    control.stop()
    qtbot.waitUntil(task.done)
    assert task.result().ending is Ending.STOPPED


def test_an_engine_that_cannot_be_loaded_does_not_take_the_window_with_it(start, qtbot, caplog):
    def broken():
        raise ImportError("no torch")

    thread = EngineThread(ScriptedEngine(), broken)
    with qtbot.waitSignal(thread.warmed) as warmed:
        thread.start()
    assert warmed.args == [Inventory()]
    assert "no torch" in caplog.text
    thread._worker.orders.put(None)
    qtbot.waitUntil(thread._worker.isFinished)


def test_closing_a_thread_that_never_started_is_nothing(loop, finish):
    finish(EngineThread(ScriptedEngine(), lambda: ()).close())


def test_the_latest_progress_wins_but_no_frame_and_no_message_is_lost():
    box = Mailbox()
    assert box.frame_due()
    frame = np.zeros((2, 3, 3), np.uint8)
    box.put(Progress(Stage.RUNNING, "Went back to the last good picture.", step=1, frame=frame))
    assert not box.frame_due()
    box.put(Progress(Stage.RUNNING, step=2))
    update = box.take()
    assert update.progress.step == 2
    assert update.progress.message == "Went back to the last good picture."
    assert update.image.width() == 3
    assert box.take() is None
    assert box.frame_due()


def test_a_frame_is_a_copy():
    box, frame = Mailbox(), np.zeros((2, 3, 3), np.uint8)
    box.put(Progress(Stage.RUNNING, frame=frame))
    frame[:] = 255
    assert box.take().image.pixelColor(0, 0).red() == 0


def test_a_finished_job_is_let_go_while_the_thread_waits(start, finish, network):
    thread = start(lambda job, frame_due, ending: ScriptedEngine()(job, frame_due, ending))
    job = grey_job(network)
    outcome = finish(thread.run(job, Control()))
    held = weakref.ref(job), weakref.ref(outcome)
    del job, outcome
    gc.collect()
    assert [each() for each in held] == [None, None]


def test_a_failed_job_is_let_go_with_its_error(start, finish, network):
    def stylize(job, frame_due, ending):
        return ScriptedEngine(error=RuntimeError("broken"))(job, frame_due, ending)

    thread = start(stylize)
    job = grey_job(network)
    held = weakref.ref(job)
    outcome = finish(thread.run(job, Control()))
    assert isinstance(outcome.error, RuntimeError)
    del job, outcome
    gc.collect()
    assert held() is None

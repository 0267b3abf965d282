import hashlib
import threading

import numpy as np
import pytest

from engine.spec.choices import NetworkName
from engine.spec.errors import EngineError, InputError, NetworkMissingError
from engine.spec.outcome import Ending
from engine.spec.pictures import Picture
from engine.spec.settings import DEFAULTS
from engine.storage.presets import builtin_presets
from gui.base.qimages import to_qimage
from gui.base.states import State
from gui.base.tasks import Tasks
from gui.session import session as session_module
from gui.session.engine_thread import EngineThread
from gui.session.session import Session


def picture(name: str) -> Picture:
    return Picture(np.zeros((24, 32, 3), np.uint8), name, hashlib.sha256(name.encode()).hexdigest())


@pytest.fixture
def session(loop, finish, engine, network):
    thread = EngineThread(engine, lambda: ())
    tasks = Tasks(lambda error: None)
    session = Session(thread, tasks)
    session.set_content(picture("photograph.png"))
    session.add_styles([picture("one.png"), picture("two.png")])
    thread.start()
    yield session
    session.discard()
    finish(thread.close())
    finish(tasks.close())


@pytest.fixture
def states(session):
    seen = []
    session.state_changed.connect(seen.append)
    return seen


@pytest.fixture
def running(session, engine, loop, qtbot):
    """A job that goes on until it is told otherwise."""
    engine.steps = None
    task = loop.create_task(session.render())
    qtbot.waitUntil(lambda: session.state is State.RUNNING)
    return task


def test_a_render_goes_through_its_states_and_leaves_an_unsaved_pastiche(session, states, finish):
    finish(session.render())
    assert states[0] is State.PREPARING
    assert states[-1] is State.IDLE
    assert session.unsaved
    assert session.result.complete
    assert session.result.image.width() == 32


def test_a_second_render_while_one_runs_does_nothing(session, running, engine, finish):
    finish(session.render())
    assert len(engine.jobs) == 1


def test_stop_keeps_what_there_is(session, running, qtbot):
    session.stop()
    qtbot.waitUntil(running.done)
    assert session.unsaved
    assert not session.result.complete


def test_discard_keeps_the_earlier_pastiche(session, engine, finish, loop, qtbot):
    finish(session.render())
    earlier = session.result
    engine.steps = None
    task = loop.create_task(session.render())
    qtbot.waitUntil(lambda: session.state is State.RUNNING)
    session.discard()
    qtbot.waitUntil(task.done)
    task.result()
    assert session.result is earlier
    assert session.state is State.IDLE


def test_discard_after_the_last_step_still_discards(session, loop, qtbot, monkeypatch):
    converting, proceed = threading.Event(), threading.Event()

    def convert(pixels):
        converting.set()
        proceed.wait()
        return to_qimage(pixels)

    monkeypatch.setattr(session_module, "to_qimage", convert)
    task = loop.create_task(session.render())
    qtbot.waitUntil(converting.is_set)
    session.discard()
    proceed.set()
    qtbot.waitUntil(task.done)
    task.result()
    assert session.result is None


def test_discard_while_the_weights_are_looked_for_starts_no_job(
    session, engine, network, loop, qtbot, monkeypatch
):
    proceed = threading.Event()

    monkeypatch.setattr(session_module, "refuse_without_weights", lambda _: proceed.wait())
    task = loop.create_task(session.render())
    qtbot.waitUntil(lambda: session.state is State.PREPARING)
    session.discard()
    proceed.set()
    qtbot.waitUntil(task.done)
    task.result()
    assert not engine.jobs


def test_an_engine_that_fails_late_leaves_the_picture_so_far(session, engine, finish):
    engine.error = EngineError("The device is gone.")
    with pytest.raises(EngineError, match="device is gone"):
        finish(session.render())
    assert session.unsaved
    assert session.result.outcome.ending is Ending.FAILED
    assert not session.result.complete
    assert session.state is State.IDLE


def test_an_engine_that_fails_without_a_picture_leaves_the_earlier_one(session, engine, finish):
    finish(session.render())
    earlier = session.result
    engine.error, engine.keeps = EngineError("Too large."), False
    with pytest.raises(EngineError):
        finish(session.render())
    assert session.result is earlier


def test_pause_holds_and_pause_again_goes_on(session, running, engine, qtbot):
    session.pause()
    assert session.state is State.PAUSED
    qtbot.waitUntil(engine.held.is_set)
    held_at = engine.step
    assert not running.done()
    session.pause()
    assert session.state is State.RUNNING
    qtbot.waitUntil(lambda: engine.step > held_at)


def test_discard_while_paused_is_prompt(session, running, qtbot):
    session.pause()
    session.discard()
    qtbot.waitUntil(running.done)
    running.result()
    assert session.result is None


def test_a_dragged_slider_retunes_the_running_job_once_with_the_last_value(
    session, running, engine, qtbot
):
    for weight in (2.0, 3.0, 4.0):
        session.set_settings(DEFAULTS.changed(content_weight=weight))
    session.set_style_weights((0.25, 0.75))
    qtbot.waitUntil(lambda: bool(engine.retunes))
    assert [change.settings.content_weight for change in engine.retunes] == [4.0]
    assert engine.retunes[0].shares == (0.25, 0.75)


def test_weights_that_blend_to_nothing_are_not_sent_to_a_running_job(
    session, running, engine, qtbot
):
    session.set_style_weights((0.0, 0.0))
    with qtbot.waitSignal(session._retune_timer.timeout):
        pass
    session.set_settings(session.settings.changed(content_weight=2.0))
    with qtbot.waitSignal(session._retune_timer.timeout):
        pass
    step = engine.step
    qtbot.waitUntil(lambda: engine.step > step + 2)
    assert not engine.retunes
    assert session.state is State.RUNNING


@pytest.mark.parametrize("error", [RuntimeError("broken"), InputError("Unusable.")])
def test_after_a_failed_job_the_next_one_runs(session, engine, finish, error):
    engine.error, engine.keeps = error, False
    with pytest.raises(type(error)):
        finish(session.render())
    assert session.state is State.IDLE
    assert session.result is None
    engine.keeps = True
    finish(session.render())
    assert session.result is not None


def test_without_a_painting_the_person_is_told_so(session, finish):
    session.remove_style(0)
    session.remove_style(0)
    with pytest.raises(InputError, match="no style image"):
        finish(session.render())
    assert session.state is State.IDLE


def test_missing_network_weights_end_in_idle(session, finish):
    session.set_settings(DEFAULTS.changed(network="vgg16"))
    with pytest.raises(NetworkMissingError):
        finish(session.render())
    assert session.state is State.IDLE


def test_a_saved_result_is_no_longer_unsaved(session, finish, tmp_path):
    finish(session.render())
    session.mark_saved(session.result, tmp_path / "out.png")
    assert not session.unsaved


def test_saving_late_does_not_mark_a_newer_pastiche(session, finish, tmp_path):
    finish(session.render())
    old = session.result
    finish(session.render())
    session.mark_saved(old, tmp_path / "old.png")
    assert session.unsaved


def test_a_result_bears_the_name_of_the_preset_it_was_made_with(session, finish):
    session.choose_preset(builtin_presets()[0])
    finish(session.render())
    assert session.result.preset == builtin_presets()[0].name
    session.set_settings(session.settings.changed(style_strength=7.5))
    finish(session.render())
    assert session.result.preset == ""


def test_a_job_retuned_away_from_its_preset_does_not_bear_its_name(session, engine, loop, qtbot):
    session.choose_preset(builtin_presets()[0])
    engine.steps = None
    task = loop.create_task(session.render())
    qtbot.waitUntil(lambda: session.state is State.RUNNING)
    session.set_settings(session.settings.changed(style_strength=7.5))
    qtbot.waitUntil(lambda: bool(engine.retunes))
    session.stop()
    qtbot.waitUntil(task.done)
    assert session.result.preset == ""


def test_a_preset_leaves_machine_and_occasion_alone(session):
    session.set_settings(DEFAULTS.changed(seed=9, output_size=300))
    session.choose_preset(builtin_presets()[0])
    assert (session.settings.seed, session.settings.output_size) == (9, 300)


def test_the_job_is_made_from_the_pictures_as_they_are_shown(session, finish, engine):
    finish(session.render())
    request = engine.jobs[0].request
    assert [style.name for style in request.styles] == ["one.png", "two.png"]
    assert request.content.name == "photograph.png"
    assert {ref.sha256 for ref in request.pictures} == engine.jobs[0].pictures.keys()


def test_a_job_is_asked_for_as_the_person_set_it(session, finish, engine):
    finish(session.render())
    assert engine.jobs[0].request == session.request
    assert engine.jobs[0].request.settings.network is NetworkName.AUTO


def test_copies_of_one_file_keep_their_names(session):
    pixels = np.zeros((24, 32, 3), np.uint8)
    session.set_styles(())
    session.add_styles([Picture(pixels, name, "0" * 64) for name in ("one.png", "copy.png")])
    assert [style.picture.name for style in session.styles] == ["one.png", "copy.png"]


def test_pictures_that_are_no_longer_asked_for_are_let_go(session):
    session.set_content(None)
    session.set_styles(())
    assert not session._opened

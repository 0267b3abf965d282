"""What the window says of a job before it starts."""

from dataclasses import replace

import pytest
from scripted import PLAN, strip_text

from engine.plan.memory import Outlook
from engine.spec.errors import EngineError
from engine.spec.scales import Scale
from engine.spec.tiles import Tiling
from gui.app.actions import Action
from gui.base.states import State
from gui.inputs.opening import Role
from gui.session.forecast import outlook_text

PLANNED = PLAN.model_copy(
    update={
        "tiling": Tiling(256),
        "scales": (Scale(canvas=(512, 384), styles=(), steps=1),),
        "seconds": 121.0,
    }
)
OUTLOOK = Outlook(PLANNED, Tiling(256), 430_000_000, 23_100_000_000, 9000)


def test_an_outlook_is_one_line_of_size_time_memory_and_tiles():
    assert outlook_text(OUTLOOK) == (
        "Ready to render · 512 × 384 px · about 2 min · 0.4 GB of 23.1 GB free · tiles of 256 px"
    )


@pytest.mark.parametrize("tiling", [Tiling(), Tiling(512)])
def test_tiles_are_named_only_where_the_picture_is_cut(tiling):
    planned = PLANNED.model_copy(update={"tiling": tiling})
    assert "tiles" not in outlook_text(replace(OUTLOOK, plan=planned, tiling=tiling))


def test_a_picture_cut_smaller_than_decided_is_said_to_be():
    assert outlook_text(replace(OUTLOOK, tiling=Tiling(64))).endswith(
        "tiles of 64 px · cut smaller, memory is short"
    )


def test_a_time_that_is_not_known_is_left_out():
    planned = PLANNED.model_copy(update={"seconds": None})
    text = outlook_text(replace(OUTLOOK, plan=planned))
    assert text.startswith("Ready to render · 512 × 384 px · 0.4 GB of")


def test_what_does_not_fit_is_said_with_what_would():
    outlook = replace(OUTLOOK, bytes=30_000_000_000, available=8_000_000_000, largest=4096)
    assert outlook_text(outlook) == (
        "⚠ 512 × 384 px would take 30.0 GB of memory and 8.0 GB is free; "
        "the largest that fits is 4096 px"
    )


def test_where_nothing_fits_other_programs_are_in_the_way():
    outlook = replace(OUTLOOK, available=100_000_000, largest=0)
    assert outlook_text(outlook).endswith("close other programs")


def test_the_plan_is_shown_as_soon_as_there_are_pictures(loaded, qtbot):
    qtbot.waitUntil(lambda: "GB free" in strip_text(loaded))
    assert strip_text(loaded).startswith("Ready to render · 512 × 384 px · ")


def test_what_was_missing_is_not_complained_of_once_it_is_there(
    shell, finish, photograph, painting, qtbot
):
    finish(shell.opening.open_one(Role.CONTENT, photograph))
    with qtbot.waitSignal(shell.forecaster.foreseen):
        shell.forecaster.look_soon()
    finish(shell.opening.open_one(Role.STYLE, painting))
    assert strip_text(shell) == "Ready to render."


def test_the_plan_follows_the_settings_and_looks_once_for_many_changes(loaded, engine, qtbot):
    qtbot.waitUntil(lambda: "512 × 384 px" in strip_text(loaded))
    engine.foreseen.clear()
    for size in range(600, 641):
        loaded.session.set_settings(loaded.session.settings.changed(output_size=size))
    qtbot.waitUntil(lambda: "640 × 480 px" in strip_text(loaded))
    assert [request.settings.output_size for request in engine.foreseen] == [640]


def test_a_size_that_does_not_fit_is_said_before_anything_starts(loaded, engine, qtbot):
    engine.memory = 2_000_000_000
    loaded.session.set_settings(loaded.session.settings.changed(output_size=16384))
    qtbot.waitUntil(lambda: "the largest that fits is" in strip_text(loaded))


def test_a_picture_too_narrow_is_said_before_anything_starts(loaded, qtbot):
    loaded.session.set_settings(loaded.session.settings.changed(output_size=16, coarsest_size=16))
    qtbot.waitUntil(lambda: "needs at least 16" in strip_text(loaded))


def test_a_device_that_is_not_there_is_said_before_anything_starts(loaded, monkeypatch, qtbot):
    def foresee(request):
        raise EngineError("There is no usable cuda device on this machine.", "Choose auto.")

    monkeypatch.setattr(loaded.forecaster._engine, "_foresee", foresee)
    loaded.forecaster.look_soon()
    qtbot.waitUntil(lambda: "no usable cuda device" in strip_text(loaded))
    assert not loaded.dialogs.reports


def test_what_nobody_foresaw_in_planning_is_logged_and_opens_no_dialog(
    loaded, monkeypatch, caplog, qtbot
):
    def foresee(request):
        raise RuntimeError("broken driver")

    monkeypatch.setattr(loaded.forecaster._engine, "_foresee", foresee)
    loaded.forecaster.look_soon()
    qtbot.waitUntil(lambda: "broken driver" in caplog.text)
    qtbot.waitUntil(lambda: strip_text(loaded) == "Ready to render.")
    assert not loaded.dialogs.reports


def test_nothing_is_planned_while_the_engine_is_loading(
    make_shell, engine, finish, photograph, painting, qtbot
):
    engine.may_load.clear()
    shell = make_shell()
    finish(shell.opening.open_one(Role.CONTENT, photograph))
    with qtbot.waitSignal(shell.forecaster.foreseen) as foreseen:
        finish(shell.opening.open_one(Role.STYLE, painting))
    assert foreseen.args == [""]
    assert strip_text(shell) == "Ready to render."
    assert not engine.foreseen
    engine.may_load.set()
    qtbot.waitUntil(lambda: "GB free" in strip_text(shell))


def test_a_texture_from_noise_is_planned_without_a_photograph(shell, finish, painting, qtbot):
    finish(shell.opening.open_one(Role.STYLE, painting))
    assert "start from noise" in strip_text(shell)
    shell.session.set_settings(shell.session.settings.changed(start="noise"))
    qtbot.waitUntil(lambda: "512 × 512 px" in strip_text(shell))


def test_nothing_is_planned_while_a_job_runs_and_memory_is_asked_for_after_it(
    loaded, engine, qtbot
):
    qtbot.waitUntil(lambda: "GB free" in strip_text(loaded))
    engine.steps = None
    loaded.window.actions_by_name[Action.RENDER].trigger()
    qtbot.waitUntil(lambda: loaded.session.state is State.RUNNING)
    engine.foreseen.clear()
    with qtbot.waitSignal(loaded.forecaster.looked):
        loaded.session.set_settings(loaded.session.settings.changed(style_strength=2.0))
    assert not engine.foreseen
    loaded.session.stop()
    qtbot.waitUntil(lambda: bool(engine.foreseen))


def test_the_result_is_spoken_of_until_something_changes(loaded, engine, qtbot):
    loaded.window.actions_by_name[Action.RENDER].trigger()
    qtbot.waitUntil(lambda: loaded.session.result is not None)
    with qtbot.waitSignal(loaded.forecaster.foreseen):
        loaded.forecaster.look_soon()
    assert strip_text(loaded).startswith("Finished · 32 × 24 px")
    loaded.session.set_settings(loaded.session.settings.changed(output_size=640))
    qtbot.waitUntil(lambda: "Ready to render · 640 × 480 px" in strip_text(loaded))

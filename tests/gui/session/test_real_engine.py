"""The main job in a real window with the real engine, on a random network and a small canvas."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractSpinBox

from engine.objective.objective import Objective
from engine.run import walk
from engine.spec.choices import NetworkName
from engine.spec.settings import DEFAULTS
from engine.storage.images import open_picture
from engine.storage.recipes import read_recipe
from gui.app.actions import Action
from gui.base.states import State
from gui.inputs.opening import Role
from gui.inputs.sample_card import SampleCard
from gui.session import engine_thread

SMALL = {
    "output_size": 48,
    "coarsest_size": 24,
    "style_layers": "relu1_1, relu2_1",
    "content_layers": "relu2_1",
    "matched_layers": "relu1_1",
}


class RealEngine:
    """The engine itself, where other tests have a scripted one."""

    def __call__(self, job, frame_due, ending):
        return engine_thread._stylize(job, frame_due, ending)

    def foresee(self, request):
        from gui.session.warming import foresee

        return foresee(request)

    def warm_up(self):
        from engine.run.machines import Trials, inventory

        return inventory(Trials.FIRST)


@pytest.fixture
def engine(one_thread):
    return RealEngine()


@pytest.fixture
def network(random_network: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Network weights that can be read."""
    monkeypatch.setenv("GRAMARYE_NETWORKS", str(random_network.parent))
    return random_network


@pytest.fixture
def ready(shell, finish, photograph, painting):
    """A window with both pictures, set to a canvas small enough for a test."""
    finish(shell.opening.open_one(Role.CONTENT, photograph))
    finish(shell.opening.open(Role.STYLE, (painting,)))
    shell.session.set_settings(shell.session.settings.changed(**SMALL))
    return shell


def type_number(shell, setting, text, qtbot):
    field = shell.window.findChild(QAbstractSpinBox, f"setting_{setting}")
    field.setFocus()
    field.selectAll()
    qtbot.keyClicks(field, text)
    qtbot.keyClick(field, Qt.Key.Key_Return)


def render(shell, qtbot):
    ended = shell.session.state_changed
    with qtbot.waitSignal(ended, timeout=60_000, check_params_cb=lambda now: now is State.IDLE):
        shell.window.actions_by_name[Action.RENDER].trigger()


def test_a_photograph_and_a_painting_become_a_saved_pastiche(ready, qtbot, tmp_path):
    type_number(ready, "steps", "6", qtbot)
    frames = []
    ready.session.progressed.connect(lambda update: frames.append(update.image))
    render(ready, qtbot)
    assert ready.dialogs.reports == []
    result = ready.session.result
    assert result.complete
    assert result.pastiche.pixels.shape == (36, 48, 3)
    assert any(image is not None for image in frames)
    ready.dialogs.output = tmp_path / "pastiche.png"
    ready.window.actions_by_name[Action.SAVE].trigger()
    qtbot.waitUntil(lambda: not ready.session.unsaved, timeout=20_000)
    saved = open_picture(tmp_path / "pastiche.png")
    assert (saved.pixels == result.pastiche.pixels).all()
    assert read_recipe(tmp_path / "pastiche.png").recipe.request.settings.steps == 6


def test_style_strength_moved_while_it_runs_is_what_the_pastiche_was_made_with(ready, qtbot):
    type_number(ready, "steps", "100000", qtbot)
    ready.window.actions_by_name[Action.RENDER].trigger()
    qtbot.waitUntil(lambda: ready.session.state is State.RUNNING, timeout=60_000)
    names = []
    ready.session.progressed.connect(
        lambda update: names.append([term.name for term in update.progress.terms])
    )
    type_number(ready, "style_strength", "0", qtbot)
    left = ["content relu2_1", "matched relu1_1", "fine colour"]
    qtbot.waitUntil(lambda: names[-1:] == [left], timeout=60_000)
    ready.window.actions_by_name[Action.STOP].trigger()
    qtbot.waitUntil(lambda: ready.session.state is State.IDLE, timeout=60_000)
    result = ready.session.result
    assert not result.complete
    assert result.outcome.request.settings.style_strength == 1
    assert result.outcome.final.settings.style_strength == 0


@pytest.fixture
def endless(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Has the third step's evaluation go on for ever; set once it does."""
    advance, evaluate, steps, begun = walk.advance, Objective.evaluate, [], threading.Event()

    def counted(*arguments):
        steps.append(arguments)
        return advance(*arguments)

    def evaluated(objective, image):
        while len(steps) == 3:
            begun.set()
            evaluate(objective, image)
        return evaluate(objective, image)

    # What is told of the steps before makes the window say that the job runs.
    monkeypatch.setattr("engine.run.timing._SECONDS_BETWEEN_LOOKS", 0)
    monkeypatch.setattr(walk, "advance", counted)
    monkeypatch.setattr(Objective, "evaluate", evaluated)
    return begun


def interrupt(shell, qtbot, action, endless):
    """Take an action in the middle of an evaluation, and wait until the job has ended."""
    shell.window.actions_by_name[Action.RENDER].trigger()
    qtbot.waitUntil(endless.is_set, timeout=60_000)
    qtbot.waitUntil(lambda: shell.session.state is State.RUNNING, timeout=60_000)
    shell.window.actions_by_name[action].trigger()
    qtbot.waitUntil(lambda: shell.session.state is State.IDLE, timeout=60_000)


def test_discard_ends_a_job_in_the_middle_of_an_evaluation(ready, qtbot, endless):
    interrupt(ready, qtbot, Action.DISCARD, endless)
    assert ready.session.result is None
    assert ready.dialogs.reports == []


def test_stop_in_the_middle_of_an_evaluation_keeps_the_picture_of_before(ready, qtbot, endless):
    interrupt(ready, qtbot, Action.STOP, endless)
    result = ready.session.result
    assert not result.complete
    assert result.pastiche.progress.step == 2
    assert result.pastiche.pixels.shape == (18, 24, 3)


def test_a_fresh_window_paints_a_sample_with_two_clicks(shell, monkeypatch, tmp_path, qtbot):
    monkeypatch.setenv("GRAMARYE_NETWORKS", str(tmp_path))
    shell.session.set_settings(DEFAULTS.changed(output_size=64, coarsest_size=64, steps=4))
    qtbot.mouseClick(shell.window.findChild(SampleCard), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: bool(shell.session.styles))
    render(shell, qtbot)
    assert shell.dialogs.reports == []
    result = shell.session.result
    pastiche = result.pastiche
    assert result.complete
    assert result.outcome.request.settings.network is NetworkName.AUTO
    assert result.outcome.plan.network is NetworkName.DRAFT
    assert pastiche.pixels.shape == (43, 64, 3)
    assert pastiche.pixels.std() > 10


def test_a_job_the_engine_refuses_is_told_and_the_next_one_runs(ready, qtbot, finish, tmp_path):
    from PIL import Image

    Image.new("RGB", (4000, 1)).save(tmp_path / "thin.png")
    finish(ready.opening.open(Role.STYLE, (tmp_path / "thin.png",)))
    render(ready, qtbot)
    qtbot.waitUntil(lambda: len(ready.dialogs.reports) == 1)
    (failure,) = ready.dialogs.reports
    assert "thin.png" in failure.message
    ready.session.remove_style(1)
    type_number(ready, "steps", "2", qtbot)
    render(ready, qtbot)
    assert ready.session.result.complete

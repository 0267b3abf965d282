import pytest

from gui.base.states import ALLOWED, Action, State, allowed


def test_every_state_has_its_actions():
    assert set(ALLOWED) == set(State)


@pytest.mark.parametrize("state", set(State) - {State.IDLE})
def test_while_a_job_is_there_no_second_one_starts_and_its_pictures_stay(state):
    can = allowed(state, pastiche=True, unsaved=True)
    assert not can & {Action.RENDER, Action.OPEN_CONTENT, Action.ADD_STYLE, Action.PASTE_STYLE}


@pytest.mark.parametrize("state", set(State) - {State.IDLE})
def test_a_job_can_be_discarded_in_every_state(state):
    assert Action.DISCARD in allowed(state, pastiche=False, unsaved=False)


@pytest.mark.parametrize("state", [State.RUNNING, State.PAUSED])
def test_a_running_and_a_held_job_can_be_held_resumed_and_kept(state):
    assert {Action.PAUSE, Action.STOP} <= allowed(state, pastiche=False, unsaved=False)


def test_nothing_can_be_saved_before_there_is_a_pastiche():
    can = allowed(State.IDLE, pastiche=False, unsaved=False)
    assert not can & {Action.SAVE, Action.SAVE_AS, Action.COPY_IMAGE}
    assert Action.RENDER in can


def test_a_saved_pastiche_can_be_saved_elsewhere_but_not_again():
    can = allowed(State.IDLE, pastiche=True, unsaved=False)
    assert Action.SAVE_AS in can
    assert Action.SAVE not in can


@pytest.mark.parametrize("state", State)
def test_leaving_looking_and_help_are_always_possible(state):
    always = {Action.QUIT, Action.FIT, Action.COMPARE_SLIDER, Action.ABOUT, Action.THEME_DARK}
    assert always <= allowed(state, pastiche=False, unsaved=False)

"""The window with nothing open, and the first minute in it."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QToolButton
from scripted import leave

from gui.app.actions import Action
from gui.base.states import State
from gui.inputs.opening import Role
from gui.inputs.sample_card import SampleCard
from gui.inputs.samples import SAMPLE_PAIRS


def cards(shell):
    return {card.text(): card for card in shell.window.findChildren(SampleCard)}


def hint(shell):
    return shell.window.findChild(QLabel, "startHint").text()


def names(shell):
    session = shell.session
    content = session.content.name if session.content else None
    return content, [style.picture.name for style in session.styles]


def recent_buttons(shell, kind):
    page = shell.inputs.start_page
    return [
        button
        for button in page.findChildren(QToolButton)
        if button.accessibleName().startswith(f"Recent {kind}: ") and button.isVisible()
    ]


@pytest.mark.parametrize("pair", SAMPLE_PAIRS, ids=lambda pair: pair.title)
def test_every_sample_is_there_and_opens_as_a_pair_with_one_click(shell, pair, qtbot):
    card = cards(shell)[pair.title]
    assert card.isVisible()
    assert card.accessibleName() == f"Sample pair: {pair.title}"
    qtbot.mouseClick(card, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: bool(shell.session.styles))
    assert names(shell) == ("photograph.jpg", [pair.painting.name])
    assert not card.isVisible()
    assert hint(shell) == "Press Render"


def test_two_clicks_make_a_picture(shell, engine, qtbot):
    qtbot.mouseClick(cards(shell)["Woodcut"], Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: bool(shell.session.styles))
    qtbot.mouseClick(shell.window.findChild(QToolButton, "renderButton"), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: shell.session.result is not None)
    assert engine.jobs[0].request.content.name == "photograph.jpg"


@pytest.mark.parametrize("key", [Qt.Key.Key_Return, Qt.Key.Key_Space])
def test_a_sample_is_reached_and_opened_by_keyboard(shell, key, qtbot):
    shell.window.activateWindow()
    seen = shell.window
    for _ in range(40):
        qtbot.keyClick(seen, Qt.Key.Key_Tab)
        seen = shell.window.focusWidget()
        if isinstance(seen, SampleCard):
            break
    assert seen.text() == SAMPLE_PAIRS[0].title
    qtbot.keyClick(seen, key)
    qtbot.waitUntil(lambda: bool(shell.session.styles))


def test_the_pictures_on_the_cards_come_behind_the_open_window(shell, qtbot):
    card = cards(shell)["Mosaic"]

    def colours():
        shot = card.grab().toImage()
        return {shot.pixelColor(x, 30).name() for x in range(10, 80)}

    qtbot.waitUntil(lambda: len(colours()) > 30)


def test_the_offer_comes_back_with_the_last_picture_gone(shell, finish, photograph, painting):
    card = cards(shell)["Woodcut"]
    finish(shell.opening.open_one(Role.CONTENT, photograph))
    assert not card.isVisible()
    assert hint(shell) == "Add a painting, then press Render"
    finish(shell.opening.open_one(Role.STYLE, painting))
    shell.session.set_content(None)
    assert not card.isVisible()
    assert hint(shell) == "Open a photograph, then press Render"
    shell.session.remove_style(0)
    assert card.isVisible()


def test_recent_pictures_are_offered_beside_the_samples(
    make_shell, shell, finish, photograph, painting, qtbot
):
    assert not recent_buttons(shell, "photographs")
    finish(shell.opening.open_one(Role.CONTENT, photograph))
    finish(shell.opening.open_one(Role.STYLE, painting))
    leave(shell, qtbot)
    again = make_shell()
    (content,) = recent_buttons(again, "photographs")
    (style,) = recent_buttons(again, "paintings")
    assert (content.text(), style.text()) == ("photograph.png", "painting.png")
    assert str(photograph) in content.toolTip()
    style.click()
    qtbot.waitUntil(lambda: names(again) == (None, ["painting.png"]))
    assert not content.isVisible()


def test_samples_are_not_remembered_as_recent_files(shell, finish):
    finish(shell.opening.open_sample(SAMPLE_PAIRS[0]))
    assert shell.memory.now.contents == ()
    assert shell.memory.now.styles == ()


def test_the_menu_opens_a_pair_in_place_of_what_is_open(shell, finish, photograph, painting, qtbot):
    finish(shell.opening.open_one(Role.CONTENT, photograph))
    finish(shell.opening.open_one(Role.STYLE, painting))
    entries = {entry.text(): entry for entry in shell.inputs.samples.actions()}
    assert list(entries) == [pair.title for pair in SAMPLE_PAIRS]
    entries["Watercolour"].trigger()
    qtbot.waitUntil(lambda: names(shell) == ("photograph.jpg", ["wash.jpg"]))


def test_the_pair_asked_for_last_wins(shell, finish, loop, qtbot):
    tasks = [loop.create_task(shell.opening.open_sample(pair)) for pair in SAMPLE_PAIRS[:3]]
    qtbot.waitUntil(lambda: all(task.done() for task in tasks))
    assert names(shell) == ("photograph.jpg", ["wash.jpg"])


def test_pairs_rest_while_a_job_runs(shell, engine, finish, qtbot):
    finish(shell.opening.open_sample(SAMPLE_PAIRS[0]))
    engine.steps = None
    shell.window.actions_by_name[Action.RENDER].trigger()
    qtbot.waitUntil(lambda: shell.session.state is State.RUNNING)
    assert not shell.inputs.samples.isEnabled()
    shell.session.stop()
    qtbot.waitUntil(lambda: shell.session.state is State.IDLE)
    assert shell.inputs.samples.isEnabled()

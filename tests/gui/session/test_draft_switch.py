"""Painting with the draft network: where VGG-19 is missing, and where a draft is wanted."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QComboBox, QLabel, QToolButton
from scripted import leave

from engine.spec.choices import NetworkName
from engine.spec.errors import InputError
from engine.weights import installed
from engine.weights.downloads import Published
from engine.weights.installed import Download
from gui.app.actions import Action
from gui.base.states import State
from gui.inputs.opening import Role


@pytest.fixture
def published(monkeypatch, tmp_path):
    download = Download(
        Published("https://example.org/v.pth", 548_000_000, 64 * "0"), tmp_path / "kept"
    )
    monkeypatch.setattr(installed, "download_of", lambda network: download)


@pytest.fixture
def drafting(network, published, make_shell, qtbot):
    """A window that has nothing but the draft network."""
    network.unlink()
    shell = make_shell()
    qtbot.waitUntil(shell.weights.line.isVisible)
    return shell


def open_pictures(shell, finish, photograph, painting):
    finish(shell.opening.open_one(Role.CONTENT, photograph))
    finish(shell.opening.open_one(Role.STYLE, painting))
    return shell


def line_button(shell, text):
    buttons = shell.weights.line.findChildren(QToolButton)
    return next(button for button in buttons if button.text() == text)


def network_label(shell):
    return shell.window.findChild(QLabel, "networkLabel").text()


def box(shell):
    return shell.window.findChild(QCheckBox, "draftBox")


def render(shell, qtbot):
    before = shell.session.result
    shell.window.actions_by_name[Action.RENDER].trigger()
    qtbot.waitUntil(lambda: shell.session.result is not before)
    qtbot.waitUntil(lambda: shell.session.state is State.IDLE)


def test_with_vgg_in_place_nothing_is_said_but_its_name(shell, qtbot):
    qtbot.waitUntil(lambda: network_label(shell) == "VGG-19")
    assert not shell.weights.line.isVisible()


def test_without_vgg_one_line_says_so_and_the_first_picture_is_painted(
    drafting, engine, finish, photograph, painting, qtbot
):
    assert not drafting.weights.page.isVisible()
    assert network_label(drafting) == "Draft network"
    open_pictures(drafting, finish, photograph, painting)
    render(drafting, qtbot)
    # The person asked for whatever is here; the engine decides that it is the draft network.
    assert engine.jobs[0].request.settings.network is NetworkName.AUTO
    assert not drafting.dialogs.reports


def test_the_line_stays_away_once_it_was_put_away(drafting, make_shell, qtbot):
    line_button(drafting, "✕").click()
    assert not drafting.weights.line.isVisible()
    leave(drafting, qtbot)
    again = make_shell()
    qtbot.waitUntil(lambda: network_label(again) == "Draft network")
    assert not again.weights.line.isVisible()


def test_download_shows_what_would_be_fetched_before_anything_is(drafting, monkeypatch, qtbot):
    fetched = []
    monkeypatch.setattr(installed, "download_weights", lambda *given: fetched.append(given))
    line_button(drafting, "Download…").click()
    page = drafting.weights.page
    qtbot.waitUntil(page.isVisible)
    texts = [label.text() for label in page.findChildren(QLabel)]
    assert "VGG-19 paints finer" in texts
    qtbot.waitUntil(lambda: any("548 MB" in label.text() for label in page.findChildren(QLabel)))
    assert not fetched


def test_a_located_file_ends_the_drafting(drafting, network, monkeypatch, qtbot):
    asked = []

    def import_weights(source, name):
        asked.append((source.name, name))
        network.write_bytes(b"weights")
        return network

    monkeypatch.setattr(installed, "import_weights", import_weights)
    drafting.dialogs.files = (network.with_name("mine.pth"),)
    line_button(drafting, "Locate file…").click()
    qtbot.waitUntil(lambda: network_label(drafting) == "VGG-19")
    assert asked == [("mine.pth", NetworkName.VGG19)]
    assert not drafting.weights.line.isVisible()
    assert not drafting.weights.page.isVisible()


def test_a_located_file_that_is_no_network_is_told_and_the_drafting_goes_on(
    drafting, network, monkeypatch, qtbot
):
    def import_weights(source, name):
        raise InputError("mine.pth is no network.", "Choose another file.")

    monkeypatch.setattr(installed, "import_weights", import_weights)
    drafting.dialogs.files = (network.with_name("mine.pth"),)
    line_button(drafting, "Locate file…").click()
    qtbot.waitUntil(lambda: bool(drafting.dialogs.reports))
    qtbot.waitUntil(lambda: not drafting.weights.page.isVisible())
    assert drafting.weights.line.isVisible()


def test_a_network_chosen_by_name_still_needs_its_weights(drafting, qtbot):
    session = drafting.session
    session.set_settings(session.settings.changed(network=NetworkName.VGG16))
    qtbot.waitUntil(drafting.weights.page.isVisible)
    qtbot.waitUntil(lambda: not drafting.weights.line.isVisible())
    session.set_settings(session.settings.changed(network=NetworkName.AUTO))
    qtbot.waitUntil(lambda: not drafting.weights.page.isVisible())
    qtbot.waitUntil(drafting.weights.line.isVisible)


def test_the_switch_drafts_the_next_job_and_leaves_the_settings_alone(loaded, engine, qtbot):
    settings = loaded.session.settings
    qtbot.mouseClick(box(loaded), Qt.MouseButton.LeftButton, pos=box(loaded).rect().center())
    qtbot.waitUntil(lambda: network_label(loaded) == "Draft network")
    assert not loaded.weights.line.isVisible()
    render(loaded, qtbot)
    box(loaded).click()
    loaded.session.mark_saved(loaded.session.result, loaded.session.content.path)
    render(loaded, qtbot)
    assert [job.request.settings.network for job in engine.jobs] == [
        NetworkName.DRAFT,
        NetworkName.AUTO,
    ]
    assert loaded.session.settings == settings


def test_a_draft_of_a_network_that_is_missing_needs_no_weights(loaded, engine, published, qtbot):
    loaded.session.set_draft(True)
    loaded.session.set_settings(loaded.session.settings.changed(network=NetworkName.VGG16))
    render(loaded, qtbot)
    assert engine.jobs[0].request.settings.network is NetworkName.DRAFT


def test_the_switch_follows_its_key_rests_while_a_job_runs_and_is_remembered(
    loaded, engine, make_shell, qtbot
):
    loaded.window.activateWindow()
    qtbot.keyClick(loaded.window, Qt.Key.Key_D, Qt.KeyboardModifier.ControlModifier)
    assert box(loaded).isChecked()
    engine.steps = None
    loaded.window.actions_by_name[Action.RENDER].trigger()
    qtbot.waitUntil(lambda: loaded.session.state is State.RUNNING)
    assert not box(loaded).isEnabled()
    leave(loaded, qtbot)
    again = make_shell()
    assert box(again).isChecked()
    assert again.session.draft
    assert again.window.actions_by_name[Action.DRAFT].isChecked()


def test_layers_the_draft_lacks_do_not_keep_it_from_painting_or_being_retuned(
    loaded, engine, qtbot
):
    session = loaded.session
    session.set_settings(session.settings.changed(content_layers="relu5_3:1"))
    session.set_draft(True)
    engine.steps = None
    loaded.window.actions_by_name[Action.RENDER].trigger()
    qtbot.waitUntil(lambda: session.state is State.RUNNING)
    assert engine.jobs[0].request.settings.content_layers == (("relu5_1", 1.0),)
    session.set_settings(session.settings.changed(content_weight=3.0))
    qtbot.waitUntil(lambda: bool(engine.retunes))
    assert engine.retunes[0].settings.network is NetworkName.DRAFT
    assert engine.retunes[0].settings.content_layers == (("relu5_1", 1.0),)


def test_a_draft_bears_the_name_of_its_preset(loaded, qtbot):
    loaded.session.set_draft(True)
    render(loaded, qtbot)
    shown = loaded.window.findChild(QComboBox, "presetCombo")
    assert loaded.session.result.preset == shown.currentText()

"""The window shows names and words from outside as they were written, whatever they look like."""

import json

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QComboBox, QLabel, QMessageBox, QToolButton
from scripted import COMPUTING, act, read, save_noise

from engine.plan.machine import DeviceHere, Inventory
from engine.spec.choices import Device
from engine.storage.failures import Failure
from engine.storage.preset_store import PresetStore
from gui.app.actions import Action
from gui.base.dialogs import Dialogs

NAME = "<img src='x'> & [*] <b>bold.png"
DESCRIPTION = "<h1>Loud</h1> & <i>slanted</i>"


@pytest.fixture
def odd(tmp_path):
    try:
        return save_noise(tmp_path / NAME, 3)
    except OSError:
        pytest.skip("this disk takes no such names")


@pytest.fixture
def opened(shell, odd, qtbot):
    """A window with a photograph and a painting of an odd name."""
    shell.dialogs.files = (odd,)
    act(shell, Action.OPEN_CONTENT)
    qtbot.waitUntil(lambda: shell.session.content is not None)
    act(shell, Action.ADD_STYLE)
    qtbot.waitUntil(lambda: len(shell.session.styles) == 1)
    return shell


def tips(widget):
    return [read(each.toolTip()) for each in widget.findChildren(QLabel) if each.toolTip()]


def test_no_label_of_the_window_guesses_whether_its_text_is_markup(opened):
    opened.settings.panel.show_advanced(True)
    guessing = [
        each.text() or each.objectName()
        for each in opened.window.findChildren(QLabel)
        if each.textFormat() is Qt.TextFormat.AutoText and each.pixmap().isNull()
    ]
    assert guessing == []


def test_a_pictures_name_and_place_are_shown_as_they_are(opened, odd):
    for pane in (opened.inputs.content_pane, opened.inputs.styles_pane):
        assert NAME in [label.text() for label in pane.findChildren(QLabel)]
        assert str(odd) in tips(pane)
    title = opened.window.windowHandle().title()
    shown = NAME.removesuffix(".png")
    assert title == f"{shown} × {shown} — Gramarye"


def test_a_recent_file_is_shown_as_it_is(opened, odd):
    (entry,) = opened.inputs.recent_contents.actions()
    assert QKeySequence.mnemonic(entry.text()).isEmpty()
    assert entry.text().replace("&&", "&") == NAME
    assert read(entry.toolTip()) == str(odd)
    opened.inputs.start_page.show_recent((str(odd),), ())
    buttons = opened.inputs.start_page.findChildren(QToolButton)
    assert str(odd) in [read(button.toolTip()) for button in buttons]
    assert all(QKeySequence.mnemonic(button.text()).isEmpty() for button in buttons)


def test_a_notice_is_one_line_of_what_can_be_shown(shell):
    shell.window.notice("Saved <b>\x1b[31m\u202egnp.\nx in /tmp")
    assert shell.window.statusBar().currentMessage() == "Saved <b>[31mgnp. x in /tmp"
    shell.window.notice("x" * 5000)
    assert len(shell.window.statusBar().currentMessage()) <= 300


def test_a_presets_name_and_description_are_shown_as_they_are(make_shell, qtbot):
    folder = PresetStore()._folder
    folder.mkdir(parents=True)
    name = "<b>Rock & Roll<b>"
    values = {"name": name, "description": DESCRIPTION, "settings": {"steps": 7}}
    (folder / "odd.json").write_text(json.dumps(values))
    box = make_shell().window.findChild(QComboBox, "presetCombo")
    qtbot.waitUntil(lambda: box.findText(name) >= 0)
    tip = box.itemData(box.findText(name), Qt.ItemDataRole.ToolTipRole)
    assert read(tip) == DESCRIPTION


def test_what_a_driver_says_is_shown_as_it_is(make_shell, engine, qtbot):
    name, fault = "<b>Card</b> & Co", "is <i>too</i> old"
    cpu = DeviceHere(Device.CPU, name, 2, 1, COMPUTING.model_copy(update={"name": name}), True, "")
    card = DeviceHere(Device.CUDA, name, 2, 1, None, True, fault)
    engine.inventory = Inventory((cpu, card), f"{name} {fault}.")
    shell = make_shell()
    label = shell.window.device_label
    qtbot.waitUntil(lambda: label.text() == cpu.words)
    assert read(label.toolTip()) == f"{cpu.words}\n{name} {fault}"
    line = shell.window.card_line.findChild(QLabel)
    assert line.text() == f"{name} {fault}."
    assert read(line.toolTip()).startswith(f"{name} {fault}.\n")


def test_why_a_value_was_refused_is_shown_as_it_was_typed(shell):
    panel = shell.settings.panel
    row = panel._rows["steps"]
    row.show_refusal("The setting steps cannot be '<b>'.")
    label = panel.findChild(QLabel, "setting_steps_refusal")
    assert label.text() == "⚠ The setting steps cannot be '<b>'."
    assert label.textFormat() is Qt.TextFormat.PlainText


def test_an_error_and_a_question_are_shown_as_they_are(shell, loop, qtbot):
    words, more = "<b>x.png</b> is damaged.", "<img src=x> Copy & export."
    real = Dialogs(shell.window)
    for story in (real.report(Failure(words, more)), real.choose(words, more, {"Yes": True})):
        task = loop.create_task(story)
        qtbot.waitUntil(lambda: any(each.isVisible() for each in boxes(shell)))
        (box,) = (each for each in boxes(shell) if each.isVisible())
        shown = {label.text(): label.textFormat() for label in box.findChildren(QLabel)}
        assert shown[words] is shown[more] is Qt.TextFormat.PlainText
        box.reject()
        qtbot.waitUntil(task.done)


def boxes(shell):
    return shell.window.findChildren(QMessageBox)

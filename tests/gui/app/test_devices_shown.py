"""The devices of the machine in the window: named, chosen, and why a card is not used."""

import re
from pathlib import Path

import pytest
from PySide6.QtWidgets import QComboBox, QLabel, QToolButton
from scripted import COMPUTING, act, leave, read, settle

from engine.plan.machine import DeviceHere, Inventory
from engine.spec.choices import Device
from engine.spec.computing import GivenUp, Rung
from engine.weights.installed import networks_folder
from gui.app.actions import Action
from gui.settings.device_words import device_words
from gui.settings.parameter_panel import ParameterPanel

REMARK = "There is an NVIDIA card, but it rests. Wake it."
LOST = GivenUp(rung=Rung.RECORDINGS, instead_of="recordings", reason="gave wrong numbers")


def here(device, name, fault=""):
    computing = COMPUTING.model_copy(update={"device": device, "name": name, "given_up": (LOST,)})
    return DeviceHere(device, name, 24_000, 20_000, None if fault else computing, True, fault)


CPU = here(Device.CPU, "CPU, 8 threads")
TWO = Inventory((here(Device.CUDA_1, "RTX 4090"), here(Device.CUDA_0, "RTX 3060"), CPU))
REFUSED = Inventory((CPU, here(Device.CUDA, "GTX 1080", fault="is too old")), REMARK)


def device_box(shell):
    return shell.window.findChild(QComboBox, "setting_device")


def offered(shell):
    box = device_box(shell)
    return [box.itemText(index) for index in range(box.count())]


def loaded(make_shell, engine, inventory, qtbot):
    """A window whose engine has found these devices."""
    engine.inventory = inventory
    shell = make_shell()
    words = inventory.devices[0].words if inventory.devices else "The engine did not load"
    qtbot.waitUntil(lambda: shell.window.device_label.text() == words)
    return shell


def card_line(shell):
    return shell.window.card_line


def said(shell):
    return card_line(shell).findChild(QLabel).text()


def put_away(shell):
    (button,) = card_line(shell).findChildren(QToolButton)
    button.click()


def test_the_cards_that_are_here_are_offered_by_name(make_shell, engine, qtbot):
    shell = loaded(make_shell, engine, TWO, qtbot)
    assert offered(shell) == ["Auto", "CPU", "RTX 3060", "RTX 4090"]
    device_box(shell).setCurrentText("RTX 4090")
    assert shell.session.settings.device is Device.CUDA_1


@pytest.mark.parametrize(
    ("devices", "words"),
    [
        ((), {"auto": "Auto", "cpu": "CPU"}),
        ((CPU,), {"auto": "Auto", "cpu": "CPU"}),
        (REFUSED.devices, {"auto": "Auto", "cpu": "CPU"}),
        ((here(Device.MPS, "Apple GPU"), CPU), {"auto": "Auto", "cpu": "CPU", "mps": "Apple GPU"}),
        (
            (here(Device.CUDA_2, "A"), here(Device.CUDA_1, "B"), here(Device.CUDA_0, "A"), CPU),
            {
                "auto": "Auto",
                "cpu": "CPU",
                "cuda:0": "cuda:0 · A",
                "cuda:1": "B",
                "cuda:2": "cuda:2 · A",
            },
        ),
    ],
)
def test_what_can_be_chosen_is_told_apart(devices, words):
    assert list(device_words(Inventory(devices)).items()) == list(words.items())


def test_before_the_engine_is_loaded_what_was_set_is_shown_as_it_is(make_shell, engine, qtbot):
    first = loaded(make_shell, engine, TWO, qtbot)
    device_box(first).setCurrentText("RTX 4090")
    leave(first, qtbot)
    engine.may_load.clear()
    again = make_shell()
    assert device_box(again).currentText() == "cuda:1"
    assert offered(again) == ["Auto", "CPU", "cuda:1"]
    engine.may_load.set()
    qtbot.waitUntil(lambda: device_box(again).currentText() == "RTX 4090")
    assert again.session.settings.device is Device.CUDA_1


def test_a_card_that_is_gone_stays_set_and_is_called_by_its_number(make_shell, engine, qtbot):
    shell = loaded(make_shell, engine, REFUSED, qtbot)
    shell.session.set_settings(shell.session.settings.changed(device="cuda:5"))
    assert device_box(shell).currentText() == "cuda:5"
    shell.session.set_settings(shell.session.settings.changed(steps=7))
    assert shell.session.settings.device is Device.CUDA_5


def test_a_long_name_has_the_whole_row_and_the_panel_grows_no_wider(qtbot):
    panel = ParameterPanel()
    qtbot.addWidget(panel)
    panel.show_advanced(True)
    with qtbot.waitExposed(panel):
        panel.show()
    box, least = panel.findChild(QComboBox, "setting_device"), panel.minimumWidth()
    panel.resize(least + 20, 600)
    panel.offer("device", {Device.AUTO: "Auto", Device.CUDA: "NVIDIA GeForce RTX 4090 Laptop GPU"})
    pooling = panel.findChild(QComboBox, "setting_pooling")
    qtbot.waitUntil(lambda: box.width() > 1.5 * pooling.width())
    assert panel.minimumWidth() == least
    assert panel.widget().width() <= panel.viewport().width()


def test_the_status_bar_names_the_first_and_its_tooltip_all(make_shell, engine, qtbot):
    shell = loaded(make_shell, engine, REFUSED, qtbot)
    assert shell.window.device_label.text() == CPU.words
    tip = read(shell.window.device_label.toolTip())
    assert tip == "CPU, 8 threads, float32 (recordings gave wrong numbers)\nGTX 1080 is too old"


def test_an_engine_that_did_not_load_is_said_and_offers_what_is_everywhere(
    make_shell, engine, qtbot
):
    shell = loaded(make_shell, engine, Inventory(), qtbot)
    assert offered(shell) == ["Auto", "CPU"]
    assert not card_line(shell).isVisible()


def test_system_information_tells_of_every_device_and_of_a_card_not_used(make_shell, engine, qtbot):
    shell = loaded(make_shell, engine, REFUSED, qtbot)
    act(shell, Action.SYSTEM_INFORMATION)
    qtbot.waitUntil(lambda: bool(shell.dialogs.texts))
    told = [re.split(" {2,}", line, maxsplit=1) for line in shell.dialogs.texts[0].splitlines()]
    assert ["Device", CPU.words] in told
    assert ["Device", "GTX 1080 is too old"] in told
    assert ["No card", REMARK] in told


def test_system_information_shows_folders_without_the_name_of_the_person(
    make_shell, qtbot, monkeypatch, tmp_path
):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "kept"))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "kept"))
    networks = networks_folder()
    shell = make_shell()
    act(shell, Action.SYSTEM_INFORMATION)
    qtbot.waitUntil(lambda: bool(shell.dialogs.texts))
    told = dict(re.split(" {2,}", line, maxsplit=1) for line in shell.dialogs.texts[0].splitlines())
    assert Path(told["Data"]).parts[:2] == ("~", "kept")
    assert told["Networks"] == str(networks), "elsewhere is elsewhere"
    assert str(tmp_path) not in told["Data"]


def test_why_no_card_is_used_is_said_in_a_line_and_no_dialog(make_shell, engine, qtbot):
    shell = loaded(make_shell, engine, REFUSED, qtbot)
    assert card_line(shell).isVisible()
    assert said(shell) == REMARK
    assert REMARK in card_line(shell).findChild(QLabel).toolTip()
    settle(shell.tasks, qtbot)
    assert not shell.dialogs.reports


def test_where_a_card_is_used_nothing_is_said(make_shell, engine, qtbot):
    assert not card_line(loaded(make_shell, engine, TWO, qtbot)).isVisible()


def test_put_away_it_is_not_said_again_but_another_reason_is(make_shell, engine, qtbot):
    shell = loaded(make_shell, engine, REFUSED, qtbot)
    put_away(shell)
    assert not card_line(shell).isVisible()
    leave(shell, qtbot)
    again = loaded(make_shell, engine, REFUSED, qtbot)
    assert not card_line(again).isVisible()
    leave(again, qtbot)
    other = Inventory(REFUSED.devices, "The driver is too old.")
    assert said(loaded(make_shell, engine, other, qtbot)) == "The driver is too old."

"""The bar of presets: choosing, keeping, renaming, deleting and exchanging them."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QComboBox,
    QDialogButtonBox,
    QFileDialog,
    QLineEdit,
    QMessageBox,
    QToolButton,
)

from engine.spec.settings import DEFAULTS
from engine.storage.preset_store import PresetStore
from engine.storage.presets import Preset, builtin_presets, read_preset
from gui.settings.preset_bar import PresetBar
from gui.settings.preset_dialog import PresetDialog

# The offscreen platform says this of every dialog.
pytestmark = pytest.mark.qt_log_ignore("does not support propagateSizeHints")

LOUD = DEFAULTS.changed(style_strength=4.0)


@pytest.fixture
def store(tmp_path):
    return PresetStore(tmp_path / "presets")


@pytest.fixture
def bar(qtbot, store):
    store.save(Preset(name="Mine", description="Loud & proud", settings=LOUD))
    bar = PresetBar(store)
    qtbot.addWidget(bar)
    return bar


@pytest.fixture
def failures(bar):
    failures = []
    bar.failed.connect(failures.append)
    return failures


def combo(bar):
    return bar.findChild(QComboBox, "presetCombo")


def choose(bar, name):
    index = combo(bar).findText(name, Qt.MatchFlag.MatchStartsWith)
    combo(bar).setCurrentIndex(index)
    combo(bar).activated.emit(index)


def action(bar, word):
    return bar.findChild(QAction, f"preset{word}Action")


def names(store):
    return [preset.name for preset in store.presets()]


def answer_name(bar, qtbot, name, description=None):
    dialog = bar.findChild(PresetDialog)
    dialog.findChild(QLineEdit, "presetNameEdit").setText(name)
    if description is not None:
        dialog.findChild(QLineEdit, "presetDescriptionEdit").setText(description)
    dialog.findChild(QDialogButtonBox).button(QDialogButtonBox.StandardButton.Ok).click()


def answer(bar, word):
    box = bar.findChild(QMessageBox)
    next(button for button in box.buttons() if button.text() == word).click()


def answer_file(bar, path):
    bar.findChild(QFileDialog).fileSelected.emit(str(path))


def test_built_in_presets_stand_before_own_ones(bar):
    texts = [combo(bar).itemText(i) for i in range(combo(bar).count())]
    assert texts == [preset.name for preset in builtin_presets()] + ["", "Mine"]


def test_no_preset_is_claimed_before_one_is_chosen(bar):
    assert combo(bar).currentIndex() == -1
    assert not any(action(bar, word).isEnabled() for word in ("Rename", "Delete", "Export"))


def test_descriptions_are_tooltips(bar):
    choose(bar, "Mine")
    assert "Loud &amp; proud" in combo(bar).toolTip()


def test_choosing_tells_the_preset_even_a_second_time(bar):
    chosen = []
    bar.chosen.connect(chosen.append)
    choose(bar, "Mine")
    choose(bar, "Mine")
    assert [preset.name for preset in chosen] == ["Mine", "Mine"]
    assert chosen[0].applied_to(DEFAULTS) == LOUD


def test_a_departure_from_the_preset_is_marked(bar):
    choose(bar, "Mine")
    bar.show_settings(LOUD)
    assert combo(bar).currentText() == "Mine"
    bar.show_settings(LOUD.changed(steps=7))
    assert combo(bar).currentText() == "Mine (modified)"
    bar.show_settings(LOUD)
    assert combo(bar).currentText() == "Mine"


def test_what_a_preset_does_not_carry_is_no_departure(bar):
    choose(bar, "Mine")
    bar.show_settings(LOUD.changed(output_size=999, seed=5))
    assert combo(bar).currentText() == "Mine"


def test_built_in_presets_can_be_exported_only(bar):
    choose(bar, builtin_presets()[0].name)
    assert not action(bar, "Rename").isEnabled()
    assert not action(bar, "Delete").isEnabled()
    assert action(bar, "Export").isEnabled()


def test_saving_keeps_the_panels_settings_under_a_name(bar, store, qtbot):
    bar.show_settings(LOUD)
    with qtbot.waitSignal(bar.saving):
        action(bar, "Save").trigger()
    answer_name(bar, qtbot, " New ", "What it does")
    kept = next(preset for preset in store.presets() if preset.name == "New")
    assert kept.description == "What it does"
    assert kept.applied_to(DEFAULTS) == LOUD
    assert combo(bar).currentText() == "New"


def test_a_preset_needs_a_name(bar, store):
    action(bar, "Save").trigger()
    ok = bar.findChild(QDialogButtonBox).button(QDialogButtonBox.StandardButton.Ok)
    assert not ok.isEnabled()


@pytest.mark.parametrize(("word", "strength"), [("Replace", 2.0), ("Cancel", 4.0)])
def test_replacing_a_preset_is_asked_first(bar, store, qtbot, word, strength):
    bar.show_settings(DEFAULTS.changed(style_strength=2.0))
    action(bar, "Save").trigger()
    answer_name(bar, qtbot, "mine")
    assert store.presets()[0].applied_to(DEFAULTS) == LOUD
    answer(bar, word)
    assert store.presets()[0].applied_to(DEFAULTS).style_strength == strength
    assert len(names(store)) == 1


def test_the_name_of_a_built_in_preset_is_refused(bar, store, failures, qtbot):
    action(bar, "Save").trigger()
    answer_name(bar, qtbot, builtin_presets()[0].name)
    assert len(failures) == 1
    assert builtin_presets()[0].name in failures[0].message
    assert names(store) == ["Mine"]


def test_renaming_keeps_the_choice(bar, store, qtbot):
    choose(bar, "Mine")
    bar.show_settings(LOUD)
    action(bar, "Rename").trigger()
    answer_name(bar, qtbot, "Yours")
    assert names(store) == ["Yours"]
    assert combo(bar).currentText() == "Yours"


@pytest.mark.parametrize(("word", "left"), [("Delete", []), ("Cancel", ["Mine"])])
def test_deleting_is_asked_first(bar, store, word, left):
    choose(bar, "Mine")
    action(bar, "Delete").trigger()
    assert names(store) == ["Mine"]
    answer(bar, word)
    assert names(store) == left
    assert (combo(bar).findText("Mine", Qt.MatchFlag.MatchStartsWith) >= 0) == bool(left)


def test_an_exported_preset_can_be_imported_again(bar, store, tmp_path):
    choose(bar, "Mine")
    action(bar, "Export").trigger()
    answer_file(bar, tmp_path / "out.json")
    assert read_preset(tmp_path / "out.json").preset == store.presets()[0]
    store.delete("Mine")
    other = PresetBar(store)
    chosen = []
    other.chosen.connect(chosen.append)
    action(other, "Import").trigger()
    answer_file(other, tmp_path / "out.json")
    assert names(store) == ["Mine"]
    assert chosen[0].applied_to(DEFAULTS) == LOUD
    other.deleteLater()


@pytest.mark.parametrize("word", ["Replace", "Cancel"])
def test_exporting_over_a_file_is_asked_first(bar, store, tmp_path, word):
    path = tmp_path / "out.json"
    path.write_text("precious")
    choose(bar, "Mine")
    action(bar, "Export").trigger()
    answer_file(bar, path)
    assert path.read_text() == "precious"
    answer(bar, word)
    assert (path.read_text() == "precious") == (word == "Cancel")


def test_the_preset_shown_is_told_whatever_made_it_so(bar, store, qtbot):
    shown = []
    bar.shown.connect(lambda preset: shown.append(preset and preset.name))
    bar.show_settings(LOUD)
    action(bar, "Save").trigger()
    answer_name(bar, qtbot, "New")
    action(bar, "Rename").trigger()
    answer_name(bar, qtbot, "Newer")
    choose(bar, builtin_presets()[0].name)
    choose(bar, "Newer")
    action(bar, "Delete").trigger()
    answer(bar, "Delete")
    assert shown == ["Mine", "New", "Newer", builtin_presets()[0].name, "Newer", None]


def test_a_preset_file_that_broke_meanwhile_is_told_once(bar, store, failures, tmp_path, qtbot):
    (tmp_path / "presets" / "dusk.json").write_text("{")
    for name in ("New", "Newer"):
        action(bar, "Save").trigger()
        answer_name(bar, qtbot, name)
    assert ["dusk.json" in failure.message for failure in failures] == [True]


def test_importing_over_a_preset_is_asked_first(bar, store, tmp_path):
    path = tmp_path / "in.json"
    store.export_file(Preset(name="Mine", settings={"steps": 3}), path)
    action(bar, "Import").trigger()
    answer_file(bar, path)
    assert store.presets()[0].applied_to(DEFAULTS) == LOUD
    answer(bar, "Replace")
    assert store.presets()[0].applied_to(DEFAULTS).steps == 3


def test_a_corrupt_file_changes_nothing_and_is_told(bar, store, failures, tmp_path):
    path = tmp_path / "bad.json"
    path.write_text('{"name": "Bad", "settings": ["steps"]}')
    choose(bar, "Mine")
    action(bar, "Import").trigger()
    answer_file(bar, path)
    assert len(failures) == 1
    assert "bad.json" in failures[0].message
    assert names(store) == ["Mine"]
    assert combo(bar).currentText().startswith("Mine")


def test_the_keyboard_reaches_list_and_menu(bar):
    menu_button = bar.findChild(QToolButton, "presetMenuButton")
    for control in (combo(bar), menu_button):
        assert control.focusPolicy() & Qt.FocusPolicy.TabFocus
        assert control.accessibleName()

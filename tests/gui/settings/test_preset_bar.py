"""The bar of presets: choosing, keeping, renaming, deleting and exchanging them."""

import threading

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QLineEdit,
    QMessageBox,
    QToolButton,
    QWidget,
)
from scripted import settle

from engine.spec.settings import DEFAULTS, Settings
from engine.storage.preset_store import PresetStore
from engine.storage.presets import Preset, builtin_presets, read_preset
from gui.base.dialogs import Dialogs
from gui.base.tasks import Tasks
from gui.session.engine_thread import EngineThread
from gui.session.session import Session
from gui.settings.preset_bar import PresetDialog
from gui.settings.preset_keeper import PresetKeeper

# The offscreen platform says this of every dialog.
pytestmark = pytest.mark.qt_log_ignore("does not support propagateSizeHints")

LOUD = DEFAULTS.changed(style_strength=4.0)


class Bench:
    """A keeper with its bar, a session, and what a person does with them."""

    def __init__(self, store, qtbot, finish, *, settings=DEFAULTS):
        self.failures, self.commits = [], []
        self.store = store
        self.tasks = Tasks(self.failures.append)
        self.session = Session(EngineThread(), self.tasks)
        self.session.set_settings(settings)
        self.noted, note = [], self.session.note_preset
        self.session.note_preset = lambda preset: (self.noted.append(preset), note(preset))
        self.window = QWidget()
        self.keeper = PresetKeeper(
            self.session,
            store,
            Dialogs(self.window),
            self.tasks,
            lambda: self.commits.append(True),
        )
        self.bar = self.keeper.bar
        self.bar.setParent(self.window)
        self._qtbot, self._finish = qtbot, finish
        qtbot.addWidget(self.window)

    def load(self):
        assert self._finish(self.keeper.load()) == ()
        return self

    @property
    def combo(self):
        return self.bar.findChild(QComboBox, "presetCombo")

    @property
    def names(self):
        return [preset.name for preset in self.store.presets()]

    def choose(self, name):
        index = self.combo.findText(name, Qt.MatchFlag.MatchStartsWith)
        self.combo.setCurrentIndex(index)
        self.combo.activated.emit(index)

    def action(self, word):
        return self.bar.findChild(QAction, f"preset{word}Action")

    def trigger(self, word, kind):
        """Take an action and return the dialog that comes of it."""
        self.action(word).trigger()
        return self.dialog(kind)

    def dialog(self, kind):
        self._qtbot.waitUntil(lambda: self._open(kind) is not None)
        return self._open(kind)

    def _open(self, kind):
        return next((each for each in self.window.findChildren(kind) if each.isVisible()), None)

    def settle(self):
        """Wait until nothing is asked, read or written any more."""
        settle(self.tasks, self._qtbot)

    def name(self, word, name, description=None):
        """Take an action that asks for a name, and give one."""
        dialog = self.trigger(word, PresetDialog)
        dialog.findChild(QLineEdit, "presetNameEdit").setText(name)
        if description is not None:
            dialog.findChild(QLineEdit, "presetDescriptionEdit").setText(description)
        dialog.findChild(QDialogButtonBox).button(QDialogButtonBox.StandardButton.Ok).click()

    def answer(self, word):
        box = self.dialog(QMessageBox)
        next(button for button in box.buttons() if button.text() == word).click()
        self.settle()

    def file(self, word, path):
        """Take an action that asks for a file, and give one."""
        dialog = self.trigger(word, QFileDialog)
        dialog.setDirectory(str(path.parent))
        dialog.findChild(QLineEdit, "fileNameEdit").setText(path.name)
        QDialog.accept(dialog)


@pytest.fixture
def store(tmp_path):
    store = PresetStore(tmp_path / "presets")
    store.save(Preset(name="Mine", description="Loud & proud", settings=LOUD))
    return store


@pytest.fixture
def make(store, qtbot, finish):
    benches = []

    def make(**how):
        benches.append(Bench(store, qtbot, finish, **how))
        return benches[-1]

    yield make
    for bench in benches:
        finish(bench.tasks.close())


@pytest.fixture
def bench(make):
    """Settings that are no preset's, so that none counts as chosen."""
    return make(settings=DEFAULTS.changed(steps=7)).load()


def test_built_in_presets_stand_before_own_ones(bench):
    texts = [bench.combo.itemText(i) for i in range(bench.combo.count())]
    assert texts == [preset.name for preset in builtin_presets()] + ["", "Mine"]


def test_no_preset_is_claimed_before_one_is_chosen(bench):
    assert bench.combo.currentIndex() == -1
    assert not any(bench.action(word).isEnabled() for word in ("Rename", "Delete", "Export"))


def test_the_first_preset_that_is_the_settings_counts_as_chosen(make):
    bench = make(settings=LOUD)
    assert bench.combo.currentIndex() == -1
    bench.load()
    assert bench.combo.currentText() == "Mine"
    assert bench.session.preset.name == "Mine"


def test_descriptions_are_tooltips(bench):
    bench.choose("Mine")
    assert "Loud &amp; proud" in bench.combo.toolTip()


def test_choosing_applies_the_preset_even_a_second_time(bench):
    bench.choose("Mine")
    assert bench.session.settings == LOUD
    bench.session.set_settings(DEFAULTS)
    bench.choose("Mine")
    assert bench.session.settings == LOUD
    assert bench.session.preset.name == "Mine"


def test_a_departure_from_the_preset_is_marked(bench):
    bench.choose("Mine")
    assert bench.combo.currentText() == "Mine"
    bench.session.set_settings(LOUD.changed(steps=7))
    assert bench.combo.currentText() == "Mine (modified)"
    bench.session.set_settings(LOUD)
    assert bench.combo.currentText() == "Mine"


def test_what_a_preset_does_not_carry_is_no_departure(bench):
    bench.choose("Mine")
    bench.session.set_settings(LOUD.changed(output_size=999, seed=5))
    assert bench.combo.currentText() == "Mine"


def test_comparing_settings_with_the_presets_validates_none(make, monkeypatch):
    made, check = [], Settings.__init__
    bench = make().load()
    changed = [LOUD.changed(steps=steps) for steps in range(5, 15)]
    monkeypatch.setattr(Settings, "__init__", lambda *a, **k: (made.append(a), check(*a, **k))[1])
    for settings in changed:
        bench.session.set_settings(settings)
    assert made == []


def test_built_in_presets_can_be_exported_only(bench):
    bench.choose(builtin_presets()[0].name)
    assert not bench.action("Rename").isEnabled()
    assert not bench.action("Delete").isEnabled()
    assert bench.action("Export").isEnabled()


def test_saving_keeps_the_panels_settings_under_a_name(bench):
    bench.session.set_settings(DEFAULTS.changed(steps=33))
    bench.name("Save", " New ", "What it does")
    bench.settle()
    assert bench.commits == [True]
    kept = next(preset for preset in bench.store.presets() if preset.name == "New")
    assert kept.description == "What it does"
    assert kept.applied_to(DEFAULTS) == DEFAULTS.changed(steps=33)
    assert bench.combo.currentText() == "New"


def test_a_preset_needs_a_name(bench):
    dialog = bench.trigger("Save", PresetDialog)
    ok = dialog.findChild(QDialogButtonBox).button(QDialogButtonBox.StandardButton.Ok)
    assert not ok.isEnabled()


@pytest.mark.parametrize(("word", "strength"), [("Replace", 2.0), ("Cancel", 4.0)])
def test_replacing_a_preset_is_asked_first(bench, word, strength):
    bench.session.set_settings(DEFAULTS.changed(style_strength=2.0))
    bench.name("Save", "mine")
    bench.dialog(QMessageBox)
    assert bench.store.presets()[0].applied_to(DEFAULTS) == LOUD
    bench.answer(word)
    assert bench.store.presets()[0].applied_to(DEFAULTS).style_strength == strength
    assert len(bench.names) == 1


def test_the_name_of_a_built_in_preset_is_refused(bench):
    bench.name("Save", builtin_presets()[0].name)
    bench.settle()
    assert len(bench.failures) == 1
    assert builtin_presets()[0].name in bench.failures[0].message
    assert bench.names == ["Mine"]


def test_renaming_keeps_the_choice(bench):
    bench.choose("Mine")
    bench.name("Rename", "Yours")
    bench.settle()
    assert bench.names == ["Yours"]
    assert bench.combo.currentText() == "Yours"


@pytest.mark.parametrize(("word", "left"), [("Delete", []), ("Cancel", ["Mine"])])
def test_deleting_is_asked_first(bench, word, left):
    bench.choose("Mine")
    bench.action("Delete").trigger()
    bench.dialog(QMessageBox)
    assert bench.names == ["Mine"]
    bench.answer(word)
    assert bench.names == left
    assert (bench.combo.findText("Mine", Qt.MatchFlag.MatchStartsWith) >= 0) == bool(left)
    assert (bench.combo.currentIndex() >= 0) == bool(left)


def test_an_exported_preset_can_be_imported_again(bench, make, tmp_path):
    bench.choose("Mine")
    bench.file("Export", tmp_path / "out.json")
    bench.settle()
    assert read_preset(tmp_path / "out.json").preset == bench.store.presets()[0]
    bench.store.delete("Mine")
    other = make().load()
    other.file("Import", tmp_path / "out.json")
    other.settle()
    assert other.names == ["Mine"]
    assert other.session.settings == LOUD
    assert other.combo.currentText() == "Mine"


@pytest.mark.parametrize("word", ["Replace", "Cancel"])
def test_exporting_over_a_file_is_asked_first(bench, tmp_path, word):
    path = tmp_path / "out.json"
    path.write_text("precious")
    bench.choose("Mine")
    bench.file("Export", path)
    bench.dialog(QMessageBox)
    assert path.read_text() == "precious"
    bench.answer(word)
    assert (path.read_text() == "precious") == (word == "Cancel")


def test_the_session_hears_which_preset_is_shown_whatever_made_it_so(make):
    bench = make(settings=LOUD).load()
    bench.name("Save", "New")
    bench.settle()
    bench.name("Rename", "Newer")
    bench.settle()
    bench.session.set_settings(DEFAULTS.changed(steps=7))
    bench.action("Delete").trigger()
    bench.answer("Delete")
    shown = [preset and preset.name for preset in bench.noted]
    assert shown == ["Mine", "New", "Newer", None]


def test_a_preset_file_that_broke_meanwhile_is_told_once(bench, tmp_path):
    (tmp_path / "presets" / "dusk.json").write_text("{")
    for name in ("New", "Newer"):
        bench.name("Save", name)
        bench.settle()
    assert ["dusk.json" in failure.message for failure in bench.failures] == [True]
    assert bench.combo.currentText().startswith("Newer")


def test_importing_over_a_preset_is_asked_first(bench, tmp_path):
    path = tmp_path / "in.json"
    bench.store.export_file(Preset(name="Mine", settings={"steps": 3}), path)
    bench.file("Import", path)
    bench.dialog(QMessageBox)
    assert bench.store.presets()[0].applied_to(DEFAULTS) == LOUD
    bench.answer("Replace")
    assert bench.store.presets()[0].applied_to(DEFAULTS).steps == 3


def test_a_corrupt_file_changes_nothing_and_is_told(bench, tmp_path):
    path = tmp_path / "bad.json"
    path.write_text('{"name": "Bad", "settings": ["steps"]}')
    bench.choose("Mine")
    bench.file("Import", path)
    bench.settle()
    assert len(bench.failures) == 1
    assert "bad.json" in bench.failures[0].message
    assert bench.names == ["Mine"]
    assert bench.combo.currentText().startswith("Mine")


def test_the_keyboard_reaches_list_and_menu(bench):
    menu_button = bench.bar.findChild(QToolButton, "presetMenuButton")
    for control in (bench.combo, menu_button):
        assert control.focusPolicy() & Qt.FocusPolicy.TabFocus
        assert control.accessibleName()


@pytest.fixture
def seen(monkeypatch):
    """The names of the threads that have touched the presets' disk."""
    seen = []
    for name in ("presets", "save", "rename", "delete", "import_file", "export_file"):
        monkeypatch.setattr(PresetStore, name, _noting(getattr(PresetStore, name), seen))
    for module in ("engine.storage.preset_store", "gui.settings.preset_keeper"):
        monkeypatch.setattr(f"{module}.read_preset", _noting(read_preset, seen))
    return seen


def _noting(function, seen):
    def noted(*given, **named):
        seen.append(threading.current_thread().name)
        return function(*given, **named)

    return noted


def test_the_windows_thread_touches_no_disk(bench, seen, tmp_path):
    bench.load()
    bench.name("Save", "New")
    bench.settle()
    bench.name("Rename", "Newer")
    bench.settle()
    bench.file("Export", tmp_path / "out.json")
    bench.settle()
    bench.action("Delete").trigger()
    bench.answer("Delete")
    bench.file("Import", tmp_path / "out.json")
    bench.settle()
    assert len(seen) > 10
    assert not [name for name in seen if not name.startswith("files")]


@pytest.fixture
def held(monkeypatch):
    """Has presets wait before they are saved: whether one waits, and what lets them go on."""
    waiting, proceed, save = threading.Event(), threading.Event(), PresetStore.save

    def saved(*given, **named):
        waiting.set()
        proceed.wait(10)
        return save(*given, **named)

    monkeypatch.setattr(PresetStore, "save", saved)
    yield waiting, proceed
    proceed.set()


def test_what_is_chosen_while_another_is_being_saved_stays_chosen(bench, held, qtbot):
    waiting, proceed = held
    bench.name("Save", "Slow")
    qtbot.waitUntil(waiting.is_set)
    bench.choose("Mine")
    proceed.set()
    bench.settle()
    assert bench.names == ["Mine", "Slow"]
    assert bench.combo.currentText() == "Mine"
    assert bench.session.settings == LOUD


def test_of_two_that_are_being_saved_the_later_is_chosen(bench, held, qtbot):
    waiting, proceed = held
    bench.name("Save", "One")
    qtbot.waitUntil(waiting.is_set)
    bench.name("Save", "Two")
    proceed.set()
    bench.settle()
    assert bench.names == ["Mine", "One", "Two"]
    assert bench.combo.currentText() == "Two"
    assert bench.combo.findText("One") >= 0


def test_settings_that_change_while_a_preset_is_deleted_do_not_bring_it_back(
    bench, monkeypatch, qtbot
):
    deleted, proceed = threading.Event(), threading.Event()
    bench.choose("Mine")
    presets = PresetStore.presets

    def slow(store):
        deleted.set()
        proceed.wait(10)
        return presets(store)

    monkeypatch.setattr(PresetStore, "presets", slow)
    bench.action("Delete").trigger()
    box = bench.dialog(QMessageBox)
    next(button for button in box.buttons() if button.text() == "Delete").click()
    qtbot.waitUntil(deleted.is_set)
    bench.session.set_settings(LOUD.changed(steps=8))
    bench.session.set_settings(LOUD)
    proceed.set()
    bench.settle()
    assert bench.combo.currentIndex() == -1
    bench.session.set_settings(DEFAULTS)
    assert bench.combo.currentIndex() >= 0

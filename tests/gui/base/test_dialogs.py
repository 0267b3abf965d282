from enum import Enum, auto
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QApplication,
    QComboBox,
    QDialog,
    QFileDialog,
    QLineEdit,
    QMessageBox,
    QPushButton,
    QSpinBox,
    QWidget,
)

from engine.storage.failures import Failure
from gui.base.dialogs import Dialogs


class Fruit(Enum):
    APPLE = auto()
    PEAR = auto()


FRUITS = {"An apple": Fruit.APPLE, "A pear": Fruit.PEAR}


@pytest.fixture
def parent(qtbot):
    widget = QWidget()
    qtbot.addWidget(widget)
    widget.show()
    return widget


@pytest.fixture
def ask(loop, qtbot, parent):
    """Open a dialog, do something with it as a person would, and return what it answered."""

    def ask(story, do):
        task = loop.create_task(story(Dialogs(parent)))
        qtbot.waitUntil(lambda: open_dialog(parent) is not None)
        do(open_dialog(parent))
        qtbot.waitUntil(task.done)
        qtbot.waitUntil(lambda: open_dialog(parent) is None)
        return task.result()

    return ask


def open_dialog(parent):
    dialogs = [each for each in parent.findChildren(QDialog) if each.isVisible()]
    return dialogs[0] if dialogs else None


def click(words):
    def do(dialog):
        buttons = dialog.findChildren(QPushButton)
        next(each for each in buttons if each.text().replace("&", "") == words).click()

    return do


def type_name(dialog, name):
    dialog.findChild(QLineEdit, "fileNameEdit").setText(name)


def choose_format(dialog, name):
    combo = dialog.findChild(QComboBox, "fileTypeCombo")
    combo.setCurrentIndex(next(i for i in range(combo.count()) if name in combo.itemText(i)))
    combo.activated.emit(combo.currentIndex())
    combo.textActivated.emit(combo.currentText())


def test_each_answer_comes_back_as_itself(ask):
    def question(dialogs):
        return dialogs.choose("Which?", "Take one.", FRUITS)

    assert ask(question, click("An apple")) is Fruit.APPLE
    assert ask(question, click("A pear")) is Fruit.PEAR
    assert ask(question, click("Cancel")) is None


def test_escape_cancels_and_return_takes_the_first(ask, qtbot):
    def question(dialogs):
        return dialogs.choose("Which?", "", FRUITS)

    assert ask(question, lambda box: qtbot.keyClick(box, Qt.Key.Key_Escape)) is None
    assert ask(question, lambda box: qtbot.keyClick(box, Qt.Key.Key_Return)) is Fruit.APPLE


def test_an_error_shows_what_failed_and_what_to_do_as_plain_text(ask):
    seen = []

    def look(box: QMessageBox):
        seen.extend((box.text(), box.informativeText(), box.textFormat()))
        box.accept()

    ask(lambda dialogs: dialogs.report(Failure("<b>x</b>.png is empty.", "Export it.")), look)
    assert seen == ["<b>x</b>.png is empty.", "Export it.", Qt.TextFormat.PlainText]


def test_a_name_without_suffix_gets_that_of_the_chosen_format(ask, tmp_path):
    def save(dialog: QFileDialog):
        choose_format(dialog, "WebP")
        type_name(dialog, "mine")
        dialog.accept()

    path = ask(lambda dialogs: dialogs.save_picture(tmp_path / "suggested.png"), save)
    assert path == tmp_path / "mine.webp"


def test_choosing_another_format_changes_the_suggested_name(ask, tmp_path):
    def save(dialog: QFileDialog):
        choose_format(dialog, "JPEG")
        dialog.accept()

    path = ask(lambda dialogs: dialogs.save_picture(tmp_path / "suggested.png"), save)
    assert path == tmp_path / "suggested.jpg"


def test_the_suggested_name_is_taken_as_it_is(ask, tmp_path):
    path = ask(lambda dialogs: dialogs.save_picture(tmp_path / "one.png"), QFileDialog.accept)
    assert path == tmp_path / "one.png"


def test_giving_up_a_file_dialog_gives_no_file(ask, tmp_path):
    assert ask(lambda dialogs: dialogs.save_picture(tmp_path / "x.png"), QDialog.reject) is None
    folder = str(tmp_path)
    opened = ask(lambda dialogs: dialogs.open_pictures("Open", folder, (".png",)), QDialog.reject)
    assert opened == ()


def test_a_preset_is_written_under_a_name_with_its_suffix(ask, tmp_path):
    def save(dialog: QFileDialog):
        dialog.setDirectory(str(tmp_path))
        type_name(dialog, "dusk")
        dialog.accept()

    assert ask(lambda dialogs: dialogs.save_preset("x.json"), save) == tmp_path / "dusk.json"
    assert ask(lambda dialogs: dialogs.open_preset(), QDialog.reject) is None


def test_a_picture_is_chosen(ask, photograph):
    def choose(dialog: QFileDialog):
        type_name(dialog, photograph.name)
        dialog.accept()

    folder = str(photograph.parent)
    opened = ask(lambda dialogs: dialogs.open_pictures("Open", folder, (".png",)), choose)
    assert opened == (Path(photograph),)


def test_the_quality_starts_at_the_last_one_and_is_kept(ask):
    def lower(dialog):
        field = dialog.findChild(QSpinBox)
        assert field.value() == 95
        field.setValue(80)
        dialog.accept()

    assert ask(lambda dialogs: dialogs.jpeg_quality(95), lower) == 80
    assert ask(lambda dialogs: dialogs.jpeg_quality(95), QDialog.reject) is None


def test_shown_text_can_be_copied_as_a_whole(ask):
    def copy(dialog):
        click("Copy")(dialog)
        click("Close")(dialog)

    ask(lambda dialogs: dialogs.show_text("System information", "torch  2.14"), copy)
    assert QGuiApplication.clipboard().text() == "torch  2.14"


def test_a_cancelled_story_takes_its_dialog_with_it(loop, qtbot, parent):
    task = loop.create_task(Dialogs(parent).choose("Which?", "", FRUITS))
    qtbot.waitUntil(lambda: open_dialog(parent) is not None)
    task.cancel()
    qtbot.waitUntil(lambda: open_dialog(parent) is None)
    assert QApplication.activeModalWidget() is None

"""Help shows the page of looks with its pictures."""

import pytest
from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QTextDocument, QTextTable
from PySide6.QtWidgets import QTextBrowser
from scripted import act, settle

from engine.storage.presets import builtin_presets
from gui.app.actions import Action
from gui.base.page_dialog import PageDialog
from resources.looks.page import LONGEST_ROW, SIDE


@pytest.fixture
def page(shell, qtbot):
    """The dialog, opened through the menu."""
    act(shell, Action.LOOKS)
    qtbot.waitUntil(lambda: any(each.isVisible() for each in dialogs(shell)))
    (dialog,) = dialogs(shell)
    yield dialog
    if dialogs(shell):
        dialog.reject()
    settle(shell.tasks, qtbot)


def test_help_tells_of_every_preset_and_shows_every_picture(page):
    view = page.findChild(QTextBrowser)
    text = view.toPlainText()
    assert [preset.name for preset in builtin_presets() if preset.name not in text] == []
    shown = pictures(view.document())
    assert len(shown) > 2 * len(builtin_presets())
    missing = {
        name
        for name in shown
        if not view.document().resource(QTextDocument.ResourceType.ImageResource, QUrl(name))
    }
    assert missing == set()


def test_the_page_of_looks_fits_its_window_and_can_be_copied_from(page):
    view = page.findChild(QTextBrowser)
    assert view.horizontalScrollBar().maximum() == 0
    assert view.verticalScrollBar().maximum() > 0
    view.selectAll()
    assert view.textCursor().hasSelection()
    assert view.hasFocus()


def test_in_a_narrow_window_the_pictures_lie_beside_each_other_and_are_scrolled_to(page, qtbot):
    view = page.findChild(QTextBrowser)
    page.resize(500, 500)
    qtbot.waitUntil(lambda: view.viewport().width() < 500)
    assert view.horizontalScrollBar().maximum() > 0
    document = view.document()
    tables = [each for each in document.rootFrame().childFrames() if isinstance(each, QTextTable)]
    assert max(table.columns() for table in tables) == LONGEST_ROW
    for table in tables:
        width = document.documentLayout().frameBoundingRect(table).width()
        assert width >= table.columns() * SIDE


def test_escape_closes_the_page_of_looks(shell, page, qtbot):
    qtbot.keyClick(page.findChild(QTextBrowser), Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: not dialogs(shell))


def dialogs(shell):
    return shell.window.findChildren(PageDialog)


def pictures(document):
    """The names of all pictures of a page."""
    names = []
    block = document.begin()
    while block.isValid():
        fragments = block.begin()
        while not fragments.atEnd():
            form = fragments.fragment().charFormat()
            if form.isImageFormat():
                names.append(form.toImageFormat().name())
            fragments += 1
        block = block.next()
    return names

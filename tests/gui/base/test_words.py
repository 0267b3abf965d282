"""Words from outside look in the window as they were written."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from scripted import read

from gui.base.words import plain_label, tip_of, titled, unmarked

WRITTEN = (
    "<img src=x>.png", "<h1>Loud</h1>", "a < b & c", "&lt;b&gt;", "Rock & Roll && more", "<!-- x",
    "[*].png", "plain",
)  # fmt: skip


@pytest.mark.parametrize("text", WRITTEN)
def test_a_label_shows_what_was_written(qtbot, text):
    label, wanted = plain_label(text), plain_label()
    for each in (label, wanted):
        qtbot.addWidget(each)
        each.resize(300, 40)
        each.setTextFormat(Qt.TextFormat.PlainText if each is wanted else each.textFormat())
    wanted.setText(text)
    assert label.grab().toImage() == wanted.grab().toImage()
    assert label.text() == text


@pytest.mark.parametrize("text", WRITTEN)
def test_a_tooltip_shows_what_was_written(text):
    assert Qt.mightBeRichText(tip_of(text))  # else it would not be wrapped
    assert read(tip_of(text)) == text


def test_a_tooltip_keeps_its_lines_and_nothing_else_that_is_not_seen():
    assert read(tip_of("one\x1b[0m \u202eline\nanother")) == "one[0m line\nanother"
    assert tip_of("") == ""


@pytest.mark.parametrize("text", WRITTEN)
def test_no_letter_of_a_name_is_underlined(text):
    assert QKeySequence.mnemonic(unmarked(text)).isEmpty()
    assert unmarked(text).replace("&&", "&") == text


@pytest.mark.parametrize("text", [*WRITTEN, "[*][*]", "[*[*]]"])
def test_a_title_shows_what_was_written(qtbot, text):
    window = plain_label()
    qtbot.addWidget(window)
    window.setWindowTitle(f"{titled(text)}[*]")
    window.show()
    for modified in (True, False):
        window.setWindowModified(modified)
        assert window.windowHandle().title() == text + "*" * modified

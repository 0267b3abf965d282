"""Text from outside is one line that can be shown, whatever it was made of."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.spec.errors import ComplaintsError, EngineError, InputError
from engine.spec.pictures import PictureRef
from engine.spec.wording import plain

ANYTHING = st.text(st.characters(exclude_categories=()), max_size=400)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Größe 夜 😀.png", "Größe 夜 😀.png"),
        ("two\nlines\r\nand\ta tab", "two lines and a tab"),
        ("\x1b[31mred\x1b[0m", "[31mred[0m"),
        ("bell\x07 delete\x7f and C1\x9b31m", "bell delete and C131m"),
        ("invoice\u202egnp.exe", "invoicegnp.exe"),
        ("\u2066isolated\u2069\u200f", "isolated"),
        ("soft\u00adhyphen\ufeff", "softhyphen"),
        ("lone \ud800 half", "lone \ufffd half"),
        ("caf\udce9", "caf\ufffd"),
        ("private \ue000 and none \uffff", "private \ufffd and none \ufffd"),
        ("par\u2029agraph\u2028line\u00a0space", "par agraph line space"),
        ("می\u200cکنم 👩\u200d🎨", "می\u200cکنم 👩\u200d🎨"),
        ("a\0b", "ab"),
        ("  around  ", "around"),
        ("<b>&amp; [/x]", "<b>&amp; [/x]"),
        ("", ""),
    ],
)
def test_what_cannot_be_seen_is_left_out_and_all_else_stays(text: str, shown: str) -> None:
    assert plain(text) == shown


def test_what_is_long_loses_its_middle_and_keeps_its_suffix() -> None:
    shown = plain("begin" + "x" * 5000 + ".safetensors")
    assert len(shown) == 100
    assert shown.startswith("beginx")
    assert "x…x" in shown
    assert shown.endswith(".safetensors")


def test_a_text_without_an_end_takes_no_time() -> None:
    assert len(plain("\x1b" * 10**8, 50)) <= 50


@given(ANYTHING, st.integers(3, 60))
def test_any_text_becomes_one_line_no_longer_than_asked(text: str, most: int) -> None:
    shown = plain(text, most)
    assert len(shown) <= most
    assert shown.replace("\u200c", "").replace("\u200d", "").isprintable()
    assert plain(shown, most) == shown


@given(ANYTHING, ANYTHING)
def test_an_error_is_one_line_whatever_it_was_made_of(message: str, remedy: str) -> None:
    error = EngineError(message)
    error.remedy = remedy
    told = str(error)
    assert told == plain(told, 3000)


def test_several_complaints_stay_paragraphs_each_of_one_line() -> None:
    error = ComplaintsError(["One\nthing.", "Another."])
    assert error.message == "One thing.\n\nAnother."
    assert str(error) == error.message


@pytest.mark.parametrize(
    "error", [InputError("What.", "How."), ComplaintsError(["One.", "Another."])]
)
def test_an_error_tells_another_process_the_same(error: InputError) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), again.message, again.remedy) == (type(error), error.message, error.remedy)


def test_a_pictures_name_out_of_a_file_can_be_shown_and_names_no_folder() -> None:
    ref = PictureRef(name="/etc/\x1b[31mnight\n\u202egnp.png", sha256="0" * 64)
    assert ref.name == "[31mnight gnp.png"
    assert len(PictureRef(name="x" * 1000 + ".png", sha256="0" * 64).name) == 255

"""A preset answers to what a person would call it, and never to what might be two."""

from __future__ import annotations

import pytest

from engine.spec.errors import InputError
from engine.storage.preset_names import RENAMED, found_by_name, near_names
from engine.storage.presets import builtin_presets

NAMES = (
    "Painterly", "Classic (Gatys 2016)", "Texture", "Early and deep", "Bold", "Bolder",
    "Clay", "(mine)", "Überbunt", "🌅", "Dusk!", "dusk?",
    "Line (ink)", "Liner",
)  # fmt: skip


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ("Classic (Gatys 2016)", "Classic (Gatys 2016)"),
        (" classic (gatys 2016) ", "Classic (Gatys 2016)"),
        ("CLASSIC", "Classic (Gatys 2016)"),
        ("classic gatys", "Classic (Gatys 2016)"),
        ("cla-s", "Classic (Gatys 2016)"),
        ("early-and-deep", "Early and deep"),
        ("EarlyAnd", "Early and deep"),
        ("t", "Texture"),
        ("tex+ture", "Texture"),
        ("line", "Line (ink)"),
        ("bold", "Bold"),
        ("bolde", "Bolder"),
        ("mine", "(mine)"),
        ("u\u0308ber", "Überbunt"),
        ("🌅", "🌅"),
        ("DUSK!", "Dusk!"),
        ("dusk?", "dusk?"),
    ],
)
def test_a_name_may_be_written_short(asked: str, meant: str) -> None:
    place = found_by_name(asked, NAMES)
    assert place is not None
    assert NAMES[place] == meant


@pytest.mark.parametrize("asked", ["", "  ", "!", "()", "assic", "Classic (Gatys 2015)", "Boldest"])
def test_what_is_no_name_means_none(asked: str) -> None:
    assert found_by_name(asked, NAMES) is None


@pytest.mark.parametrize(
    ("asked", "candidates"),
    [("cla", "Classic (Gatys 2016), Clay"), ("bo", "Bold, Bolder"), ("dusk", "Dusk!, dusk?")],
)
def test_what_may_be_several_is_refused_with_all_of_them(asked: str, candidates: str) -> None:
    with pytest.raises(InputError) as refused:
        found_by_name(asked, NAMES)
    assert refused.value.message.endswith(f" {asked}: {candidates}.")
    assert refused.value.remedy


def test_a_former_name_answers_after_a_renaming_and_the_new_one_before_it() -> None:
    renamed = {"Wet (2019)": "Wash", "Damp": "Wash"}
    for asked in ("wet (2019)", "WET", "damp", "wash"):
        assert found_by_name(asked, ("Ink", "Wash", "Wetland", "Damper"), renamed) == 1, asked
    assert found_by_name("wash", ("Ink", "Damp", "Washer"), renamed) == 1
    assert found_by_name("wet", ("Ink", "Wetland"), renamed) == 1


def test_a_preset_that_is_there_wins_over_a_former_name() -> None:
    assert found_by_name("wet", ("Wash", "Wet"), {"Wet": "Wash"}) == 1
    assert found_by_name("wash", ("Wash", "Wet"), {"Wet": "Wash"}) == 0


def test_a_beginning_is_of_the_names_there_are() -> None:
    assert found_by_name("we", ("Wash", "Weave"), {"Wet": "Wash"}) == 1
    assert found_by_name("we", ("Wash",), {"Wet": "Wash"}) is None


def test_whatever_a_shipped_preset_was_called_it_is_found() -> None:
    names = [preset.name for preset in builtin_presets()]
    for former, present in RENAMED.items():
        assert former != present
        assert found_by_name(former, names) == found_by_name(present, names) is not None


def test_names_that_look_alike_are_near() -> None:
    assert near_names("clasic", NAMES)[0] == "Classic (Gatys 2016)"
    assert near_names("painterley", NAMES) == ("Painterly",)
    assert near_names("xyzzy", NAMES) == ()

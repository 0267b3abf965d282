"""What is said of the formats that pictures are saved in is said once, and Pillow agrees."""

from __future__ import annotations

import pytest
from PIL import Image

from engine.storage.formats import FORMATS, QUALITIES, SUFFIXES, USUAL_QUALITY, format_of
from engine.storage.images import OPEN_SUFFIXES


def test_each_suffix_is_of_one_format_which_pillow_writes_under_it() -> None:
    assert len(set(SUFFIXES)) == len(SUFFIXES)
    known = Image.registered_extensions()
    for each in FORMATS:
        assert {known[suffix] for suffix in each.suffixes} == {each.name.upper()}
        assert each.name.upper() in Image.SAVE


def test_what_is_saved_can_be_opened() -> None:
    assert set(SUFFIXES) <= set(OPEN_SUFFIXES)


@pytest.mark.parametrize(
    ("suffix", "name"), [(".jpeg", "JPEG"), (".TIF", "TIFF"), (".webp", "WebP")]
)
def test_a_format_is_known_by_its_suffix_in_any_case(suffix: str, name: str) -> None:
    found = format_of(suffix)
    assert found is not None
    assert found.name == name


@pytest.mark.parametrize("suffix", ["", ".", "png", ".gif", ".png "])
def test_other_suffixes_have_none(suffix: str) -> None:
    assert format_of(suffix) is None


def test_qualities_run_from_1_to_100() -> None:
    assert (QUALITIES[0], QUALITIES[-1]) == (1, 100)
    assert USUAL_QUALITY in QUALITIES

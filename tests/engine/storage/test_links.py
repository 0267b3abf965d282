"""A link stays a link: what it leads to is replaced, and what it must not lead to is told."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import numpy as np
import pytest

from engine.spec.errors import InputError
from engine.storage.images import open_picture
from engine.storage.paths import replacing
from engine.storage.saving import check_place, save_pixels

PIXELS = np.zeros((4, 6, 3), np.uint8)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where pictures really lie."""
    (tmp_path / "kept").mkdir()
    return tmp_path / "kept"


@pytest.fixture
def link(tmp_path: Path) -> Path:
    """A link to a link to a picture, which need not be there."""
    (tmp_path / "album").mkdir()
    (tmp_path / "between.png").symlink_to(tmp_path / "kept" / "real.png")
    (tmp_path / "album" / "a.png").symlink_to(Path("..", "between.png"))
    return tmp_path / "album" / "a.png"


def test_what_a_link_leads_to_is_replaced_where_it_lies(link: Path, folder: Path) -> None:
    (folder / "real.png").write_bytes(b"old")
    (folder / "real.png").chmod(0o640)
    with replacing(link) as temporary:
        assert temporary.parent == folder.resolve()
        temporary.write_bytes(b"new")
    assert link.is_symlink()
    assert (folder / "real.png").read_bytes() == b"new"
    assert stat.S_IMODE((folder / "real.png").stat().st_mode) == 0o640
    assert names(folder) == ["real.png"]
    assert names(link.parent) == ["a.png"]


def test_what_a_link_leads_to_is_made_if_it_is_not_there(link: Path, folder: Path) -> None:
    check_place(link, overwrite=True)
    save_pixels(PIXELS, link, overwrite=True)
    assert link.is_symlink()
    assert np.array_equal(open_picture(folder / "real.png").pixels, PIXELS)
    assert names(folder) == ["real.png"]


def test_a_link_is_not_written_through_unasked(link: Path, folder: Path) -> None:
    for write in (check_place, lambda path: save_pixels(PIXELS, path)):
        with pytest.raises(InputError, match=r"a\.png exists already"):
            write(link)
    with pytest.raises(InputError, match="exists"), replacing(link, overwrite=False) as temporary:
        temporary.write_bytes(b"new")
    assert names(folder) == []
    assert link.is_symlink()
    assert names(link.parent) == ["a.png"]


def circle(place: Path) -> None:
    place.symlink_to("other.png")
    place.with_name("other.png").symlink_to("a.png")


ODD = {
    "a.png is a link that leads in a circle.": circle,
    "a.png is a link into ": lambda place: place.symlink_to(Path("gone", "real.png")),
    "a.png is a folder.": lambda place: place.symlink_to(place.parent),
    "a.png is a device.": lambda place: place.symlink_to(os.devnull),
    "a.png is a pipe.": os.mkfifo if hasattr(os, "mkfifo") else None,
}


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs such things")
@pytest.mark.parametrize("said", ODD)
def test_a_link_to_no_place_for_a_file_is_told_and_left(tmp_path: Path, said: str) -> None:
    place = tmp_path / "a.png"
    ODD[said](place)
    before = place.lstat(), names(tmp_path)
    for write in (
        lambda: check_place(place, overwrite=True),
        lambda: save_pixels(PIXELS, place, overwrite=True),
    ):
        with pytest.raises(InputError) as refused:
            write()
        assert refused.value.message.startswith(said)
        assert refused.value.remedy
    with pytest.raises(InputError), replacing(place):
        pytest.fail("there is nowhere to write")
    assert (place.lstat(), names(tmp_path)) == before


def test_a_folder_behind_a_link_that_is_closed_to_writing_is_refused_before_the_work(
    link: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda path, _: Path(path) != folder.resolve())
    with pytest.raises(InputError, match="Nothing may be written to") as refused:
        check_place(link, overwrite=True)
    assert str(folder.resolve()) in refused.value.message


def test_a_second_name_of_a_file_keeps_what_it_had(folder: Path) -> None:
    (folder / "a").write_bytes(b"old")
    os.link(folder / "a", folder / "b")
    with replacing(folder / "a") as temporary:
        temporary.write_bytes(b"new")
    assert [(folder / name).read_bytes() for name in ("a", "b")] == [b"new", b"old"]

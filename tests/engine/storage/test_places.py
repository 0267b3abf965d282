"""The program finds pictures again by their hashes, and never fails for want of its memory."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from pathlib import Path

import pytest

from engine.storage import places
from engine.storage.paths import data_folder
from engine.storage.places import Places, found_beside


def put(path: Path, content: bytes = b"a picture") -> str:
    """Write a file, and return its hash."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "data" / "places.json"


def test_what_was_found_once_is_found_at_the_next_start(tmp_path: Path, file: Path) -> None:
    digest = put(tmp_path / "a.png")
    Places(file).remember({digest: tmp_path / "a.png"})
    assert Places(file).find(digest) == tmp_path / "a.png"
    assert Places(file).find("0" * 64) is None


def test_without_a_file_they_stand_in_the_users_data(tmp_path: Path) -> None:
    digest = put(tmp_path / "a.png")
    Places().remember({digest: tmp_path / "a.png"})
    assert Places().find(digest) == tmp_path / "a.png"
    assert (data_folder() / "places.json").is_file()


def test_a_picture_that_has_gone_is_not_found(tmp_path: Path, file: Path) -> None:
    digest = put(tmp_path / "a.png")
    Places(file).remember({digest: tmp_path / "a.png"})
    (tmp_path / "a.png").unlink()
    assert Places(file).find(digest) is None
    (tmp_path / "a.png").mkdir()
    assert Places(file).find(digest) is None


def test_the_last_place_of_a_picture_counts(tmp_path: Path, file: Path) -> None:
    digest = put(tmp_path / "a.png")
    put(tmp_path / "b.png")
    for name in ("a.png", "b.png"):
        Places(file).remember({digest: tmp_path / name})
    assert Places(file).find(digest) == tmp_path / "b.png"


def test_a_place_is_remembered_whatever_folder_the_program_is_started_in(
    tmp_path: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = put(tmp_path / "a.png")
    monkeypatch.chdir(tmp_path)
    Places(file).remember({digest: Path("a.png")})
    monkeypatch.chdir("/")
    assert Places(file).find(digest) == tmp_path / "a.png"


@pytest.mark.skipif(sys.platform != "linux", reason="needs names of any bytes")
def test_a_name_that_is_not_unicode_is_remembered(tmp_path: Path, file: Path) -> None:
    path = tmp_path / os.fsdecode(b"caf\xe9.png")
    digest = put(path)
    Places(file).remember({digest: path})
    assert Places(file).find(digest) == path


def test_the_oldest_places_are_forgotten_and_what_was_seen_again_is_not(
    tmp_path: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "MOST_PLACES", 3)
    path = tmp_path / "a.png"
    put(path)
    for digest in ("a", "b", "c", "a", "d"):
        Places(file).remember({digest: path})
    assert [digest for digest in "abcd" if Places(file).find(digest)] == ["a", "c", "d"]


def test_the_file_has_a_format_number(tmp_path: Path, file: Path) -> None:
    Places(file).remember({"a": tmp_path / "a.png"})
    assert json.loads(file.read_text()) == {"format": 1, "places": {"a": str(tmp_path / "a.png")}}


def test_a_newer_file_is_left_as_it_is(tmp_path: Path, file: Path) -> None:
    newer = b'{"format": 2, "places": {"a": "/"}}'
    put(file, newer)
    Places(file).remember({"b": tmp_path})
    assert Places(file).find("a") is None
    assert file.read_bytes() == newer


def test_what_only_another_version_understands_stays_in_the_file(
    tmp_path: Path, file: Path
) -> None:
    put(file, b'{"format": 1, "seen": {"a": 3}, "places": {"a": "/a.png"}}')
    Places(file).remember({"b": Path("/b.png")})
    assert json.loads(file.read_text()) == {
        "format": 1, "seen": {"a": 3}, "places": {"a": "/a.png", "b": "/b.png"},
    }  # fmt: skip


@pytest.mark.usefixtures("never_waits")
@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes")
def test_a_pipe_holds_nobody_up_and_is_left(tmp_path: Path, file: Path) -> None:
    file.parent.mkdir()
    os.mkfifo(file)
    Places(file).remember({"a": tmp_path / "a.png"})
    assert Places(file).find("a") is None
    assert file.is_fifo()
    os.mkfifo(tmp_path / "a.png")
    assert found_beside(tmp_path, {"0" * 64: "a.png"}) == {}


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"\xff", b"{}", b'{"places": 3}', b'{"format": "x"}', b"[" * 100_000,
     b'{"format": 1, "places": {"a": 3, "b": null}}', b'{"format": 1, "places": {"a": "\\u0000"}}'],
)  # fmt: skip
def test_a_damaged_file_is_as_good_as_none(tmp_path: Path, file: Path, content: bytes) -> None:
    put(file, content)
    assert Places(file).find("a") is None
    digest = put(tmp_path / "a.png")
    Places(file).remember({digest: tmp_path / "a.png"})
    assert Places(file).find(digest) == tmp_path / "a.png"


def test_what_cannot_be_read_now_is_not_overwritten(
    tmp_path: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = put(tmp_path / "a.png")
    Places(file).remember({digest: tmp_path / "a.png"})

    def fail(*_: object) -> bytes:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as failing:
        failing.setattr(places, "read_ordinary", fail)
        Places(file).remember({"b": tmp_path})
        assert Places(file).find(digest) is None
    assert Places(file).find(digest) == tmp_path / "a.png"


def test_a_folder_that_cannot_be_written_to_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    Places(tmp_path / "file" / "places.json").remember({"a": tmp_path})
    assert Places(tmp_path / "file" / "places.json").find("a") is None


def test_pictures_are_found_beside_under_their_own_names(tmp_path: Path) -> None:
    wanted = {put(tmp_path / name, name.encode()): name for name in ("a.png", "b.raw")}
    found = found_beside(tmp_path, wanted)
    assert found == {digest: tmp_path / name for digest, name in wanted.items()}


def test_a_renamed_picture_is_found_by_its_hash(tmp_path: Path) -> None:
    digest = put(tmp_path / "holiday.JPG", b"night")
    put(tmp_path / "a.png", b"another picture of that name")
    assert found_beside(tmp_path, {digest: "a.png"}) == {digest: tmp_path / "holiday.JPG"}


def test_another_picture_of_the_name_is_not_taken_for_it(tmp_path: Path) -> None:
    put(tmp_path / "a.png", b"another")
    assert found_beside(tmp_path, {"0" * 64: "a.png"}) == {}


def test_only_pictures_of_reasonable_number_and_size_are_hashed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = put(tmp_path / "b.txt", b"text")
    large = put(tmp_path / "c.png", b"much too large")
    (tmp_path / "d.png").mkdir()
    first, second = put(tmp_path / "e.png", b"first"), put(tmp_path / "f.png", b"second")
    monkeypatch.setattr(places, "LARGEST_LOOKED_AT", 6)
    monkeypatch.setattr(places, "MOST_LOOKED_AT", 1)
    wanted = dict.fromkeys((text, large, first, second), "a.png")
    assert found_beside(tmp_path, wanted) == {first: tmp_path / "e.png"}
    monkeypatch.setattr(places, "MOST_LOOKED_AT", 2)
    assert found_beside(tmp_path, wanted).keys() == {first, second}


@pytest.mark.parametrize("name", ["../a.png", "in/a.png", "", "..", ".", "a\0.png"])
def test_a_name_that_leads_out_of_the_folder_is_not_followed(tmp_path: Path, name: str) -> None:
    digest = put(tmp_path / "a.png")
    put(tmp_path / "folder" / "in" / "a.png")
    assert found_beside(tmp_path / "folder", {digest: name}) == {}
    assert found_beside(tmp_path / "folder", {digest: str(tmp_path / "a.png")}) == {}


def test_a_folder_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    assert found_beside(tmp_path / "none", {"0" * 64: "a.png"}) == {}

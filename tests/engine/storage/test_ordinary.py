"""Nothing that stands in a file's place can hold anyone up: it is refused in a sentence."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path
from types import SimpleNamespace

import pytest

from engine.spec.errors import InputError
from engine.storage.ordinary import ordinary_file, read_ordinary
from engine.storage.paths import unreadable


@pytest.fixture
def odd(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """Something that is no file, of a kind."""
    path, kind = tmp_path / "a.json", request.param
    if kind == "a folder":
        path.mkdir()
    elif kind == "a pipe":
        os.mkfifo(path)
    elif kind == "a socket":
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind(str(path))
    elif kind == "a device":
        path.symlink_to("/dev/zero")
    else:
        os.mkfifo(tmp_path / "pipe")
        path.symlink_to("pipe")
    return path


KINDS = ["a folder", "a pipe", "a socket", "a device", "a link to a pipe"]


@pytest.mark.usefixtures("never_waits")
@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs such things")
@pytest.mark.parametrize("odd", KINDS, indirect=True, ids=KINDS)
def test_what_is_no_file_is_refused_by_its_kind(odd: Path, request: pytest.FixtureRequest) -> None:
    kind = request.node.callspec.params["odd"].removeprefix("a link to ")
    with pytest.raises(OSError, match=f"this is {kind}") as refused:
        read_ordinary(odd)
    told = unreadable(odd, refused.value)
    assert told.message == f"a.json cannot be read: this is {kind}."
    with pytest.raises(OSError, match=kind), ordinary_file(odd):
        pass


@pytest.mark.usefixtures("never_waits")
@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes")
@pytest.mark.parametrize("written", [True, False])
def test_a_pipe_that_came_since_it_was_looked_at_is_refused_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: bool
) -> None:
    os.mkfifo(tmp_path / "a")
    if written:
        writer = os.open(tmp_path / "a", os.O_RDWR)
    monkeypatch.setattr(os, "stat", lambda *_: SimpleNamespace(st_mode=stat.S_IFREG))
    try:
        with pytest.raises(OSError, match="this is a pipe"):
            read_ordinary(tmp_path / "a")
    finally:
        if written:
            os.close(writer)


def test_a_file_is_read_whole_up_to_a_limit(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(b"12345")
    assert read_ordinary(path, 5) == b"12345"
    with pytest.raises(InputError, match=r"a\.json is far too large"):
        read_ordinary(path, 4)


def test_of_a_file_without_end_no_more_is_read_than_its_limit(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    with path.open("wb") as file:
        file.truncate(2**40)
    with pytest.raises(InputError, match="far too large"):
        read_ordinary(path)


def test_a_link_to_a_file_is_as_good_as_the_file(tmp_path: Path) -> None:
    (tmp_path / "b").write_bytes(b"1")
    (tmp_path / "a").symlink_to("b")
    assert read_ordinary(tmp_path / "a") == b"1"
    with ordinary_file(tmp_path / "a") as file:
        assert file.read() == b"1"


def test_a_file_that_is_not_there_is_missed(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_ordinary(tmp_path / "a")

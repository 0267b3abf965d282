"""What is called saved is on the disk: files are synced, read from there, and so are folders."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from engine.system import durability
from engine.system.durability import make_folder, read_back, sync_file, sync_folder


class Tape(io.BytesIO):
    """A file that notes when it is read."""

    def __init__(self, told: list[str]) -> None:
        super().__init__(b"on disk")
        self._told = told

    def fileno(self) -> int:
        return 7

    def read(self, size: int | None = -1) -> bytes:
        self._told.append("read")
        return super().read(size)


def test_the_systems_memory_of_a_file_is_dropped_before_it_is_read_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told: list[str] = []

    def advise(descriptor: int, offset: int, length: int, advice: int) -> None:
        assert (descriptor, offset, length) == (7, 0, 0)
        assert advice == os.POSIX_FADV_DONTNEED
        told.append("forget")

    monkeypatch.setattr(os, "posix_fadvise", advise, raising=False)
    monkeypatch.setattr(os, "POSIX_FADV_DONTNEED", 4, raising=False)
    file = Tape(told)
    file.seek(3)
    assert read_back(file) == b"on disk"
    assert told == ["forget", "read"]


def test_a_system_that_takes_no_advice_is_read_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(22, "Invalid argument")

    monkeypatch.setattr(os, "posix_fadvise", refuse, raising=False)
    monkeypatch.setattr(os, "POSIX_FADV_DONTNEED", 4, raising=False)
    assert read_back(Tape([])) == b"on disk"
    monkeypatch.delattr(os, "posix_fadvise")
    assert read_back(Tape([])) == b"on disk"


@pytest.mark.parametrize("known", [True, False])
def test_where_a_sync_stops_half_way_the_whole_way_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, known: bool
) -> None:
    told: list[object] = []

    def control(descriptor: int, command: int) -> None:
        told.append((descriptor, command))
        if not known:
            raise OSError(45, "Operation not supported")

    monkeypatch.setattr(durability, "_WHOLE_WAY", 51)
    monkeypatch.setattr(durability, "fcntl", SimpleNamespace(fcntl=control))
    monkeypatch.setattr(os, "fsync", told.append)
    sync_file(7)
    assert told == ([(7, 51)] if known else [(7, 51), 7])


def test_a_disk_that_refuses_a_sync_is_not_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_descriptor: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="Input/output"), (tmp_path / "a").open("wb") as file:
        sync_file(file.fileno())
    sync_folder(tmp_path)  # not every system can


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The folders that were synced."""
    folders: list[Path] = []
    sync: Callable[[Path], None] = sync_folder
    monkeypatch.setattr(
        durability, "sync_folder", lambda folder: (folders.append(folder), sync(folder))
    )
    return folders


def test_each_folder_that_is_made_has_its_name_on_the_disk(
    tmp_path: Path, synced: list[Path]
) -> None:
    make_folder(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()
    assert set(synced) == {tmp_path, tmp_path / "a"}
    synced.clear()
    make_folder(tmp_path / "a" / "b")
    assert synced == []


def test_a_folder_is_not_made_inside_a_file(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    with pytest.raises(OSError, match="a"):
        make_folder(tmp_path / "a" / "b")
    with pytest.raises(FileExistsError):
        make_folder(tmp_path / "a")

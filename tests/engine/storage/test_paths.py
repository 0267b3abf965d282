"""A file gets to its place whole and on disk or not at all, and nothing is replaced unasked."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.spec.errors import InputError
from engine.storage import paths
from engine.storage.paths import (
    delete,
    put_in_place,
    replacing,
    set_aside,
    taken,
    unreadable,
    unwritable,
)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is done to the disk, in its order; a folder's own sync is told apart from a file's."""
    told: list[str] = []

    def note(name: str, work: Callable[..., object]) -> Callable[..., object]:
        def noted(*arguments: object, **more: object) -> object:
            told.append(name)
            return work(*arguments, **more)

        return noted

    fsync = os.fsync

    def sync(descriptor: int) -> None:
        told.append("sync folder" if os.path.isdir(f"/dev/fd/{descriptor}/.") else "sync file")
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", sync)
    monkeypatch.setattr(paths, "read_back", note("ask the disk", paths.read_back))
    monkeypatch.setattr(paths, "move_to_free", note("move", paths.move_to_free))
    for name in ("replace", "mkdir", "unlink"):
        monkeypatch.setattr(Path, name, note(name, getattr(Path, name)))
    return told


@pytest.mark.skipif(not os.path.isdir("/dev/fd"), reason="needs to tell what is synced")
@pytest.mark.parametrize("overwrite", [True, False])
def test_a_file_is_on_disk_before_it_is_checked_and_named_and_its_name_after(
    tmp_path: Path, steps: list[str], overwrite: bool
) -> None:
    path = tmp_path / "a"
    with replacing(
        path, overwrite=overwrite, check=lambda data: steps.append(data.decode())
    ) as temporary:
        temporary.write_bytes(b"read back")
        assert not path.exists()
    move = "replace" if overwrite else "move"
    steps = [step for step in steps if step not in ("mkdir", "unlink")]
    assert steps == ["sync file", "ask the disk", "read back", move, "sync folder"]
    assert contents(tmp_path) == {"a": b"read back"}


@pytest.mark.skipif(not os.path.isdir("/dev/fd"), reason="needs to tell what is synced")
def test_every_folder_in_which_a_name_came_or_went_is_synced(
    tmp_path: Path, steps: list[str]
) -> None:
    with replacing(tmp_path / "in" / "deep" / "a") as temporary:
        temporary.write_bytes(b"new")
    made = steps[: steps.index("sync file")]
    assert made[-2:] == ["sync folder", "sync folder"]
    assert made.count("sync folder") == 2
    steps.clear()
    set_aside(tmp_path / "in" / "deep" / "a")
    assert steps == ["move", "sync folder"]
    steps.clear()
    delete(tmp_path / "in" / "deep" / "a.corrupt")
    assert steps == ["unlink", "sync folder"]
    assert contents(tmp_path / "in" / "deep") == {}


def test_what_a_check_refuses_is_not_put_in_place(tmp_path: Path) -> None:
    def refuse(data: bytes) -> None:
        raise InputError("It is not what was written.")

    (tmp_path / "a").write_bytes(b"precious")
    with (
        pytest.raises(InputError, match="not what was written"),
        replacing(tmp_path / "a", check=refuse) as temporary,
    ):
        temporary.write_bytes(b"new")
    assert contents(tmp_path) == {"a": b"precious"}


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_whatever_breaks_off_the_writing_nothing_is_left_behind(
    tmp_path: Path, error: type[BaseException]
) -> None:
    (tmp_path / "a").write_bytes(b"precious")

    def write_half() -> None:
        with replacing(tmp_path / "a") as temporary:
            temporary.write_bytes(b"half")
            raise error

    with pytest.raises(error):
        write_half()
    assert contents(tmp_path) == {"a": b"precious"}


def test_missing_folders_are_made(tmp_path: Path) -> None:
    with replacing(tmp_path / "in" / "deep" / "a") as temporary:
        temporary.write_bytes(b"new")
    assert (tmp_path / "in" / "deep" / "a").read_bytes() == b"new"


def test_what_came_meanwhile_is_not_replaced_unasked(tmp_path: Path) -> None:
    def write_while_another_does() -> None:
        with replacing(tmp_path / "a", overwrite=False) as temporary:
            temporary.write_bytes(b"new")
            (tmp_path / "a").write_bytes(b"precious")

    with pytest.raises(InputError, match="a exists already"):
        write_while_another_does()
    assert contents(tmp_path) == {"a": b"precious"}


def test_a_system_that_cannot_sync_folders_is_no_obstacle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> int:
        raise PermissionError(errno.EACCES, "folders cannot be opened")

    monkeypatch.setattr(os, "open", refuse)
    (tmp_path / "a.part").write_bytes(b"new")
    put_in_place(tmp_path / "a.part", tmp_path / "a")
    assert contents(tmp_path) == {"a": b"new"}


def test_what_is_set_aside_never_replaces_what_was_before(tmp_path: Path) -> None:
    for content, name in ((b"1", "a.json.corrupt"), (b"2", "a.json_001.corrupt")):
        (tmp_path / "a.json").write_bytes(content)
        assert set_aside(tmp_path / "a.json") == tmp_path / name
    assert contents(tmp_path) == {"a.json.corrupt": b"1", "a.json_001.corrupt": b"2"}
    assert set_aside(tmp_path / "none.json") is None


def test_what_is_set_aside_at_the_same_moment_by_another_keeps_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = iter([tmp_path / "b.corrupt", tmp_path / "c.corrupt"])
    monkeypatch.setattr(paths, "free_path", lambda _: next(free))
    (tmp_path / "a.json").write_bytes(b"2")
    (tmp_path / "b.corrupt").write_bytes(b"1")
    assert set_aside(tmp_path / "a.json") == tmp_path / "c.corrupt"
    assert contents(tmp_path) == {"b.corrupt": b"1", "c.corrupt": b"2"}


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "The disk is full; a.png was not saved."),
        (errno.EDQUOT, "The disk is full; a.png was not saved."),
        (errno.ENOENT, "There is no folder"),
        (errno.ENOTDIR, "There is no folder"),
        (errno.EEXIST, "There is no folder"),
        (errno.ENAMETOOLONG, "The name is too long"),
        (errno.EACCES, "Nothing may be written to"),
        (errno.EPERM, "Nothing may be written to"),
        (errno.EROFS, "Nothing may be written to"),
        (errno.EIO, "a.png could not be saved: Input/output error."),
    ],
)
def test_why_nothing_was_written_is_said_with_what_to_do(
    tmp_path: Path, number: int, words: str
) -> None:
    refusal = unwritable(tmp_path / "a.png", OSError(number, os.strerror(number)))
    assert refusal.message.startswith(words)
    assert refusal.remedy


def test_words_about_a_file_can_be_printed_whatever_its_name(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"caf\xe9.png")
    error = OSError(errno.EIO, os.strerror(errno.EIO))
    for refusal in (taken(path), unwritable(path, error), unreadable(path, error)):
        str(refusal).encode()
        assert "caf" in refusal.message

"""A file moves to a free name whole, whatever the file system knows, and takes nobody else's."""

from __future__ import annotations

import ctypes
import errno
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.system import renaming
from engine.system.renaming import move_to_free

ROOT = Path(__file__).resolve().parents[3]

WAYS = ["exclusive rename", "link", "look"]
UNKNOWN = [errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EPERM]
"""What file systems say of a call that they do not know."""


class NoLibrary:
    """A system whose exclusive rename is refused."""

    def __init__(self, number: int) -> None:
        self._number = number

    def renameat2(self, *_: object) -> int:
        ctypes.set_errno(self._number)
        return -1

    renamex_np = renameat2


@pytest.fixture
def only(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Leaves a system only some way to move, and tells which ways are taken."""

    def refuse(way: str, number: int = errno.EINVAL) -> list[str]:
        def unknown(*_: object) -> None:
            raise OSError(number, os.strerror(number))

        if way != WAYS[0]:
            monkeypatch.setattr(renaming, "_LIBC", NoLibrary(number))
        if way == WAYS[2]:
            monkeypatch.setattr(os, "link", unknown)
        used: list[str] = []
        link, rename = os.link, os.rename
        if way != WAYS[2]:
            monkeypatch.setattr(os, "link", lambda *a: (link(*a), used.append(WAYS[1])))
        monkeypatch.setattr(os, "rename", lambda *a: (rename(*a), used.append(WAYS[2])))
        return used

    return refuse


posix = pytest.mark.skipif(sys.platform not in ("linux", "darwin"), reason="needs such a system")


@posix
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("number", UNKNOWN)
def test_a_file_moves_by_the_first_way_its_file_system_knows(
    tmp_path: Path, only: Callable[..., list[str]], way: str, number: int
) -> None:
    used = only(way, number)
    (tmp_path / "a").write_bytes(b"whole")
    move_to_free(tmp_path / "a", tmp_path / "b")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"b": b"whole"}
    assert used == ([] if way == WAYS[0] else [way])


@posix
def test_a_system_without_the_call_links(
    tmp_path: Path, only: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    used = only(WAYS[1])
    monkeypatch.setattr(renaming, "_LIBC", None)
    (tmp_path / "a").write_bytes(b"whole")
    move_to_free(tmp_path / "a", tmp_path / "b")
    assert used == [WAYS[1]]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("there", ["a file", "an empty file", "a folder", "a link to nothing"])
def test_what_has_the_name_keeps_it(
    tmp_path: Path, only: Callable[..., list[str]], way: str, there: str
) -> None:
    only(way)
    (tmp_path / "a").write_bytes(b"new")
    place = tmp_path / "b"
    if there == "a folder":
        place.mkdir()
    elif there == "a link to nothing":
        place.symlink_to("none")
    else:
        place.write_bytes(b"precious" if there == "a file" else b"")
    before = place.lstat()
    with pytest.raises(FileExistsError):
        move_to_free(tmp_path / "a", place)
    assert place.lstat() == before
    assert (tmp_path / "a").read_bytes() == b"new"
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("way", WAYS)
def test_what_is_not_there_cannot_be_moved(
    tmp_path: Path, only: Callable[..., list[str]], way: str
) -> None:
    only(way)
    with pytest.raises(FileNotFoundError):
        move_to_free(tmp_path / "a", tmp_path / "b")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("way", WAYS[:2])
def test_of_many_that_race_for_a_name_one_gets_it_and_none_is_lost(
    tmp_path: Path, only: Callable[..., list[str]], way: str
) -> None:
    only(way)
    start = threading.Barrier(8)
    won: list[int] = []

    def race(number: int) -> None:
        mine = tmp_path / f"{number}"
        mine.write_text(f"{number}")
        start.wait()
        try:
            move_to_free(mine, tmp_path / "name")
        except FileExistsError:
            assert mine.read_text() == f"{number}"
        else:
            won.append(number)

    threads = [threading.Thread(target=race, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (winner,) = won
    assert (tmp_path / "name").read_text() == f"{winner}"
    assert len(list(tmp_path.iterdir())) == 8


KILLED = """
import errno, json, os, signal, sys
from pathlib import Path
from engine.storage.paths import replacing
from engine.system import renaming

folder, refused = Path(sys.argv[1]), int(sys.argv[2])

def unknown(*_):
    raise OSError(errno.EPERM, "not here")

if refused > 0:
    renaming._LIBC = None
if refused > 1:
    os.link = unknown

def write(killed_at):
    steps = 0
    def step(event, _arguments):
        nonlocal steps
        if event == "open" or event.startswith("os."):
            steps += 1
            if steps == killed_at:
                os.kill(os.getpid(), signal.SIGKILL)
    sys.addaudithook(step)
    with replacing(folder / "name", overwrite=False) as temporary:
        temporary.write_bytes(b"whole")
    os._exit(0)

seen, killed_at = [], 0
while True:
    killed_at += 1
    child = os.fork()
    if child == 0:
        write(killed_at)
    killed = os.WIFSIGNALED(os.waitpid(child, 0)[1])
    name = folder / "name"
    seen.append(name.read_text() if name.exists() else None)
    if not killed:
        break
    for path in folder.iterdir():
        path.unlink()
print(json.dumps(seen))
"""
"""Kills a process that saves a file at each of its calls to the system, in turn."""


@posix
@pytest.mark.parametrize("refused", range(3))
def test_a_kill_at_any_step_leaves_nothing_or_the_whole_file_under_the_name(
    tmp_path: Path, refused: int
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path), str(refused)],
        capture_output=True, text=True, check=False, cwd=ROOT,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert seen[-1] == "whole"
    assert set(seen) == {None, "whole"}
    assert len(seen) > 4

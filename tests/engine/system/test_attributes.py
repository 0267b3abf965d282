"""Whoever could not read a file cannot read what replaces it, and what was noted on it stays."""

from __future__ import annotations

import os
import stat
import struct
import sys
from pathlib import Path

import pytest

from engine.storage.paths import replacing

pytestmark = pytest.mark.skipif(not hasattr(os, "fchown"), reason="Windows keeps lists of its own")

extended = pytest.mark.skipif(sys.platform != "linux", reason="needs extended attributes")

LIST = "system.posix_acl_access"
OWNER, PERSON, GROUP, MASK, OTHERS = 1, 2, 4, 16, 32


def access_list(*entries: tuple[int, int, int]) -> bytes:
    """A list of access as the kernel has it: who, what they may do, and of persons which."""
    packed = (struct.pack("<HHI", who, may, which) for who, may, which in entries)
    return struct.pack("<I", 2) + b"".join(packed)


NOBODY = 0xFFFFFFFF
CAROL = access_list(
    (OWNER, 6, NOBODY), (PERSON, 4, 12345), (GROUP, 0, NOBODY), (MASK, 4, NOBODY),
    (OTHERS, 0, NOBODY),
)  # fmt: skip
"""Lets one person more read."""


def note(path: Path, name: str, value: bytes) -> None:
    try:
        os.setxattr(path, name, value)
    except OSError as error:
        pytest.skip(f"this file system has no {name}: {error.strerror}")


def replace(path: Path) -> int:
    """Replace a file; returns the mode it had while it was written."""
    with replacing(path) as temporary:
        temporary.write_bytes(b"new")
        meanwhile = mode_of(temporary)
    assert path.stat().st_size == 3
    return meanwhile


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file that will be replaced."""
    (tmp_path / "a").write_bytes(b"precious")
    return tmp_path / "a"


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o644, 0o664, 0o400, 0o604, 0o755])
def test_a_file_that_is_replaced_keeps_its_mode_and_is_private_until_then(
    path: Path, mode: int
) -> None:
    path.chmod(mode)
    assert replace(path) == 0o600
    assert mode_of(path) == mode


def test_a_new_file_is_as_public_as_any_other(tmp_path: Path) -> None:
    (tmp_path / "plain").touch()
    assert replace(tmp_path / "new") == mode_of(tmp_path / "plain")
    assert mode_of(tmp_path / "new") == mode_of(tmp_path / "plain")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root gives away")
def test_a_file_that_is_replaced_keeps_owner_and_group(path: Path) -> None:
    os.chown(path, 1234, 2345)
    path.chmod(0o640)
    replace(path)
    assert (path.stat().st_uid, path.stat().st_gid, mode_of(path)) == (1234, 2345, 0o640)


@pytest.mark.parametrize(
    ("mode", "left"), [(0o640, 0o600), (0o664, 0o644), (0o604, 0o600), (0o600, 0o600)]
)
def test_without_the_right_to_the_group_no_other_group_may_do_more(
    path: Path, monkeypatch: pytest.MonkeyPatch, mode: int, left: int
) -> None:
    looked = Path.stat

    def of_another_group(self: Path, **how: bool) -> os.stat_result:
        found = looked(self, **how)
        return os.stat_result((*found[:5], found.st_gid + 1, *found[6:10]))

    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    path.chmod(mode)
    with monkeypatch.context() as poor:
        poor.setattr(os, "fchown", refuse)
        poor.setattr(Path, "stat", of_another_group)
        replace(path)
    assert mode_of(path) == left


@extended
def test_what_was_noted_on_a_file_stays_on_it(path: Path) -> None:
    note(path, "user.note", b"the wedding")
    replace(path)
    assert os.getxattr(path, "user.note") == b"the wedding"


@extended
def test_what_a_program_was_granted_for_its_content_goes_with_that(path: Path) -> None:
    granted = struct.pack("<IIIII", 0x02000001, 1, 0, 0, 0)
    note(path, "security.capability", granted)
    note(path, "user.note", b"a note")
    replace(path)
    assert "security.capability" not in os.listxattr(path)


@extended
def test_a_list_of_who_may_read_is_kept(path: Path) -> None:
    note(path, LIST, CAROL)
    before = mode_of(path)
    assert replace(path) == 0o600
    assert os.getxattr(path, LIST) == CAROL
    assert mode_of(path) == before == 0o640


@extended
def test_where_the_list_cannot_be_kept_only_the_owner_may_read(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    note(path, LIST, CAROL)

    def refuse(*_: object) -> None:
        raise OSError(95, "Operation not supported")

    with monkeypatch.context() as poor:
        poor.setattr(os, "setxattr", refuse)
        replace(path)
    assert LIST not in os.listxattr(path)
    assert mode_of(path) == 0o600


@extended
def test_a_folders_list_for_new_files_does_not_open_one_that_is_replaced(path: Path) -> None:
    path.chmod(0o640)
    note(path.parent, "system.posix_acl_default", CAROL)
    replace(path)
    assert LIST not in os.listxattr(path)
    assert mode_of(path) == 0o640

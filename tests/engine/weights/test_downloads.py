"""A download is whole and verified, or resumable, or gone; never a half file in place."""

from __future__ import annotations

import errno
import hashlib
import http.server
import os
import random
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from engine.spec.errors import Cancelled, EngineError, InputError
from engine.weights import downloads
from engine.weights.downloads import fetch

BODY = random.Random(1).randbytes(700_001)
OTHER = random.Random(2).randbytes(700_001)


@dataclass
class Site:
    """A server of one file, and how it behaves."""

    url: str = ""
    body: bytes = BODY
    marks: dict[str, str] = field(default_factory=lambda: {"ETag": '"first"'})
    status: int = 200
    ranges: bool = True
    says_length: bool = True
    breaks_after: int | None = None
    silence: threading.Event | None = None
    requests: list[dict[str, str]] = field(default_factory=list)


class Handler(http.server.BaseHTTPRequestHandler):
    site: Site

    def do_GET(self) -> None:
        site = self.site
        asked = {key.lower(): value for key, value in self.headers.items()}
        site.requests.append(asked)
        if site.status != 200:
            self.send_error(site.status)
            return
        first = int(asked.get("range", "bytes=0-").removeprefix("bytes=").rstrip("-"))
        if not site.ranges or asked.get("if-range") not in (None, *site.marks.values()):
            first = 0
        if first >= len(site.body):
            self.send_error(416)
            return
        body = site.body[first:]
        self.send_response(206 if first else 200)
        for name, value in site.marks.items():
            self.send_header(name, value)
        if site.says_length:
            self.send_header("Content-Length", str(len(body)))
        if first:
            self.send_header(
                "Content-Range", f"bytes {first}-{len(site.body) - 1}/{len(site.body)}"
            )
        self.end_headers()
        self.wfile.write(body[: site.breaks_after])
        if site.silence:
            site.silence.wait(10)

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setenv("no_proxy", "*")
    site = Site()
    handler = type("SiteHandler", (Handler,), {"site": site})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        site.url = f"http://127.0.0.1:{server.server_port}/file-{digest(BODY)}.pth"
        yield site
        if site.silence:
            site.silence.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def destination(tmp_path: Path) -> Path:
    return tmp_path / "networks" / "file.pth"


def digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()[:8]


def get(site: Site, destination: Path, body: bytes = BODY) -> None:
    fetch(site.url, destination, digest(body), lambda done, total: None, lambda: False)


def break_off(site: Site, destination: Path, after: int) -> None:
    site.breaks_after = after
    with pytest.raises(EngineError, match="goes on from there"):
        get(site, destination)
    site.breaks_after = None


def remains(destination: Path) -> list[str]:
    return sorted(path.name for path in destination.parent.iterdir())


def test_the_file_arrives_whole_and_alone(site: Site, destination: Path) -> None:
    get(site, destination)
    assert destination.read_bytes() == BODY
    assert remains(destination) == ["file.pth"]


def test_the_bytes_are_asked_for_as_they_are_hashed(site: Site, destination: Path) -> None:
    get(site, destination)
    assert site.requests[-1]["accept-encoding"] == "identity"


def test_progress_counts_up_to_the_whole(site: Site, destination: Path) -> None:
    seen: list[tuple[int, int]] = []
    fetch(site.url, destination, digest(BODY), lambda *counts: seen.append(counts), lambda: False)
    assert {total for _, total in seen} == {len(BODY)}
    done = [count for count, _ in seen]
    assert done == sorted(set(done))
    assert done[-1] == len(BODY)


def test_a_broken_line_is_told_and_resumed(site: Site, destination: Path) -> None:
    break_off(site, destination, after=300_000)
    assert not destination.exists()
    seen: list[tuple[int, int]] = []
    fetch(site.url, destination, digest(BODY), lambda *counts: seen.append(counts), lambda: False)
    assert site.requests[-1]["range"] == "bytes=300000-"
    assert site.requests[-1]["if-range"] == '"first"'
    assert seen[0][0] > 300_000
    assert seen[-1] == (len(BODY), len(BODY))
    assert destination.read_bytes() == BODY
    assert remains(destination) == ["file.pth"]


def test_a_line_that_breaks_twice_is_resumed_twice(site: Site, destination: Path) -> None:
    break_off(site, destination, after=300_000)
    break_off(site, destination, after=200_000)
    get(site, destination)
    assert site.requests[-1]["range"] == "bytes=500000-"
    assert destination.read_bytes() == BODY


def test_a_date_serves_where_there_is_no_strong_tag(site: Site, destination: Path) -> None:
    date = "Wed, 21 Oct 2020 07:28:00 GMT"
    site.marks = {"ETag": 'W/"weak"', "Last-Modified": date}
    break_off(site, destination, after=300_000)
    get(site, destination)
    assert site.requests[-1]["if-range"] == date
    assert destination.read_bytes() == BODY


def test_without_a_mark_of_its_version_a_file_starts_over(site: Site, destination: Path) -> None:
    site.marks = {}
    break_off(site, destination, after=300_000)
    get(site, destination)
    assert "range" not in site.requests[-1]
    assert destination.read_bytes() == BODY


def test_a_server_that_ignores_ranges_starts_over(site: Site, destination: Path) -> None:
    break_off(site, destination, after=300_000)
    site.ranges = False
    get(site, destination)
    assert "range" in site.requests[-1]
    assert destination.read_bytes() == BODY


def test_a_file_that_changed_meanwhile_starts_over(site: Site, destination: Path) -> None:
    break_off(site, destination, after=300_000)
    site.body, site.marks = OTHER, {"ETag": '"second"'}
    get(site, destination, OTHER)
    assert destination.read_bytes() == OTHER


def test_a_part_of_another_address_is_not_built_on(site: Site, destination: Path) -> None:
    break_off(site, destination, after=300_000)
    site.url = site.url.replace("file-", "newer-")
    get(site, destination)
    assert "range" not in site.requests[-1]
    assert destination.read_bytes() == BODY


@pytest.mark.parametrize("note", [b"", b"[]", b"{}", b'{"url": 1}', b"\xff"])
def test_a_damaged_note_starts_over(site: Site, destination: Path, note: bytes) -> None:
    break_off(site, destination, after=300_000)
    (destination.parent / "file.pth.part.json").write_bytes(note)
    get(site, destination)
    assert destination.read_bytes() == BODY


def test_a_part_that_was_complete_already_only_needs_its_hash(
    site: Site, destination: Path
) -> None:
    break_off(site, destination, after=300_000)
    (destination.parent / "file.pth.part").write_bytes(BODY)
    get(site, destination)
    assert destination.read_bytes() == BODY
    assert remains(destination) == ["file.pth"]


def test_a_cancelled_download_keeps_what_arrived(site: Site, destination: Path) -> None:
    seen: list[int] = []
    with pytest.raises(Cancelled):
        fetch(
            site.url,
            destination,
            digest(BODY),
            lambda done, total: seen.append(done),
            lambda: len(seen) == 2,
        )
    assert not destination.exists()
    get(site, destination)
    assert site.requests[-1]["range"] == f"bytes={seen[-1]}-"
    assert destination.read_bytes() == BODY


def test_a_wrong_hash_deletes_the_file_and_says_so(site: Site, destination: Path) -> None:
    with pytest.raises(EngineError, match=r"file\.pth .*hash"):
        get(site, destination, OTHER)
    assert remains(destination) == []


def test_a_wrong_hash_leaves_the_file_that_was_there(site: Site, destination: Path) -> None:
    destination.parent.mkdir()
    destination.write_bytes(b"kept")
    with pytest.raises(EngineError):
        get(site, destination, OTHER)
    assert destination.read_bytes() == b"kept"


@pytest.mark.parametrize("status", [403, 404, 500, 503])
def test_a_refusal_names_the_servers_answer(site: Site, destination: Path, status: int) -> None:
    site.status = status
    with pytest.raises(EngineError, match=str(status)):
        get(site, destination)
    assert not destination.exists()


def test_a_refusal_keeps_what_arrived_before(site: Site, destination: Path) -> None:
    break_off(site, destination, after=300_000)
    site.status = 503
    with pytest.raises(EngineError):
        get(site, destination)
    site.status = 200
    get(site, destination)
    assert site.requests[-1]["range"] == "bytes=300000-"


def test_no_connection_is_told_with_the_address(site: Site, destination: Path) -> None:
    nobody = "http://127.0.0.1:1/file.pth"
    with pytest.raises(EngineError, match=r"127\.0\.0\.1:1/file\.pth could not be reached"):
        fetch(nobody, destination, "00", lambda done, total: None, lambda: False)


def test_a_silent_line_counts_as_broken(
    site: Site, destination: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloads, "_TIMEOUT", 0.2)
    site.silence = threading.Event()
    break_off(site, destination, after=300_000)
    site.silence.set()
    get(site, destination)
    assert destination.read_bytes() == BODY


def test_a_file_of_unknown_length_is_known_by_its_hash(site: Site, destination: Path) -> None:
    site.says_length = False
    totals: set[int] = set()
    fetch(site.url, destination, digest(BODY), lambda done, total: totals.add(total), lambda: False)
    assert totals == {0}
    assert destination.read_bytes() == BODY


def test_too_little_room_is_told_before_the_download(
    site: Site, destination: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage("/")._replace(free=len(BODY) - 1)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage)
    with pytest.raises(InputError, match="not enough room"):
        get(site, destination)
    assert not destination.exists()


def test_a_disk_that_fills_up_is_told(
    site: Site, destination: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_path = Path.open

    def open_on_a_full_disk(path: Path, mode: str = "r", *args: Any, **more: Any) -> Any:
        file = open_path(path, mode, *args, **more)
        if mode != "ab":
            return file
        file.close()
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "open", open_on_a_full_disk)
    with pytest.raises(InputError, match="disk is full"):
        get(site, destination)
    assert not destination.exists()


def test_a_file_that_is_not_safely_on_disk_is_not_put_in_place(
    site: Site, destination: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_descriptor: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as failing:
        failing.setattr(os, "fsync", fail)
        with pytest.raises(InputError, match="Input/output error"):
            get(site, destination)
    assert not destination.exists()
    get(site, destination)
    assert destination.read_bytes() == BODY


def test_a_place_that_is_no_folder_is_told(site: Site, tmp_path: Path) -> None:
    (tmp_path / "networks").write_text("a file")
    with pytest.raises(InputError, match="There is no folder"):
        get(site, tmp_path / "networks" / "file.pth")

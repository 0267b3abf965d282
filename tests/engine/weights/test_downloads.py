"""A download is the very file, or resumable, or gone; never a half file in place."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import http.server
import os
import random
import shutil
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from engine.spec.errors import Cancelled, EngineError, InputError
from engine.weights import downloads
from engine.weights.downloads import Published, fetch

CERTIFICATE = Path(__file__).parents[2] / "data" / "tls" / "localhost.pem"
BODY = random.Random(1).randbytes(700_001)
OTHER = random.Random(2).randbytes(700_001)


@dataclass
class Site:
    """A server of one file, and how it behaves.

    Attributes:
        length: What it says of what it sends: the truth where it is -1, nothing where it is None.
        onward: Where it says that the file lies instead.
    """

    url: str = ""
    body: bytes = BODY
    marks: dict[str, str] = field(default_factory=lambda: {"ETag": '"first"'})
    status: int = 200
    ranges: bool = True
    length: int | None = -1
    chunked: bool = False
    onward: str = ""
    breaks_after: int | None = None
    silence: threading.Event | None = None
    requests: list[dict[str, str]] = field(default_factory=list)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    site: Site

    def do_GET(self) -> None:
        site = self.site
        asked = {key.lower(): value for key, value in self.headers.items()}
        site.requests.append(asked)
        if site.onward:
            self.send_response(site.status)
            self.send_header("Location", site.onward)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
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
        if site.chunked:
            self.send_header("Transfer-Encoding", "chunked")
        elif site.length is not None:
            self.send_header("Content-Length", str(len(body) if site.length < 0 else site.length))
        if first:
            self.send_header(
                "Content-Range", f"bytes {first}-{len(site.body) - 1}/{len(site.body)}"
            )
        self.end_headers()
        body = body[: site.breaks_after]
        with contextlib.suppress(OSError):  # whoever has heard enough hangs up
            self.wfile.write(b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body) if site.chunked else body)
            self.wfile.flush()
        if site.silence:
            site.silence.wait(10)

    def log_message(self, *args: Any) -> None:
        pass


@contextmanager
def served(scheme: str) -> Iterator[Site]:
    """A site on this machine, spoken to by https or http."""
    site = Site()
    handler = type("SiteHandler", (Handler,), {"site": site})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        if scheme == "https":
            own = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            own.load_cert_chain(CERTIFICATE)
            server.socket = own.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        site.url = f"{scheme}://127.0.0.1:{server.server_port}/file.pth"
        yield site
        if site.silence:
            site.silence.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setenv("no_proxy", "*")
    trusted = ssl.create_default_context(cafile=str(CERTIFICATE))
    monkeypatch.setattr(downloads, "_trusted", lambda: trusted)
    with served("https") as site:
        yield site


@pytest.fixture
def open_site() -> Iterator[Site]:
    """A site that anyone on the way can read, and change."""
    with served("http") as site:
        yield site


@pytest.fixture
def destination(tmp_path: Path) -> Path:
    return tmp_path / "networks" / "file.pth"


def published(site: Site, body: bytes = BODY) -> Published:
    return Published(site.url, len(body), hashlib.sha256(body).hexdigest())


def get(site: Site, destination: Path, body: bytes = BODY) -> None:
    fetch(published(site, body), destination, lambda done, total: None, lambda: False)


def watched(site: Site, destination: Path) -> list[tuple[int, int]]:
    """What is told of the progress of a download."""
    seen: list[tuple[int, int]] = []
    fetch(published(site), destination, lambda *counts: seen.append(counts), lambda: False)
    return seen


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
    seen = watched(site, destination)
    assert {total for _, total in seen} == {len(BODY)}
    done = [count for count, _ in seen]
    assert done == sorted(set(done))
    assert done[-1] == len(BODY)


def test_a_broken_line_is_told_and_resumed(site: Site, destination: Path) -> None:
    break_off(site, destination, after=300_000)
    assert not destination.exists()
    seen = watched(site, destination)
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
    site.url = site.url.replace("file", "newer")
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
            published(site),
            destination,
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
    site.url = "https://127.0.0.1:1/file.pth"
    with pytest.raises(EngineError, match=r"127\.0\.0\.1:1/file\.pth could not be reached"):
        get(site, destination)


def test_a_silent_line_counts_as_broken(
    site: Site, destination: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloads, "_TIMEOUT", 0.2)
    site.silence = threading.Event()
    break_off(site, destination, after=300_000)
    site.silence.set()
    get(site, destination)
    assert destination.read_bytes() == BODY


@pytest.mark.parametrize("chunked", [False, True])
def test_a_file_of_untold_length_is_counted_all_the_same(
    site: Site, destination: Path, chunked: bool
) -> None:
    site.length, site.chunked = None, chunked
    assert {total for _, total in watched(site, destination)} == {len(BODY)}
    assert destination.read_bytes() == BODY


MORE = BODY + b"and more" * 200_000
"""Begins like the file, and is longer."""


@pytest.mark.parametrize("behaves", ["says so", "says nothing", "in chunks", "lies", "resumed"])
def test_a_longer_file_is_refused_and_nothing_of_it_kept(
    site: Site, destination: Path, behaves: str
) -> None:
    if behaves == "resumed":
        break_off(site, destination, after=300_000)
    site.body = MORE
    site.length = {"says so": -1, "lies": len(BODY) + 1}.get(behaves)
    site.chunked = behaves == "in chunks"
    written = [0]
    with pytest.raises(EngineError, match=r"not the published file file\.pth"):
        fetch(published(site), destination, lambda done, total: written.append(done), lambda: False)
    assert max(written) <= len(BODY)
    assert remains(destination) == []


@pytest.mark.parametrize("length", [-1, None])
def test_a_shorter_file_is_no_file(site: Site, destination: Path, length: int | None) -> None:
    site.body, site.length = BODY[:1000], length
    with pytest.raises(EngineError, match=r"published|broke"):
        get(site, destination)
    assert not destination.exists()


def test_a_file_that_turns_out_shorter_than_what_came_is_refused(
    site: Site, destination: Path
) -> None:
    break_off(site, destination, after=300_000)
    site.body = BODY[:1000]
    with pytest.raises(EngineError, match="not the published file"):
        get(site, destination)
    assert remains(destination) == []
    site.body = BODY
    get(site, destination)
    assert destination.read_bytes() == BODY


def test_a_part_that_is_longer_than_the_file_begins_anew(site: Site, destination: Path) -> None:
    break_off(site, destination, after=300_000)
    (destination.parent / "file.pth.part").write_bytes(MORE)
    get(site, destination)
    assert "range" not in site.requests[-1]
    assert destination.read_bytes() == BODY


def test_an_address_that_is_not_https_is_not_asked(
    site: Site, open_site: Site, destination: Path, tmp_path: Path
) -> None:
    (tmp_path / "file.pth").write_bytes(BODY)
    own = (tmp_path / "file.pth").as_uri()
    for url in (open_site.url, own, "ftp://127.0.0.1/file.pth", "data:,x", "", "file.pth"):
        open_site.url = url
        with pytest.raises(EngineError, match="no https address"):
            get(open_site, destination)
    assert open_site.requests == []
    assert not destination.exists()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_away_from_https_is_not_followed(
    site: Site, open_site: Site, destination: Path, tmp_path: Path, status: int
) -> None:
    (tmp_path / "file.pth").write_bytes(BODY)
    own = (tmp_path / "file.pth").as_uri()
    site.status = status
    for onward in (open_site.url, own, "ftp://127.0.0.1/file.pth", "HTTP://127.0.0.1/", "http:"):
        site.onward = onward
        with pytest.raises(EngineError, match="no https address") as caught:
            get(site, destination)
        assert "\n" not in str(caught.value)
    assert open_site.requests == []
    assert not destination.exists()


def test_a_redirect_to_https_is_followed_and_resumed(site: Site, destination: Path) -> None:
    with served("https") as elsewhere:
        break_off(elsewhere, destination, after=300_000)
        site.onward, site.status = elsewhere.url, 302
        note = destination.parent / "file.pth.part.json"
        note.write_text(note.read_text().replace(elsewhere.url, site.url))
        get(site, destination)
        assert elsewhere.requests[-1]["range"] == "bytes=300000-"
    assert destination.read_bytes() == BODY


@pytest.mark.parametrize("onward", ["/file.pth", "https://a..b/x", "https://[::/x", "https:///x"])
def test_a_redirect_to_nowhere_ends(site: Site, destination: Path, onward: str) -> None:
    site.onward, site.status = onward, 302
    with pytest.raises(EngineError):
        get(site, destination)
    assert len(site.requests) < 20


def test_a_server_that_is_not_the_one_it_says_is_not_believed(
    site: Site, destination: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloads, "_trusted", ssl.create_default_context)
    with pytest.raises(EngineError, match=r"could not be reached: .*certificate"):
        get(site, destination)
    assert site.requests == []


def test_room_is_looked_for_even_if_the_server_tells_no_length(
    site: Site, destination: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.length = None
    usage = shutil.disk_usage("/")._replace(free=len(BODY) - 1)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage)
    with pytest.raises(InputError, match="not enough room"):
        get(site, destination)
    assert remains(destination) == ["file.pth.part.json"]


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

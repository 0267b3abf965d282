"""One file from a published address: resumable, and in place only once its hash is checked."""

from __future__ import annotations

import hashlib
import http.client
import json
import shutil
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from engine import __version__
from engine.spec.errors import Cancelled, EngineError, InputError
from engine.storage.paths import put_in_place, unwritable

_TIMEOUT = 15.0
"""Seconds of silence after which the line counts as broken; no cancel waits longer."""

_CHUNK = 1 << 18


@dataclass(frozen=True)
class _Part:
    """An unfinished download: the bytes so far, and beside them which version of which file."""

    path: Path
    note: Path
    url: str

    def kept(self) -> tuple[int, str]:
        """How many bytes can be built on, and the server's mark of their version; or (0, "")."""
        try:
            size = self.path.stat().st_size
            note = json.loads(self.note.read_bytes())
            resumable = note["url"] == self.url and note["version"]
        except (OSError, ValueError, TypeError, KeyError):
            resumable = False
        return (size, str(note["version"])) if resumable else (0, "")

    def begin(self, version: str) -> None:
        """Forget what is kept and take down which version comes now."""
        self.delete()
        self.note.write_text(json.dumps({"url": self.url, "version": version}), encoding="utf-8")

    def delete(self) -> None:
        """Leave nothing behind."""
        self.path.unlink(missing_ok=True)
        self.note.unlink(missing_ok=True)


def fetch(
    url: str,
    destination: Path,
    digest: str,
    progressed: Callable[[int, int], None],
    cancelled: Callable[[], bool],
) -> None:
    """Download a file, going on where an earlier attempt broke off.

    Args:
        url: Where it is published.
        destination: Where it goes; stands there only when complete and verified.
        digest: How its SHA-256 begins, hexadecimal, lower case.
        progressed: Told bytes done and bytes in all (0 if the server does not say) at every chunk.
        cancelled: Asked at every chunk; a silent line is waited for `_TIMEOUT` at most.

    Raises:
        Cancelled: `cancelled` said so; what has arrived is kept for the next attempt.
        EngineError: No answer, a refusal, a broken line (what has arrived is kept), or a file
            with another hash (deleted).
        InputError: The disk is full or the folder cannot be written to.
    """
    part = _Part(
        destination.with_name(f"{destination.name}.part"),
        destination.with_name(f"{destination.name}.part.json"),
        url,
    )
    try:
        destination.parent.mkdir(parents=True, exist_ok=True)
        _transfer(part, progressed, cancelled)
        with part.path.open("rb") as file:
            arrived = hashlib.file_digest(file, "sha256").hexdigest()
        if arrived.startswith(digest):
            put_in_place(part.path, destination)
        part.delete()
    # What the line does wrong has its own words by now: this is the disk.
    except OSError as error:
        raise unwritable(destination, error) from error
    if not arrived.startswith(digest):
        raise EngineError(
            f"{destination.name} arrived damaged and was deleted: its hash is not the published "
            "one.",
            "Try again; if it happens again, something on the way changes the file.",
        )


def _transfer(
    part: _Part, progressed: Callable[[int, int], None], cancelled: Callable[[], bool]
) -> None:
    """Add to the part until the server has no more."""
    offset, version = part.kept()
    response = _open(part.url, offset, version)
    if response is None:
        return
    with response:
        if response.status != http.client.PARTIAL_CONTENT:
            offset = 0
            part.begin(_version(response))
        total = offset + response.length if response.length else 0
        _check_room(part.path.parent, total - offset)
        with part.path.open("ab") as file:
            while offset < total or not total:
                if cancelled():
                    raise Cancelled
                chunk = _read(response, offset)
                if not chunk:
                    break
                file.write(chunk)
                offset += len(chunk)
                progressed(offset, total)
    if offset < total:
        raise _broken(offset)


def _open(url: str, offset: int, version: str) -> http.client.HTTPResponse | None:
    """Ask for the file from an offset on; None if there is nothing beyond it."""
    headers = {"User-Agent": f"Gramarye/{__version__}", "Accept-Encoding": "identity"}
    if offset:
        headers |= {"Range": f"bytes={offset}-", "If-Range": version}
    request = urllib.request.Request(url, headers=headers)
    try:
        response: http.client.HTTPResponse = urllib.request.urlopen(request, timeout=_TIMEOUT)
        return response
    except urllib.error.HTTPError as error:
        error.close()
        if offset and error.code == http.client.REQUESTED_RANGE_NOT_SATISFIABLE:
            return None
        raise EngineError(
            f"The server refused {url}: {error.code} {error.reason}.", "Try again later."
        ) from error
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", error)
        raise EngineError(
            f"{url} could not be reached: {reason}.", "Check the connection and try again."
        ) from error


def _read(response: http.client.HTTPResponse, offset: int) -> bytes:
    try:
        return response.read1(_CHUNK)
    except (OSError, http.client.HTTPException) as error:
        raise _broken(offset) from error


def _broken(offset: int) -> EngineError:
    return EngineError(
        f"The line broke after {offset / 1e6:.1f} MB.",
        "Try again: the download goes on from there.",
    )


def _version(response: http.client.HTTPResponse) -> str:
    """The server's mark by which If-Range knows the file is still the same; may be empty."""
    tag: str = response.headers.get("ETag", "")
    # A weak tag promises the same meaning, not the same bytes.
    return tag if tag.startswith('"') else response.headers.get("Last-Modified", "")


def _check_room(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise InputError(
            f"There is not enough room in {folder}: the download needs {needed / 1e6:.0f} MB more "
            f"and {free / 1e6:.0f} MB are free.",
            "Make room on that disk and try again.",
        )

"""One file from a published address: resumable, and in place only if it is the very file."""

from __future__ import annotations

import hashlib
import http.client
import json
import shutil
import ssl
import string
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urljoin

from engine import __version__
from engine.spec.errors import Cancelled, EngineError, InputError
from engine.spec.wording import plain
from engine.storage.ordinary import read_ordinary
from engine.storage.paths import put_in_place, unwritable
from engine.system.durability import make_folder

_TIMEOUT = 15.0
"""Seconds of silence after which the line counts as broken; no cancel waits longer."""

_CHUNK = 1 << 18

_HOPS = 6
"""Addresses that are asked, one sent on to by the other, before it counts as a circle."""

_SENT_ON = (301, 302, 303, 307, 308)


@dataclass(frozen=True)
class Published:
    """A file that is published for good: where it lies and what it is known by.

    Attributes:
        url: Its address, https.
        size: Its length in bytes.
        sha256: Of its bytes, hexadecimal, lower case.
    """

    url: str
    size: int
    sha256: str


@dataclass(frozen=True)
class _Part:
    """An unfinished download: the bytes so far, and beside them which version of which file."""

    path: Path
    note: Path
    file: Published

    def kept(self) -> tuple[int, str]:
        """How many bytes can be built on, and the server's mark of their version; or (0, "")."""
        try:
            size = self.path.stat().st_size
            note = json.loads(read_ordinary(self.note))
            resumable = note["url"] == self.file.url and note["version"] and size <= self.file.size
        except (OSError, InputError, ValueError, TypeError, KeyError):
            resumable = False
        return (size, str(note["version"])) if resumable else (0, "")

    def begin(self, version: str) -> None:
        """Forget what is kept and take down which version comes now."""
        self.delete()
        note = json.dumps({"url": self.file.url, "version": version})
        self.note.write_text(note, encoding="utf-8")

    def delete(self) -> None:
        """Leave nothing behind."""
        self.path.unlink(missing_ok=True)
        self.note.unlink(missing_ok=True)

    def foreign(self, why: str) -> EngineError:
        """Delete what has arrived, and say that it is another file."""
        self.delete()
        return EngineError(
            f"What arrived is not the published file {self.path.stem} and was deleted: {why}.",
            "Try again; if it happens again, something on the way changes the file.",
        )


def fetch(
    file: Published,
    destination: Path,
    progressed: Callable[[int, int], None],
    cancelled: Callable[[], bool],
) -> None:
    """Download a file, going on where an earlier attempt broke off.

    Nothing but https is spoken, wherever the server sends us on to, and never more is written
    than the file has.

    Args:
        file: What is published, and where.
        destination: Where it goes; stands there only when complete and verified.
        progressed: Told bytes done and bytes in all at every chunk.
        cancelled: Asked at every chunk; a silent line is waited for `_TIMEOUT` at most.

    Raises:
        Cancelled: `cancelled` said so; what has arrived is kept for the next attempt.
        EngineError: No answer, a refusal, an address that is not https, a broken line (what has
            arrived is kept), or another file (deleted).
        InputError: The disk is full or the folder cannot be written to.
    """
    part = _Part(
        destination.with_name(f"{destination.name}.part"),
        destination.with_name(f"{destination.name}.part.json"),
        file,
    )
    try:
        make_folder(destination.parent)
        _transfer(part, progressed, cancelled)
        with part.path.open("rb") as arrived:
            sha256 = hashlib.file_digest(arrived, "sha256").hexdigest()
        if sha256 != file.sha256:
            raise part.foreign("its hash is another")
        put_in_place(part.path, destination)
        part.delete()
    # What the line does wrong has its own words by now: this is the disk.
    except OSError as error:
        raise unwritable(destination, error) from error


def _transfer(
    part: _Part, progressed: Callable[[int, int], None], cancelled: Callable[[], bool]
) -> None:
    """Add to the part until it is as long as the file, and the server has no more."""
    size = part.file.size
    offset, version = part.kept()
    if offset == size:
        return
    with _open(part, offset, version) as response:
        if response.status != http.client.PARTIAL_CONTENT or not offset:
            offset = 0
            part.begin(_version(response))
        if response.length is not None and offset + response.length != size:
            raise part.foreign(f"it has another length than {size} bytes")
        _check_room(part.path.parent, size - offset)
        with part.path.open("ab") as file:
            while True:
                if cancelled():
                    raise Cancelled
                # One byte more than is missing, which tells a file that is longer.
                chunk = _read(response, min(_CHUNK, size - offset + 1), offset)
                if not chunk:
                    break
                if len(chunk) > size - offset:
                    raise part.foreign(f"it is longer than {size} bytes")
                file.write(chunk)
                offset += len(chunk)
                progressed(offset, size)
    if offset < size:
        raise _broken(offset)


def _open(part: _Part, offset: int, version: str) -> http.client.HTTPResponse:
    """Ask for the file from an offset on, wherever the server says it lies."""
    headers = {"User-Agent": f"Gramarye/{__version__}", "Accept-Encoding": "identity"}
    if offset:
        headers |= {"Range": f"bytes={offset}-", "If-Range": version}
    opener = _opener()
    url = part.file.url
    for _ in range(_HOPS):
        if not url.lower().startswith("https://"):
            raise EngineError(
                f"The download leads to {plain(url)}, which is no https address; nothing was "
                "asked there.",
                "Fetch the file by other means, and import it.",
            )
        try:
            request = urllib.request.Request(url, headers=headers)
            response: http.client.HTTPResponse = opener.open(request, timeout=_TIMEOUT)
            return response
        except urllib.error.HTTPError as error:
            error.close()  # unread: nobody knows how much more there is of it
            if offset and error.code == http.client.REQUESTED_RANGE_NOT_SATISFIABLE:
                raise part.foreign("the server's is shorter") from error
            onward = error.headers.get("Location")
            if error.code not in _SENT_ON or not onward:
                raise _refused(part.file.url, f"{error.code} {error.reason}") from error
            url = _onward(url, onward)
        # A name that no host can have is a ValueError.
        except (OSError, ValueError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", error)
            raise EngineError(
                f"{plain(url)} could not be reached: {reason}.",
                "Check the connection and try again.",
            ) from error
    raise _refused(part.file.url, "it is sent on in a circle")


def _opener() -> urllib.request.OpenerDirector:
    """What speaks https and nothing else, and follows nowhere by itself."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPSHandler(context=_trusted()),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.HTTPDefaultErrorHandler(),
    ):
        opener.add_handler(handler)
    return opener


def _trusted() -> ssl.SSLContext:
    """Whose certificates are believed."""
    return ssl.create_default_context()


def _onward(url: str, location: str) -> str:
    """Where a redirect leads; headers come as Latin-1, whatever bytes they are made of."""
    try:
        return urljoin(url, quote(location, encoding="iso-8859-1", safe=string.punctuation))
    except ValueError:
        return location


def _refused(url: str, why: str) -> EngineError:
    return EngineError(f"The server refused {plain(url)}: {why}.", "Try again later.")


def _read(response: http.client.HTTPResponse, count: int, offset: int) -> bytes:
    try:
        return response.read1(count)
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

"""Where pictures were last found on this machine: recipes carry names and hashes, never folders."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from engine.spec.errors import InputError, NewerFormatError
from engine.spec.versions import Migration, migrated, numbered, unknown_in
from engine.storage.images import OPEN_SUFFIXES
from engine.storage.ordinary import ordinary_file, read_ordinary
from engine.storage.paths import data_folder, replacing

MOST_PLACES = 2000
"""Places remembered; the oldest are forgotten."""

MOST_LOOKED_AT = 300
"""Files of other names in a folder that are hashed in the search for pictures, at most."""

LARGEST_FILE = 2**26
"""Bytes; so many places with the longest of paths are a little less."""

LARGEST_LOOKED_AT = 200_000_000
"""Bytes of a file that is hashed though its name is another."""

_CHAIN: tuple[Migration, ...] = ()


class Places:
    """Remembers on this machine where pictures lie, by the SHA-256 of their files.

    A convenience: a file that cannot be read or written, or is of a newer version, is no error,
    and the latter is left as it is. Reads and hashes files: not for the window's thread.
    """

    def __init__(self, file: Path | None = None) -> None:
        self._file = file or data_folder() / "places.json"

    def remember(self, pairs: Mapping[str, Path]) -> None:
        """Note where the files of these hashes were found just now."""
        values = self._values()
        if values is None:
            return
        known = values["places"]
        latest = {}
        for digest, path in pairs.items():
            with contextlib.suppress(OSError):  # the working folder is gone
                latest[digest] = str(path.absolute())
        kept = {digest: place for digest, place in known.items() if digest not in latest} | latest
        places = dict(list(kept.items())[-MOST_PLACES:])
        # ASCII can hold whatever bytes a file's name is made of.
        text = json.dumps(numbered({**values, "places": places}, _CHAIN), indent=0)
        with contextlib.suppress(InputError), replacing(self._file) as temporary:
            temporary.write_text(text, encoding="ascii")

    def find(self, sha256: str) -> Path | None:
        """Where the file of a hash was last found, if there is a file still; it may be another."""
        place = (self._values() or {"places": {}})["places"].get(sha256)
        return Path(place) if place is not None and os.path.isfile(place) else None

    def _values(self) -> dict[str, Any] | None:
        """What the file holds, its places by hash, the latest last; None if it is not ours."""
        places: dict[str, str] = {}
        rest: dict[str, Any] = {}
        try:
            values = json.loads(read_ordinary(self._file, LARGEST_FILE))
            values = migrated(values, _CHAIN, self._file.name)
            rest = unknown_in(values, {"places"})
            found = values["places"].items()
            places = {key: place for key, place in found if isinstance(place, str)}
        except FileNotFoundError:
            pass
        except (OSError, NewerFormatError):
            return None
        except (InputError, ValueError, KeyError, AttributeError, RecursionError):
            pass  # damaged, and not worth keeping
        return {**rest, "places": places}


def found_beside(folder: Path, wanted: Mapping[str, str]) -> Mapping[str, Path]:
    """Pictures that lie in a folder, under their own names or others, known by their hashes.

    Args:
        folder: Where to look, not in folders inside it.
        wanted: SHA-256 of the pictures' files, and the names they had.

    Returns:
        A file for each hash that was found; its content has been verified.
    """
    found = {}
    for digest, name in wanted.items():
        path = folder / name
        # A recipe is not trusted to name a file in another folder.
        if path.parent == folder and _sha256(path) == digest:
            found[digest] = path
    missing = wanted.keys() - found.keys()
    for path in _pictures_in(folder):
        if not missing:
            break
        digest = _sha256(path)
        if digest in missing:
            found[digest] = path
            missing -= {digest}
    return found


def _pictures_in(folder: Path) -> Iterator[Path]:
    """The pictures in a folder by name, as many and as large as it is reasonable to hash."""
    try:
        with os.scandir(folder) as entries:
            names = sorted(
                entry.name
                for entry in entries
                if entry.name.lower().endswith(OPEN_SUFFIXES)
                and entry.is_file()
                and entry.stat().st_size <= LARGEST_LOOKED_AT
            )
    except OSError:
        return
    for name in names[:MOST_LOOKED_AT]:
        yield folder / name


def _sha256(path: Path) -> str:
    """Of a file; empty where there is none or it cannot be read."""
    try:
        with ordinary_file(path) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except (OSError, ValueError):  # a name may hold what no path can
        return ""

"""What was found of this machine's devices when they were tried; kept, so that it is tried once."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from engine.spec.computing import GivenUp
from engine.spec.errors import InputError, NewerFormatError
from engine.spec.versions import Migration, migrated, numbered, unknown_in
from engine.storage.ordinary import read_ordinary
from engine.storage.paths import data_folder, replacing

_CHAIN: tuple[Migration, ...] = ()

_VERDICT: TypeAdapter[tuple[GivenUp, ...]] = TypeAdapter(tuple[GivenUp, ...])


class Verdicts:
    """Remembers what devices had to give up.

    A convenience: a file that cannot be read or written is no error, and the device is tried again;
    one of a newer version is left as it is. A verdict of another version that this one does not
    understand stays in the file.
    """

    def __init__(self, file: Path | None = None) -> None:
        self._file = file or data_folder() / "devices.json"

    def find(self, key: str) -> tuple[GivenUp, ...] | None:
        """What was given up; None where nothing is known."""
        verdict = (self._values() or {"devices": {}})["devices"].get(key)
        try:
            return _VERDICT.validate_json(json.dumps(verdict), strict=True)
        except (ValidationError, RecursionError):
            return None

    def keep(self, key: str, given_up: tuple[GivenUp, ...]) -> None:
        """Note what a trial has found."""
        values = self._values()
        if values is None:
            return
        values["devices"][key] = _VERDICT.dump_python(given_up, mode="json")
        text = json.dumps(numbered(values, _CHAIN), indent=1)
        with contextlib.suppress(InputError), replacing(self._file) as temporary:
            temporary.write_text(text, encoding="ascii")

    def _values(self) -> dict[str, Any] | None:
        """What the file holds, all verdicts by their keys; None if it is not ours to replace."""
        rest: dict[str, Any] = {}
        devices: dict[str, Any] = {}
        try:
            values = json.loads(read_ordinary(self._file))
            values = migrated(values, _CHAIN, self._file.name)
            rest = unknown_in(values, {"devices"})
            devices = unknown_in(values["devices"], ())
        except FileNotFoundError:
            pass
        except (OSError, NewerFormatError):
            return None
        except (InputError, ValueError, KeyError, AttributeError, RecursionError):
            pass  # damaged, and soon made again
        return {**rest, "devices": devices}

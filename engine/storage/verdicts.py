"""What was found of this machine's devices when they were tried; kept, so that it is tried once."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from engine.spec.computing import GivenUp
from engine.spec.errors import InputError, NewerFormatError
from engine.spec.versions import Migration, migrated, numbered
from engine.storage.paths import data_folder, replacing

_CHAIN: tuple[Migration, ...] = ()

_VERDICTS: TypeAdapter[dict[str, tuple[GivenUp, ...]]] = TypeAdapter(dict[str, tuple[GivenUp, ...]])


class Verdicts:
    """Remembers what devices had to give up.

    A convenience: a file that cannot be read or written is no error, and the device is tried again;
    one of a newer version is left as it is.
    """

    def __init__(self, file: Path | None = None) -> None:
        self._file = file or data_folder() / "devices.json"

    def find(self, key: str) -> tuple[GivenUp, ...] | None:
        """What was given up; None where nothing is known."""
        return (self._known() or {}).get(key)

    def keep(self, key: str, given_up: tuple[GivenUp, ...]) -> None:
        """Note what a trial has found."""
        known = self._known()
        if known is None:
            return
        values = _VERDICTS.dump_python({**known, key: given_up}, mode="json")
        text = json.dumps(numbered({"devices": values}, _CHAIN), indent=1)
        with contextlib.suppress(InputError), replacing(self._file) as temporary:
            temporary.write_text(text, encoding="ascii")

    def _known(self) -> Mapping[str, tuple[GivenUp, ...]] | None:
        """All verdicts by their keys; None if the file is not ours to replace."""
        try:
            values = migrated(json.loads(self._file.read_bytes()), _CHAIN, self._file.name)
            return _VERDICTS.validate_json(json.dumps(values["devices"]), strict=True)
        except FileNotFoundError:
            return {}
        except (OSError, NewerFormatError):
            return None
        except (InputError, ValidationError, ValueError, KeyError, AttributeError, RecursionError):
            return {}  # damaged, and soon made again

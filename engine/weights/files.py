"""Whether what was named as network weights can be read at all, before anything waits for it."""

from __future__ import annotations

import os
from pathlib import Path

from engine.spec.errors import InputError
from engine.storage.naming import shown_name
from engine.storage.ordinary import oddity
from engine.storage.paths import unreadable


def refuse_unless_ordinary(path: Path) -> None:
    """Refuse what is no file with an end: a pipe would be waited for, a device never stops.

    Raises:
        InputError: There is nothing of this name, or it is a folder, a pipe or a device.
    """
    name = shown_name(path)
    try:
        mode = os.stat(path).st_mode
    # No file has a name that the system does not take, such as one with a zero byte in it.
    except (FileNotFoundError, NotADirectoryError, ValueError) as error:
        raise InputError(f"There is no file {name}.", "Check the path of the weights.") from error
    except OSError as error:
        raise unreadable(path, error) from error
    if odd := oddity(mode):
        raise InputError(f"{name} is {odd}.", "Choose a file of network weights.")

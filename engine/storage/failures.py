"""The one error ladder: what a person is told about an exception, whatever raised it."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path

from engine.spec.errors import Cancelled, GramaryeError, InputError
from engine.spec.wording import plain
from engine.storage.logs import begin_logging
from engine.storage.naming import shown_path
from engine.storage.paths import log_folder

logger = logging.getLogger(__name__)

_SHORT = ("failed to map segment", "cannot allocate memory")
"""What Linux says where a library does not fit."""


class Kind(Enum):
    """Whose doing a failure is."""

    CANCELLED = auto()
    """The person's choice: nothing went wrong, and the window says nothing."""

    INPUT = auto()
    """Something given cannot be used."""

    ENGINE = auto()
    """The engine could not go on."""

    UNFORESEEN = auto()
    """A mistake in the program."""


@dataclass(frozen=True)
class Failure:
    """One sentence on what went wrong, and one on what to do."""

    message: str
    remedy: str = ""
    kind: Kind = Kind.INPUT

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".strip()


def explain(error: BaseException) -> Failure:
    """What to tell of an error; what nobody foresaw goes to the log with its traceback."""
    if isinstance(error, Cancelled | KeyboardInterrupt):
        said = str(error) or "Interrupted; nothing was saved."
        return Failure(said, kind=Kind.CANCELLED)
    if isinstance(error, GramaryeError):
        logger.info("%s", error)
        kind = Kind.INPUT if isinstance(error, InputError) else Kind.ENGINE
        return Failure(error.message, error.remedy, kind)
    if _is_short_of_memory(error):
        remedy = "Close other programs, or raise the limit that Gramarye runs under."
        return Failure("There is not enough memory.", remedy, Kind.ENGINE)
    folder = log_folder()
    # Python prints what no handler takes, and the command line says one sentence.
    log = begin_logging(folder, otherwise=logging.NullHandler())
    logger.error("Unexpected error", exc_info=error)
    details = _details(log, folder)
    if isinstance(error, ImportError):
        message = f"A part of Gramarye is missing or damaged ({plain(str(error), 200)})."
        return Failure(message, f"Install Gramarye again. {details}", Kind.ENGINE)
    return Failure(
        f"Something unexpected went wrong ({type(error).__name__}); your pictures are untouched.",
        details,
        Kind.UNFORESEEN,
    )


def _is_short_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory ran out, or the addresses for a library of torch's."""
    if isinstance(error, ImportError | OSError):
        return any(said in str(error).lower() for said in _SHORT)
    return isinstance(error, MemoryError)


def _details(log: Path | None, folder: Path) -> str:
    if log is None:
        return f"The details could not be written to {shown_path(folder)}."
    return f"Details: {shown_path(log)}"

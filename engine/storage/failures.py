"""The one error ladder: what a person is told about an exception, whatever raised it."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from enum import Enum, auto

from engine.spec.errors import Cancelled, GramaryeError, InputError
from engine.storage.logs import begin_logging
from engine.storage.paths import log_folder

logger = logging.getLogger(__name__)


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
    folder = log_folder()
    # Python prints what no handler takes, and the command line says one sentence.
    log = begin_logging(folder, otherwise=logging.NullHandler())
    logger.error("Unexpected error", exc_info=error)
    details = f"Details: {log}" if log else f"The details could not be written to {folder}."
    if isinstance(error, ImportError):
        reason = " ".join(str(error).split())
        message = f"A part of Gramarye is missing or damaged ({reason})."
        return Failure(message, f"Install Gramarye again. {details}", Kind.ENGINE)
    return Failure(
        f"Something unexpected went wrong ({type(error).__name__}); your pictures are untouched.",
        details,
        Kind.UNFORESEEN,
    )

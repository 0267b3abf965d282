"""The one error ladder: what a person is told about an exception, whatever raised it."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from engine.spec.errors import Cancelled, GramaryeError
from engine.storage.paths import log_folder

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Failure:
    """One sentence on what went wrong, and one on what to do."""

    message: str
    remedy: str = ""


def explain(error: BaseException) -> Failure | None:
    """What to tell: nothing of what a person chose, its own words, or where the log lies."""
    if isinstance(error, Cancelled):
        return None
    if isinstance(error, GramaryeError):
        logger.warning("%s", error)
        return Failure(error.message, error.remedy)
    logger.error("Unexpected error", exc_info=error)
    return Failure(
        "Something went wrong inside Gramarye; your pictures are untouched.",
        f"Please try again. What happened is written down in {log_folder()}.",
    )

"""The errors a caller is expected to handle; each carries words a person can act on."""

from __future__ import annotations


class GramaryeError(Exception):
    """What went wrong and what to do about it, in words for a person.

    Attributes:
        message: One sentence: what failed, with which file.
        remedy: One sentence: what the person can do; may be empty.
    """

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".strip()


class InputError(GramaryeError):
    """Something the person gave cannot be used: a picture, a setting, a preset, a place to save."""


class NewerFormatError(InputError):
    """A file was made by a newer version of the program; it is to be left as it is."""


class NetworkMissingError(InputError):
    """The network weights a job needs are not on this machine yet."""


class EngineError(GramaryeError):
    """The engine could not go on: memory, numbers or the device failed."""


class Cancelled(Exception):  # noqa: N818 - an outcome the person chose, not an error
    """The person discarded the job; nothing is kept and nothing went wrong."""

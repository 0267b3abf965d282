"""The errors a caller is expected to handle; each carries words a person can act on."""

from __future__ import annotations

from collections.abc import Iterable

from engine.spec.wording import plain

_LONGEST = 1000
"""Characters of a message; names and values are shortened where they are put into one."""


class GramaryeError(Exception):
    """What went wrong and what to do about it, in words for a person.

    However they came about, they are plain: one line each, of characters that can be shown.
    """

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self._message = plain(message, _LONGEST)
        self.remedy = remedy

    @property
    def message(self) -> str:
        """One sentence: what failed, with which file."""
        return self._message

    @property
    def remedy(self) -> str:
        """One sentence: what the person can do; may be empty."""
        return self._remedy

    @remedy.setter
    def remedy(self, remedy: str) -> None:
        self._remedy = plain(remedy, _LONGEST)

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".strip()


class InputError(GramaryeError):
    """Something the person gave cannot be used: a picture, a setting, a preset, a place to save."""


class ComplaintsError(InputError):
    """Several things at once, told together: each is a paragraph of its own.

    Args:
        complaints: A sentence or more on each.
    """

    def __init__(self, complaints: Iterable[str]) -> None:
        super().__init__("")
        self.args = (tuple(complaints),)
        self._message = "\n\n".join(plain(each, _LONGEST) for each in self.args[0])


class NewerFormatError(InputError):
    """A file was made by a newer version of the program; it is to be left as it is."""


class NetworkMissingError(InputError):
    """The network weights a job needs are not on this machine yet."""


class EngineError(GramaryeError):
    """The engine could not go on: memory, numbers or the device failed."""


class Cancelled(Exception):  # noqa: N818 - an outcome the person chose, not an error
    """The person discarded the job; nothing is kept and nothing went wrong."""

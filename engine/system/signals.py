"""Signals that end the program: what happens when one comes, and the exit code that tells of it."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

from engine.system.streams import leave

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")  # Windows has no SIGHUP
ENDING = tuple(getattr(signal, name) for name in _NAMES if hasattr(signal, name))
"""Ctrl-C; what services, batches and logouts send; what comes of a terminal that is closed."""

_IMPORTER = "<frozen importlib._bootstrap>"

Handler = Callable[[int, FrameType | None], object]
Tell = Callable[[BaseException], int]
"""Says what ended the program, and returns the exit code."""


class Interrupted(KeyboardInterrupt):
    """A signal has ended what was going on.

    Attributes:
        exit_code: As shells have it, 128 and the signal's number.
    """

    def __init__(self, number: int, message: str = "Interrupted; nothing was saved.") -> None:
        super().__init__(message)
        self.number = number
        self.exit_code = 128 + number


def heard() -> tuple[signal.Signals, ...]:
    """The ending signals that are not ignored: nohup and the like hand that down on purpose."""
    return tuple(number for number in ENDING if signal.getsignal(number) != signal.SIG_IGN)


@contextmanager
def handled(handler: Handler) -> Iterator[None]:
    """Meanwhile an ending signal calls a handler, between two bytecodes of the main thread."""
    before = {number: signal.signal(number, handler) for number in heard()}
    try:
        yield
    finally:
        for number, handler_before in before.items():
            signal.signal(number, handler_before)


@contextmanager
def raised(tell: Tell) -> Iterator[None]:
    """Meanwhile an ending signal raises `Interrupted`, and the next Ctrl-C ends at once.

    While modules are imported it ends the process: nothing is open then, and libraries written
    in C take an exception for an error of their own, and abort or hang.
    """

    def interrupt(number: int, frame: FrameType | None) -> NoReturn:
        # A logout sends several in a row; what is cleaned up now is not to be disturbed.
        for each in heard():
            signal.signal(each, signal.SIG_DFL if each == signal.SIGINT else signal.SIG_IGN)
        error = Interrupted(number)
        if _imports(frame):
            leave(tell(error))
        raise error

    with handled(interrupt):
        yield


@contextmanager
def final(tell: Tell) -> Iterator[None]:
    """Meanwhile an ending signal ends the process: for code that an exception may not cross."""
    with handled(lambda number, _: leave(tell(Interrupted(number)))):
        yield


def _imports(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_filename == _IMPORTER:
            return True
        frame = frame.f_back
    return False

"""Pictures are decoded in a helper process: what crashes, hangs or grows there costs a sentence.

Loads nothing that takes time, so that the helper can begin while everything else is loaded.
"""

from __future__ import annotations

import json
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.spec.errors import Cancelled, EngineError, InputError
from engine.spec.wording import gigabytes, plain
from engine.storage.decoding_costs import HEADER, Needs
from engine.system.helpers import Helper, HelperGone
from engine.system.memory import memory_available

logger = logging.getLogger(__name__)

_MODULE = "engine.storage.decoder_process"

_LOOK_SECONDS = 0.02
"""How often it is looked at while it works."""

_SILENT_SECONDS = 300.0
"""How long a slow disk may keep it waiting."""

_BEGINNING_SECONDS = 120.0
"""How long it may take to begin: where nothing is compiled yet, on a disk that has to wake up."""

_RESERVE = 0.9
"""The share of free memory that a picture may take."""

_KILLED = -9

_AGAIN = "Export it again with another program."


def _never() -> bool:
    return False


@dataclass(frozen=True, eq=False)
class Found:
    """A picture out of a file.

    Attributes:
        pixels: Row after row, three bytes each, sRGB.
        size: Width and height.
        sha256: Of the file's bytes, hexadecimal.
        notes: What was done to it, one sentence each.
        text: What our own pictures carry inside; None where there is nothing.
        complaint: What is wrong with that; empty where nothing is.
    """

    pixels: bytes
    size: tuple[int, int]
    sha256: str
    notes: tuple[str, ...]
    text: str | None
    complaint: str


class Decoder:
    """One long-lived helper, begun when it is first needed; it works on one file at a time.

    Every method may be called from any thread.
    """

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._helper: Helper | None = None
        self._ready = False

    def begin(self) -> None:
        """Have the helper get ready, so that the first file does not wait for it; returns at once.

        Where there can be none, the first file tells.
        """
        if self._turn.acquire(blocking=False):
            try:
                with suppress(EngineError):
                    self._begun()
            finally:
                self._turn.release()

    def picture(
        self, source: Path | bytes, name: str, cancelled: Callable[[], bool] = _never
    ) -> Found:
        """Decode a file.

        Args:
            source: Where it lies, or its bytes.
            name: What messages call it.
            cancelled: Asked many times a second.

        Raises:
            InputError: It cannot be read, is no picture, is damaged, or takes too much.
            Cancelled: `cancelled` said so.
            EngineError: There can be no helper.
        """
        with self._conversation(source, name, cancelled, text_only=False) as (helper, answer):
            return _found(helper, answer["picture"])

    def text(self, path: Path, name: str, cancelled: Callable[[], bool] = _never) -> str | None:
        """The text that our own pictures carry; None where there is none.

        Raises:
            InputError, Cancelled, EngineError: As for `picture`, or the text is damaged.
        """
        with self._conversation(path, name, cancelled, text_only=True) as (_, answer):
            text: str | None = answer["text"]
            return text

    @contextmanager
    def _conversation(
        self, source: Path | bytes, name: str, cancelled: Callable[[], bool], *, text_only: bool
    ) -> Iterator[tuple[Helper, dict[str, Any]]]:
        """What it answers, while it is kept from answering others."""
        while not self._turn.acquire(timeout=_LOOK_SECONDS):
            if cancelled():
                raise Cancelled
        try:
            place = source if isinstance(source, bytes) else _path_to_tell(source, name)
            helper, answer = self._answer(_Question(place, name, text_only), cancelled)
            try:
                yield helper, _checked(answer, name)
            finally:
                helper.exchange.clear()
        finally:
            self._turn.release()

    def _answer(
        self, question: _Question, cancelled: Callable[[], bool]
    ) -> tuple[Helper, dict[str, Any]]:
        old = self._helper
        helper = self._begun()
        try:
            if not self._ready:
                _await_beginning(helper, cancelled)
                self._ready = True
            return helper, _asked(helper, question, cancelled)
        except OSError as error:
            self._give_up(helper)
            raise _impossible(error.strerror or str(error)) from error
        except HelperGone as gone:
            self._give_up(helper)
            if helper is old:
                # It may have ended while it was idle, which is none of the file's doing.
                return self._answer(question, cancelled)
            raise _crashed(question.name, gone) from gone
        except BaseException:
            # Half an answer would be taken for that to the next question.
            self._give_up(helper)
            raise

    def _begun(self) -> Helper:
        if self._helper is not None and not self._helper.alive and self._ready:
            self._give_up(self._helper)
        if self._helper is None:
            try:
                self._helper, self._ready = Helper(_MODULE), False
            except OSError as error:
                raise _impossible(error.strerror or str(error)) from error
        return self._helper

    def _give_up(self, helper: Helper) -> None:
        helper.kill()
        self._helper = None


@dataclass(frozen=True)
class _Question:
    """What a helper is asked: of a file where it is told to lie, or of bytes."""

    source: str | bytes
    name: str
    text_only: bool


@dataclass(frozen=True)
class _Watch:
    """What a helper may take for one part of a question.

    Attributes:
        memory: Bytes that it may hold.
        seconds: Of the processor's time, since it began.
        until: By the clock.
    """

    memory: float
    seconds: float
    until: float

    @classmethod
    def over(cls, helper: Helper, needs: Needs) -> _Watch:
        """From now on, beside what it holds and has taken."""
        return cls(
            helper.memory + needs.memory,
            helper.seconds + needs.seconds,
            time.monotonic() + _SILENT_SECONDS + needs.seconds,
        )


def _await_beginning(helper: Helper, cancelled: Callable[[], bool]) -> None:
    """Wait until a helper has loaded what it needs, which no file is to blame for.

    Raises:
        EngineError: It cannot.
        Cancelled: Nobody waits any more.
    """
    until = time.monotonic() + _BEGINNING_SECONDS
    try:
        while helper.heard(_LOOK_SECONDS) is None:
            if cancelled():
                raise Cancelled
            if time.monotonic() > until:
                raise _impossible("the helper does not begin")
    except HelperGone as gone:
        said = helper.complaint()
        logger.error("The decoder did not begin (%s): %s", gone.code, said)
        raise _impossible(plain(said.strip().rpartition("\n")[2], 160)) from gone


def _impossible(reason: str) -> EngineError:
    return EngineError(
        f"Pictures cannot be decoded: {reason or 'the helper does not begin'}.",
        "Close other programs, raise the limits that Gramarye runs under, or install it again.",
    )


def _asked(helper: Helper, question: _Question, cancelled: Callable[[], bool]) -> dict[str, Any]:
    """A helper's answer; if this raises, it may still be at work."""
    source, name = question.source, question.name
    with ExitStack() as holding:
        place: dict[str, object] = {"path": source}
        if isinstance(source, bytes):
            holding.enter_context(helper.exchange.holding(source))
            place = {"bytes": len(source)}
        watch = _Watch.over(helper, HEADER)
        helper.say(json.dumps({**place, "name": name, "text_only": question.text_only}))
        answer = _waited_for(helper, watch, name, cancelled)
        if "needs" in answer:
            needs = Needs(**answer["needs"])
            _refuse_unless_free(needs, name)
            watch = _Watch.over(helper, needs)
            helper.say("go")
            answer = _waited_for(helper, watch, name, cancelled)
    return answer


def _path_to_tell(path: Path, name: str) -> str:
    """A path as a helper is told it: a file's name may be no Unicode.

    Raises:
        InputError: No file can have such a name, or the current folder is gone.
    """
    try:
        return os.fsencode(path.absolute()).hex()
    except (OSError, ValueError) as error:
        raise InputError(f"There is no file {name}.", "Check the name and the folder.") from error


def _waited_for(
    helper: Helper, watch: _Watch, name: str, cancelled: Callable[[], bool]
) -> dict[str, Any]:
    while (line := helper.heard(_LOOK_SECONDS)) is None:
        if cancelled():
            raise Cancelled
        if helper.memory > watch.memory:
            raise InputError(f"{name} takes more memory than a picture of its size.", _AGAIN)
        if helper.seconds > watch.seconds or time.monotonic() > watch.until:
            raise InputError(f"{name} takes far too long to decode.", _AGAIN)
    answer: dict[str, Any] = json.loads(line)
    return answer


def _refuse_unless_free(needs: Needs, name: str) -> None:
    free, needed = memory_available(), needs.memory + needs.result
    if needed > free * _RESERVE:
        raise InputError(
            f"{name} needs about {gigabytes(needed)} of memory to be opened, and "
            f"{gigabytes(free)} is free.",
            "Close other programs, or make it smaller first.",
        )


def _checked(answer: dict[str, Any], name: str) -> dict[str, Any]:
    """An answer that is one, and no refusal."""
    if "refused" in answer:
        raise InputError(*answer["refused"])
    if "unforeseen" in answer:
        logger.error("%s could not be decoded:\n%s", name, answer["unforeseen"])
        raise InputError(f"{name} could not be decoded.", _AGAIN)
    return answer


def _found(helper: Helper, picture: dict[str, Any]) -> Found:
    """A picture as it lies in the exchange, copied once."""
    width, height = picture["size"]
    with helper.exchange.result(3 * width * height) as memory:
        pixels = bytes(memory)
    return Found(
        pixels,
        (width, height),
        picture["sha256"],
        tuple(picture["notes"]),
        picture["text"],
        picture["complaint"],
    )


def _crashed(name: str, gone: HelperGone) -> InputError:
    logger.error("The decoder ended with %s on %s", gone.code, name)
    if gone.code == _KILLED:  # by the system, where memory is short
        return InputError(
            f"There is not enough memory to open {name}.",
            "Close other programs, or make it smaller first.",
        )
    return InputError(f"{name} makes its decoder crash.", _AGAIN)


DECODER = Decoder()
"""The program's own; it begins nothing before it is asked."""

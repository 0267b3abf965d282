"""Pictures are decoded in a helper process: what crashes, hangs or grows there costs a sentence.

Loads nothing that takes time, so that the helper can begin while everything else is loaded.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.spec.errors import Cancelled, EngineError, InputError
from engine.storage.decoder_talk import (
    AGAIN,
    LOOK_SECONDS,
    Question,
    asked,
    await_beginning,
    impossible,
)
from engine.system.helpers import Helper, HelperGone

logger = logging.getLogger(__name__)

_MODULE = "engine.storage.decoder_process"

_KILLED = -9


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
        while not self._turn.acquire(timeout=LOOK_SECONDS):
            if cancelled():
                raise Cancelled
        try:
            place = source if isinstance(source, bytes) else _path_to_tell(source, name)
            helper, answer = self._answer(Question(place, name, text_only), cancelled)
            try:
                yield helper, _checked(answer, name)
            finally:
                helper.exchange.clear()
        finally:
            self._turn.release()

    def _answer(
        self, question: Question, cancelled: Callable[[], bool]
    ) -> tuple[Helper, dict[str, Any]]:
        old = self._helper
        helper = self._begun()
        try:
            if not self._ready:
                await_beginning(helper, cancelled)
                self._ready = True
            return helper, asked(helper, question, cancelled)
        except OSError as error:
            self._give_up(helper)
            raise impossible(error.strerror or str(error)) from error
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
                raise impossible(error.strerror or str(error)) from error
        return self._helper

    def _give_up(self, helper: Helper) -> None:
        helper.kill()
        self._helper = None


def _path_to_tell(path: Path, name: str) -> str:
    """A path as a helper is told it: a file's name may be no Unicode.

    Raises:
        InputError: No file can have such a name, or the current folder is gone.
    """
    try:
        return os.fsencode(path.absolute()).hex()
    except (OSError, ValueError) as error:
        raise InputError(f"There is no file {name}.", "Check the name and the folder.") from error


def _checked(answer: dict[str, Any], name: str) -> dict[str, Any]:
    """An answer that is one, and no refusal."""
    if "refused" in answer:
        raise InputError(*answer["refused"])
    if "unforeseen" in answer:
        logger.error("%s could not be decoded:\n%s", name, answer["unforeseen"])
        raise InputError(f"{name} could not be decoded.", AGAIN)
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
    return InputError(f"{name} makes its decoder crash.", AGAIN)


DECODER = Decoder()
"""The program's own; it begins nothing before it is asked."""

"""What is said to the helper that decodes, and how long and how much it may take to answer."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from engine.spec.errors import Cancelled, EngineError, InputError
from engine.spec.wording import gigabytes, plain
from engine.storage.decoding_costs import HEADER, Needs
from engine.system.helpers import Helper, HelperGone
from engine.system.memory import memory_available

logger = logging.getLogger(__name__)

LOOK_SECONDS = 0.02
"""How often it is looked at while it works."""

_SILENT_SECONDS = 300.0
"""How long a slow disk may keep it waiting."""

_BEGINNING_SECONDS = 120.0
"""How long it may take to begin: where nothing is compiled yet, on a disk that has to wake up."""

_RESERVE = 0.9
"""The share of free memory that a picture may take."""

AGAIN = "Export it again with another program."


@dataclass(frozen=True)
class Question:
    """What a helper is asked.

    Attributes:
        source: Where a file lies, as hexadecimal bytes of its path; or a file's bytes.
        name: What messages call it.
        text_only: Whether the text inside is wanted, and not the picture.
    """

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


def await_beginning(helper: Helper, cancelled: Callable[[], bool]) -> None:
    """Wait until a helper has loaded what it needs, which no file is to blame for.

    Raises:
        EngineError: It cannot.
        Cancelled: Nobody waits any more.
    """
    until = time.monotonic() + _BEGINNING_SECONDS
    try:
        while helper.heard(LOOK_SECONDS) is None:
            if cancelled():
                raise Cancelled
            if time.monotonic() > until:
                raise impossible("the helper does not begin")
    except HelperGone as gone:
        said = helper.complaint()
        logger.error("The decoder did not begin (%s): %s", gone.code, said)
        raise impossible(plain(said.strip().rpartition("\n")[2], 160)) from gone


def impossible(reason: str) -> EngineError:
    """The error where there can be no helper."""
    return EngineError(
        f"Pictures cannot be decoded: {reason or 'the helper does not begin'}.",
        "Close other programs, raise the limits that Gramarye runs under, or install it again.",
    )


def asked(helper: Helper, question: Question, cancelled: Callable[[], bool]) -> dict[str, Any]:
    """A helper's answer; if this raises, it may still be at work.

    Raises:
        InputError: It takes more than the file explains, or than is free.
        Cancelled: Nobody waits any more.
        HelperGone: It has ended.
        OSError: The system gives no room for the bytes.
    """
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


def _waited_for(
    helper: Helper, watch: _Watch, name: str, cancelled: Callable[[], bool]
) -> dict[str, Any]:
    while (line := helper.heard(LOOK_SECONDS)) is None:
        if cancelled():
            raise Cancelled
        if helper.memory > watch.memory:
            raise InputError(f"{name} takes more memory than a picture of its size.", AGAIN)
        if helper.seconds > watch.seconds or time.monotonic() > watch.until:
            raise InputError(f"{name} takes far too long to decode.", AGAIN)
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

"""The helper process: decodes what it is told to, and may be killed at any moment.

One request and one answer in each line of JSON; pixels go through shared memory.

    -> {"path": ..., "name": ...}           or "bytes": how many lie in shared memory
    <- {"needs": {...}}                     -> go; whoever finds that too much kills it
    <- {"picture": {...}} or {"text": ...} or {"refused": [message, remedy]}
"""

from __future__ import annotations

import contextlib
import faulthandler
import gc
import io
import json
import mmap
import os
import sys
import threading
import traceback
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from engine.spec.errors import InputError
from engine.spec.wording import plain
from engine.storage.decoding import decode_picture, text_in
from engine.storage.decoding_costs import Needs
from engine.storage.opening import opened
from engine.system.exchange import Exchange

if TYPE_CHECKING:  # see `decoding.py`
    from engine.spec.pictures import Pixels

_IDLE_SECONDS = 60
"""Without work for so long it ends; the next picture begins another."""

_LAST_RESORT_SECONDS = 900
"""A decoder that nobody is left to kill is ended after so long."""


def serve(handle: str) -> None:
    """Answer requests from standard input until it is closed.

    Args:
        handle: Of the `Exchange`.
    """
    # What C libraries print must not come between the answers.
    answers = os.fdopen(os.dup(1), "w", encoding="ascii")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    helper = _Helper(Exchange(handle), answers)
    while True:
        with _idle():
            line = sys.stdin.readline()
        if not line:
            return
        faulthandler.dump_traceback_later(_LAST_RESORT_SECONDS, exit=True)
        helper.answer(json.loads(line))
        # Errors hold their frames, and these hold the picture: an idle helper shall hold nothing.
        gc.collect()
        faulthandler.cancel_dump_traceback_later()


@contextlib.contextmanager
def _idle() -> Iterator[None]:
    timer = threading.Timer(_IDLE_SECONDS, os._exit, [0])
    timer.daemon = True
    timer.start()
    yield
    timer.cancel()


def _path(request: dict[str, Any]) -> Path:
    return Path(os.fsdecode(bytes.fromhex(request["path"])))


def _version(file: BinaryIO) -> tuple[int, int]:
    status = os.fstat(file.fileno())
    return status.st_size, status.st_mtime_ns


class _Helper:
    def __init__(self, exchange: Exchange, answers: Any) -> None:
        self._exchange = exchange
        self._answers = answers
        # What is made stays mapped until the next request, see `Exchange`.
        self._held: mmap.mmap | None = None

    def answer(self, request: dict[str, Any]) -> None:
        self._held = None
        try:
            with self._file(request) as file:
                answer = self._found(file, request["name"], text_only=request["text_only"])
            self._say(**answer)
        except InputError as error:
            self._say(refused=[error.message, error.remedy])
        except OSError as error:
            reason = plain(error.strerror or str(error), 160)
            message = f"{request['name']} could not be read: {reason}."
            self._say(refused=[message, "Check the disk that it lies on."])
        except Exception:
            self._say(unforeseen=traceback.format_exc())

    def _found(self, file: BinaryIO, name: str, *, text_only: bool) -> dict[str, object]:
        if text_only:
            return {"text": text_in(file, name)}
        return {"picture": asdict(decode_picture(file, name, self._room))}

    @contextlib.contextmanager
    def _file(self, request: dict[str, Any]) -> Iterator[BinaryIO]:
        if "path" in request:
            with opened(_path(request), request["name"]) as file:
                before = _version(file)
                yield file
                if _version(file) != before:
                    raise InputError(
                        f"{request['name']} was changed while it was read.", "Open it again."
                    )
        else:
            yield io.BytesIO(self._exchange.given(request["bytes"]))

    def _room(self, needs: Needs) -> Pixels:
        self._say(needs=asdict(needs))
        sys.stdin.readline()
        self._held = self._exchange.result(needs.result)
        return np.frombuffer(self._held, np.uint8)

    def _say(self, **answer: object) -> None:
        print(json.dumps(answer), file=self._answers, flush=True)

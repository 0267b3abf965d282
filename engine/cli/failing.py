"""What a command says when it could not do what it was asked, and the exit code it ends with."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Sequence

from engine.cli.printing import print_json
from engine.spec.errors import EngineError
from engine.storage.failures import Kind, explain

DONE, BAD_INPUT, FAILED, INTERRUPTED = 0, 2, 3, 130
"""Exit codes; a signal has its own."""

_CODES = {
    Kind.CANCELLED: INTERRUPTED,
    Kind.INPUT: BAD_INPUT,
    Kind.ENGINE: FAILED,
    Kind.UNFORESEEN: FAILED,
}


def tell(error: BaseException, words: Sequence[str]) -> int:
    """Say one sentence on stderr, and as JSON where the words ask for it; returns the exit code."""
    failure = explain(error)
    code: int = getattr(error, "exit_code", _CODES[failure.kind])
    if asks_for_json(words):
        with contextlib.suppress(EngineError):
            print_json({"error": str(failure), "exit_code": code})
    print(f"gramarye: {failure}", file=sys.stderr)
    return code


def asks_for_json(words: Sequence[str]) -> bool:
    """Whether `--json` is among the words, as argparse lets it be shortened."""
    return any(len(word) > 3 and "--json".startswith(word) for word in words)

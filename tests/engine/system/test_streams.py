"""What cannot be printed costs nothing but itself, and is said where it was the point."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

import pytest

from engine.spec.errors import EngineError
from engine.system.streams import Unfailing, check_printed, unfailing

FULL = Path("/dev/full")
needs_full = pytest.mark.skipif(not FULL.exists(), reason="needs /dev/full")


@pytest.fixture
def abandoned() -> Iterator[TextIO]:
    """A pipe whose reader has left."""
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w", encoding="utf-8") as stream:
        yield stream


def test_a_reader_that_left_is_not_heard_of_again(abandoned: TextIO) -> None:
    stream = Unfailing(abandoned)
    print("first", file=stream, flush=True)
    assert isinstance(stream.failure, BrokenPipeError)
    print("second", file=stream, flush=True)
    abandoned.flush()  # as Python does at the end, with what waits in the buffer
    assert os.write(abandoned.fileno(), b"what a library in C prints") > 0


def test_what_is_printed_arrives_as_it_is(tmp_path: Path) -> None:
    with (tmp_path / "out").open("w", encoding="utf-8") as file:
        stream = Unfailing(file)
        print("85 × 128", file=stream, flush=True)
        assert stream.failure is None
        assert stream.encoding == "utf-8"
        assert stream.fileno() == file.fileno()
    assert (tmp_path / "out").read_text(encoding="utf-8") == "85 × 128\n"


def test_what_the_encoding_lacks_is_a_question_mark_and_the_rest_goes_on() -> None:
    raw = io.BytesIO()
    stream = Unfailing(io.TextIOWrapper(raw, "ascii"))
    print("85 × 128", file=stream, flush=True)
    print("and on", file=stream, flush=True)
    assert raw.getvalue() == b"85 ? 128\nand on\n"


def test_a_stream_that_was_closed_is_silent(tmp_path: Path) -> None:
    file = (tmp_path / "out").open("w", encoding="utf-8")
    stream = Unfailing(file)
    file.close()
    assert not stream.isatty()
    print("lost", file=stream, flush=True)
    assert isinstance(stream.failure, ValueError)


def test_a_program_without_streams_prints_to_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)
    with unfailing():
        print("lost")
        print("lost too", file=sys.stderr, flush=True)
        assert not sys.stderr.isatty()
        with pytest.raises(EngineError, match="it is closed"):
            check_printed()
    assert sys.stdout is None


@needs_full
def test_a_full_disk_is_an_error_where_printing_was_the_point(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with FULL.open("w", encoding="utf-8") as full:
        monkeypatch.setattr(sys, "stdout", full)
        with unfailing():
            print("lost")
            with pytest.raises(EngineError, match="No space left on device"):
                check_printed()


def test_a_reader_that_left_is_no_error_even_there(
    monkeypatch: pytest.MonkeyPatch, abandoned: TextIO
) -> None:
    monkeypatch.setattr(sys, "stdout", abandoned)
    with unfailing():
        print("lost")
        check_printed()
    assert sys.stdout is abandoned


def test_at_the_end_nothing_waits_in_a_buffer(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with (tmp_path / "out").open("w", encoding="utf-8") as file:
        monkeypatch.setattr(sys, "stdout", file)
        with unfailing():
            print("there")
        assert (tmp_path / "out").read_text(encoding="utf-8") == "there\n"


CLOSED = """
import os, sys
for descriptor in (0, 1, 2):
    os.close(descriptor)
from engine.system.streams import unfailing
with unfailing(), open(sys.argv[1], "wb") as file:
    for descriptor in (1, 2):
        os.write(descriptor, b"what a library in C prints")
    file.write(b"a picture")
"""


def test_nothing_is_printed_into_a_file_that_took_the_place_of_a_closed_stream(
    tmp_path: Path,
) -> None:
    root = Path(__file__).resolve().parents[3]
    words = [sys.executable, "-c", CLOSED, str(tmp_path / "picture")]
    assert subprocess.run(words, cwd=root, check=False).returncode == 0
    assert (tmp_path / "picture").read_bytes() == b"a picture"

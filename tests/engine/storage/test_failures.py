"""Each exception becomes one sentence, a remedy, and whose doing it was; surprises are logged."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from engine.spec.errors import (
    Cancelled,
    EngineError,
    InputError,
    NetworkMissingError,
    NewerFormatError,
)
from engine.storage.failures import Failure, Kind, explain
from engine.storage.logs import begin_logging
from engine.storage.paths import log_folder


def own_handlers(before: list[logging.Handler]) -> list[logging.Handler]:
    return [handler for handler in logging.getLogger().handlers if handler not in before]


def breakdown() -> Exception:
    try:
        raise KeyError("a nut came loose")
    except KeyError as error:
        return error


@pytest.mark.parametrize("error", [Cancelled(), KeyboardInterrupt()])
def test_what_the_person_chose_is_no_ones_fault(error: BaseException) -> None:
    assert explain(error).kind is Kind.CANCELLED


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        (Kind.INPUT, InputError("a.png is empty.", "Copy it again.")),
        (Kind.INPUT, NetworkMissingError("a.png is empty.", "Copy it again.")),
        (Kind.INPUT, NewerFormatError("a.png is empty.", "Copy it again.")),
        (Kind.ENGINE, EngineError("a.png is empty.", "Copy it again.")),
    ],
)
def test_an_error_of_ours_is_told_in_its_own_words(kind: Kind, error: Exception) -> None:
    assert explain(error) == Failure("a.png is empty.", "Copy it again.", kind)
    assert str(explain(error)) == "a.png is empty. Copy it again."
    assert not log_folder().exists()


def test_a_surprise_is_one_sentence_and_its_traceback_is_in_the_log() -> None:
    failure = explain(breakdown())
    log = log_folder() / "gramarye.log"
    assert failure.kind is Kind.UNFORESEEN
    assert "unexpected" in failure.message
    assert failure.remedy == f"Details: {log}"
    written = log.read_text(encoding="utf-8")
    assert "Traceback" in written
    assert "KeyError: 'a nut came loose'" in written


def test_every_surprise_is_written_down_once() -> None:
    before = list(logging.getLogger().handlers)
    for _ in range(3):
        explain(breakdown())
    assert (log_folder() / "gramarye.log").read_text().count("Traceback") == 3
    assert len(own_handlers(before)) == 1


def test_without_a_log_the_failure_says_so_and_nothing_is_printed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr("engine.storage.failures.log_folder", lambda: tmp_path / "file" / "logs")
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    failure = explain(breakdown())
    assert "could not be written" in failure.remedy
    assert capsys.readouterr() == ("", "")


def test_a_log_that_moves_is_written_in_its_new_place_only(tmp_path: Path) -> None:
    before = list(logging.getLogger().handlers)
    for name in ("old", "new"):
        assert (
            begin_logging(tmp_path / name, logging.NullHandler())
            == tmp_path / name / "gramarye.log"
        )
    logging.getLogger("engine").info("noteworthy")
    assert (tmp_path / "old" / "gramarye.log").read_text() == ""
    assert "INFO engine: noteworthy" in (tmp_path / "new" / "gramarye.log").read_text()
    assert len(own_handlers(before)) == 1


def test_where_no_log_can_be_something_else_takes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    otherwise = logging.NullHandler()
    for _ in range(2):
        assert begin_logging(tmp_path / "file" / "logs", otherwise) is None
    assert logging.getLogger().handlers == [otherwise]


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        ImportError("libtorch_cpu.so: failed to map segment from shared object"),
        OSError(12, "Cannot allocate memory"),
    ],
)
def test_too_little_memory_is_nobodys_mistake(error: Exception) -> None:
    failure = explain(error)
    assert failure.message == "There is not enough memory."
    assert "limit" in failure.remedy
    assert failure.kind is Kind.ENGINE
    assert not (log_folder() / "gramarye.log").exists()

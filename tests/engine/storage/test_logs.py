"""The log never grows without end, whoever writes to it, and never gets in anybody's way."""

from __future__ import annotations

import logging
import re
import subprocess
import sys
from pathlib import Path

import pytest

from engine.storage.logs import begin_logging

ROOT = Path(__file__).resolve().parents[3]
LARGEST, FILES = 1_000_000, 4
LINE = 10_000

WRITER = """
import logging, sys
from pathlib import Path
from engine.storage.logs import begin_logging
begin_logging(Path(sys.argv[1]), logging.NullHandler())
for number in range(int(sys.argv[3])):
    logging.getLogger(sys.argv[2]).error("%06d %s", number, "x" * 9_900)
"""


def begin_writing(folder: Path, name: str, lines: int) -> subprocess.Popen[str]:
    words = [sys.executable, "-c", WRITER, str(folder), name, str(lines)]
    return subprocess.Popen(words, cwd=ROOT, stderr=subprocess.PIPE, text=True)


def read(folder: Path) -> list[tuple[str, int]]:
    """Who wrote which line, from the oldest file to the newest."""
    files = sorted(folder.iterdir(), key=lambda path: path.name, reverse=True)
    files = [path for path in files if path.suffix != ".log"] + [folder / "gramarye.log"]
    text = "".join(path.read_text(encoding="utf-8") for path in files)
    return [(name, int(number)) for name, number in re.findall(r"ERROR (\w+): (\d{6}) x", text)]


def test_a_long_log_begins_anew_and_the_latest_are_kept(tmp_path: Path) -> None:
    process = begin_writing(tmp_path, "one", lines=600)
    assert process.communicate() == (None, "")
    sizes = {path.name: path.stat().st_size for path in tmp_path.iterdir()}
    assert sizes.keys() == {"gramarye.log", *(f"gramarye.log.{n}" for n in range(1, FILES))}
    assert max(sizes.values()) < LARGEST + 2 * LINE
    written = [number for _, number in read(tmp_path)]
    assert written == list(range(written[0], 600))
    assert len(written) > 300


def test_two_processes_share_a_log_and_the_latest_of_both_are_kept(tmp_path: Path) -> None:
    processes = [begin_writing(tmp_path, name, lines=600) for name in ("one", "two")]
    for process in processes:
        assert process.communicate() == (None, "")
    assert len(list(tmp_path.iterdir())) == FILES
    assert max(path.stat().st_size for path in tmp_path.iterdir()) < LARGEST + 3 * LINE
    written = read(tmp_path)
    for name in {who for who, _ in written}:
        numbers = [number for who, number in written if who == name]
        assert numbers == list(range(numbers[0], 600))


def test_who_comes_second_writes_where_the_first_has_begun_anew(tmp_path: Path) -> None:
    begin_logging(tmp_path, logging.NullHandler())
    logging.getLogger("one").error("%06d %s", 0, "x")
    assert begin_writing(tmp_path, "two", lines=110).communicate() == (None, "")
    assert (tmp_path / "gramarye.log.1").exists()
    logging.getLogger("one").error("%06d %s", 1, "x")
    assert "one: 000001" in (tmp_path / "gramarye.log").read_text(encoding="utf-8")


def test_a_log_that_is_deleted_meanwhile_is_written_anew(tmp_path: Path) -> None:
    log = begin_logging(tmp_path, logging.NullHandler())
    assert log is not None
    log.unlink()
    logging.getLogger("one").error("still here")
    assert "still here" in log.read_text(encoding="utf-8")


def test_a_log_that_can_no_longer_be_written_is_silent(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = begin_logging(tmp_path, logging.NullHandler())
    assert log is not None
    log.unlink()
    tmp_path.joinpath("gramarye.log").mkdir()
    logging.getLogger("one").error("lost")
    assert capsys.readouterr().err == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_log_on_a_full_disk_prints_no_traceback(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "gramarye.log").symlink_to("/dev/full")
    begin_logging(tmp_path, logging.NullHandler())
    logging.getLogger("one").error("lost")
    assert capsys.readouterr().err == ""

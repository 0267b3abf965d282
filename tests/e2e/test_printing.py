"""Streams that are closed, full or no longer read: no traceback, and no picture is lost."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest
from terminal import Terminal

from engine.cli.console import JobDisplay
from engine.spec.progress import Progress, Stage

pytestmark = pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")

FULL = "gramarye: Standard output cannot be written to: No space left on device."


@pytest.fixture
def unread() -> Iterator[int]:
    """The end of a pipe whose reader has left."""
    reader, writer = os.pipe()
    os.close(reader)
    yield writer
    os.close(writer)


@pytest.fixture
def full() -> Iterator[IO[bytes]]:
    """A file on a disk that is full."""
    with open("/dev/full", "wb") as file:
        yield file


ANSWERS = [
    ["--help"], ["--version"], ["render", "--help"], ["render", "--list-settings"],
    ["render", "--list-presets"], ["recipe", "made.png"], ["recipe", "made.png", "--json"],
    ["weights", "path", "vgg19"],
]  # fmt: skip


@pytest.fixture
def made(terminal: Terminal) -> Terminal:
    """A terminal beside a pastiche and a file of network weights."""
    assert terminal.render(output="made.png").code == 0
    networks = Path(os.environ["GRAMARYE_NETWORKS"])
    networks.mkdir()
    (networks / "vgg19.safetensors").touch()
    return terminal


@pytest.mark.parametrize("words", ANSWERS, ids=" ".join)
def test_an_answer_that_nobody_reads_is_no_failure(
    made: Terminal, words: list[str], unread: int
) -> None:
    process = made.begin(*words, stdout=unread)
    assert process.communicate() == (None, "")
    assert process.returncode == 0


@pytest.mark.parametrize("words", ANSWERS, ids=" ".join)
def test_an_answer_that_cannot_be_printed_is_said_in_one_sentence(
    made: Terminal, words: list[str], full: IO[bytes]
) -> None:
    process = made.begin(*words, stdout=full)
    _, err = process.communicate()
    assert process.returncode == 3
    assert err.startswith(FULL)
    assert len(err.splitlines()) == 1


def test_the_exit_code_of_a_failure_stands_though_nothing_can_be_said_of_it(
    terminal: Terminal, full: IO[bytes]
) -> None:
    for words in (["render", "--recipe", "none.png", "--json"], ["render", "--nonsense", "--json"]):
        process = terminal.begin(*words, stdout=full, stderr=full)
        assert process.wait() == 2


def test_progress_that_nobody_reads_costs_no_picture(terminal: Terminal, unread: int) -> None:
    process = terminal.begin(*terminal.words(), stdout=unread, stderr=unread)
    assert process.wait() == 0
    assert terminal.recipe().complete


def test_progress_that_cannot_be_printed_costs_no_picture(
    terminal: Terminal, full: IO[bytes]
) -> None:
    assert terminal.begin(*terminal.words(), stderr=full).wait() == 0
    assert terminal.recipe().complete


def test_a_bar_on_a_screen_that_cannot_be_written_to_costs_no_picture(
    terminal: Terminal, full: IO[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")  # what makes stderr pass for a terminal
    assert terminal.begin(*terminal.words(), stderr=full).wait() == 0
    assert terminal.recipe().complete


def test_closed_streams_cost_no_picture(terminal: Terminal) -> None:
    process = terminal.begin(
        *terminal.words("--json"), stdout=None, stderr=None,
        preexec_fn=lambda: [os.close(descriptor) for descriptor in (0, 1, 2)],
    )  # fmt: skip
    assert process.wait() == 0
    assert terminal.recipe().complete


@pytest.mark.parametrize("quiet", [["--quiet"], []])
def test_a_report_that_nobody_reads_leaves_the_exit_code_to_the_picture(
    terminal: Terminal, unread: int, quiet: list[str]
) -> None:
    process = terminal.begin(*terminal.words("--json", *quiet), stdout=unread)
    _, err = process.communicate()
    assert process.returncode == 0
    assert err.splitlines()[1:] == ([] if quiet else ["Saved out.png"])
    assert terminal.recipe().complete


def test_a_report_that_cannot_be_printed_costs_a_sentence(
    terminal: Terminal, full: IO[bytes]
) -> None:
    process = terminal.begin(*terminal.words("--json", "--quiet"), stdout=full)
    _, err = process.communicate()
    assert process.returncode == 0
    assert err.startswith(FULL)
    assert len(err.splitlines()) == 1
    assert terminal.recipe().complete


def test_names_that_look_like_markup_are_shown_as_they_are(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "200")
    name = "[bold]:cat:[/x].jpg"
    display = JobDisplay(quiet=False)
    with display.live():
        display.show(Progress(Stage.PREPARING, f"Measuring {name}"))
    display.say(f"Saved {name}")
    shown = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", capsys.readouterr().err)
    assert f"Measuring {name} " in shown
    assert f"Saved {name}\n" in shown

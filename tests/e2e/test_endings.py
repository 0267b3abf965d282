"""How a render ends when it does not go as planned: failures, Ctrl-C here, a disk that fails."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from terminal import MAIN, Terminal

from engine.cli import render
from engine.cli.console import JobDisplay
from engine.objective.evaluation import Evaluation
from engine.objective.objective import Objective
from engine.run import device_memory, walk
from engine.run.telling import Teller
from engine.spec.errors import InputError
from engine.spec.outcome import Pastiche
from engine.spec.pictures import Picture
from engine.spec.progress import Progress
from engine.storage.images import open_picture


def test_a_missing_device_is_a_failure_of_the_engine(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    ended = terminal.render("--device=cuda", "--quiet")
    assert ended.code == 3
    assert ended.err.startswith("gramarye: There is no usable cuda device on this machine. Choose")
    assert len(ended.err.splitlines()) == 1
    assert not (terminal.folder / "out.png").exists()


def test_what_does_not_fit_into_memory_is_refused_with_the_size_that_does(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(device_memory, "memory_available", lambda device: 1_000_000)
    ended = terminal.render("--size=512", "--quiet")
    assert ended.code == 3
    fitting = re.search(r"Set the output size to (\d+) px or less", ended.err)
    assert fitting
    assert 16 <= int(fitting[1]) < 512
    assert len(ended.err.splitlines()) == 1
    assert not (terminal.folder / "out.png").exists()


def test_the_warnings_of_libraries_are_not_for_artists(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def grumble(path: Path) -> Picture:
        warnings.warn("metadata of 1997", stacklevel=1)
        return open_picture(path)

    monkeypatch.setattr(render, "open_picture", grumble)
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        monkeypatch.setattr(sys, "warnoptions", [])
        assert terminal.render().code == 0
    assert not heard


def break_down(*_: object, **__: object) -> None:
    raise RuntimeError("a nut came loose")


def test_the_unforeseen_is_one_sentence_and_its_traceback_goes_to_the_log(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(render, "open_picture", break_down)
    ended = terminal.render()
    assert ended.code == 3
    assert len(ended.err.splitlines()) == 1
    log = Path(ended.err.strip().partition("Details: ")[2])
    written = log.read_text(encoding="utf-8")
    assert "Traceback" in written
    assert "a nut came loose" in written


def test_the_unforeseen_is_one_sentence_even_without_a_log(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(render, "open_picture", break_down)
    monkeypatch.setattr(
        "engine.storage.failures.log_folder", lambda: terminal.folder / "photo.png" / "logs"
    )
    ended = terminal.render()
    assert ended.code == 3
    assert len(ended.err.splitlines()) == 1
    assert "unexpected" in ended.err


def interrupt_when(
    monkeypatch: pytest.MonkeyPatch, moment: Callable[[Progress], bool], times: int = 1
) -> None:
    """Press Ctrl-C once the progress shown is of a certain kind."""
    show = JobDisplay.show
    pressed = []

    def show_and_press(display: JobDisplay, progress: Progress) -> None:
        show(display, progress)
        if moment(progress) and not pressed:
            pressed.append(progress)
            for _ in range(times):
                signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(JobDisplay, "show", show_and_press)


def test_ctrl_c_before_there_is_anything_keeps_nothing(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupt_when(monkeypatch, lambda progress: not progress.scale)
    before = terminal.everything()
    ended = terminal.render()
    assert (ended.code, ended.out) == (130, "")
    assert ended.err == "gramarye: Interrupted; nothing was saved.\n"
    assert terminal.everything() == before


def test_ctrl_c_while_pictures_are_read_keeps_nothing(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(render, "open_picture", lambda path: signal.raise_signal(signal.SIGINT))
    ended = terminal.render()
    assert ended.code == 130
    assert ended.err == "gramarye: Interrupted; nothing was saved.\n"


def test_a_terminal_shows_that_the_job_is_stopping(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    interrupt_when(monkeypatch, lambda progress: progress.step > 0)
    ended = terminal.render("--set=steps=5000")
    assert ended.code == 130
    assert "stopping; Ctrl-C again discards" in ended.err


def test_a_second_ctrl_c_discards(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    interrupt_when(monkeypatch, lambda progress: progress.step > 0, times=2)
    ended = terminal.render("--set=steps=5000")
    assert ended.code == 130
    assert "nothing was saved" in ended.err
    assert not (terminal.folder / "out.png").exists()


ENDLESS = """
import sys
import main
from engine.objective.objective import Objective
from engine.run import walk

advance, evaluate, steps = walk.advance, Objective.evaluate, []

def counted(*arguments):
    steps.append(arguments)
    return advance(*arguments)

def endless(objective, image):
    if len(steps) == 2:
        print("never to end", file=sys.stderr, flush=True)
        while True:
            evaluate(objective, image)
    return evaluate(objective, image)

walk.advance, Objective.evaluate = counted, endless
sys.exit(main.main(sys.argv[1:]))
"""
"""The command line, where the second step's evaluation never ends."""


@pytest.mark.skipif(os.name != "posix", reason="sends SIGINT to another process")
def test_ctrl_c_in_the_middle_of_an_evaluation_keeps_the_picture_of_before(
    terminal: Terminal,
) -> None:
    environment = {**os.environ, "PYTHONPATH": str(MAIN.parent)}
    process = subprocess.Popen(
        [sys.executable, "-c", ENDLESS, *terminal.words()], env=environment,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8",
    )  # fmt: skip
    assert process.stderr is not None
    assert any(line.startswith("never to end") for line in process.stderr)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 130
    assert err.splitlines()[-1] == "Stopped early; saved out.png"
    (stopped,) = terminal.recipe().events
    assert (stopped.at.scale, stopped.at.step) == (1, 1)
    first = terminal.made("--set=steps=1", output="first.png")
    assert (terminal.pixels() == first).all()
    again = terminal.type(
        "render", "--recipe=out.png", "--output=again.png", f"--weights={terminal.network}"
    )
    assert again.code == 130
    assert (terminal.pixels("again.png") == first).all()


def test_a_second_ctrl_c_in_the_middle_of_an_evaluation_discards(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    advance, evaluate, steps = walk.advance, Objective.evaluate, []

    def counted(*arguments: Any) -> Any:
        steps.append(arguments)
        return advance(*arguments)

    def endless(objective: Objective, image: torch.Tensor) -> Evaluation:
        while len(steps) == 2:
            for _ in range(2):
                signal.raise_signal(signal.SIGINT)
            evaluate(objective, image)
        return evaluate(objective, image)

    monkeypatch.setattr(walk, "advance", counted)
    monkeypatch.setattr(Objective, "evaluate", endless)
    ended = terminal.render()
    assert ended.code == 130
    assert "nothing was saved" in ended.err
    assert not (terminal.folder / "out.png").exists()


def test_a_second_ctrl_c_while_the_stopped_picture_is_made_discards(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupt_when(monkeypatch, lambda progress: progress.step > 0)
    pastiche = Teller.pastiche

    def press_and_make(*arguments: Any) -> Pastiche | None:
        signal.raise_signal(signal.SIGINT)
        return pastiche(*arguments)

    monkeypatch.setattr(Teller, "pastiche", press_and_make)
    ended = terminal.render("--set=steps=5000")
    assert ended.code == 130
    assert "nothing was saved" in ended.err
    assert not (terminal.folder / "out.png").exists()


def test_ctrl_c_while_saving_lets_it_finish(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    save = render.save_pixels

    def press_and_save(*arguments: object, **options: object) -> None:
        signal.raise_signal(signal.SIGINT)
        save(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(render, "save_pixels", press_and_save)
    assert terminal.render().code == 0
    assert terminal.recipe().complete


def test_ctrl_c_works_as_before_when_a_render_has_ended(terminal: Terminal) -> None:
    before = signal.getsignal(signal.SIGINT)
    terminal.render()
    terminal.render(content="none.jpg")
    assert signal.getsignal(signal.SIGINT) is before


@pytest.fixture
def refuge(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder where a pastiche is kept that could not be saved."""
    folder = tmp_path_factory.mktemp("refuge")
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def when_shown(monkeypatch: pytest.MonkeyPatch, happen: Callable[[], object]) -> None:
    """Let something happen while a job runs."""
    show = JobDisplay.show

    def show_and_let(display: JobDisplay, progress: Progress) -> None:
        if progress.step:
            happen()
        show(display, progress)

    monkeypatch.setattr(JobDisplay, "show", show_and_let)


def test_a_pastiche_whose_folder_is_gone_is_kept_elsewhere(
    terminal: Terminal, refuge: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = terminal.folder / "usb stick"
    folder.mkdir()
    when_shown(monkeypatch, lambda: shutil.rmtree(folder, ignore_errors=True))
    ended = terminal.render("--json", output="usb stick/out.jpg")
    assert ended.code == 2
    kept = refuge / "out.png"
    assert "There is no folder usb stick." in ended.err
    assert f"The pastiche was kept as {kept}." in json.loads(ended.out)["error"]
    assert terminal.pixels(str(kept)).shape == (24, 32, 3)
    assert terminal.recipe(str(kept)).complete


def test_a_file_that_appears_meanwhile_is_left_alone(
    terminal: Terminal, refuge: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    precious = terminal.folder / "out.png"
    when_shown(monkeypatch, lambda: precious.write_bytes(b"precious"))
    (refuge / "out.png").write_bytes(b"precious too")
    assert terminal.render().code == 2
    assert precious.read_bytes() == b"precious"
    assert (refuge / "out.png").read_bytes() == b"precious too"
    assert terminal.pixels(str(refuge / "out_001.png")).shape == (24, 32, 3)


def test_a_pastiche_whose_recipe_cannot_be_told_is_kept_without(
    terminal: Terminal, refuge: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise InputError("The network's file can no longer be read.")

    monkeypatch.setattr(render, "recipe_of", refuse)
    ended = terminal.render()
    assert ended.code == 2
    assert str(refuge / "out.png") in ended.err
    assert terminal.pixels(str(refuge / "out.png")).shape == (24, 32, 3)


def test_a_recipe_too_long_to_store_does_not_cost_the_pastiche(
    terminal: Terminal, refuge: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.storage.embedding.TEXT_LIMIT", 100)
    assert terminal.render().code == 2
    assert terminal.pixels(str(refuge / "out.png")).shape == (24, 32, 3)

"""A working folder that is deleted costs, at most, the place to save."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from terminal import MAIN, Terminal

pytestmark = pytest.mark.skipif(os.name != "posix", reason="elsewhere it cannot be deleted")

GONE = "gramarye: The folder in which you work is gone. Change to another one, as with `cd ~`.\n"
LONG = (
    "--size=64", "--set=coarsest_size=16", "--set=scale_factor=1.25", "--set=steps=1",
    "--set=steps_falloff=4",
)  # fmt: skip


def in_a_deleted_folder(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Type a command in a folder that was deleted while a shell stood in it."""
    program = f"cd {folder} && rmdir {folder} && exec {sys.executable} {MAIN} " + " ".join(words)
    folder.mkdir()
    return subprocess.run(
        ["/bin/sh", "-c", program], capture_output=True, text=True, check=False,
        env=os.environ | {"QT_QPA_PLATFORM": "offscreen"},
    )  # fmt: skip


@pytest.mark.parametrize(
    "words",
    [
        ["devices"], ["plan", "photo.png"], ["recipe", "photo.png"], ["weights", "path", "vgg19"],
        ["render", "photo.png", "--style=style.png", "--output=out.png"],
    ],
    ids=lambda words: words[0],
)  # fmt: skip
def test_a_command_says_that_its_folder_is_gone(tmp_path: Path, words: list[str]) -> None:
    ended = in_a_deleted_folder(tmp_path / "gone", *words)
    assert (ended.returncode, ended.stdout, ended.stderr) == (2, "", GONE)


def test_help_needs_no_folder(tmp_path: Path) -> None:
    ended = in_a_deleted_folder(tmp_path / "gone", "render", "--help")
    assert (ended.returncode, ended.stderr) == (0, "")


def begin_and_delete(terminal: Terminal, output: str) -> tuple[int, str]:
    """Render in a folder that is deleted meanwhile; the exit code, and what was said."""
    here = terminal.folder / "here"
    here.mkdir()
    for name in ("photo.png", "style.png"):
        shutil.copy(name, here)
    words = terminal.words(*LONG, content="style.png", output=output)
    process = terminal.begin(*words, cwd=here)
    assert process.stderr is not None
    assert any(line.startswith("Scale 2/") for line in process.stderr)
    shutil.rmtree(here)
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate()
    return process.returncode, err


def test_a_folder_deleted_meanwhile_costs_nothing_where_the_picture_goes_elsewhere(
    terminal: Terminal,
) -> None:
    output = terminal.folder / "out.png"
    code, err = begin_and_delete(terminal, str(output))
    assert (code, err.splitlines()[-1]) == (143, f"Stopped early; saved {output}")
    assert terminal.pixels().shape[2] == 3


def test_a_folder_deleted_meanwhile_costs_only_the_place_to_save(
    terminal: Terminal, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuge = tmp_path_factory.mktemp("refuge")
    monkeypatch.setenv("TMPDIR", str(refuge))
    code, err = begin_and_delete(terminal, "out.png")
    assert code == 2
    assert f"The pastiche was kept as {refuge / 'out.png'}." in err
    assert len(err.splitlines()) == 1
    assert terminal.pixels(str(refuge / "out.png")).shape[2] == 3

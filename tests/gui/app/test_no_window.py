"""Where no window can be opened, one sentence says why and what can be done; nothing aborts."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from engine.storage.paths import log_folder

MAIN = Path(__file__).resolve().parents[3] / "main.py"
SAID = "gramarye: No window can be opened: {}. `gramarye render` works without one; see gramarye "
SAID += "render --help.\n"
DISPLAYS = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there is a display")


def start(*words, **environment):
    bare = {name: value for name, value in os.environ.items() if name not in DISPLAYS}
    return subprocess.run(
        [sys.executable, str(MAIN), *words],
        capture_output=True, text=True, check=False, env=bare | environment,
    )  # fmt: skip


def test_without_a_display_one_sentence_says_so():
    ended = start()
    assert ended.returncode == 3
    why = "there is no display (neither DISPLAY nor WAYLAND_DISPLAY is set)"
    assert (ended.stdout, ended.stderr) == ("", SAID.format(why))


def test_a_display_that_cannot_be_reached_is_named():
    ended = start(DISPLAY=":4711")
    assert ended.returncode == 3
    assert ended.stderr == SAID.format("could not connect to display :4711")


def test_a_platform_that_qt_does_not_have_is_named():
    ended = start(QT_QPA_PLATFORM="nonsense")
    assert ended.returncode == 3
    assert ended.stderr == SAID.format('Could not find the Qt platform plugin "nonsense" in ""')


def test_a_log_that_cannot_be_written_adds_nothing():
    log_folder().parent.parent.mkdir(parents=True)
    log_folder().parent.touch()
    ended = start()
    assert ended.returncode == 3
    assert len(ended.stderr.splitlines()) == 1


def test_a_library_of_the_system_that_is_damaged_is_named(tmp_path):
    (tmp_path / "libEGL.so.1").touch()  # one that is missing fails at the same place
    ended = start(LD_LIBRARY_PATH=str(tmp_path))
    assert ended.returncode == 3
    assert ended.stderr == SAID.format(f"{tmp_path}/libEGL.so.1: file too short")

import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from engine.storage.failures import explain
from engine.storage.paths import config_folder, data_folder, log_folder
from engine.weights.installed import networks_folder
from gui.app import app
from gui.app.logs import strays_caught

ROOT = Path(__file__).resolve().parents[3]

PROGRAM = """
import os, signal, sys
sys.path[:0] = [{root!r}, {tests!r}]
from PySide6.QtCore import QTimer, qWarning
import gui.app.app
from gui.session.engine_thread import EngineThread as RealThread
from scripted import ScriptedEngine

assert "torch" not in sys.modules, "torch would hold the window up"
gui.app.app.EngineThread = lambda: RealThread(ScriptedEngine(), lambda: ())
original = gui.app.app.Shell.open

def opened(shell, content, styles):
    original(shell, content, styles)
    assert shell.window.isVisible()
    qWarning("a warning of Qt's")
    def leave():
        if shell.session.content is None or not shell.session.styles:
            return
        timer.stop()
        print(shell.session.content.name, shell.session.styles[0].picture.name)
        {leave}
    timer = QTimer(shell, interval=10)
    timer.timeout.connect(leave)
    timer.start()

gui.app.app.Shell.open = opened
import main
sys.exit(main.main([{photograph!r}, "--style", {painting!r}]))
"""


def run(photograph, painting, leave):
    program = PROGRAM.format(
        root=str(ROOT),
        tests=str(ROOT / "tests" / "gui"),
        photograph=str(photograph),
        painting=str(painting),
        leave=leave,
    )
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize(
    "leave",
    [
        "shell.window.close()",
        *(
            pytest.param(
                f"os.kill(os.getpid(), signal.{name})",
                marks=pytest.mark.skipif(sys.platform == "win32", reason="needs Unix signals"),
            )
            for name in ("SIGINT", "SIGTERM", "SIGHUP")
        ),
    ],
)
def test_the_program_opens_with_its_pictures_and_ends_cleanly(
    photograph, painting, leave, heard_signals
):
    networks_folder().mkdir()
    (networks_folder() / "vgg19.safetensors").touch()
    done = run(photograph, painting, leave)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "photograph.png painting.png\n"
    assert done.stderr.replace("This plugin does not support propagateSizeHints()\n", "") == ""
    assert "a warning of Qt's" in (log_folder() / "gramarye.log").read_text()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes")
def test_pipes_in_place_of_its_files_do_not_hold_the_window_up(photograph, painting):
    networks_folder().mkdir()
    (networks_folder() / "vgg19.safetensors").touch()
    (config_folder() / "presets").mkdir(parents=True)
    data_folder().mkdir(parents=True)
    pipes = [
        *(config_folder() / name for name in ("preferences.json", "window.ini", "presets/x.json")),
        *(data_folder() / name for name in ("places.json", "devices.json")),
    ]
    for pipe in pipes:
        os.mkfifo(pipe)
    done = run(photograph, painting, "shell.window.close()")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "photograph.png painting.png\n"
    assert all(pipe.is_fifo() for pipe in pipes)


DELETED = """
import os, sys
sys.path.insert(0, {root!r})
import gui.app.app
from engine.plan.machine import Inventory
from gui.session.engine_thread import EngineThread as RealThread

def warm_up():
    import torch  # whose libraries end the process if they are loaded in a folder that is gone
    return Inventory()

gui.app.app.EngineThread = lambda: RealThread(warm_up=warm_up)
original = gui.app.app.Shell.open

def opened(shell, content, styles):
    shell._engine.warmed.connect(shell.window.close)
    original(shell)
    print(content, *styles)

gui.app.app.Shell.open = opened
os.chdir({folder!r})
os.rmdir({folder!r})
import main
sys.exit(main.main(["photo.png", "--style", {painting!r}]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="elsewhere it cannot be deleted")
def test_the_window_opens_in_a_folder_that_is_gone(tmp_path, painting, monkeypatch):
    folder = tmp_path / "gone"
    folder.mkdir()
    monkeypatch.setenv("PWD", str(folder))
    program = DELETED.format(root=str(ROOT), folder=str(folder), painting=str(painting))
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{folder / 'photo.png'} {painting}\n"


def test_exceptions_that_nobody_caught_reach_the_one_ladder(loop, qtbot):
    before, caught = sys.excepthook, []
    with strays_caught(loop, caught.append):
        sys.excepthook(ValueError, ValueError("in a slot"), None)
        loop.call_soon(lambda: 1 / 0)
        qtbot.waitUntil(lambda: len(caught) == 2)
    assert [type(error) for error in caught] == [ValueError, ZeroDivisionError]
    assert sys.excepthook is before


def test_what_nobody_foresaw_is_written_down_and_said_in_words(caplog):
    with caplog.at_level(logging.ERROR):
        failure = explain(KeyError("layer"))
    assert "KeyError: 'layer'" in caplog.text
    assert "layer" not in failure.message
    assert str(log_folder()) in failure.remedy


def test_a_relative_folder_of_networks_is_the_same_in_the_window(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GRAMARYE_NETWORKS", "nets")
    app._stand_at_home()
    assert networks_folder() == tmp_path / "nets"

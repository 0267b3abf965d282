"""Nothing is left in the temporary folder."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from terminal import MAIN, Terminal

COMMANDS = """
import sys
sys.path.insert(0, {root!r})
import main
for words in {commands!r}:
    assert main.main(words) == 0, words
"""

OPTIMISER = """
import sys
sys.path.insert(0, {root!r})
import engine.distill.optimizer as optimizer, torch
weight = torch.nn.Parameter(torch.zeros(2, 2))
optimizer.Orthogonal([weight], 1.0).zero_grad()
assert "torch._dynamo" in sys.modules, "this is what makes a folder"
"""


@pytest.fixture
def temporary(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The temporary folder of the processes that are started, which is empty."""
    folder = tmp_path_factory.mktemp("temporary")
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.delenv("TORCHINDUCTOR_CACHE_DIR", raising=False)
    return folder


def run(program: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_commands_leave_nothing(terminal: Terminal, temporary: Path) -> None:
    commands = [
        ["devices", "--check"], ["plan", "photo.png"], terminal.words(), ["recipe", "out.png"],
        ["weights", "import", str(terminal.network)], ["render", "--list-presets"],
    ]  # fmt: skip
    run(COMMANDS.format(root=str(MAIN.parent), commands=commands))
    assert list(temporary.iterdir()) == []


def test_what_loads_the_compiler_of_torch_leaves_nothing(temporary: Path) -> None:
    run(OPTIMISER.format(root=str(MAIN.parent)))
    assert list(temporary.iterdir()) == []

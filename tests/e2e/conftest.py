"""A terminal to type commands at, in a folder with a photograph and a painting."""

from __future__ import annotations

from pathlib import Path

import pytest
from terminal import Terminal, paint


@pytest.fixture
def terminal(
    one_thread: None,
    heard_signals: None,
    tmp_path: Path,
    random_network: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Terminal:
    """Stands in an own folder that holds `photo.png` and `style.png`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    paint(tmp_path / "photo.png", seed=1, size=(40, 30))
    paint(tmp_path / "style.png", seed=2, size=(32, 32))
    return Terminal(tmp_path, random_network, capsys)

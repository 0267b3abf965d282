"""Typing commands as an artist would, in this process, and looking at what came of it."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import main
from engine.spec.pictures import Pixels
from engine.storage.images import open_picture
from engine.storage.recipes import Recipe, read_recipe

MAIN = Path(main.__file__)
QUICK = (
    "--size=32", "--set=coarsest_size=32", "--set=steps=2",
    "--set=style_layers=relu1_1", "--set=content_layers=relu2_1",
    "--set=matched_layers=relu1_1",
)  # fmt: skip
"""What makes a job take no time."""


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit code and what it printed."""

    code: int
    out: str
    err: str


class Terminal:
    """Types commands in a folder.

    Attributes:
        folder: Where it stands.
        network: A file of network weights.
    """

    def __init__(self, folder: Path, network: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.network = network
        self._capsys = capsys

    def type(self, *words: str) -> Ended:
        """Run a command as it is typed after `gramarye`."""
        self._capsys.readouterr()
        code = main.main(words)
        out, err = self._capsys.readouterr()
        return Ended(code, out, err)

    def begin(self, *words: str, **options: Any) -> subprocess.Popen[str]:
        """Run a command as a process of its own; its streams are pipes unless named."""
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen(
            [sys.executable, str(MAIN), *words], encoding="utf-8", **pipes | options
        )

    def words(
        self, *more: str, content: str = "photo.png", style: str = "style.png",
        output: str = "out.png", quick: bool = True,
    ) -> list[str]:  # fmt: skip
        """A quick `render` with whatever else is asked for; what comes later wins."""
        words = ["render", content, f"--style={style}", f"--output={output}"]
        if not any(word.startswith(("--weights", "--download")) for word in more):
            words.append(f"--weights={self.network}")
        return words + list(QUICK if quick else ()) + list(more)

    def render(self, *more: str, **names: str) -> Ended:
        """Type such a `render`."""
        return self.type(*self.words(*more, **names))

    def made(self, *more: str, output: str = "out.png", **names: str) -> Pixels:
        """The pixels of such a `render`, which must succeed."""
        ended = self.render(*more, output=output, **names)
        assert ended.code == 0, ended.err
        return self.pixels(output)

    def pixels(self, name: str = "out.png") -> Pixels:
        """The pixels of a picture in the folder."""
        return open_picture(self.folder / name).pixels

    def recipe(self, name: str = "out.png") -> Recipe:
        """The recipe in a picture in the folder, which must have one."""
        reading = read_recipe(self.folder / name)
        assert reading is not None
        assert reading.notes == ()
        return reading.recipe

    def everything(self) -> dict[Path, bytes]:
        """All files in the folder and in the user's own folders."""
        roots = self.folder, Path(os.environ["HOME"]).parent
        return {
            path: path.read_bytes() if path.is_file() else b"folder"
            for root in roots
            for path in root.rglob("*")
        }

    def refused(self, *words: str) -> str:
        """What is said of a command that must end with 2, one sentence and nothing changed."""
        before = self.everything()
        ended = self.type(*words)
        assert ended.code == 2, ended
        assert ended.out == ""
        *_, said = lines = ended.err.splitlines()
        usage = said.startswith(f"gramarye {words[0]}: error: ")
        assert usage or (len(lines) == 1 and said.startswith("gramarye: ")), ended.err
        assert "Traceback" not in ended.err
        assert self.everything() == before
        return said


def paint(path: Path, seed: int, size: tuple[int, int]) -> Path:
    """Save a picture of coarse random patches."""
    patches = np.random.default_rng(seed).integers(0, 256, (4, 5, 3), np.uint8)
    Image.fromarray(patches).resize(size, Image.Resampling.BICUBIC).save(path)
    return path

"""What was found of devices is kept, other versions' findings included, and never in the way."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from engine.spec.computing import GivenUp, Rung
from engine.storage.verdicts import Verdicts

LOST = GivenUp(rung=Rung.TF32, instead_of="TF32", reason="gave no numbers")
FOREIGN = [{"rung": "dreams", "instead_of": "dreams", "reason": "woke up"}]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "devices.json"


def test_what_was_given_up_is_known_at_the_next_start(file: Path) -> None:
    Verdicts(file).keep("a", (LOST,))
    Verdicts(file).keep("b", ())
    assert Verdicts(file).find("a") == (LOST,)
    assert Verdicts(file).find("b") == ()
    assert Verdicts(file).find("c") is None


def test_what_only_another_version_understands_stays_in_the_file(file: Path) -> None:
    Verdicts(file).keep("a", (LOST,))
    values = json.loads(file.read_text())
    values["devices"]["b"] = FOREIGN
    values["seen"] = {"today": True}
    file.write_text(json.dumps(values))
    assert Verdicts(file).find("a") == (LOST,)
    assert Verdicts(file).find("b") is None
    Verdicts(file).keep("c", ())
    values["devices"]["c"] = []
    assert json.loads(file.read_text()) == values


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"\xff", b"{}", b'{"devices": 3}', b'{"devices": {"a": {"rung": 1}}}',
     b'{"devices": {"a": [' + b"[" * 900 + b"]" * 900 + b"]}}", b"[" * 100_000],
)  # fmt: skip
def test_a_damaged_file_is_as_good_as_none(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    assert Verdicts(file).find("a") is None
    Verdicts(file).keep("a", (LOST,))
    assert Verdicts(file).find("a") == (LOST,)


@pytest.mark.usefixtures("never_waits")
@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes")
def test_a_pipe_holds_nobody_up_and_is_left(file: Path) -> None:
    os.mkfifo(file)
    Verdicts(file).keep("a", ())
    assert Verdicts(file).find("a") is None
    assert file.is_fifo()

"""A part of the program that is missing is one sentence, whatever else needs it."""

from __future__ import annotations

import subprocess
import sys

import pytest
from terminal import MAIN


@pytest.mark.parametrize(
    "module", ["torch", "pydantic", "engine.system.signals", "engine.storage.failures"]
)
def test_a_part_that_is_missing_is_named_in_one_sentence(module: str) -> None:
    program = f"""
import sys
sys.path.insert(0, {str(MAIN.parent)!r})
sys.modules[{module!r}] = None
import main
sys.argv[1:] = ["devices"]
main.program()
"""
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 3
    assert len(ended.stderr.splitlines()) == 1
    assert ended.stderr.startswith("gramarye: ")
    assert module in ended.stderr
    assert "nstall" in ended.stderr

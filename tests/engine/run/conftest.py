"""What the tests of the loop lean on."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from running import small_job

from engine.spec.job import Job


@pytest.fixture
def make_job(random_network: Path) -> Callable[..., Job]:
    """Makes small jobs for a random VGG-19."""
    return partial(small_job, random_network)


@pytest.fixture
def every_step_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Has a job tell of every step, not only of ten a second."""
    monkeypatch.setattr("engine.run.timing._SECONDS_BETWEEN_LOOKS", 0)

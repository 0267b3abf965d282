"""Matched content in whole jobs: what is looked up, when, and what a retune does to it."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from running import measurer_of, painted, plan_of, run, small_job

from engine.run.control import Command
from engine.run.state import Snapshot
from engine.spec.job import Job, Retune
from engine.spec.layers import measured_layers
from engine.spec.progress import Progress

pytestmark = pytest.mark.usefixtures("one_thread")

MATCHED = {"matched_weight": 1.0, "matched_layers": "relu1_1, relu2_1"}


class Watched:
    """The index maps of a job, by how many steps were done when the last of them was there."""

    def __init__(self) -> None:
        self.maps: dict[int, torch.Tensor | None] = {}

    def __call__(self, snapshot: Snapshot) -> None:
        found = snapshot.state.matches
        self.maps[snapshot.state.steps] = None if found is None else found.clone()

    def changes(self) -> list[int]:
        """How many steps were done when there was another map than a step before."""
        steps = sorted(self.maps)
        return [after for before, after in pairwise(steps) if not self._same(before, after)]

    def _same(self, one: int, other: int) -> bool:
        a, b = self.maps[one], self.maps[other]
        return a is None is b or (a is not None and b is not None and a.equal(b))


def test_places_are_matched_once_a_scale(make_job: Callable[..., Job]) -> None:
    watched = Watched()
    run(make_job(**MATCHED), keep=watched)
    # Four steps at the first scale, two at the second.
    assert watched.changes() == [4]
    first, second = watched.maps[1], watched.maps[5]
    assert first is not None
    assert second is not None
    assert first.shape == (9, 12)
    assert second.shape == (18, 24)


def test_matches_are_refreshed_after_so_many_steps(make_job: Callable[..., Job]) -> None:
    watched = Watched()
    run(make_job(**MATCHED, match_refresh=2, match_canvas=1.0, learning_rate=0.3), keep=watched)
    assert watched.changes() == [2, 4]


def test_a_texture_matches_the_canvas_itself(random_network: Path) -> None:
    watched = Watched()
    values = {**MATCHED, "start": "style-noise", "match_refresh": 2, "learning_rate": 0.3}
    job = small_job(random_network, content=False, **values)
    outcome, seen = run(job, keep=watched)
    assert outcome.error is None
    assert watched.changes() == [2, 4]
    assert "matched relu2_1" in [term.name for term in seen[-1].terms]


def test_the_first_scale_looks_up_the_photograph_whatever_it_starts_from(
    make_job: Callable[..., Job],
) -> None:
    found = []
    for start in ("content", "noise"):
        watched = Watched()
        run(make_job(**MATCHED, start=start, match_canvas=1.0), keep=watched)
        found.append(watched.maps[1])
    assert found[0] is not None
    assert found[0].equal(found[1])


def test_matching_asked_for_on_the_way_is_begun_there_and_repeated_there(
    make_job: Callable[..., Job], every_step_shows: None
) -> None:
    job, watched = make_job(matched_layers="relu1_1"), Watched()
    asked = job.request.settings.changed(matched_weight=2.0)

    def turn_on(progress: Progress) -> Command | None:
        return Retune(asked, job.request.shares) if progress.step == 2 else None

    outcome, seen = run(job, turn_on, keep=watched)
    assert outcome.pastiche is not None
    assert watched.maps[1] is None
    assert watched.maps[3] is not None
    assert "matched relu1_1" in [term.name for term in seen[-1].terms]
    again = Job(job.request, job.pictures, job.network_weights, outcome.plan, outcome.events)
    assert np.array_equal(painted(again), outcome.pastiche.pixels)


def test_a_painting_without_a_share_is_matched_nowhere(random_network: Path) -> None:
    job = small_job(random_network, styles=2, **MATCHED)
    plan = plan_of(job)
    settings, layers = plan.settings, measured_layers(plan.settings)
    found = []
    for shares in ([1.0, 0.0], [0.0, 1.0]):
        measuring = measurer_of(job, plan).measure(plan.scales[0], layers, settings, shares)
        while True:
            try:
                next(measuring)
            except StopIteration as measured:
                found.append(measured.value)
                break
    image = torch.rand(1, 3, 18, 24, generator=torch.Generator().manual_seed(0))
    terms = [
        dict(
            zip(
                each.objective.term_names,
                each.objective.evaluate(image).terms.tolist(),
                strict=True,
            )
        )
        for each in found
    ]
    for name in ("matched relu1_1", "matched relu2_1"):
        assert terms[0][name] != pytest.approx(terms[1][name], rel=1e-6)


def test_matched_layers_without_weight_are_not_measured(make_job: Callable[..., Job]) -> None:
    settings = make_job(matched_weight=1.0, matched_layers="relu1_1, relu2_1:0").request.settings
    assert measured_layers(settings).matched == {"relu1_1"}
    assert not measured_layers(settings.changed(matched_weight=0.0)).matched

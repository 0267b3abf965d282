"""How the draft network is shown its pictures."""

from __future__ import annotations

import pytest
import torch

from engine.spec.choices import NetworkName
from engine.spec.orientations import UPRIGHT, Orientation, orientations
from engine.spec.settings import DEFAULTS

DRAFT = DEFAULTS.on(NetworkName.DRAFT)


@pytest.mark.parametrize("orientation", orientations(DRAFT))
def test_what_is_turned_comes_back(orientation: Orientation) -> None:
    picture = torch.rand(1, 3, 4, 7)
    assert torch.equal(orientation.back(orientation.of(picture)), picture)


def test_all_four_orientations_are_seen_and_the_first_is_upright() -> None:
    picture = torch.rand(1, 3, 4, 7)
    seen = [orientation.of(picture) for orientation in orientations(DRAFT)]
    assert torch.equal(seen[0], picture)
    corners = {float(look[0, 0, 0, 0]) for look in seen}
    assert corners == {float(picture[0, 0, y, x]) for y in (0, -1) for x in (0, -1)}


@pytest.mark.parametrize(
    "settings", [DEFAULTS.on(NetworkName.VGG19), DRAFT.changed(optimizer="lbfgs")]
)
def test_nothing_turns_where_the_network_is_exact_or_the_objective_has_to_stand_still(
    settings: object,
) -> None:
    assert orientations(settings) == (UPRIGHT,)

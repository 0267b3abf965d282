"""Measuring a job's pictures: at the layers asked for, whatever the settings of the moment name."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
import torch
from flowing import FLOWING
from generators import returned
from running import measurer_of, plan_of

from engine.run.targets import TargetMeasurer
from engine.spec.choices import NetworkName
from engine.spec.job import job_of
from engine.spec.layers import MeasuredLayers, measured_layers
from engine.spec.pictures import StyleImage
from engine.spec.scales import Scale
from engine.spec.tiles import WHOLE
from engine.storage.images import picture_from_pixels
from resources import DRAFT_NETWORK

pytestmark = pytest.mark.usefixtures("one_thread")

SETTINGS = FLOWING.on(NetworkName.DRAFT).changed(device="cpu", precision="float32")
SCALE = Scale(canvas=(48, 32), styles=((40, 40),), steps=1)
FEWER = {"style_layers": "relu2_1:2, relu3_1", "content_weight": 3.0}


@pytest.fixture
def measurer() -> TargetMeasurer:
    pixels = np.random.default_rng(0).integers(0, 256, (2, 32, 48, 3), np.uint8)
    photograph, painting = (picture_from_pixels(levels, "picture") for levels in pixels)
    job = job_of(photograph, [StyleImage(painting)], SETTINGS)
    return measurer_of(job, plan_of(job, tiling=WHOLE))


def test_a_job_that_goes_on_has_the_very_objective_it_had(measurer: TargetMeasurer) -> None:
    """Retuned to fewer layers, then measured anew with what was measured at first."""
    begun, now = measured_layers(SETTINGS), SETTINGS.changed(**FEWER)
    retuned = returned(measurer.measure(SCALE, begun, SETTINGS, [1.0])).objective.retuned(
        now, [1.0]
    )
    again = returned(measurer.measure(SCALE, begun, now, [1.0])).objective
    image = torch.rand(1, 3, 32, 48)
    for step in range(again.period):
        found, wanted = again.evaluate(image, step), retuned.evaluate(image, step)
        assert torch.equal(found.terms, wanted.terms)
        assert torch.equal(found.gradient, wanted.gradient)
    assert again.term_names == ("content relu4_2", "style relu2_1", "style relu3_1")
    assert begun.cover(measured_layers(now))
    assert not measured_layers(now).cover(begun)


def test_each_picture_is_announced_before_it_is_measured(measurer: TargetMeasurer) -> None:
    layers = measured_layers(SETTINGS)
    said = list(measurer.measure(SCALE, layers, SETTINGS, [1.0]))
    assert said == ["Measuring picture at 48 × 32 px"] * 2


def test_the_network_is_told_by_its_digest(measurer: TargetMeasurer) -> None:
    assert measurer.network_sha256 == hashlib.sha256(DRAFT_NETWORK.read_bytes()).hexdigest()


def test_measured_layers_are_those_that_settings_name_whatever_they_weigh() -> None:
    named = FLOWING.changed(content_layers="relu3_1:0, relu4_2", style_layers="relu1_1:2, relu4_2")
    layers = measured_layers(named)
    assert layers == MeasuredLayers(
        frozenset({"relu3_1", "relu4_2"}), frozenset({"relu1_1", "relu4_2"})
    )
    assert layers.all == {"relu1_1", "relu3_1", "relu4_2"}
